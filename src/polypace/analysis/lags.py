"""Lag times of a trajectory and the pairs of frames that have them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace import _core
from polypace.analysis.curves import (
    Effort,
    displacement_averages,
    logarithmic_lags,
)
from polypace.analysis.motion import Motion, multiples, refuse_nan, uniform_step
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

LAGS_PER_DECADE = 12  # of irregular frames
MAX_ORIGINS = 4096  # of one lag of irregular frames, evenly taken of all of them
SAME_LAG = 1e-4  # relative


@dataclass(frozen=True, eq=False)
class FramePairs:
    """Pairs of frames, sorted by lag: pairs[offsets[k] : offsets[k + 1]] belong to lag k."""

    offsets: Integers
    pairs: Integers


@dataclass(frozen=True, eq=False)
class Lags:
    """Lag times (ps), how many time origins each has, which of them are evenly spaced in the logarithm.

    `pairs` is None where all lags are multiples of one step, so that all origins are reached by a Fourier transform.
    """

    lag: Floats
    n_origins: Integers
    logarithmic: Integers
    pairs: FramePairs | None


def lags_of(times: Floats, max_lag: float | None = None) -> Lags:
    """All lags of evenly spaced frames; of others those that exist, about 12 to a decade."""
    step = uniform_step(times)
    shortest = np.diff(times).min() if step is None else step
    longest = times[-1] - times[0] if max_lag is None else max_lag
    if not longest >= shortest * (1 - SAME_LAG):
        raise InputError(f"max_lag must be at least the time between frames, {shortest} ps, got {max_lag}")
    if step is None:
        return _irregular_lags(times, longest)
    n_lags = min(len(times), int(longest / step * (1 + SAME_LAG)) + 1)
    n_origins = np.arange(len(times), len(times) - n_lags, -1)
    return Lags(multiples(step, n_lags), n_origins, logarithmic_lags(n_lags), None)


def frame_pairs(times: Floats, lag: Floats, max_origins: int = MAX_ORIGINS) -> FramePairs:
    """Pairs of frames a lag apart, for every lag; evenly thinned where there are more than `max_origins`."""
    pairs, offsets = [], [0]
    for one in lag:
        tolerance = max(SAME_LAG * one, 1e-9)
        # The nearest frame to every origin plus the lag, where there is one.
        later = np.clip(np.searchsorted(times, times + one - tolerance), 0, len(times) - 1)
        origins = np.flatnonzero((np.abs(times[later] - times - one) <= tolerance) & (later > np.arange(len(times))))
        if len(origins) > max_origins:
            origins = origins[np.linspace(0, len(origins) - 1, max_origins).astype(np.int64)]
        pairs.append(np.stack([origins, later[origins]], axis=1))
        offsets.append(offsets[-1] + len(origins))
    return FramePairs(np.array(offsets, dtype=np.int64), np.concatenate(pairs).astype(np.int64))


def _irregular_lags(times: Floats, longest: float) -> Lags:
    """Lags that some pair of frames has, the one with most origins near each point of a logarithmic grid."""
    shortest = np.diff(times).min()
    # Log-spaced dumps repeat a ladder; the lags from a few frames and from all to the next ones are all there are.
    origins = np.unique(np.linspace(0, len(times) - 2, min(len(times) - 1, 512)).astype(np.int64))
    found = np.concatenate([times[origin + 1 :] - times[origin] for origin in origins])
    found = np.sort(found[(found > 0) & (found <= longest * (1 + SAME_LAG))])
    first = np.concatenate([[True], np.diff(found) > SAME_LAG * found[1:]])
    distinct, counts = found[first], np.diff(np.append(np.flatnonzero(first), len(found)))
    bins = np.rint(np.log10(distinct / shortest) * LAGS_PER_DECADE).astype(np.int64)
    chosen = [np.flatnonzero(bins == b)[np.argmax(counts[bins == b])] for b in np.unique(bins)]
    lag = np.concatenate([[0.0], distinct[chosen]])
    pairs = frame_pairs(times, lag[1:])
    pairs = FramePairs(np.concatenate([[0], pairs.offsets]), pairs.pairs)
    n_origins = np.diff(pairs.offsets)
    n_origins[0] = len(times)
    return Lags(lag, n_origins, np.arange(1, len(lag)), pairs)


def origin_averages(
    motion: Motion,
    particles: Integers,
    groups: Integers,
    n_groups: int,
    lags: Lags,
    effort: Effort,
    drift: Floats | None = None,
) -> Floats:
    """(3 + n_groups, n_lags): Σ over particles of the squared displacement, averaged over time origins; along x, y
    and z of all `particles`, and of those in each group (Å²)."""
    if lags.pairs is None:
        return displacement_averages(motion, particles, groups, n_groups, effort, drift)[:, : len(lags.lag)]
    result = np.zeros((3 + n_groups, len(lags.lag)))
    for piece in motion.pieces(particles):
        moments = _core.dynamics.displacement_moments(
            piece.positions,
            piece.local,
            groups[piece.index],
            n_groups,
            lags.pairs.offsets,
            lags.pairs.pairs,
            drift,
            effort.n_threads,
        )
        if not np.isfinite(moments).all():
            refuse_nan(piece, particles)
        result[:3] += moments[:, :, :3].sum(axis=1).T
        result[3:] += moments[:, :, :3].sum(axis=2).T
    return np.asarray(result / np.maximum(lags.n_origins, 1))
