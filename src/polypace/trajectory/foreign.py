"""Trajectories that well-kept libraries read: MDAnalysis (DCD, XTC, TRR, H5MD, …), ASE (extxyz), plain
arrays.
"""

from __future__ import annotations

import io
import warnings
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.arrays import as_array
from polypace.errors import FileFormatError, InputError, MissingProgramError
from polypace.trajectory.notes import warn
from polypace.trajectory.source import Block, Coordinates, Float, FrameTable, Int


def open_universe(topology: Any, *trajectories: Path) -> Any:
    """An MDAnalysis universe, without the warnings about guessed masses that say nothing here."""
    import MDAnalysis

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return MDAnalysis.Universe(topology, *(str(path) for path in trajectories))
    except ImportError as error:
        raise MissingProgramError(f"{topology}: MDAnalysis needs another package for this format: {error}") from error
    except (ValueError, OSError, TypeError, IndexError, EOFError) as error:
        raise FileFormatError(f"{topology}: MDAnalysis cannot read it: {error}") from error


def open_coordinates(paths: list[Path], n_atoms: int | None) -> Any:
    """A universe of trajectory files alone; the number of atoms comes from the file or from the topology."""
    import MDAnalysis

    if n_atoms is None:
        if len(paths) > 1:
            raise InputError("several trajectory files need a topology")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                reader = MDAnalysis.coordinates.core.get_reader_for(str(paths[0]))
                n_atoms = reader.parse_n_atoms(str(paths[0]))
            except (NotImplementedError, ValueError, OSError) as error:
                raise InputError(f"{paths[0]}: the format needs a topology ({error})") from None
    universe = MDAnalysis.Universe.empty(n_atoms, trajectory=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            universe.load_new([str(path) for path in paths] if len(paths) > 1 else str(paths[0]))
    except (ValueError, OSError, EOFError) as error:
        raise FileFormatError(f"{paths[0]}: MDAnalysis cannot read it: {error}") from error
    return universe


def _check_positions(positions: Float, frame: int, name: str) -> None:
    if not np.isfinite(positions).all():
        atom = int(np.argwhere(~np.isfinite(positions))[0][0])
        raise FileFormatError(f"{name}: frame {frame}: the position of atom {atom} is not finite")


class UniverseSource:
    """Frames of an MDAnalysis universe. Whether its coordinates are wrapped is not known, so it is
    assumed.
    """

    def __init__(self, universe: Any, name: str, coordinates: Coordinates = Coordinates.WRAPPED) -> None:
        from MDAnalysis.lib.mdamath import triclinic_vectors

        self._universe = universe
        trajectory = universe.trajectory
        self.n_atoms = len(universe.atoms)
        self.ids, self.has_ids = np.arange(1, self.n_atoms + 1), True
        self.columns: dict[str, npt.NDArray[np.str_]] = {}
        self.name = name
        n = len(trajectory)
        steps, times, cells = np.arange(n), np.empty(n), np.zeros((n, 3, 3))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for k, frame in enumerate(trajectory):
                steps[k] = frame.data.get("step", k)
                times[k] = frame.time
                if frame.dimensions is not None:
                    cells[k] = triclinic_vectors(frame.dimensions, dtype=np.float64)
        self.notes, self._frames = _ordered(steps, times, name)
        periodic = bool((np.abs(np.linalg.det(cells)) > 0).all())
        kept = self._frames
        if (np.diff(steps[kept]) <= 0).any():
            steps[kept] = kept
        self.table = FrameTable(steps[kept], times[kept], cells[kept], np.zeros((len(kept), 3)), (periodic,) * 3)
        self.coordinates = coordinates if periodic else Coordinates.CONTINUOUS

    def read(self, frames: Int, atoms: Int | None) -> Block:
        """Positions (Å) of `frames` and `atoms` (ascending indices; None: all)."""
        positions = np.empty((len(frames), self.n_atoms if atoms is None else len(atoms), 3))
        for k, frame in enumerate(frames.tolist()):
            values = self._universe.trajectory[int(self._frames[frame])].positions
            _check_positions(values, frame, self.name)
            positions[k] = values if atoms is None else values[atoms]
        return Block(positions, None)


def _ordered(steps: Int, times: Float, name: str) -> tuple[tuple[str, ...], Int]:
    """Frames whose times increase: of repeated ones (restarts) the later one."""
    if (np.diff(times) > 0).all() or len(times) < 2:
        return (), np.arange(len(times))
    later = np.minimum.accumulate(times[::-1])[::-1]
    keep = np.append(times[:-1] < later[1:], True)
    if keep.sum() < 2:
        raise InputError(f"{name}: the times of the frames do not increase")
    note = f"{name}: {int((~keep).sum())} frames were written again later; the later ones are used"
    return (warn(note),), np.flatnonzero(keep)


class ExtxyzSource:
    """Frames of an extended XYZ file through ASE, found by one pass and read one by one."""

    def __init__(self, path: Path, coordinates: Coordinates = Coordinates.WRAPPED) -> None:
        self._path = path
        self.name = str(path)
        self._file = path.open("rb")
        weakref.finalize(self, self._file.close)
        self._extents, self.notes = self._index()
        first = self._atoms(0)
        self.n_atoms = len(first)
        self.ids, self.has_ids = np.arange(1, self.n_atoms + 1), True
        names = first.arrays.get("type_name", first.symbols)
        self.columns = {"type": np.array(list(names), dtype=np.str_)}
        if "mol_id" in first.arrays:
            self.columns["mol"] = first.arrays["mol_id"].astype(np.str_)
        self.columns["mass"] = np.array([f"{mass:.12g}" for mass in first.get_masses()], dtype=np.str_)
        frames = [self._atoms(k) for k in range(len(self._extents))]
        pbc = tuple(bool(p) for p in first.pbc)
        cells = np.array([atoms.cell.array for atoms in frames])
        infos = [atoms.info for atoms in frames]
        steps = np.array([info.get("step", k) for k, info in enumerate(infos)], dtype=np.int64)
        times = np.array([float(i["time"]) for i in infos]) if all("time" in i for i in infos) else None
        if (np.diff(steps) <= 0).any():
            steps = np.arange(len(frames))
        self.table = FrameTable(steps, times, cells, np.zeros((len(frames), 3)), pbc)  # type: ignore[arg-type]
        self.coordinates = coordinates if any(pbc) else Coordinates.CONTINUOUS

    def _index(self) -> tuple[list[tuple[int, int]], tuple[str, ...]]:
        extents, line_number, end = [], 0, self._path.stat().st_size
        while True:
            begin = self._file.tell()
            line = self._file.readline()
            line_number += 1
            if not line.strip():
                if begin >= end:
                    break
                continue
            if not line.split()[0].isdigit():
                raise FileFormatError(f"{self._path}, line {line_number}: expected a number of atoms, got {line!r}")
            n_lines = int(line) + 1
            complete = all(self._file.readline().endswith(b"\n") for _ in range(n_lines))
            line_number += n_lines
            if not complete:
                break
            extents.append((begin, self._file.tell()))
        if not extents:
            raise FileFormatError(f"{self._path}: holds no whole frame")
        if extents[-1][1] < end and self._rest(extents[-1][1]).strip():
            return extents, (warn(f"{self._path}: the last frame breaks off; dropped"),)
        return extents, ()

    def _rest(self, begin: int) -> bytes:
        self._file.seek(begin)
        return self._file.read()

    def _atoms(self, frame: int) -> Any:
        import ase.io

        begin, end = self._extents[frame]
        self._file.seek(begin)
        try:
            return ase.io.read(io.StringIO(self._file.read(end - begin).decode()), format="extxyz")
        except Exception as error:
            raise FileFormatError(f"{self._path}: frame {frame}: {error}") from error

    def read(self, frames: Int, atoms: Int | None) -> Block:
        """Positions (Å) of `frames` and `atoms` (ascending indices; None: all)."""
        positions = np.empty((len(frames), self.n_atoms if atoms is None else len(atoms), 3))
        for k, frame in enumerate(frames.tolist()):
            values = self._atoms(frame).positions
            if len(values) != self.n_atoms:
                raise FileFormatError(f"{self._path}: frame {frame} has {len(values)} atoms, the first {self.n_atoms}")
            _check_positions(values, frame, self.name)
            positions[k] = values if atoms is None else values[atoms]
        return Block(positions, None)


class ArraySource:
    """Positions that are already in memory."""

    def __init__(self, positions: Any, cells: Any, coordinates: Coordinates | None) -> None:
        self._positions = as_array(positions, "positions", shape=(None, None, 3))
        n_frames, self.n_atoms = self._positions.shape[:2]
        if n_frames == 0 or self.n_atoms == 0:
            raise InputError(f"positions must hold frames and atoms, got shape {self._positions.shape}")
        self.ids, self.has_ids = np.arange(1, self.n_atoms + 1), False
        self.columns: dict[str, npt.NDArray[np.str_]] = {}
        self.notes: tuple[str, ...] = ()
        self.name = "array"
        box, periodic = np.zeros((n_frames, 3, 3)), cells is not None
        if periodic:
            given = np.asarray(cells, dtype=np.float64)
            given = (
                np.apply_along_axis(np.diag, -1, given)
                if given.shape in ((3,), (n_frames, 3)) and given.shape != (3, 3)
                else given
            )
            if given.shape not in ((3, 3), (n_frames, 3, 3)):
                raise InputError(f"cells must have shape (3,), (3, 3) or ({n_frames}, 3, 3), got {np.shape(cells)}")
            box[:] = as_array(given, "cells", shape=given.shape)
        self.table = FrameTable(np.arange(n_frames), None, box, np.zeros((n_frames, 3)), (periodic,) * 3)
        default = Coordinates.WRAPPED if periodic else Coordinates.CONTINUOUS
        self.coordinates = coordinates or default

    def read(self, frames: Int, atoms: Int | None) -> Block:
        """Positions (Å) of `frames` and `atoms` (ascending indices; None: all)."""
        block = self._positions[frames]
        return Block(block if atoms is None else np.ascontiguousarray(block[:, atoms]), None)
