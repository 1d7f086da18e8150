"""Blocks in time: where molecules are few, the scatter of consecutive parts of the run is the error.

Every block has the curve of its own frames only. Curves of different blocks share no displacement, so that they are
independent up to lags of a block's length; longer ones have no such error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from polypace.analysis.groups import FEWEST_GROUPS
from polypace.analysis.lags import FramePairs, Lags
from polypace.analysis.motion import Motion
from polypace.errors import InputError

Integers = npt.NDArray[np.int64]

DEFAULT_BLOCKS = 8
FEWEST_FRAMES = 4  # of a block


@dataclass(frozen=True, eq=False)
class TimeBlock:
    """Consecutive frames, and the lags of the whole run that they have."""

    frames: slice
    motion: Motion
    lags: Lags


def block_count(n_blocks: int | None, groups: Integers) -> int:
    """Blocks in time that were asked for, or that so few groups of molecules need."""
    if n_blocks is None:
        return 1 if groups.max() + 1 >= FEWEST_GROUPS else DEFAULT_BLOCKS
    if n_blocks < 1:
        raise InputError(f"n_blocks must be positive, got {n_blocks}")
    return n_blocks


def frames_of_blocks(times: npt.NDArray[np.float64], n_blocks: int) -> list[slice]:
    """Blocks of the same duration; none where they would be too short."""
    if n_blocks < 2:
        return []
    edges = np.linspace(times[0], times[-1], n_blocks + 1)
    edges[-1] = np.inf
    # A frame on an edge begins the next block; times carry rounding.
    starts = np.searchsorted(times, edges - 1e-6 * (times[-1] - times[0]) / len(times))
    if np.diff(starts).min() < FEWEST_FRAMES:
        return []
    return [slice(int(a), int(b)) for a, b in pairwise(starts)]


def time_blocks(motion: Motion, lags: Lags, n_blocks: int) -> Iterator[TimeBlock]:
    """The run in blocks, all with the same lags; nothing where it cannot be divided."""
    frames = frames_of_blocks(motion.times, n_blocks)
    n_known = min((_n_known(lags, one) for one in frames), default=0)
    if n_known < 2:
        return
    for one in frames:
        yield TimeBlock(one, motion.between(one), _lags_within(lags, one, n_known))


def split_pairs(pairs: FramePairs, times: npt.NDArray[np.float64], n_blocks: int) -> list[FramePairs]:
    """Pairs of frames within each block; the last part holds those that lie in two of them."""
    block_of = np.zeros(len(times), dtype=np.int64)
    frames = frames_of_blocks(times, n_blocks) or [slice(0, len(times))]
    for index, one in enumerate(frames):
        block_of[one] = index
    begin, end = block_of[pairs.pairs].T
    part_of = np.where(begin == end, begin, len(frames))
    parts = []
    for part in range(len(frames) + 1):
        counted = np.concatenate([[0], np.cumsum(part_of == part)])
        parts.append(FramePairs(counted[pairs.offsets], np.ascontiguousarray(pairs.pairs[part_of == part])))
    return parts


def _n_known(lags: Lags, frames: slice) -> int:
    """Number of logarithmic lags, from the shortest on, that a block has."""
    origins = _origins(lags, frames)[lags.logarithmic]
    return len(origins) if (origins > 0).all() else int(np.argmin(origins > 0))


def _origins(lags: Lags, frames: slice) -> Integers:
    """(n_lags,) time origins whose displacement ends within the block."""
    if lags.pairs is None:
        return np.asarray(np.maximum(frames.stop - frames.start - np.arange(len(lags.lag)), 0))
    inside = np.concatenate([[0], np.cumsum(_inside(lags.pairs, frames))])
    return np.asarray(np.diff(inside[lags.pairs.offsets]))


def _inside(pairs: FramePairs, frames: slice) -> npt.NDArray[np.bool_]:
    return np.asarray((pairs.pairs[:, 0] >= frames.start) & (pairs.pairs[:, 1] < frames.stop))


def _lags_within(lags: Lags, frames: slice, n_known: int) -> Lags:
    n_lags = int(lags.logarithmic[n_known - 1]) + 1
    origins, pairs = _origins(lags, frames)[:n_lags], None
    if lags.pairs is not None:
        inside = _inside(lags.pairs, frames)[: lags.pairs.offsets[n_lags]]
        offsets = np.concatenate([[0], np.cumsum(origins)]).astype(np.int64)
        pairs = FramePairs(offsets, lags.pairs.pairs[: len(inside)][inside] - frames.start)
        origins[0] = frames.stop - frames.start
    return Lags(lags.lag[:n_lags], origins, lags.logarithmic[:n_known], pairs)
