"""Trajectories of the command line as displacement curves; shared by the verbs msd and compare."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polypace.analysis import MSD, chain_msd, msd
from polypace.errors import InputError

FRAMES_HELP = "Which frames, START:STOP:STEP as in Python; default all."
UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@dataclass(frozen=True)
class DynamicsOptions:
    """Options that msd and compare share."""

    central: int | None
    types: str | None
    max_lag: float | None
    max_memory: str | None
    threads: int
    scratch: Path | None


def displacement_curves(trajectory: Any, options: DynamicsOptions) -> dict[str, MSD]:
    """g1, g2, g3 where chains are known, else g1; of the atom types that were asked for."""
    common: dict[str, Any] = {
        "max_lag": options.max_lag,
        "max_memory": parse_bytes(options.max_memory),
        "n_threads": options.threads,
        "scratch": options.scratch,
        "progress": progress_bar(),
        "particles": _of_types(trajectory, options.types),
        "remove_drift": True,
    }
    if trajectory.topology.molecules is None:
        if options.central is not None:
            raise InputError("--central needs chains: give --topology with bonds, or dump the column mol")
        masses = trajectory.topology.masses
        return {"g1": msd(trajectory, masses=masses, **common)}
    chains = chain_msd(trajectory, central=options.central, **common)
    return {"g1": chains.g1, "g2": chains.g2, "g3": chains.g3}


def open_run(
    files: list[Path],
    topology: Path | None,
    timestep: float | None,
    units: str | None,
    frames: str | None,
    n_threads: int = 0,
) -> Any:
    """The frames START:STOP:STEP of the trajectory in some files."""
    from polypace.trajectory import open_trajectory

    trajectory = open_trajectory(files, topology, timestep=timestep, units=units, n_threads=n_threads)
    if frames is None:
        return trajectory
    try:
        bounds = [int(part) if part.strip() else None for part in frames.split(":")]
        if not 2 <= len(bounds) <= 3 or bounds[2:] == [0]:
            raise ValueError
    except ValueError:
        raise InputError(
            f"--frames must be START:STOP or START:STOP:STEP, as 100:, :5000 or ::10, got {frames!r}"
        ) from None
    if not range(trajectory.n_frames)[slice(*bounds)]:
        raise InputError(f"--frames {frames} leaves none of the {trajectory.n_frames} frames")
    return trajectory[slice(*bounds)]


def _of_types(trajectory: Any, types: str | None) -> Any:
    if types is None:
        return None
    wanted = types.split(",")
    known = sorted(set(trajectory.types.tolist()))
    for name in wanted:
        if name not in known:
            raise InputError(f"--types: there is no type {name!r}; the trajectory has {', '.join(known)}")
    import numpy as np

    return np.flatnonzero(np.isin(trajectory.types, wanted))


def parse_bytes(text: str | None) -> int | None:
    """512MB, 2GB or a number of bytes."""
    if text is None:
        return None
    number = text.strip().upper().rstrip("KMGTB")
    unit = text.strip().upper()[len(number) :]
    try:
        value = int(float(number) * UNITS[unit])
    except (ValueError, KeyError):
        raise InputError(f"--max-memory must be like 512MB or 2GB, got {text!r}") from None
    if value <= 0:
        raise InputError(f"--max-memory must be positive, got {text!r}")
    return value


def progress_bar() -> Callable[[str, float], None] | None:
    """A bar on the terminal; nothing where the output goes to a file."""
    if not sys.stderr.isatty():
        return None

    def show(what: str, part: float) -> None:
        filled = round(30 * part)
        end = "\n" if part >= 1 else ""
        print(f"\r{what:12s} [{'#' * filled}{'.' * (30 - filled)}] {part:4.0%}", end=end, file=sys.stderr)

    return show
