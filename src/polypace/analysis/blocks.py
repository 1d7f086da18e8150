"""Means and errors over blocks of frames, gathered while a trajectory is read."""

from __future__ import annotations

import numpy as np

from polypace.trajectory.source import Float, Int

N_BLOCKS = 10


class BlockSums:
    """Sums of per-frame values in consecutive blocks of nearly equal length.

    The error of the mean is the standard error of the block means, right where blocks are longer than the
    correlation time (Flyvbjerg & Petersen, J. Chem. Phys. 91, 461 (1989)); NaN where there are fewer than two
    frames.
    """

    def __init__(self, n_frames: int, shape: tuple[int, ...], n_blocks: int = N_BLOCKS) -> None:
        n_blocks = max(1, min(n_blocks, n_frames))
        self._block_of = np.arange(n_frames) * n_blocks // n_frames
        self._sizes = np.bincount(self._block_of, minlength=n_blocks).reshape(-1, *(1,) * len(shape))
        self._sums = np.zeros((n_blocks, *shape))

    def add(self, frames: Int, values: Float) -> None:
        """Add values (len(frames), *shape) of `frames`."""
        blocks = self._block_of[frames]
        first = int(blocks[0])
        for block in range(first, int(blocks[-1]) + 1):
            self._sums[block] += values[blocks == block].sum(axis=0)

    @property
    def weights(self) -> Float:
        """(n_blocks,) share of the frames in each block."""
        sizes = self._sizes.reshape(-1)
        return np.asarray(sizes / sizes.sum())

    @property
    def means(self) -> Float:
        """(n_blocks, *shape) mean of each block."""
        return self._sums / self._sizes

    @property
    def mean(self) -> Float:
        """Mean over all frames."""
        return np.asarray(self._sums.sum(axis=0) / self._sizes.sum())

    @property
    def error(self) -> Float:
        """Standard error of the mean."""
        return standard_error(self.means)


def standard_error(samples: Float) -> Float:
    """Standard error of the mean of independent `samples` along the first axis; NaN for fewer than two."""
    n = len(samples)
    if n < 2:
        return np.full(samples.shape[1:], np.nan)
    return np.asarray(samples.std(axis=0, ddof=1) / np.sqrt(n))
