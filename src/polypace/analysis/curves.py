"""Averages over time origins for groups of molecules, and the mean curve with its error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace.analysis.groups import GroupMoments
from polypace.analysis.motion import Motion, Piece, refuse_nan
from polypace.analysis.spectra import SpectraAccumulator

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

DEFAULT_MEMORY = 1 << 30  # bytes for sums and work space where no limit is given
BYTES_PER_FRAME_AND_SUM = 64  # spectra in two orders, squares in two, correlations
GROUP_LAGS_PER_DECADE = 24


@dataclass(frozen=True, eq=False)
class GroupCurves:
    """The same average for groups of independent molecules, at lags spaced evenly in the logarithm.

    Parameters
    ----------
    lag : (k,) float64
        ps
    curves : (n_groups, k) float64
    weights : (n_groups,) float64
        Number of particles of every group.
    """

    lag: Floats
    curves: Floats
    weights: Floats

    @property
    def mean(self) -> Floats:
        return np.asarray(self.weights @ self.curves / self.weights.sum())

    def resample(self, n_samples: int, seed: int) -> Floats:
        """(n_samples, k): means over groups drawn with replacement (bootstrap over molecules)."""
        rng = np.random.default_rng(seed)
        n_groups = len(self.weights)
        drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_samples) * self.weights
        return np.asarray(drawn @ self.curves / drawn.sum(axis=1, keepdims=True))

    def covariance(self) -> Floats:
        """(k, k): covariance of the mean curve, from the scatter of the groups."""
        n = len(self.weights)
        shares = self.weights / self.weights.sum()
        deviations = shares[:, None] * (self.curves - self.mean)
        return np.asarray(n / max(n - 1, 1) * deviations.T @ deviations)


@dataclass(frozen=True, eq=False)
class Curve:
    """Mean over all particles, its standard error, its parts along x, y, z, and the curves of groups."""

    mean: Floats
    error: Floats
    directions: Floats
    groups: GroupCurves


class CurveBuilder:
    """Collects the curves of groups, one at a time, in little memory."""

    def __init__(self, lag: Floats, log_lags: Integers) -> None:
        self._lag, self._log_lags = lag, log_lags
        self._moments = GroupMoments.zeros((len(lag),))
        self._directions = np.zeros((len(lag), 3))
        self._curves: list[Floats] = []
        self._weights: list[float] = []

    def add(self, curve: Floats, weight: float) -> None:
        self._moments.add(curve, weight)
        self._curves.append(curve[self._log_lags])
        self._weights.append(weight)

    def add_directions(self, parts: Floats, share: float) -> None:
        self._directions += share * parts

    @property
    def curve(self) -> Curve:
        groups = GroupCurves(self._lag[self._log_lags], np.array(self._curves), np.array(self._weights))
        return Curve(self._moments.mean, self._moments.error, self._directions, groups)


@dataclass(frozen=True)
class Effort:
    """How the work is done: threads and bytes; no result depends on it beyond rounding."""

    n_threads: int = 0
    max_memory: int | None = None

    def groups_at_once(self, n_frames: int) -> int:
        """Groups whose sums fit into a third of the memory, beside those of the three directions."""
        third = (self.max_memory or 3 * DEFAULT_MEMORY) // 3
        return max(1, int(third // (BYTES_PER_FRAME_AND_SUM * n_frames)) - 3)

    @property
    def work_bytes(self) -> int:
        """Limit of the transforms' work space; 0: what fits the caches."""
        return 0 if self.max_memory is None else max(1, self.max_memory // 6)


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


def displacement_sums(
    motion: Motion,
    particles: Integers,
    groups: Integers,
    n_groups: int,
    effort: Effort,
    drift: Floats | None = None,
) -> Floats:
    """(3 + n_groups, n_frames): Σ over particles and time origins of the squared displacements, along x, y and z of
    all `particles`, and of those in each group (Å²)."""
    accumulator = SpectraAccumulator(
        len(motion.times), 3 + n_groups, n_threads=effort.n_threads, work_bytes=effort.work_bytes
    )
    for piece in motion.pieces(particles):
        add_piece(accumulator, piece, groups, drift)
        if not np.isfinite(accumulator.partial.squares).all():
            refuse_nan(piece, particles)
    return accumulator.partial.displacement_sums(effort.n_threads, effort.work_bytes)


def add_piece(accumulator: SpectraAccumulator, piece: Piece, groups: Integers, drift: Floats | None = None) -> None:
    """Add a piece with x, y, z in sums 0, 1, 2 and group g in sum 3 + g."""
    segments = np.empty((len(piece.local), 3, 2), dtype=np.int64)
    segments[:, :, 0] = np.arange(3)
    segments[:, :, 1] = 3 + groups[piece.index, None]
    accumulator.add(piece.positions, piece.local, segments, drift)
