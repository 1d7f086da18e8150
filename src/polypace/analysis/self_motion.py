"""Distribution of displacements: non-Gaussian parameter, van Hove function, self-intermediate scattering."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace import _core
from polypace.analysis.curves import Effort
from polypace.analysis.groups import assign_groups
from polypace.analysis.lags import FramePairs, frame_pairs, lags_of
from polypace.analysis.motion import Motion, refuse_nan
from polypace.analysis.open_motion import open_motion
from polypace.analysis.selection import molecule_numbers, selected_particles
from polypace.analysis.time_blocks import block_count, split_pairs
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MAX_ORIGINS = 512  # of one lag; neighbouring origins say the same
CHUNK = 1 << 20  # displacements in memory at a time
GAUSSIAN_ALPHA2_VARIANCE = 8 / 15  # of α₂ from one displacement, var(r⁴ − 10r²)/225 at unit variance
Sums = tuple[Floats, Floats]


@dataclass(frozen=True, eq=False)
class DisplacementFunction:
    """A function of the displacements at some lags.

    Parameters
    ----------
    lag : (n_lags,) float64
        ps
    argument : (n,) float64
        What the function is of: distance (Å), wave number (1/Å), or a single 0 where it has none.
    value, error : (n_lags, n) float64
        Standard error from groups of molecules, from blocks in time where molecules are few.
    effective_samples : (n_lags, n) float64
        Number of independent displacements that would give the same error.
    """

    lag: Floats
    argument: Floats
    value: Floats
    error: Floats
    effective_samples: Floats


def non_gaussian_parameter(
    trajectory: Any, dt: float | None = None, *, lag: npt.ArrayLike | None = None, **selection: Any
) -> DisplacementFunction:
    r"""α₂(t) = 3⟨|Δr|⁴⟩/(5⟨|Δr|²⟩²) − 1, zero for Gaussian motion (Rahman, Phys. Rev. 136, A405 (1964), eq. 7).

    Parameters
    ----------
    trajectory, dt
        As in `polypace.msd`.
    lag : (n_lags,) float, optional
        ps; default: evenly spaced in the logarithm up to a third of the run.
    **selection
        `times`, `particles`, `molecules`, `n_groups`, `n_blocks`, `n_threads`, `max_memory`, as in `polypace.msd`.
    """
    with _Selection.open(trajectory, dt, **selection) as chosen:
        lags, parts = chosen.lags_and_parts(lag)
        n_groups = int(chosen.groups.max()) + 1
        moments = np.zeros((len(parts), len(lags), n_groups, 4))
        for piece in chosen.motion.pieces(chosen.particles):
            for moment, pairs in zip(moments, parts, strict=True):
                moment += _core.dynamics.displacement_moments(
                    piece.positions,
                    piece.local,
                    chosen.groups[piece.index],
                    n_groups,
                    pairs.offsets,
                    pairs.pairs,
                    None,
                    chosen.n_threads,
                )
            if not np.isfinite(moments).all():
                refuse_nan(piece, chosen.particles)
        counts = chosen.counts(parts)
    # Rows of a cell: Σ|Δr|², Σ|Δr|⁴ and the number of displacements.
    cells = np.stack([moments[..., :3].sum(axis=3), moments[..., 3], counts.transpose(0, 2, 1)], axis=-1)
    value = _alpha2(cells.sum(axis=(0, 2)))
    # Delete one cell at a time: α₂ is no mean, and the mean of its values in the cells would be biased.
    blocks = np.concatenate(list(cells[:-1]), axis=1)
    error = _jackknife(blocks)
    error = np.where(np.isfinite(error), error, _jackknife(cells.sum(axis=0)))
    return DisplacementFunction(
        lags, np.zeros(1), value[:, None], error[:, None], (GAUSSIAN_ALPHA2_VARIANCE / error**2)[:, None]
    )


def van_hove_self(
    trajectory: Any,
    dt: float | None = None,
    *,
    lag: npt.ArrayLike,
    edges: npt.ArrayLike,
    **selection: Any,
) -> DisplacementFunction:
    """4πr² G_s(r, t): probability density of a displacement by r after a time `lag` (1/Å), over bins with `edges` (Å)."""
    bins = np.asarray(edges, dtype=np.float64)
    if bins.ndim != 1 or len(bins) < 2 or (np.diff(bins) <= 0).any() or bins[0] < 0:
        raise InputError("edges must be two or more increasing distances in Å")
    width = np.diff(bins)

    def histogram(distance: Floats) -> Sums:
        counts = np.histogram(distance, bins)[0]
        return counts / width, counts / width**2

    middle = (bins[1:] + bins[:-1]) / 2
    return _averages(trajectory, dt, lag, middle, histogram, selection)


def self_intermediate_scattering(
    trajectory: Any,
    dt: float | None = None,
    *,
    wave_numbers: npt.ArrayLike,
    lag: npt.ArrayLike | None = None,
    **selection: Any,
) -> DisplacementFunction:
    """F_s(q, t) = ⟨sin(q|Δr|)/(q|Δr|)⟩, the average of exp(iq·Δr) over the directions of q (1/Å)."""
    q = np.atleast_1d(np.asarray(wave_numbers, dtype=np.float64))
    if q.ndim != 1 or not (q > 0).all():
        raise InputError("wave_numbers must be positive (1/Å)")

    def scattering(distance: Floats) -> Sums:
        waves = [np.sinc(one * distance / np.pi) for one in q]
        return np.array([wave.sum() for wave in waves]), np.array([wave @ wave for wave in waves])

    return _averages(trajectory, dt, lag, q, scattering, selection)


def _averages(
    trajectory: Any,
    dt: float | None,
    lag: npt.ArrayLike | None,
    argument: Floats,
    function: Callable[[Floats], Sums],
    selection: dict[str, Any],
) -> DisplacementFunction:
    """Mean over particles and time origins of what `function` sums, and sums the squares of, over distances."""
    with _Selection.open(trajectory, dt, **selection) as chosen:
        lags, parts = chosen.lags_and_parts(lag)
        n_groups = int(chosen.groups.max()) + 1
        cells = np.zeros((len(parts), n_groups, len(lags), len(argument)))
        squares = np.zeros((len(lags), len(argument)))
        for part, pairs in enumerate(parts):
            for group, k, distance in chosen.distances(pairs):
                total, square = function(distance)
                cells[part, group, k] += total
                squares[k] += square
        counts = chosen.counts(parts)[..., None]
    n = counts.sum(axis=(0, 1))
    value = cells.sum(axis=(0, 1)) / n
    error = _scatter(cells[:-1].reshape(-1, *value.shape), counts[:-1].reshape(-1, *n.shape))
    error = np.where(np.isfinite(error), error, _scatter(cells.sum(axis=0), counts.sum(axis=0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.minimum((squares / n - value**2) / error**2, n)
    return DisplacementFunction(lags, argument, value, error, effective)


def _scatter(totals: Floats, counts: Floats) -> Floats:
    """Standard error of Σ totals/Σ counts over cells (first axis), √(n/(n−1) Σ (T − c·mean)²)/Σ c; NaN for one cell."""
    n, all_counts = (counts > 0).sum(axis=0), counts.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = totals.sum(axis=0) / all_counts
        scatter = ((totals - counts * mean) ** 2).sum(axis=0)
        return np.asarray(np.where(n > 1, np.sqrt(n / (n - 1) * scatter) / all_counts, np.nan))


def _alpha2(sums: Floats) -> Floats:
    """(…,) from the sums (…, 3) of squares, fourth powers and displacements."""
    square, fourth, count = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(0.6 * (fourth / count) / (square / count) ** 2 - 1)


def _jackknife(cells: Floats) -> Floats:
    """(n_lags,) standard error of α₂ from `cells` (n_lags, n_cells, 3), of those that a lag has; NaN for one."""
    has = cells[..., 2] > 0
    n = has.sum(axis=1)
    left = np.where(has, _alpha2(cells.sum(axis=1, keepdims=True) - cells), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = left.sum(axis=1) / n
        variance = (has * (left - mean[:, None]) ** 2).sum(axis=1) / n
        return np.asarray(np.where(n > 1, np.sqrt((n - 1) * variance), np.nan))


@dataclass(frozen=True, eq=False)
class _Selection:
    """Particles in groups, and the pairs of frames that a lag consists of."""

    motion: Motion
    particles: Integers
    groups: Integers
    n_blocks: int
    n_threads: int

    @classmethod
    def open(
        cls,
        trajectory: Any,
        dt: float | None,
        *,
        times: npt.ArrayLike | None = None,
        particles: npt.ArrayLike | None = None,
        molecules: npt.ArrayLike | None = None,
        n_groups: int | None = None,
        n_blocks: int | None = None,
        n_threads: int = 0,
        max_memory: int | None = None,
    ) -> Any:
        from contextlib import contextmanager

        @contextmanager
        def opened() -> Iterator[_Selection]:
            with open_motion(trajectory, dt, times, Effort(n_threads, max_memory)) as motion:
                chosen = selected_particles(particles, motion.n_particles)
                known = getattr(getattr(trajectory, "topology", None), "molecules", None)
                own = known if molecules is None else molecules
                units = np.arange(motion.n_particles) if own is None else molecule_numbers(own, motion.n_particles)
                groups = assign_groups(units[chosen], n_groups)
                yield cls(motion, chosen, groups, block_count(n_blocks, groups), n_threads)

        return opened()

    def lags_and_parts(self, lag: npt.ArrayLike | None) -> tuple[Floats, list[FramePairs]]:
        """Lags and their pairs of frames, by blocks in time; the last part lies in no single block."""
        times = self.motion.times
        if lag is None:
            every = lags_of(times, (times[-1] - times[0]) / 3)
            wanted = every.lag[every.logarithmic]
        else:
            wanted = np.atleast_1d(np.asarray(lag, dtype=np.float64))
        pairs = frame_pairs(times, wanted, MAX_ORIGINS)
        missing = np.flatnonzero(np.diff(pairs.offsets) == 0)
        if len(missing):
            raise InputError(f"no two frames are {wanted[missing[0]]:g} ps apart: choose a lag that the frames have")
        return wanted, split_pairs(pairs, times, self.n_blocks)

    def counts(self, parts: list[FramePairs]) -> Floats:
        """(n_parts, n_groups, n_lags) displacements in every cell."""
        pairs = np.array([np.diff(part.offsets) for part in parts])
        return np.asarray(pairs[:, None, :] * np.bincount(self.groups)[None, :, None], dtype=np.float64)

    def distances(self, pairs: FramePairs) -> Iterator[tuple[int, int, Floats]]:
        """Group, lag and displacements |Δr| of some pairs of frames."""
        for piece in self.motion.pieces(self.particles):
            groups = self.groups[piece.index]
            for group in np.unique(groups).tolist():
                coordinates = piece.positions[:, piece.local[groups == group]].astype(np.float64)
                if not np.isfinite(coordinates).all():
                    refuse_nan(piece, self.particles)
                at_once = max(1, CHUNK // coordinates.shape[1])
                for k in range(len(pairs.offsets) - 1):
                    for first in range(pairs.offsets[k], pairs.offsets[k + 1], at_once):
                        begin, end = pairs.pairs[first : min(first + at_once, pairs.offsets[k + 1])].T
                        moved = coordinates[end] - coordinates[begin]
                        yield group, k, np.sqrt((moved**2).sum(axis=2)).ravel()
