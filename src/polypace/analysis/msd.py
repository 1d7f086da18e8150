"""Mean square displacement over all time origins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.analysis.groups import GroupMoments, assign_groups
from polypace.analysis.spectra import SpectraAccumulator
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

DEFAULT_MEMORY = 1 << 30  # bytes for sums of groups where no limit is given
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


@dataclass(frozen=True, eq=False)
class MSD:
    """Mean square displacement with its statistical error.

    Parameters
    ----------
    lag : (n_lags,) float64
        Lag time (ps).
    msd : (n_lags,) float64
        ⟨|r(t₀ + lag) − r(t₀)|²⟩ over particles and time origins (Å²).
    error : (n_lags,) float64
        Standard error of `msd` from the scatter of groups of independent molecules (Å²).
    directions : (n_lags, 3) float64
        The parts along x, y and z; they add up to `msd` (Å²).
    n_origins : (n_lags,) int64
        Time origins in the average.
    n_particles : int
    groups : GroupCurves
        Curves of the groups, for the errors of what is derived from the whole curve.
    """

    lag: Floats
    msd: Floats
    error: Floats
    directions: Floats
    n_origins: Integers
    n_particles: int
    groups: GroupCurves

    @property
    def effective_samples(self) -> Floats:
        """Number of independent Gaussian displacements that would give the same error, 2 msd²/(3 error²)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            samples = 2 * self.msd**2 / (3 * self.error**2)
        return np.asarray(np.minimum(samples, self.n_particles * self.n_origins.astype(float)))


def msd(
    trajectory: Any,
    dt: float | None = None,
    *,
    particles: npt.ArrayLike | None = None,
    molecules: npt.ArrayLike | None = None,
    max_lag: float | None = None,
    n_groups: int | None = None,
    n_threads: int = 0,
    max_memory: int | None = None,
) -> MSD:
    r"""Mean square displacement of particles, averaged over all time origins.

    .. math:: \mathrm{MSD}(m\,dt) = \frac{1}{N (F-m)} \sum_i \sum_{n=0}^{F-m-1} |r_i(n+m) - r_i(n)|^2

    Computed exactly by FFT in double precision, whatever the distance of the coordinates from the origin.

    Parameters
    ----------
    trajectory : (n_frames, n_particles, 3) float32 or float64
        Unwrapped coordinates (Å), frames equally spaced in time.
    dt : float
        Time between frames (ps).
    particles : (k,) int, optional
        Which particles; default all.
    molecules : (n_particles,) int, optional
        Molecule of every particle. Errors then come from groups of whole molecules, as they must where particles of
        a molecule move together.
    max_lag : float, optional
        Longest lag that is returned (ps); default all.
    n_groups : int, optional
        Number of groups for the error.
    n_threads : int
        0: OMP_NUM_THREADS, else all cores.
    max_memory : int, optional
        Limit of the memory for sums and work space (bytes).

    Raises
    ------
    InputError
        for fewer than two frames, no particles, NaN, a time step that is not positive.

    Notes
    -----
    Algorithm: Calandrini et al., Collection SFN 12, 201 (2011), eq. 30 ff., with one spectrum for all particles.
    """
    positions = _checked_positions(trajectory)
    step = _checked_step(dt)
    selected = _selected(particles, positions.shape[1])
    units = selected if molecules is None else _units(molecules, positions.shape[1])[selected]
    groups = assign_groups(units, n_groups)
    n_frames = len(positions)
    n_lags = n_frames if max_lag is None else min(n_frames, int(max_lag / step + 1e-9) + 1)
    if n_lags < 2:
        raise InputError(f"max_lag must be at least the time between frames, {step} ps, got {max_lag}")
    log_lags = logarithmic_lags(n_lags)
    total = GroupMoments.zeros((n_lags,))
    directions = np.zeros((n_lags, 3))
    curves, weights = [], []
    n_origins = n_frames - np.arange(n_lags)
    for sums, n_members in _sums(positions, selected, groups, n_threads, max_memory):
        directions += sums[:3, :n_lags].T / (len(selected) * n_origins)[:, None]
        for group_sum, weight in zip(sums[3:, :n_lags], n_members, strict=True):
            curve = group_sum / (weight * n_origins)
            total.add(curve, float(weight))
            curves.append(curve[log_lags])
            weights.append(float(weight))
    lag = step * np.arange(n_lags)
    return MSD(
        lag=lag,
        msd=total.mean,
        error=total.error,
        directions=directions,
        n_origins=n_origins,
        n_particles=len(selected),
        groups=GroupCurves(lag[log_lags], np.array(curves), np.array(weights)),
    )


