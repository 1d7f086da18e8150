"""Displacements on many machines: spectra of some particles are a task, their sum is the result.

Any executor of `concurrent.futures` runs the tasks: processes of this machine, or Parsl's
`parsl.concurrent.ParslPoolExecutor` on a cluster.
"""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.analysis.curves import CurveBuilder, Effort, add_piece
from polypace.analysis.groups import assign_groups
from polypace.analysis.lags import lags_of
from polypace.analysis.motion import uniform_step
from polypace.analysis.msd import MSD, as_msd
from polypace.analysis.open_motion import open_motion
from polypace.analysis.selection import molecule_numbers
from polypace.analysis.spectra import PartialSpectra, SpectraAccumulator
from polypace.errors import InputError

Integers = npt.NDArray[np.int64]


def partial_spectra(
    source: Any,
    dt: float | None,
    particles: npt.ArrayLike,
    groups: npt.ArrayLike,
    n_groups: int,
    n_threads: int = 1,
    max_memory: int | None = None,
) -> PartialSpectra:
    """Spectra of some particles: the task that a worker runs.

    Parameters
    ----------
    source : path of a .npy file, keyword arguments of `polypace.open_trajectory`, or anything that `polypace.msd` takes
        A path or keywords are opened by the worker, so that no coordinates are sent.
    dt : float or None
        ps; None: the trajectory knows its times.
    particles, groups : (k,) int
        Particles of this task and the group that each belongs to.
    n_groups : int
        Groups of all tasks together.
    """
    chosen, group_of = np.asarray(particles, dtype=np.int64), np.asarray(groups, dtype=np.int64)
    effort = Effort(n_threads, max_memory)
    with open_motion(_opened(source), dt, None, effort) as motion:
        if uniform_step(motion.times) is None:
            raise InputError("spectra need frames at equal steps; use polypace.msd for others")
        accumulator = SpectraAccumulator(len(motion.times), 3 + n_groups, crew=effort.crew)
        for piece in motion.pieces(chosen):
            add_piece(accumulator, piece, group_of)
    return accumulator.partial


def msd_by_tasks(
    source: Any,
    dt: float | None = None,
    *,
    executor: Executor,
    n_tasks: int,
    molecules: npt.ArrayLike | None = None,
    max_lag: float | None = None,
    n_groups: int | None = None,
    n_threads: int = 1,
    max_memory: int | None = None,
) -> MSD:
    """`polypace.msd` with the particles shared among `n_tasks` tasks of an executor; partial sums add up exactly.

    Parameters
    ----------
    source, dt
        As in `partial_spectra`; a path must be readable by every worker.
    executor : concurrent.futures.Executor
        For example ProcessPoolExecutor(4), or parsl.concurrent.ParslPoolExecutor(config).
    n_tasks : int
    n_threads, max_memory
        Of each task.
    """
    effort = Effort(n_threads, max_memory)
    with open_motion(_opened(source), dt, None, effort) as motion:
        n_particles, times = motion.n_particles, motion.times
    if n_tasks < 1:
        raise InputError(f"n_tasks must be positive, got {n_tasks}")
    units = np.arange(n_particles) if molecules is None else molecule_numbers(molecules, n_particles)
    groups = assign_groups(units, n_groups)
    total = int(groups.max()) + 1
    futures = [
        executor.submit(partial_spectra, source, dt, part, groups[part], total, n_threads, max_memory)
        for part in np.array_split(np.arange(n_particles), min(n_tasks, n_particles))
    ]
    parts = [future.result() for future in futures]
    whole = sum(parts[1:], parts[0])
    lags = lags_of(times, max_lag)
    sums = whole.displacement_sums(n_threads)[:, : len(lags.lag)] / lags.n_origins
    builder = CurveBuilder(lags.lag, lags.logarithmic, effort.crew)
    builder.add_directions(sums[:3], n_particles)
    builder.add(sums[3:], np.bincount(groups))
    return as_msd(builder.curve, lags, n_particles)


def _opened(source: Any) -> Any:
    if isinstance(source, dict):
        from polypace.trajectory import open_trajectory

        return open_trajectory(**source)
    if isinstance(source, str | Path):
        if Path(source).suffix == ".npy":
            return np.load(source, mmap_mode="r")
        from polypace.trajectory import open_trajectory

        return open_trajectory(source)
    return source
