"""Mean square displacement over all time origins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.analysis.curves import Curve, CurveBuilder, Effort, GroupCurves, group_sets
from polypace.analysis.groups import assign_groups
from polypace.analysis.lags import Lags, lags_of, origin_averages
from polypace.analysis.motion import Motion, weighted_centers
from polypace.analysis.open_motion import open_motion
from polypace.analysis.selection import molecule_numbers, particle_masses, selected_particles
from polypace.analysis.time_blocks import block_count, time_blocks
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Progress = Callable[[str, float], None]


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
        Standard error of `msd`, from the scatter of groups of independent molecules, where these are few from that of
        blocks in time (Å²).
    directions : (n_lags, 3) float64
        The parts along x, y and z; they add up to `msd` (Å²).
    n_origins : (n_lags,) int64
        Time origins in the average.
    n_particles : int
    groups : GroupCurves
        The curves of groups and blocks, for the errors of what is derived from the whole curve.
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
    times: npt.ArrayLike | None = None,
    particles: npt.ArrayLike | None = None,
    molecules: npt.ArrayLike | None = None,
    masses: npt.ArrayLike | None = None,
    remove_drift: bool = False,
    max_lag: float | None = None,
    n_groups: int | None = None,
    n_blocks: int | None = None,
    n_threads: int = 0,
    max_memory: int | None = None,
    scratch: str | Path | None = None,
    progress: Progress | None = None,
) -> MSD:
    r"""Mean square displacement of particles, averaged over all time origins.

    .. math:: \mathrm{MSD}(m\,dt) = \frac{1}{N (F-m)} \sum_i \sum_{n=0}^{F-m-1} |r_i(n+m) - r_i(n)|^2

    Frames at equal steps: exact, by FFT in double precision, whatever the distance of the coordinates from the
    origin. Frames at other times: direct sums over pairs of frames, at the lags that the frames have.

    Parameters
    ----------
    trajectory : (n_frames, n_particles, 3) float32 or float64, or polypace.trajectory.Trajectory
        Unwrapped coordinates (Å); a trajectory is unwrapped and brings its times and molecules.
    dt : float, optional
        Time between frames of an array (ps).
    times : (n_frames,) float, optional
        Times of the frames of an array, where they are not equally spaced (ps).
    particles : (k,) int or (n_particles,) bool, optional
        Which particles; default all.
    molecules : (n_particles,) int, optional
        Molecule of every particle. Errors then come from groups of whole molecules, as they must where particles of
        a molecule move together.
    masses : (n_particles,) float, optional
        For the centre of mass whose drift is removed; default all the same.
    remove_drift : bool
        Subtract the displacement of the centre of mass of all particles.
    max_lag : float, optional
        Longest lag (ps); default all.
    n_groups : int, optional
        Number of groups of molecules for the error; default: at most 32.
    n_blocks : int, optional
        Blocks in time for the error, each with the curve of its own frames: up to their length they are independent.
        Default: 8 for fewer than 8 molecules, else 1, as many molecules need no such help.
    n_threads : int
        0: OMP_NUM_THREADS, else all cores. The result does not depend on it.
    max_memory : int, optional
        Bytes that the analysis may use. Trajectories that do not fit are transposed on disk first.
    scratch : path, optional
        Folder for that; it is kept, and a transposition that was interrupted goes on there. Default: temporary.
    progress : callable(str, float), optional
        Told what is done and which part of it is finished.

    Raises
    ------
    InputError
        for fewer than two frames, no particles, NaN, times that do not increase, arguments of the wrong shape.

    Notes
    -----
    Algorithm: Calandrini et al., Collection SFN 12, 201 (2011), with one spectrum for all particles.
    """
    effort = Effort(n_threads, max_memory)
    with open_motion(trajectory, dt, times, effort, scratch, progress) as motion:
        n = motion.n_particles
        chosen = selected_particles(particles, n)
        own = getattr(trajectory, "topology", None)
        molecules = getattr(own, "molecules", None) if molecules is None else molecules
        units = np.arange(n) if molecules is None else molecule_numbers(molecules, n)
        drift = None
        if remove_drift:
            drift = system_drift(motion, particle_masses(masses, n), n_threads)
        lags = lags_of(motion.times, max_lag)
        groups = assign_groups(units[chosen], n_groups)
        curve = displacement_curve(motion, chosen, groups, lags, effort, drift)
        blocks = [
            displacement_curve(
                block.motion, chosen, groups, block.lags, effort, None if drift is None else drift[block.frames]
            ).groups
            for block in time_blocks(motion, lags, block_count(n_blocks, groups))
        ]
    if blocks:
        curve = curve.with_time_blocks(blocks)
    return as_msd(curve, lags, len(chosen))


def msd_by_species(
    trajectory: Any, dt: float | None = None, *, species: npt.ArrayLike | None = None, **options: Any
) -> dict[str, MSD]:
    """`msd` of every species, by name.

    Parameters
    ----------
    trajectory, dt, **options
        As in `msd`, without `particles`.
    species : (n_particles,) str, optional
        Name of every particle's species; default: the types that a trajectory knows.

    Raises
    ------
    InputError
        where no species are known, or as `msd`.
    """
    names = getattr(trajectory, "types", None) if species is None else species
    if names is None:
        raise InputError("species is needed: the name of every particle's species")
    labels = np.asarray(names).astype(np.str_)
    return {str(name): msd(trajectory, dt, particles=labels == name, **options) for name in np.unique(labels)}


def displacement_curve(
    motion: Motion,
    particles: Integers,
    groups: Integers,
    lags: Lags,
    effort: Effort,
    drift: Floats | None = None,
) -> Curve:
    """Mean square displacement of `particles` in `groups`."""
    builder = CurveBuilder(lags.lag, lags.logarithmic, effort.crew)
    for first, members in group_sets(groups, effort.groups_at_once(len(motion.times))):
        counts = np.bincount(groups[members] - first)
        sums = origin_averages(motion, particles[members], groups[members] - first, len(counts), lags, effort, drift)
        builder.add_directions(sums[:3], len(particles))
        builder.add(sums[3:], counts)
    return builder.curve


def as_msd(curve: Curve, lags: Lags, n_particles: int) -> MSD:
    return MSD(lags.lag, curve.mean, curve.error, curve.directions, lags.n_origins, n_particles, curve.groups)


def system_drift(motion: Motion, masses: Floats, n_threads: int) -> Floats:
    """(n_frames, 3): displacement of the centre of mass of all particles since the first frame (Å)."""
    center = weighted_centers(motion, np.zeros(motion.n_particles, dtype=np.int64), masses, n_threads)[:, 0]
    return np.ascontiguousarray(center - center[0])
