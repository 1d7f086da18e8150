"""Mean square displacement of a stream: frames are given one by one and forgotten."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from polypace import _core
from polypace.analysis.curves import CurveBuilder
from polypace.analysis.groups import assign_groups
from polypace.analysis.lags import Lags
from polypace.analysis.msd import MSD, as_msd
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class MultipleTauMSD:
    """Collects a mean square displacement while a simulation runs, in memory that grows with the logarithm of time.

    Level l keeps every 2^l-th frame, the last `points` of them; lags are 1 … points−1 frames at the first level and
    the upper half of that at each further one. Nothing is averaged before it is subtracted, so that every lag is an
    exact mean over the origins it has (Frenkel & Smit, Understanding Molecular Simulation, sec. 4.4.2).

    Parameters
    ----------
    dt : float
        Time between frames (ps).
    points : int
        Frames that each level keeps; even, at least 4.
    molecules : (n_particles,) int, optional
        For errors from groups of molecules.

    Examples
    --------
    >>> import numpy as np
    >>> stream = MultipleTauMSD(dt=0.5)
    >>> for step in range(100):
    ...     stream.add(np.full((4, 3), 0.1 * step))
    >>> round(float(stream.result().msd[1]), 6)
    0.03
    """

    def __init__(self, dt: float, points: int = 16, molecules: npt.ArrayLike | None = None) -> None:
        if not (np.isfinite(dt) and dt > 0):
            raise InputError(f"dt must be a positive time in ps, got {dt}")
        if points < 4 or points % 2:
            raise InputError(f"points must be even and at least 4, got {points}")
        self._dt, self._points, self._molecules = dt, points, molecules
        self._frames: list[list[Floats]] = []
        self._sums: list[Floats] = []  # of a level: (points, n_groups, 3)
        self._origins: list[Integers] = []
        self._groups: Integers | None = None
        self._n_frames = 0

    def add(self, positions: npt.ArrayLike) -> None:
        """Add the next frame: unwrapped positions (n_particles, 3), Å."""
        frame = np.array(positions, dtype=np.float64)
        self._check(frame)
        for level in range(64):
            if self._n_frames % (1 << level):
                break
            self._add_to_level(level, frame)
        self._n_frames += 1

    def result(self) -> MSD:
        """What is known so far; call it at any time."""
        if self._groups is None or self._n_frames < 2:
            raise InputError(f"at least 2 frames are needed to have displacements, got {self._n_frames}")
        counts = np.bincount(self._groups)
        lag, origins, sums = [0.0], [self._n_frames], [np.zeros((len(counts), 3))]
        for level in range(len(self._frames)):
            for k in range(1 if level == 0 else self._points // 2, self._points):
                if self._origins[level][k]:
                    lag.append(self._dt * k * (1 << level))
                    origins.append(int(self._origins[level][k]))
                    sums.append(self._sums[level][k] / self._origins[level][k])
        lags = Lags(np.array(lag), np.array(origins), np.arange(1, len(lag)), None)
        table = np.array(sums)
        builder = CurveBuilder(lags.lag, lags.logarithmic, _core.dynamics.Crew(1))
        builder.add_directions(np.ascontiguousarray(table.sum(axis=1).T), int(counts.sum()))
        builder.add(np.ascontiguousarray(table.sum(axis=2).T), counts)
        return as_msd(builder.curve, lags, int(counts.sum()))

    def _check(self, frame: Floats) -> None:
        if frame.ndim != 2 or frame.shape[1] != 3 or len(frame) == 0:
            raise InputError(f"positions must be (n_particles, 3), got shape {frame.shape}")
        if not np.isfinite(frame).all():
            raise InputError(f"positions of frame {self._n_frames} must be finite")
        if self._groups is None:
            units = np.arange(len(frame)) if self._molecules is None else np.asarray(self._molecules)
            if units.shape != (len(frame),):
                raise InputError(f"molecules must hold one integer for each of the {len(frame)} particles")
            self._groups = assign_groups(units)
        elif len(frame) != len(self._groups):
            raise InputError(f"frame {self._n_frames} has {len(frame)} particles, those before {len(self._groups)}")

    def _add_to_level(self, level: int, frame: Floats) -> None:
        assert self._groups is not None
        n_groups = int(self._groups.max()) + 1
        if level == len(self._frames):
            self._frames.append([])
            self._sums.append(np.zeros((self._points, n_groups, 3)))
            self._origins.append(np.zeros(self._points, dtype=np.int64))
        kept = self._frames[level]
        first = 1 if level == 0 else self._points // 2
        for k in range(first, min(len(kept), self._points - 1) + 1):
            squares = (frame - kept[-k]) ** 2
            for d in range(3):
                self._sums[level][k, :, d] += np.bincount(self._groups, squares[:, d], minlength=n_groups)
            self._origins[level][k] += 1
        kept.append(frame)
        del kept[: max(0, len(kept) - self._points + 1)]
