"""Trajectories larger than memory: transposed on disk, frames to particles, in one pass.

A file of blocks, each with all frames of a few particles: written in long pieces, read whole. The pass can be
interrupted; the frames that are finished stand in `transposed.json`, and the same call goes on behind them.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.analysis.motion import Integers, Piece
from polypace.errors import InputError

Progress = Callable[[str, float], None]
BLOCK_SHARE = 8  # a block of particles takes at most this part of the memory
BUFFER_SHARE = 4  # the frames in flight and their copy take at most twice this part
SAVED_AT_ONCE = 1 << 30  # bytes that an interruption may cost; waiting for the disk more often costs more


@dataclass(frozen=True)
class FrameBlocks:
    """What is read frame after frame: `read(begin, end)` gives (end − begin, n_particles, 3)."""

    name: str
    n_frames: int
    n_particles: int
    dtype: np.dtype[Any]
    read: Callable[[int, int], npt.NDArray[Any]]

    @property
    def bytes_per_frame(self) -> int:
        return self.n_particles * 3 * self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.n_frames * self.bytes_per_frame

    def frames_in(self, max_bytes: int) -> int:
        return min(self.n_frames, max(1, max_bytes // self.bytes_per_frame))

    def ranges(self, max_bytes: int, first: int = 0) -> Iterator[tuple[int, int]]:
        size = self.frames_in(max_bytes)
        for begin in range(first, self.n_frames, size):
            yield begin, min(begin + size, self.n_frames)


@dataclass(frozen=True)
class TransposedFile:
    """Blocks of `block` particles with all their frames, one after the other."""

    path: Path
    n_frames: int
    n_particles: int
    block: int
    dtype: np.dtype[Any]

    def particles(self, index: int) -> range:
        return range(index * self.block, min((index + 1) * self.block, self.n_particles))

    @property
    def n_blocks(self) -> int:
        return -(-self.n_particles // self.block)

    def offset(self, index: int, frame: int) -> int:
        """Byte of a block's frame."""
        before = index * self.block * self.n_frames + frame * len(self.particles(index))
        return before * 3 * self.dtype.itemsize

    def blocks(self, indices: list[int], frames: slice) -> Iterator[npt.NDArray[Any]]:
        """(n_frames, particles of the block, 3) of consecutive frames of some blocks; each is overwritten by the next."""
        n_frames = frames.stop - frames.start
        buffer = np.empty(n_frames * min(self.block, self.n_particles) * 3, dtype=self.dtype)
        with open(self.path, "rb", buffering=0) as file:
            for index, following in zip(indices, [*indices[1:], None], strict=True):
                values = buffer[: n_frames * len(self.particles(index)) * 3]
                file.seek(self.offset(index, frames.start))
                if _read_into(file, values) != values.nbytes:
                    raise InputError(
                        f"{self.path}: is shorter than its {self.n_frames} frames; remove it and start again"
                    )
                if following is not None and hasattr(os, "posix_fadvise"):  # the disk reads while we compute
                    begin, end = (self.offset(following, frame) for frame in (frames.start, frames.stop))
                    os.posix_fadvise(file.fileno(), begin, end - begin, os.POSIX_FADV_WILLNEED)
                yield values.reshape(n_frames, -1, 3)


def _read_into(file: io.RawIOBase, values: npt.NDArray[Any]) -> int:
    """Bytes read: one call of the system reads at most 2 GB."""
    view, done = values.data.cast("B"), 0
    while done < len(view):
        count = file.readinto(view[done:])
        if not count:
            break
        done += count
    return done


def transpose(
    frames: FrameBlocks, folder: Path, max_memory: int, progress: Progress | None, resumable: bool = True
) -> TransposedFile:
    """Write `frames` by particles into `folder`, or go on where an earlier call stopped.

    A `resumable` one waits for the disk now and then, so that what is called finished is.
    """
    per_particle = frames.n_frames * 3 * frames.dtype.itemsize
    block = int(np.clip(max_memory // BLOCK_SHARE // per_particle, 1, frames.n_particles))
    file = TransposedFile(folder / "transposed.bin", frames.n_frames, frames.n_particles, block, frames.dtype)
    state = {
        "source": frames.name,
        "n_frames": frames.n_frames,
        "n_particles": frames.n_particles,
        "dtype": frames.dtype.str,
        "block": block,
    }
    done = saved = _frames_done(folder, state)
    at_once = max_memory // BUFFER_SHARE
    buffer = np.empty(frames.frames_in(at_once) * block * 3, dtype=frames.dtype)
    with open(file.path, "r+b" if done else "wb") as output:
        try:
            for begin, end in frames.ranges(at_once, done):
                positions = np.asarray(frames.read(begin, end))
                for index in range(file.n_blocks):
                    some = file.particles(index)
                    piece = buffer[: (end - begin) * len(some) * 3].reshape(end - begin, len(some), 3)
                    piece[:] = positions[:, some.start : some.stop]
                    os.pwrite(output.fileno(), piece.data.cast("B"), file.offset(index, begin))
                done = end
                if resumable and (done - saved) * frames.bytes_per_frame >= SAVED_AT_ONCE:
                    saved = _save(output.fileno(), folder, state, done)
                if progress:
                    progress("transposing", done / frames.n_frames)
        finally:
            if resumable and done > saved:
                _save(output.fileno(), folder, state, done)
    return file


def _save(descriptor: int, folder: Path, state: dict[str, Any], done: int) -> int:
    """Make sure of the frames that are finished before they are called so."""
    os.fsync(descriptor)
    _write_state(folder, {**state, "frames_done": done})
    return done


def _frames_done(folder: Path, state: dict[str, Any]) -> int:
    path = folder / "transposed.json"
    if not path.exists() or not (folder / "transposed.bin").exists():
        return 0
    found = json.loads(path.read_text())
    done = int(found.pop("frames_done"))
    if found != state:
        different = next(key for key in state if found.get(key) != state[key])
        raise InputError(
            f"scratch folder {folder} holds {different} = {found.get(different)!r}, not {state[different]!r}: give "
            "another folder, or remove it"
        )
    return done


def _write_state(folder: Path, state: dict[str, Any]) -> None:
    temporary = folder / "transposed.json.part"
    temporary.write_text(json.dumps(state))
    temporary.replace(folder / "transposed.json")


@dataclass(frozen=True, eq=False)
class TransposedMotion:
    """Consecutive frames of a transposed file, one block of particles in memory at a time."""

    file: TransposedFile
    all_times: npt.NDArray[np.float64]
    frames: slice

    @property
    def times(self) -> npt.NDArray[np.float64]:
        return self.all_times[self.frames]

    @property
    def n_particles(self) -> int:
        return self.file.n_particles

    def pieces(self, particles: Integers) -> Iterator[Piece]:
        blocks = particles // self.file.block
        numbers = np.unique(blocks).tolist()
        for block, positions in zip(numbers, self.file.blocks(numbers, self.frames), strict=True):
            index = np.flatnonzero(blocks == block)
            yield Piece(positions, particles[index] - block * self.file.block, index)

    def between(self, frames: slice) -> TransposedMotion:
        first = self.frames.start
        return TransposedMotion(self.file, self.all_times, slice(first + frames.start, first + frames.stop))
