"""Averages over time origins for groups of molecules, and the mean curve with its error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace import _core
from polypace.analysis.groups import GroupMoments
from polypace.analysis.motion import Motion, Piece, refuse_nan
from polypace.analysis.spectra import SpectraAccumulator

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

DEFAULT_MEMORY = 1 << 30  # bytes for sums and work space where no limit is given
BYTES_PER_FRAME_AND_SUM = 20  # a spectrum, padded, and squares
BYTES_PER_FRAME_AND_CHAIN = 96  # centres, means of beads, and what is computed of both
GROUP_LAGS_PER_DECADE = 24


@dataclass(frozen=True, eq=False)
class GroupCurves:
    """A curve at lags spaced evenly in the logarithm, and the same average over parts of the data that are independent:
    groups of molecules, blocks in time, or both.

    Parameters
    ----------
    lag, mean : (k,) float64
        ps, and the curve there.
    curves : (n_samples, k_known) float64
        Of every part, at the first lags: blocks in time know no lags longer than themselves.
    weights : (n_samples,) float64
        Number of particles of every part.
    """

    lag: Floats
    mean: Floats
    curves: Floats
    weights: Floats

    @property
    def known_lag(self) -> Floats:
        """Lags at which the parts, and so the error, are known (ps)."""
        return self.lag[: self.curves.shape[1]]

    def resample(self, n_samples: int, seed: int) -> Floats:
        """(n_samples, k_known): means over parts drawn with replacement (bootstrap), which scatter around `mean`."""
        rng = np.random.default_rng(seed)
        n = len(self.weights)
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=n_samples) * self.weights
        samples = drawn @ self.curves / drawn.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(samples * (self.mean[: samples.shape[1]] / self._mean_of_parts))

    def covariance(self) -> Floats:
        """(k_known, k_known): covariance of the mean curve, from the scatter of the parts; NaN for a single one."""
        n = len(self.weights)
        if n < 2:
            return np.full((self.curves.shape[1],) * 2, np.nan)
        shares = self.weights / self.weights.sum()
        deviations = shares[:, None] * (self.curves - self._mean_of_parts)
        return np.asarray(n / (n - 1) * deviations.T @ deviations)

    @property
    def error(self) -> Floats:
        """(k_known,) standard error of the mean curve."""
        return np.asarray(np.sqrt(np.diag(self.covariance())))

    @property
    def _mean_of_parts(self) -> Floats:
        return np.asarray(self.weights @ self.curves / self.weights.sum())


@dataclass(frozen=True, eq=False)
class Curve:
    """Mean over all particles, its standard error, its parts along x, y, z, and the curves of independent parts."""

    lag: Floats
    mean: Floats
    error: Floats
    directions: Floats
    groups: GroupCurves

    def with_time_blocks(self, blocks: list[GroupCurves]) -> Curve:
        """Errors from blocks in time at the lags that the blocks have; those of molecules stay at longer ones."""
        curves = np.concatenate([block.curves for block in blocks])
        weights = np.concatenate([block.weights for block in blocks])
        groups = GroupCurves(self.groups.lag, self.groups.mean, curves, weights)
        error, known = self.error.copy(), groups.known_lag
        inside = self.lag <= known[-1] * (1 + 1e-9)
        with np.errstate(divide="ignore"):
            error[inside] = np.exp(np.interp(np.log(self.lag[inside]), np.log(known), np.log(groups.error)))
        error[self.mean == 0] = 0  # displacements at lag 0
        return Curve(self.lag, self.mean, error, self.directions, groups)


class CurveBuilder:
    """Collects the curves of groups, a few at a time, in little memory."""

    def __init__(self, lag: Floats, log_lags: Integers, crew: Any) -> None:
        self._lag, self._log_lags, self._crew = lag, log_lags, crew
        self._moments = GroupMoments(len(lag), crew)
        self._directions = crew.zeros(3, len(lag))
        self._totals: list[Floats] = []
        self._weights: list[Floats] = []

    def add(self, totals: Floats, weights: npt.ArrayLike) -> None:
        """Add groups: `totals` (n_groups, n_lags), summed over their `weights` (n_groups,) particles."""
        values = np.asarray(weights, dtype=np.float64)
        self._moments.add(totals, values)
        self._totals.append(totals[:, self._log_lags])
        self._weights.append(values)

    def add_directions(self, totals: Floats, n_particles: int) -> None:
        """Add the part (3, n_lags) of a sum over all `n_particles`."""
        _core.dynamics.add_scaled(totals, 1 / n_particles, self._directions, self._crew)

    @property
    def curve(self) -> Curve:
        weights = np.concatenate(self._weights)
        curves = np.concatenate(self._totals) / weights[:, None]
        mean, error = self._moments.mean_and_error()
        groups = GroupCurves(self._lag[self._log_lags], mean[self._log_lags], curves, weights)
        return Curve(self._lag, mean, error, self._directions.T, groups)


@dataclass(frozen=True)
class Effort:
    """How the work is done: threads and bytes; no result depends on it beyond rounding."""

    n_threads: int = 0
    max_memory: int | None = None

    @cached_property
    def crew(self) -> Any:
        """Threads and work space of all that is computed with this effort."""
        return _core.dynamics.Crew(self.n_threads)

    def groups_at_once(self, n_frames: int, bytes_per_sum: int = BYTES_PER_FRAME_AND_SUM) -> int:
        """Groups whose sums fit into a third of the memory, beside those of the three directions."""
        third = (self.max_memory or 3 * DEFAULT_MEMORY) // 3
        return max(1, int(third // (bytes_per_sum * n_frames)) - 3)

    def chains_at_once(self, n_frames: int) -> int:
        """Chains whose centres fit into a sixth of the memory."""
        return max(1, int((self.max_memory or 6 * DEFAULT_MEMORY) // 6 // (BYTES_PER_FRAME_AND_CHAIN * n_frames)))

    @property
    def work_bytes(self) -> int:
        """Limit of the transforms' work space; 0: what fits the caches."""
        return 0 if self.max_memory is None else max(1, self.max_memory // 3)


def logarithmic_lags(n_lags: int, per_decade: int = GROUP_LAGS_PER_DECADE) -> Integers:
    """Distinct lags 1 … n_lags−1 (in frames), spaced evenly in the logarithm."""
    if n_lags < 2:
        return np.zeros(0, dtype=np.int64)
    decades = np.log10(n_lags - 1)
    grid = np.logspace(0, decades, max(2, int(np.ceil(decades * per_decade)) + 1))
    return np.unique(np.clip(np.rint(grid).astype(np.int64), 1, n_lags - 1))


def group_sets(groups: Integers, at_once: int) -> Iterator[tuple[int, Integers]]:
    """First group and members (positions in `groups`) of consecutive sets of groups."""
    for first in range(0, int(groups.max()) + 1, at_once):
        yield first, np.flatnonzero((groups >= first) & (groups < first + at_once))


def displacement_averages(
    motion: Motion,
    particles: Integers,
    groups: Integers,
    n_groups: int,
    effort: Effort,
    drift: Floats | None = None,
) -> Floats:
    """(3 + n_groups, n_frames): Σ over particles of the squared displacement, averaged over time origins; along x, y
    and z of all `particles`, and of those in each group (Å²)."""
    accumulator = SpectraAccumulator(len(motion.times), 3 + n_groups, crew=effort.crew, work_bytes=effort.work_bytes)
    for piece in motion.pieces(particles):
        add_piece(accumulator, piece, groups, drift)
        if not accumulator.is_finite:
            refuse_nan(piece, particles)
    return accumulator.displacement_averages()


def add_piece(accumulator: SpectraAccumulator, piece: Piece, groups: Integers, drift: Floats | None = None) -> None:
    """Add a piece with x, y, z in sums 0, 1, 2 and group g in sum 3 + g."""
    segments = np.empty((len(piece.local), 3, 2), dtype=np.int64)
    segments[:, :, 0] = np.arange(3)
    segments[:, :, 1] = 3 + groups[piece.index, None]
    accumulator.add(piece.positions, piece.local, segments, drift)
