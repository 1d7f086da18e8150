"""Coordinates of particles over all frames: what every dynamic average is taken of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from polypace import _core
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Positions = npt.NDArray[Any]  # (n_frames, n, 3) float32 or float64

STEP_TOLERANCE = 1e-6  # relative; dumps print times with 6 to 16 digits


@dataclass(frozen=True, eq=False)
class Piece:
    """Some of the particles asked for: `positions[:, local]` are the coordinates of `asked[index]`."""

    positions: Positions
    local: Integers
    index: Integers


class Motion(Protocol):
    """Unwrapped coordinates (Å) of n_particles at n_frames times (ps), handed out by particles."""

    @property
    def times(self) -> Floats: ...

    @property
    def n_particles(self) -> int: ...

    def pieces(self, particles: Integers) -> Iterator[Piece]:
        """All frames of `particles`, in one or more pieces, each of which is valid until the next one is asked for."""
        ...

    def between(self, frames: slice) -> Motion:
        """The same particles at consecutive frames."""
        ...


@dataclass(frozen=True, eq=False)
class ArrayMotion:
    """Coordinates in memory (or mapped into it), read where they are.

    Parameters
    ----------
    positions : (n_frames, n_particles, 3) float32 or float64
    times : (n_frames,) float64
    """

    positions: Positions
    times: Floats

    @property
    def n_particles(self) -> int:
        return int(self.positions.shape[1])

    def pieces(self, particles: Integers) -> Iterator[Piece]:
        yield Piece(self.positions, particles, np.arange(len(particles)))

    def between(self, frames: slice) -> ArrayMotion:
        return ArrayMotion(self.positions[frames], self.times[frames])


def uniform_step(times: Floats) -> float | None:
    """Time between frames (ps) where it is the same everywhere, else None."""
    steps = np.diff(times)
    mean = (times[-1] - times[0]) / len(steps)
    worst = max(steps.max() - mean, mean - steps.min())
    return float(mean) if worst <= STEP_TOLERANCE * mean * len(steps) ** 0.5 else None


def multiples(step: float, n: int) -> Floats:
    """(n,) 0, step, 2 step, … without a second array."""
    result = np.arange(n, dtype=np.float64)
    result *= step
    return result


def array_motion(positions: Any, dt: float | None, times: npt.ArrayLike | None) -> ArrayMotion:
    """Check an array (n_frames, n_particles, 3) and its times; it is not copied.

    Raises
    ------
    InputError
        for another shape or type, fewer than two frames, no particles, times that do not increase.
    """
    array = np.asanyarray(positions)
    if array.ndim != 3 or array.shape[2] != 3:
        raise InputError(f"trajectory must be an array (n_frames, n_particles, 3), got shape {array.shape}")
    if array.dtype not in (np.float32, np.float64):
        raise InputError(f"trajectory must be float32 or float64, got {array.dtype}")
    if len(array) < 2:
        raise InputError(f"trajectory must have at least 2 frames to have displacements, got {len(array)}")
    if array.shape[1] == 0:
        raise InputError("trajectory has no particles")
    return ArrayMotion(array, frame_times(len(array), dt, times))


def frame_times(n_frames: int, dt: float | None, times: npt.ArrayLike | None) -> Floats:
    """(n_frames,) times (ps) from a constant step or from the times themselves."""
    if (dt is None) == (times is None):
        raise InputError(
            "dt or times is needed: the time between the frames of the array in ps, for example dt=0.1, or the time "
            "of each frame"
        )
    if dt is not None:
        if not (np.isfinite(dt) and dt > 0):
            raise InputError(f"dt must be a positive time in ps, got {dt}")
        return multiples(float(dt), n_frames)
    values = np.asarray(times, dtype=np.float64)
    if values.shape != (n_frames,):
        raise InputError(f"times must hold one time for each of the {n_frames} frames, got {values.shape}")
    if not np.isfinite(values).all() or (np.diff(values) <= 0).any():
        bad = int(np.argmax(~(np.diff(values) > 0))) + 1
        raise InputError(f"times must increase, got {values[bad - 1]} then {values[bad]} ps at frame {bad}")
    return values


@dataclass(frozen=True, eq=False)
class LinearSums:
    """Sums Σ weight · r over particles: entry k adds weights[k] times particle particles[k] to sum sums[k]."""

    particles: Integers
    sums: Integers
    weights: Floats
    n_sums: int

    def over_time(self, motion: Motion, n_threads: int = 0) -> Floats:
        """(n_frames, n_sums, 3), Å."""
        result = np.zeros((len(motion.times), self.n_sums, 3))
        asked, place = np.unique(self.particles, return_inverse=True)
        for piece in motion.pieces(asked):
            local = np.full(len(asked), -1)
            local[piece.index] = piece.local
            entries = np.flatnonzero(local[place] >= 0)
            entries = entries[np.argsort(self.sums[entries], kind="stable")]
            counts = np.bincount(self.sums[entries], minlength=self.n_sums)
            offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
            _core.dynamics.add_weighted_sums(
                piece.positions, offsets, local[place[entries]], self.weights[entries], result, n_threads
            )
        return result


def weighted_centers(motion: Motion, sets: Integers, weights: Floats, n_threads: int = 0) -> Floats:
    """(n_frames, n_sets, 3): Σ w r / Σ w over the particles of every set (−1: in none), Å."""
    particles = np.flatnonzero(sets >= 0)
    chosen, n_sets = sets[particles], int(sets.max()) + 1
    totals = np.bincount(chosen, weights[particles], minlength=n_sets)
    shares = weights[particles] / totals[chosen]
    return LinearSums(particles, chosen, shares, n_sets).over_time(motion, n_threads)


def refuse_nan(piece: Piece, particles: Integers) -> None:
    """Name the first coordinate that is not finite; only called where a sum is not."""
    for frame, coordinates in enumerate(piece.positions):
        bad = np.argwhere(~np.isfinite(coordinates[piece.local]))
        if len(bad):
            row = int(bad[0, 0])
            raise InputError(
                f"trajectory has {coordinates[piece.local[row]]} at frame {frame}, particle "
                f"{particles[piece.index[row]]}; leave the frame or the particle out"
            )
    raise InputError("trajectory has coordinates too large to be squared")