def logarithmic_lags(n_lags: int, per_decade: int = GROUP_LAGS_PER_DECADE) -> Integers:
    """Distinct lags 1 … n_lags−1 (in frames), spaced evenly in the logarithm."""
    if n_lags < 2:
        return np.zeros(0, dtype=np.int64)
    decades = np.log10(n_lags - 1)
    grid = np.logspace(0, decades, max(2, int(np.ceil(decades * per_decade)) + 1))
    return np.unique(np.clip(np.rint(grid).astype(np.int64), 1, n_lags - 1))


def _sums(
    positions: npt.NDArray[Any], selected: Integers, groups: Integers, n_threads: int, max_memory: int | None
) -> Iterator[tuple[Floats, Integers]]:
    """Displacement sums of x, y, z and of some groups (3 + k, n_frames), and the particles in each of the groups."""
    n_frames = len(positions)
    n_groups = int(groups.max()) + 1
    # Spectra in two orders, squares in two and sums: about 64 bytes for each frame and sum.
    at_once = max(1, int((max_memory or DEFAULT_MEMORY) // (64 * n_frames)) - 3)
    for first in range(0, n_groups, at_once):
        members = np.flatnonzero((groups >= first) & (groups < first + at_once))
        accumulator = SpectraAccumulator(n_frames, 3 + min(at_once, n_groups - first), n_threads=n_threads)
        segments = np.empty((len(members), 3, 2), dtype=np.int64)
        segments[:, :, 0] = np.arange(3)
        segments[:, :, 1] = 3 + groups[members, None] - first
        accumulator.add(positions, selected[members], segments)
        partial = accumulator.partial
        _refuse_nan(partial.squares, positions, selected)
        yield partial.displacement_sums(n_threads), partial.n_series[3:] // 3


def _checked_positions(trajectory: Any) -> npt.NDArray[Any]:
    positions = np.asanyarray(trajectory)
    if positions.ndim != 3 or positions.shape[2] != 3:
        raise InputError(
            f"trajectory must be an array (n_frames, n_particles, 3), got shape {positions.shape}"
        )
    if positions.dtype not in (np.float32, np.float64):
        raise InputError(f"trajectory must be float32 or float64, got {positions.dtype}")
    if len(positions) < 2:
        raise InputError(
            f"trajectory must have at least 2 frames to have displacements, got {len(positions)}"
        )
    if positions.shape[1] == 0:
        raise InputError("trajectory has no particles")
    return positions


def _checked_step(dt: float | None) -> float:
    if dt is None:
        raise InputError("dt is needed: the time between the frames of the array in ps, for example dt=0.1")
    if not (np.isfinite(dt) and dt > 0):
        raise InputError(f"dt must be a positive time in ps, got {dt}")
    return float(dt)


def _selected(particles: npt.ArrayLike | None, n_particles: int) -> Integers:
    if particles is None:
        return np.arange(n_particles, dtype=np.int64)
    chosen = np.asarray(particles)
    if chosen.dtype == bool and chosen.shape == (n_particles,):
        chosen = np.flatnonzero(chosen)
    if chosen.ndim != 1 or chosen.size == 0 or not np.issubdtype(chosen.dtype, np.integer):
        raise InputError(
            "particles must be a list of one or more particle numbers, or one bool for each particle"
        )
    if chosen.min() < 0 or chosen.max() >= n_particles:
        raise InputError(f"particles must be 0…{n_particles - 1}, got {chosen.min()}…{chosen.max()}")
    return np.ascontiguousarray(chosen, dtype=np.int64)


def _units(molecules: npt.ArrayLike, n_particles: int) -> Integers:
    units = np.asarray(molecules)
    if units.shape != (n_particles,) or not np.issubdtype(units.dtype, np.integer):
        raise InputError(f"molecules must hold one integer for each of the {n_particles} particles")
    return units.astype(np.int64)


def _refuse_nan(squares: Floats, positions: npt.NDArray[Any], selected: Integers) -> None:
    # The sums tell for free that there is one; only then is it searched for.
    if np.isfinite(squares).all():
        return
    for frame, coordinates in enumerate(positions):
        bad = np.argwhere(~np.isfinite(coordinates[selected]))
        if len(bad):
            particle = int(selected[bad[0, 0]])
            raise InputError(
                f"trajectory has {coordinates[particle]} at frame {frame}, particle {particle}; leave the frame or the "
                "particle out"
            )
    raise InputError("trajectory has coordinates too large to be squared")
