"""How chains forget: autocorrelation of the end-to-end vector and of the Rouse modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.analysis.curves import Curve, CurveBuilder, Effort, GroupCurves
from polypace.analysis.groups import assign_groups
from polypace.analysis.lags import Lags, lags_of
from polypace.analysis.motion import ArrayMotion, LinearSums, uniform_step
from polypace.analysis.msd import Progress
from polypace.analysis.open_motion import open_motion
from polypace.analysis.selection import chain_numbers, chain_order
from polypace.analysis.spectra import SpectraAccumulator
from polypace.analysis.time_blocks import block_count, time_blocks
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Autocorrelation:
    """⟨x(t₀)·x(t₀ + lag)⟩ over chains and time origins.

    Parameters
    ----------
    lag : (n_lags,) float64
        ps
    correlation, error : (n_lags,) float64
        Å²; standard error from groups of chains, from blocks in time where chains are few.
    groups : GroupCurves
    """

    lag: Floats
    correlation: Floats
    error: Floats
    groups: GroupCurves

    @property
    def effective_samples(self) -> Floats:
        """Number of independent pairs of Gaussian vectors that would give the same error, (C₀² + C²)/(3 error²)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((self.correlation[0] ** 2 + self.correlation**2) / (3 * self.error**2))

    @property
    def normalised(self) -> Floats:
        """correlation / correlation at lag 0."""
        return np.asarray(self.correlation / self.correlation[0])

    @property
    def relaxation_time(self) -> float:
        """Lag at which the normalised correlation has fallen to 1/e, interpolated (ps); NaN where it does not."""
        below = np.flatnonzero(self.normalised < np.exp(-1))
        if len(below) == 0 or below[0] == 0:
            return float("nan")
        i = int(below[0])
        high, low = np.log(self.normalised[i - 1]), np.log(max(self.normalised[i], 1e-300))
        return float(self.lag[i - 1] + (self.lag[i] - self.lag[i - 1]) * (high + 1) / (high - low))


def end_to_end_autocorrelation(
    trajectory: Any,
    dt: float | None = None,
    *,
    molecules: npt.ArrayLike | None = None,
    ends: npt.ArrayLike | None = None,
    n_groups: int | None = None,
    n_blocks: int | None = None,
    n_threads: int = 0,
    max_memory: int | None = None,
    progress: Progress | None = None,
) -> Autocorrelation:
    """⟨R(t₀)·R(t₀ + t)⟩ of the end-to-end vector R, at equally spaced frames.

    Parameters
    ----------
    trajectory, dt, molecules, n_groups, n_blocks, n_threads, max_memory, progress
        As in `chain_msd`.
    ends : (n_chains, 2) int, optional
        First and last bead of each chain; default: those of the bonds, else first and last particle of each molecule.
    """
    effort = Effort(n_threads, max_memory)
    with open_motion(trajectory, dt, None, effort, None, progress) as motion:
        if ends is None:
            chains = chain_numbers(molecules, trajectory, motion.n_particles)
            order = chain_order(molecules, trajectory, chains)
            counts = np.bincount(chains[order])
            last = np.cumsum(counts)
            pairs = np.stack([order[last - counts], order[last - 1]], axis=1)
        else:
            pairs = np.asarray(ends, dtype=np.int64)
            if pairs.ndim != 2 or pairs.shape[1] != 2:
                raise InputError(f"ends must be (n_chains, 2) particle numbers, got shape {pairs.shape}")
        n = len(pairs)
        sums = LinearSums(pairs.ravel(), np.repeat(np.arange(n), 2), np.tile([-1.0, 1.0], n), n)
        vectors = sums.over_time(motion, n_threads)
        return _autocorrelation(vectors, motion.times, assign_groups(np.arange(n), n_groups), n_blocks, effort)


@dataclass(frozen=True, eq=False)
class RouseModes:
    """Normal modes X_p = (1/N) Σ_i r_i cos(pπ(i − ½)/N) and their autocorrelations.

    Parameters
    ----------
    modes : (n_modes,) int64
        p, from 1.
    correlations : tuple of Autocorrelation
        ⟨X_p(t₀)·X_p(t₀ + t)⟩ for each p.
    n_beads : int
        N
    """

    modes: Integers
    correlations: tuple[Autocorrelation, ...]
    n_beads: int

    @property
    def amplitudes(self) -> Floats:
        """(n_modes,) ⟨X_p²⟩, Å²; an ideal chain has b²/(8 N sin²(pπ/2N))."""
        return np.array([one.correlation[0] for one in self.correlations])

    @property
    def relaxation_times(self) -> Floats:
        """(n_modes,) times to 1/e, ps; an ideal chain has τ_p ∝ 1/sin²(pπ/2N)."""
        return np.array([one.relaxation_time for one in self.correlations])


