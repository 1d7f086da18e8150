"""Open whatever holds frames of atoms."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from polypace.errors import FileFormatError, InputError
from polypace.trajectory.bytes import first_bytes, open_bytes
from polypace.trajectory.dump import DumpSource
from polypace.trajectory.dump_index import is_binary_dump
from polypace.trajectory.foreign import ArraySource, ExtxyzSource
from polypace.trajectory.source import LENGTH_UNITS, Coordinates, Float, Source
from polypace.trajectory.topology import Topology, read_topology, topology_of_universe
from polypace.trajectory.trajectory import Trajectory
from polypace.trajectory.universe import UniverseSource, open_coordinates

COORDINATES = {"wrapped": Coordinates.WRAPPED, "unwrapped": Coordinates.CONTINUOUS}


def open_trajectory(
    source: Any,
    topology: Any = None,
    *,
    timestep: float | None = None,
    units: str | None = None,
    cells: Any = None,
    coordinates: str | None = None,
    atom_style: str | None = None,
    n_threads: int = 0,
) -> Trajectory:
    """Open a trajectory; atoms are read when they are asked for.

    Parameters
    ----------
    source : path, list of paths, MDAnalysis universe, or (n_frames, n_atoms, 3) array
        LAMMPS dumps (text, gzip, zstd, binary; found by their content), extxyz, or any format of MDAnalysis
        (DCD, XTC, TRR, H5MD, …). Several files are one run; of steps that occur twice the file given later
        counts.
    topology : path, Melt, MDAnalysis universe or Topology, optional
        Bonds, molecules, types and masses, e.g. a LAMMPS data file.
    timestep : float, optional
        ps per MD step, for files that hold steps but no times (per frame for arrays and for files without steps).
    units : str, optional
        LAMMPS unit style ("real", "metal", "lj", …) of dumps that do not name theirs, and of DCD and XTC files that
        LAMMPS wrote; lengths become Å, times ps. With "lj" the numbers stay as they are, in σ and τ, of any source.
    cells : (3,), (3, 3), (n_frames, 3) or (n_frames, 3, 3), optional
        Cell of an array, Å.
    coordinates : "wrapped" or "unwrapped", optional
        What the positions of arrays and foreign formats are; dumps say it by their columns.
        Default: wrapped where there is a cell.
    atom_style : str, optional
        Of a LAMMPS data file that does not name it.
    n_threads : int
        0: OMP_NUM_THREADS, else all cores.

    Raises
    ------
    InputError, FileFormatError
        naming the argument, or the file, frame and line.
    """
    if timestep is not None and not (np.isfinite(timestep) and timestep > 0):
        raise InputError(f"timestep must be positive (ps per MD step), got {timestep}")
    if coordinates is not None and coordinates not in COORDINATES:
        raise InputError(f"coordinates must be 'wrapped' or 'unwrapped', got {coordinates!r}")
    if units is not None and units not in LENGTH_UNITS:
        raise InputError(f"units must be one of {', '.join(LENGTH_UNITS)}, got {units!r}")
    known = None if topology is None else read_topology(topology, atom_style=atom_style)
    opened = _open_source(source, known, units, cells, coordinates, n_threads)
    if known is None and hasattr(source, "trajectory"):
        known = topology_of_universe(source)
    merged = _merge_topology(opened, known)
    if not any(opened.table.pbc) and isinstance(opened, UniverseSource):
        _refuse_torn_bonds(opened, merged)
    return Trajectory(opened, merged, times=_times(opened, timestep), n_threads=n_threads)


def _open_source(
    source: Any,
    topology: Topology | None,
    units: str | None,
    cells: Any,
    coordinates: str | None,
    n_threads: int,
) -> Source:
    foreign = None if coordinates is None else COORDINATES[coordinates]
    if hasattr(source, "trajectory") and hasattr(source, "atoms"):
        return UniverseSource(source, "universe", foreign, units)
    is_path = isinstance(source, str | Path)
    if not is_path and not (isinstance(source, Sequence) and all(isinstance(s, str | Path) for s in source)):
        return ArraySource(source, cells, foreign, _in_angstrom(units, "arrays"))
    paths = _expanded([Path(source)] if is_path else [Path(path) for path in source])
    if cells is not None:
        raise InputError("cells belongs to arrays; files hold their own cells")
    heads = [first_bytes(open_bytes(path)) for path in paths]
    if b"" in heads:
        raise FileFormatError(f"{paths[heads.index(b'')]}: the file is empty")
    if all(
        head.lstrip().startswith(b"ITEM:") or _may_be_binary_dump(path, head)
        for path, head in zip(paths, heads, strict=True)
    ):
        if coordinates is not None:
            raise InputError("coordinates is for arrays and foreign formats; a dump says it by its columns")
        return DumpSource(paths, units=units, n_threads=n_threads)
    if paths[0].suffix in (".extxyz", ".xyz") and (b"Lattice=" in heads[0] or b"Properties=" in heads[0]):
        if len(paths) > 1:
            raise InputError("several extxyz files cannot be opened as one run; join them")
        return ExtxyzSource(paths[0], foreign, _in_angstrom(units, "extxyz files"))
    universe = open_coordinates(paths, None if topology is None else len(topology.ids))
    return UniverseSource(universe, ", ".join(str(path) for path in paths), foreign, units)


def _in_angstrom(units: str | None, what: str) -> str | None:
    if units not in (None, "real", "metal", "lj"):
        raise InputError(f"units={units!r} is for LAMMPS dumps, DCD and XTC; {what} are in Å (or, with 'lj', in σ)")
    return units


def _refuse_torn_bonds(source: Source, topology: Topology) -> None:
    """Wrapped coordinates without a cell are found out by bonds that span it."""
    if len(topology.bonds) == 0:
        return
    n_frames = len(source.table.steps)
    frames = np.unique(np.linspace(0, n_frames - 1, min(n_frames, 20)).astype(np.int64))
    positions = source.read(frames, None).positions
    lengths = np.linalg.norm(positions[:, topology.bonds[:, 0]] - positions[:, topology.bonds[:, 1]], axis=-1)
    frame, bond = np.unravel_index(np.argmax(lengths), lengths.shape)
    if lengths[frame, bond] > 5 * np.median(lengths):
        first, second = source.ids[topology.bonds[bond]]
        raise InputError(
            f"{source.name}: frame {frames[frame]}: the bond of atoms {first} and {second} is {lengths[frame, bond]:.3g} Å "
            f"long, the median {np.median(lengths):.3g} Å: the coordinates are wrapped, and the file holds no cell to "
            "unwrap them with; use a format that holds it, or dump unwrapped coordinates"
        )


def _expanded(paths: list[Path]) -> list[Path]:
    """Files of names with wildcards (`dump.*.gz`, one frame each) in the order of the numbers in them."""
    found: list[Path] = []
    for path in paths:
        if path.exists() or not glob.has_magic(str(path)):
            found.append(path)
            continue
        matches = [Path(match) for match in glob.glob(str(path))]
        if not matches:
            raise InputError(f"no file matches {path}")
        found += sorted(matches, key=lambda match: [int(n) for n in re.findall(r"\d+", match.name)])
    if not found:
        raise InputError("no trajectory file was given")
    return found


def _may_be_binary_dump(path: Path, head: bytes) -> bool:
    known_elsewhere = (
        ".dcd",
        ".xtc",
        ".trr",
        ".h5",
        ".h5md",
        ".nc",
        ".ncdf",
        ".gsd",
        ".tng",
        ".trj",
        ".xyz",
        ".extxyz",
    )
    return path.suffix.lower() not in known_elsewhere and is_binary_dump(head)


def _times(source: Source, timestep: float | None) -> Float | None:
    """ps; a given timestep counts more than what the file says."""
    if timestep is not None:
        return source.table.steps.astype(np.float64) * float(timestep)
    return source.table.times


def _merge_topology(source: Source, known: Topology | None) -> Topology:
    """The given topology for the atoms of the trajectory; without one, what the columns of the file tell."""
    if known is not None:
        if not source.has_ids and len(known.ids) == source.n_atoms:
            return known
        return known.take(source.ids)
    columns = source.columns
    types = columns.get("element", columns.get("type", np.full(source.n_atoms, "X")))
    try:
        masses = columns["mass"].astype(np.float64) if "mass" in columns else None
    except ValueError:
        raise FileFormatError(f"{source.name}: the column mass must hold numbers") from None
    molecules = columns["mol"].astype(np.int64) if "mol" in columns else None
    if molecules is not None and (molecules == 0).all():
        molecules = None
    return Topology(source.ids, types, masses, molecules, np.zeros((0, 2), dtype=np.int64))
