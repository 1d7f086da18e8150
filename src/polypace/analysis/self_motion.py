"""Distribution of displacements: non-Gaussian parameter, van Hove function, self-intermediate scattering."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace import _core
from polypace.analysis.curves import Effort
from polypace.analysis.groups import GroupMoments, assign_groups
from polypace.analysis.lags import FramePairs, frame_pairs, lags_of
from polypace.analysis.motion import Motion, refuse_nan
from polypace.analysis.open_motion import open_motion
from polypace.analysis.selection import molecule_numbers, selected_particles
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MAX_ORIGINS = 512  # of one lag; neighbouring origins say the same
CHUNK = 1 << 20  # displacements in memory at a time


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
        Standard error from groups of molecules.
    """

    lag: Floats
    argument: Floats
    value: Floats
    error: Floats


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
        `times`, `particles`, `molecules`, `n_groups`, `n_threads`, `max_memory`, as in `polypace.msd`.
    """
    with _Selection.open(trajectory, dt, **selection) as chosen:
        lags, pairs = chosen.lags_and_pairs(lag)
        n_groups = int(chosen.groups.max()) + 1
        moments = np.zeros((len(lags), n_groups, 4))
        for piece in chosen.motion.pieces(chosen.particles):
            moments += _core.dynamics.displacement_moments(
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
        weights = np.bincount(chosen.groups).astype(float)
    origins = np.diff(pairs.offsets)[:, None] * weights.sum()
    square, fourth = moments[:, :, :3].sum(axis=2), moments[:, :, 3]
    value = _alpha2(square.sum(axis=1), fourth.sum(axis=1), origins[:, 0])
    # Delete one group at a time: α₂ is no mean, and the mean of its group values would be biased.
    left = [
        _alpha2(
            square.sum(axis=1) - square[:, g],
            fourth.sum(axis=1) - fourth[:, g],
            origins[:, 0] * (1 - weights[g] / weights.sum()),
        )
        for g in range(n_groups if n_groups > 1 else 0)
    ]
    error = np.sqrt((n_groups - 1) * np.var(left, axis=0)) if n_groups > 1 else np.full(len(lags), np.nan)
    return DisplacementFunction(lags, np.zeros(1), value[:, None], error[:, None])


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

    def histogram(distance: Floats) -> Floats:
        return np.histogram(distance, bins)[0] / width

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

    def scattering(distance: Floats) -> Floats:
        return np.array([np.sinc(one * distance / np.pi).sum() for one in q])

    return _averages(trajectory, dt, lag, q, scattering, selection)


def _averages(
    trajectory: Any,
    dt: float | None,
    lag: npt.ArrayLike | None,
    argument: Floats,
    function: Callable[[Floats], Floats],
    selection: dict[str, Any],
) -> DisplacementFunction:
    """Mean of `function`, a sum over distances, over particles and time origins."""
    with _Selection.open(trajectory, dt, **selection) as chosen:
        lags, pairs = chosen.lags_and_pairs(lag)
        n_groups = int(chosen.groups.max()) + 1
        sums = np.zeros((n_groups, len(lags), len(argument)))
        for group, k, distance in chosen.distances(pairs):
            sums[group, k] += function(distance)
        weights = np.bincount(chosen.groups).astype(float)
    moments = GroupMoments.zeros((len(lags), len(argument)))
    for total, weight in zip(sums, weights, strict=True):
        moments.add(total / (weight * np.diff(pairs.offsets))[:, None], float(weight))
    return DisplacementFunction(lags, argument, moments.mean, moments.error)


def _alpha2(square: Floats, fourth: Floats, count: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(0.6 * (fourth / count) / (square / count) ** 2 - 1)


@dataclass(frozen=True, eq=False)
class _Selection:
    """Particles in groups, and the pairs of frames that a lag consists of."""

    motion: Motion
    particles: Integers
    groups: Integers
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
                yield cls(motion, chosen, assign_groups(units[chosen], n_groups), n_threads)

        return opened()

    def lags_and_pairs(self, lag: npt.ArrayLike | None) -> tuple[Floats, FramePairs]:
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
        return wanted, pairs

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
