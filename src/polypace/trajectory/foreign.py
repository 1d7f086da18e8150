"""Trajectories in extended XYZ (through ASE) and plain arrays."""

from __future__ import annotations

import io
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.arrays import as_array
from polypace.errors import FileFormatError, InputError
from polypace.trajectory.notes import warn
from polypace.trajectory.source import Block, Coordinates, FrameTable, Int, check_finite


class ExtxyzSource:
    """Frames of an extended XYZ file through ASE, found by one pass and read one by one."""

    def __init__(self, path: Path, coordinates: Coordinates | None = None, units: str | None = None) -> None:
        self._path = path
        self.name, self.units = str(path), units or ""
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
        self.coordinates = (coordinates or Coordinates.WRAPPED) if any(pbc) else Coordinates.CONTINUOUS

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
            check_finite(values, frame, self.name)
            positions[k] = values if atoms is None else values[atoms]
        return Block(positions, None)


class ArraySource:
    """Positions that are already in memory."""

    def __init__(
        self, positions: Any, cells: Any, coordinates: Coordinates | None = None, units: str | None = None
    ) -> None:
        self._positions = as_array(positions, "positions", shape=(None, None, 3))
        n_frames, self.n_atoms = self._positions.shape[:2]
        if n_frames == 0 or self.n_atoms == 0:
            raise InputError(f"positions must hold frames and atoms, got shape {self._positions.shape}")
        self.ids, self.has_ids = np.arange(1, self.n_atoms + 1), False
        self.columns: dict[str, npt.NDArray[np.str_]] = {}
        self.notes: tuple[str, ...] = ()
        self.name, self.units = "array", units or ""
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
