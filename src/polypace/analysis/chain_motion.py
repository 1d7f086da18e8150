"""Displacements of beads and chains: g1, g2, g3 of one melt in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.analysis.curves import CurveBuilder, Effort, group_sets
from polypace.analysis.groups import assign_groups
from polypace.analysis.lags import Lags, lags_of, origin_averages
from polypace.analysis.motion import ArrayMotion, Motion, weighted_centers
from polypace.analysis.msd import MSD, Progress, as_msd, system_drift
from polypace.analysis.open_motion import open_motion
from polypace.analysis.selection import (
    central_particles,
    chain_numbers,
    chain_order,
    particle_masses,
    selected_particles,
)
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ChainMSD:
    """The three mean square displacements of a polymer melt (Kremer & Grest, J. Chem. Phys. 92, 5057 (1990), eq. 11).

    Parameters
    ----------
    g1 : MSD
        Beads.
    g2 : MSD
        Beads relative to the centre of mass of their own chain.
    g3 : MSD
        Centres of mass of the chains.
    n_chains, n_beads : int
        Chains, and beads that g1 and g2 are averages of.
    """

    g1: MSD
    g2: MSD
    g3: MSD
    n_chains: int
    n_beads: int


def chain_msd(
    trajectory: Any,
    dt: float | None = None,
    *,
    times: npt.ArrayLike | None = None,
    molecules: npt.ArrayLike | None = None,
    masses: npt.ArrayLike | None = None,
    particles: npt.ArrayLike | None = None,
    central: int | None = None,
    remove_drift: bool = True,
    max_lag: float | None = None,
    n_groups: int | None = None,
    n_threads: int = 0,
    max_memory: int | None = None,
    scratch: str | Path | None = None,
    progress: Progress | None = None,
) -> ChainMSD:
    r"""g1, g2 and g3 of a melt, averaged over all time origins.

    .. math::
        g_1 = \langle |\Delta r_i|^2 \rangle,\quad
        g_2 = \langle |\Delta r_i - \Delta R|^2 \rangle,\quad
        g_3 = \langle |\Delta R|^2 \rangle

    with R the centre of mass of the chain of bead i. Only g1 needs the beads one by one: the sum of g2 over the
    beads of a chain is Σ|Δr|² + M(|Δ(c − R)|² − |Δc|²) with c the mean of those M beads, which is g1 − g3 where they
    are all beads and their masses equal.

    Parameters
    ----------
    trajectory, dt, times, max_lag, n_groups, n_threads, max_memory, scratch, progress
        As in `polypace.msd`.
    molecules : (n_particles,) int, optional
        Chain of every particle; a `Trajectory` brings it.
    masses : (n_particles,) float, optional
        Default: those of the trajectory, else all the same.
    particles : (k,) int or (n_particles,) bool, optional
        Beads that g1 and g2 average over; default all.
    central : int, optional
        Take the middle `central` beads of every chain instead: along the bonds of a trajectory that has them,
        else particles of a chain are taken in their order.
    remove_drift : bool
        Subtract the displacement of the centre of mass of the whole system.

    Raises
    ------
    InputError
        as `polypace.msd`; where no molecules are known; where `particles` and `central` are both given.
    """
    effort = Effort(n_threads, max_memory)
    with open_motion(trajectory, dt, times, effort, scratch, progress) as motion:
        n = motion.n_particles
        topology = getattr(trajectory, "topology", None)
        chains = chain_numbers(molecules, trajectory, n)
        own_masses = getattr(topology, "masses", None) if masses is None else masses
        weights = particle_masses(own_masses, n)
        if central is not None and particles is not None:
            raise InputError("give particles or central, not both: central chooses the particles")
        if central is None:
            beads = selected_particles(particles, n)
        else:
            beads = central_particles(chains, chain_order(molecules, trajectory, chains), central)
        lags = lags_of(motion.times, max_lag)
        drift = system_drift(motion, weights, n_threads) if remove_drift else None
        parts = _Parts(motion, beads, chains, weights, drift, effort)
        return parts.curves(lags, assign_groups(np.arange(chains.max() + 1), n_groups))


class _Parts:
    """The series whose displacements make up g1, g2 and g3."""

    def __init__(
        self,
        motion: Motion,
        beads: Integers,
        chains: Integers,
        masses: Floats,
        drift: Floats | None,
        effort: Effort,
    ) -> None:
        self._motion, self._beads, self._chains = motion, beads, chains
        self._drift, self._effort = drift, effort
        self._n_beads = np.bincount(chains[beads], minlength=int(chains.max()) + 1)
        centers = self._without_drift(weighted_centers(motion, chains, masses, effort.n_threads))
        self._centers = ArrayMotion(centers, motion.times)
        whole = len(beads) == motion.n_particles and np.ptp(masses) == 0
        self._relative = None if whole else self._relative_motion(centers)

    def _without_drift(self, centers: Floats) -> Floats:
        return centers if self._drift is None else centers - self._drift[:, None]

    def _relative_motion(self, centers: Floats) -> tuple[ArrayMotion, ArrayMotion]:
        """√M c and √M (c − R) of every chain: what g2 needs beside g1."""
        sets = np.full(len(self._chains), -1, dtype=np.int64)
        sets[self._beads] = self._chains[self._beads]
        means = np.zeros_like(centers)
        found = weighted_centers(self._motion, sets, np.ones(len(sets)), self._effort.n_threads)
        means[:, : found.shape[1]] = self._without_drift(found)
        means *= np.sqrt(self._n_beads)[:, None]
        relative = means - centers * np.sqrt(self._n_beads)[:, None]
        return ArrayMotion(means, self._motion.times), ArrayMotion(relative, self._motion.times)

    def _averages(self, motion: Motion, particles: Integers, groups: Integers, n_groups: int, lags: Lags) -> Floats:
        drift = self._drift if motion is self._motion else None
        return origin_averages(motion, particles, groups, n_groups, lags, self._effort, drift)

    def _relative_sums(
        self, bead_sums: Floats, members: Integers, groups: Integers, n_groups: int, lags: Lags
    ) -> Floats:
        """Σ|Δr − ΔR|² from Σ|Δr|²."""
        if self._relative is not None:
            means, relative = (self._averages(motion, members, groups, n_groups, lags) for motion in self._relative)
            return np.asarray(np.maximum(bead_sums + relative - means, 0))
        scaled = self._centers.positions * np.sqrt(self._n_beads)[:, None]
        weighted = ArrayMotion(scaled, self._motion.times)
        return np.asarray(np.maximum(bead_sums - self._averages(weighted, members, groups, n_groups, lags), 0))

    def curves(self, lags: Lags, group_of_chain: Integers) -> ChainMSD:
        builders = {name: CurveBuilder(lags.lag, lags.logarithmic) for name in ("g1", "g2", "g3")}
        bead_groups = group_of_chain[self._chains[self._beads]]
        for first, members in group_sets(group_of_chain, self._effort.groups_at_once(len(self._motion.times))):
            groups = group_of_chain[members] - first
            n_groups = int(groups.max()) + 1
            beads = np.flatnonzero((bead_groups >= first) & (bead_groups < first + n_groups))
            bead_sums = self._averages(self._motion, self._beads[beads], bead_groups[beads] - first, n_groups, lags)
            center_sums = self._averages(self._centers, members, groups, n_groups, lags)
            relative_sums = self._relative_sums(bead_sums, members, groups, n_groups, lags)
            bead_counts = np.bincount(bead_groups[beads] - first, minlength=n_groups)
            _add(builders["g1"], bead_sums, bead_counts, len(self._beads))
            _add(builders["g2"], relative_sums, bead_counts, len(self._beads))
            _add(builders["g3"], center_sums, np.bincount(groups), len(group_of_chain))
        counts = {"g1": len(self._beads), "g2": len(self._beads), "g3": len(group_of_chain)}
        results = {name: as_msd(builder.curve, lags, counts[name]) for name, builder in builders.items()}
        return ChainMSD(**results, n_chains=counts["g3"], n_beads=counts["g1"])


def _add(builder: CurveBuilder, sums: Floats, counts: Integers, n_total: int) -> None:
    builder.add_directions(sums[:3].T, 1 / n_total)
    for total, count in zip(sums[3:], counts, strict=True):
        if count:
            builder.add(total / count, float(count))
