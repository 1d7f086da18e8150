"""Displacements of beads and chains: g1, g2, g3 of one melt in one pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.analysis.curves import Curve, CurveBuilder, Effort, group_sets
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
from polypace.analysis.time_blocks import TimeBlock, block_count, time_blocks
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

BYTES_PER_FRAME_AND_SUM = 64  # those of one curve, and the sums of all three


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
    n_blocks: int | None = None,
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
    trajectory, dt, times, max_lag, n_groups, n_blocks, n_threads, max_memory, scratch, progress
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
        groups = assign_groups(np.arange(chains.max() + 1), n_groups)
        drift, centers = _drift_and_centers(motion, chains, weights, remove_drift, effort)
        parts = _Parts(motion, beads, chains, weights, drift, centers, effort)
        curves = parts.curves(lags, groups)
        blocks = [
            parts.between(block).curves(block.lags, groups)
            for block in time_blocks(motion, lags, block_count(n_blocks, groups))
        ]
    counts = {"g1": len(beads), "g2": len(beads), "g3": len(groups)}
    if blocks:
        curves = {name: curve.with_time_blocks([b[name].groups for b in blocks]) for name, curve in curves.items()}
    results = {name: as_msd(curve, lags, counts[name]) for name, curve in curves.items()}
    return ChainMSD(**results, n_chains=counts["g3"], n_beads=counts["g1"])


def _drift_and_centers(
    motion: Motion, chains: Integers, masses: Floats, remove_drift: bool, effort: Effort
) -> tuple[Floats | None, Floats | None]:
    """Drift of the system, if it is to be removed, and the centres of all chains, if they fit: from one pass through the
    coordinates."""
    n_threads, n_chains = effort.n_threads, int(chains.max()) + 1
    if effort.chains_at_once(len(motion.times)) < n_chains:
        return system_drift(motion, masses, n_threads) if remove_drift else None, None
    centers = weighted_centers(motion, chains, masses, n_threads)
    drift = None
    if remove_drift:
        of_chains = np.bincount(chains, masses).astype(np.float64)
        drift = system_drift(ArrayMotion(centers, motion.times), of_chains, n_threads)
    return drift, centers


@dataclass(frozen=True, eq=False)
class _Parts:
    """The series whose displacements make up g1, g2 and g3."""

    motion: Motion
    beads: Integers
    chains: Integers
    masses: Floats
    drift: Floats | None
    centers: Floats | None  # of all chains, where they fit
    effort: Effort

    def between(self, block: TimeBlock) -> _Parts:
        drift, centers = (None if a is None else a[block.frames] for a in (self.drift, self.centers))
        return replace(self, motion=block.motion, drift=drift, centers=centers)

    def curves(self, lags: Lags, group_of_chain: Integers) -> dict[str, Curve]:
        builders = {name: CurveBuilder(lags.lag, lags.logarithmic, self.effort.crew) for name in ("g1", "g2", "g3")}
        bead_counts = np.bincount(group_of_chain[self.chains[self.beads]], minlength=int(group_of_chain.max()) + 1)
        chain_counts = np.bincount(group_of_chain)
        n_frames = len(self.motion.times)
        for first, members in group_sets(group_of_chain, self.effort.groups_at_once(n_frames, BYTES_PER_FRAME_AND_SUM)):
            groups = group_of_chain[members] - first
            n_groups = int(groups.max()) + 1
            n_sets = -(-len(members) // self.effort.chains_at_once(n_frames))
            sets = np.array_split(np.arange(len(members)), n_sets)
            totals = self._sums(members[sets[0]], groups[sets[0]], n_groups, lags)
            for some in sets[1:]:
                for total, more in zip(totals, self._sums(members[some], groups[some], n_groups, lags), strict=True):
                    total += more
            own = slice(first, first + n_groups)
            for builder, total, counts in zip(
                builders.values(), totals, (bead_counts, bead_counts, chain_counts), strict=True
            ):
                builder.add_directions(total[:3], int(counts.sum()))
                moving = np.flatnonzero(counts[own])
                builder.add(total[3:][moving], counts[own][moving])
        return {name: builder.curve for name, builder in builders.items()}

    def _sums(self, members: Integers, groups: Integers, n_groups: int, lags: Lags) -> tuple[Floats, Floats, Floats]:
        """Those of some chains for g1, g2, g3: Σ|Δr − ΔR|² = Σ|Δr|² + M(|Δ(c − R)|² − |Δc|²)."""
        place = np.full(int(self.chains.max()) + 1, -1, dtype=np.int64)
        place[members] = np.arange(len(members))
        beads = self.beads[place[self.chains[self.beads]] >= 0]
        chain_of_bead = place[self.chains[beads]]
        counts = np.bincount(chain_of_bead, minlength=len(members))

        def averages(positions: Floats, drift: Floats | None = None) -> Floats:
            motion, every = ArrayMotion(positions, self.motion.times), np.arange(len(members))
            return origin_averages(motion, every, groups, n_groups, lags, self.effort, drift)

        g1 = origin_averages(self.motion, beads, groups[chain_of_bead], n_groups, lags, self.effort, self.drift)
        if self.centers is None:
            centers = self._weighted(place[self.chains], self.masses)
        else:
            centers = self.centers if len(members) == self.centers.shape[1] else self.centers[:, members]
        g3 = averages(centers, self.drift)
        root = np.sqrt(counts)[:, None]
        whole = len(self.beads) == self.motion.n_particles and np.ptp(self.masses) == 0  # c = R
        if whole and np.ptp(counts) == 0:
            g2 = np.multiply(g3, -float(counts[0]))
            g2 += g1
        elif whole:
            g2 = g1 - averages(self._driftless(centers) * root)
        else:
            sets = np.full(len(self.chains), -1, dtype=np.int64)
            sets[beads] = chain_of_bead
            means = np.zeros_like(centers)
            found = self._weighted(sets, np.ones(len(sets)))
            means[:, : found.shape[1]] = found
            del found
            off_center = means - centers
            off_center *= root
            g2 = averages(off_center)
            g2 += g1
            g2 -= averages(self._driftless(means) * root)
        return g1, np.maximum(g2, 0, out=g2), g3

    def _weighted(self, sets: Integers, weights: Floats) -> Floats:
        return weighted_centers(self.motion, sets, weights, self.effort.n_threads)

    def _driftless(self, positions: Floats) -> Floats:
        return positions if self.drift is None else positions - self.drift[:, None]
