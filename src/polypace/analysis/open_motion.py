"""Arrays and trajectories as `Motion`: in memory where they fit, else transposed on disk."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.analysis.curves import Effort
from polypace.analysis.motion import ArrayMotion, Motion, array_motion, frame_times
from polypace.analysis.transposed import FrameBlocks, TransposedMotion, transpose
from polypace.errors import InputError

LARGEST_IN_MEMORY = 4 << 30  # bytes of coordinates read from a trajectory where no limit is given
Progress = Callable[[str, float], None]


@contextmanager
def open_motion(
    trajectory: Any,
    dt: float | None,
    times: npt.ArrayLike | None,
    effort: Effort,
    scratch: str | Path | None = None,
    progress: Progress | None = None,
) -> Iterator[Motion]:
    """Coordinates by particles; what had to be written to a temporary folder is removed at the end."""
    if hasattr(trajectory, "unwrapped"):
        frames, motion_times = _trajectory_frames(trajectory, dt, times)
    else:
        motion = array_motion(trajectory, dt, times)
        mapped = isinstance(motion.positions, np.memmap)
        if not mapped or effort.max_memory is None or motion.positions.nbytes <= effort.max_memory // 3:
            yield motion
            return
        frames, motion_times = _array_frames(motion.positions), motion.times
    limit = LARGEST_IN_MEMORY if effort.max_memory is None else effort.max_memory // 3
    if frames.nbytes <= limit and scratch is None:
        yield ArrayMotion(_read_all(frames, progress), motion_times)
        return
    with _folder(scratch) as folder:
        file = transpose(frames, folder, effort.max_memory or LARGEST_IN_MEMORY, progress, scratch is not None)
        yield TransposedMotion(file, motion_times, slice(0, len(motion_times)))


def _trajectory_frames(
    trajectory: Any, dt: float | None, times: npt.ArrayLike | None
) -> tuple[FrameBlocks, npt.NDArray[np.float64]]:
    if trajectory.n_frames < 2:
        raise InputError(
            f"{trajectory.name}: has {trajectory.n_frames} frame; at least 2 are needed to have displacements"
        )
    if dt is None and times is None:
        times = trajectory.times
    unwrapped = trajectory.unwrapped()
    frames = FrameBlocks(
        name=str(trajectory.name),
        n_frames=unwrapped.n_frames,
        n_particles=unwrapped.n_atoms,
        dtype=np.dtype(np.float64),
        read=lambda begin, end: unwrapped.read_block(slice(begin, end)),
    )
    return frames, frame_times(unwrapped.n_frames, dt, times)


def _array_frames(positions: npt.NDArray[Any]) -> FrameBlocks:
    mapping = getattr(positions, "_mmap", None)

    def read(begin: int, end: int) -> npt.NDArray[Any]:
        frames = np.array(positions[begin:end])
        if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapping.madvise(mmap.MADV_DONTNEED)  # pages that were read count as ours until they are let go
        return frames

    name = str(getattr(positions, "filename", "") or "array")
    return FrameBlocks(name, len(positions), positions.shape[1], positions.dtype, read)


def _read_all(frames: FrameBlocks, progress: Progress | None) -> npt.NDArray[Any]:
    positions = np.empty((frames.n_frames, frames.n_particles, 3), dtype=frames.dtype)
    for begin, end in frames.ranges(64 << 20):
        positions[begin:end] = frames.read(begin, end)
        if progress:
            progress("reading", end / frames.n_frames)
    return positions


@contextmanager
def _folder(scratch: str | Path | None) -> Iterator[Path]:
    if scratch is not None:
        Path(scratch).mkdir(parents=True, exist_ok=True)
        yield Path(scratch)
        return
    with tempfile.TemporaryDirectory(prefix="polypace-") as folder:
        yield Path(folder)