def rouse_modes(
    trajectory: Any,
    dt: float | None = None,
    *,
    modes: npt.ArrayLike = (1, 2, 3, 4),
    molecules: npt.ArrayLike | None = None,
    n_groups: int | None = None,
    n_blocks: int | None = None,
    n_threads: int = 0,
    max_memory: int | None = None,
    progress: Progress | None = None,
) -> RouseModes:
    """Rouse modes of chains of equal length and their autocorrelations, at equally spaced frames.

    Beads are taken along the bonds of a trajectory that has them; else particles of a chain must follow one
    another along it. Doi & Edwards, The Theory of Polymer Dynamics (1986), ch. 4;
    discrete form: Kopf, Dünweg & Paul, J. Chem. Phys. 107, 6945 (1997), eq. 4.
    """
    wanted = np.atleast_1d(np.asarray(modes, dtype=np.int64))
    effort = Effort(n_threads, max_memory)
    with open_motion(trajectory, dt, None, effort, None, progress) as motion:
        chains = chain_numbers(molecules, trajectory, motion.n_particles)
        order = chain_order(molecules, trajectory, chains)
        counts = np.bincount(chains[order])
        n_beads = int(counts[0])
        if np.ptp(counts):
            raise InputError(f"Rouse modes need chains of equal length, got {counts.min()} to {counts.max()} beads")
        if wanted.min() < 1 or wanted.max() >= n_beads:
            raise InputError(f"modes must be 1…{n_beads - 1}, got {wanted.min()}…{wanted.max()}")
        bead = np.arange(len(order)) % n_beads + 0.5
        groups = assign_groups(np.arange(len(counts)), n_groups)
        correlations = []
        for p in wanted:
            weights = np.cos(p * np.pi * bead / n_beads) / n_beads
            amplitudes = LinearSums(order, chains[order], weights, len(counts)).over_time(motion, n_threads)
            correlations.append(_autocorrelation(amplitudes, motion.times, groups, n_blocks, effort))
    return RouseModes(wanted, tuple(correlations), n_beads)


def _autocorrelation(
    vectors: Floats, times: Floats, groups: Integers, n_blocks: int | None, effort: Effort
) -> Autocorrelation:
    """Of vectors (n_frames, n, 3), in groups."""
    if uniform_step(times) is None:
        raise InputError("autocorrelations need frames at equal steps; give such a part of the run")
    lags = lags_of(times)
    curve = _correlation_curve(vectors, groups, lags, effort)
    blocks = [
        _correlation_curve(vectors[block.frames], groups, block.lags, effort).groups
        for block in time_blocks(ArrayMotion(vectors, times), lags, block_count(n_blocks, groups))
    ]
    if blocks:
        curve = curve.with_time_blocks(blocks)
    return Autocorrelation(lags.lag, curve.mean, curve.error, curve.groups)


def _correlation_curve(vectors: Floats, groups: Integers, lags: Lags, effort: Effort) -> Curve:
    accumulator = SpectraAccumulator(len(vectors), int(groups.max()) + 1, crew=effort.crew, centered=False)
    segments = np.full((len(groups), 3, 2), -1)
    segments[:, :, 0] = groups[:, None]
    accumulator.add(vectors, np.arange(len(groups)), segments)
    sums = accumulator.correlation_sums()[:, : len(lags.lag)]
    if not np.isfinite(sums).all():
        _refuse(vectors)
    builder = CurveBuilder(lags.lag, lags.logarithmic, effort.crew)
    builder.add(sums / lags.n_origins, np.bincount(groups))
    return builder.curve


def _refuse(vectors: Floats) -> None:
    frame, chain = np.argwhere(~np.isfinite(vectors))[0][:2]
    raise InputError(f"trajectory has coordinates that are not finite at frame {frame}, in chain {chain}")
