"""Structures of any number of files, read one by one; shared by the verbs fit, errors, grade, select and carve."""

from __future__ import annotations

import glob
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from polypace.errors import InputError

if TYPE_CHECKING:
    import ase

    from polypace.melt import Melt


@dataclass(frozen=True)
class FrameFiles:
    """Frames of several files in order, as often as they are gone through; one is in memory at a time.

    paths : LAMMPS dumps (text, gzip, zstd, binary), LAMMPS data files, whatever ASE reads, zips of QM-22; patterns
        with * too
    topology : LAMMPS data file whose atoms the dumps' are: types, molecules, bonds; with it also DCD, XTC, …
    every : only every so-manieth frame of each file
    """

    paths: Sequence[Path]
    topology: Path | None = None
    every: int = 1
    _begins: list[int] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InputError(f"--every must be at least 1, got {self.every}")
        found: list[Path] = []
        for path in self.paths:
            matches = [path] if path.exists() else [Path(name) for name in sorted(glob.glob(str(path)))]
            if not matches:
                raise FileNotFoundError(f"file of frames {path} does not exist")
            found += matches
        object.__setattr__(self, "paths", found)

    def __iter__(self) -> Iterator[ase.Atoms]:
        for _, _, atoms in self.numbered():
            yield atoms

    def numbered(self) -> Iterator[tuple[Path, int, ase.Atoms]]:
        """(file, number of the frame in it, frame)."""
        n_frames = 0
        for place, path in enumerate(self.paths):
            self._begins[place:] = [n_frames]
            for number, atoms in enumerate(self._of_file(path)):
                n_frames += 1
                yield path, number * self.every, atoms

    def name_of(self, index: int) -> str:
        """What messages call a frame that was gone through, by its place among all."""
        place = bisect_right(self._begins, index) - 1
        return f"frame {(index - self._begins[place]) * self.every} of {self.paths[place]}"

    def frame(self, path: Path, number: int) -> ase.Atoms:
        """One frame of one of the files; −1: the last."""
        n_frames = 0
        for atoms in FrameFiles([path], self.topology):
            if n_frames == number:
                return atoms
            n_frames += 1
        if number == -1 and n_frames:
            return atoms
        raise InputError(f"{path} has no frame {number}: it has {n_frames}")

    def _of_file(self, path: Path) -> Iterator[ase.Atoms]:
        kind = "ase" if path.suffix in (".extxyz", ".xyz") else _kind_by_content(path)
        if kind == "qm22":
            from polypace.reference import read_qm22

            yield from read_qm22(path)[:: self.every]
        elif kind == "data":
            yield _with_places(_read_data(path))
        elif kind == "dump" or (self.topology is not None and kind != "ase"):
            yield from self._of_dump(path)
        else:
            from polypace.ace.labels import iterate_frames

            for number, atoms in enumerate(iterate_frames(path)):
                if number % self.every == 0:
                    yield atoms

    def _of_dump(self, path: Path) -> Iterator[ase.Atoms]:
        from polypace.trajectory import open_trajectory

        melt = _read_data(self.topology) if self.topology else None
        trajectory = open_trajectory(str(path), melt)
        atoms = _atoms_of(trajectory) if melt is None else _with_places(melt)
        atoms.pbc = trajectory.pbc
        for frame in trajectory[:: self.every] if self.every > 1 else trajectory:
            atoms = atoms.copy()
            atoms.set_cell(frame.cell)
            atoms.positions = frame.positions
            yield atoms


def _kind_by_content(path: Path) -> str:
    from polypace.trajectory.bytes import first_bytes, open_bytes
    from polypace.trajectory.dump_index import is_binary_dump
    from polypace.trajectory.topology import is_lammps_data

    if path.suffix == ".zip":
        return "qm22"
    if is_lammps_data(path):
        return "data"
    with closing(open_bytes(path)) as source:
        head = first_bytes(source)
    return "dump" if head.startswith(b"ITEM:") or is_binary_dump(head) else "unknown"


def _read_data(path: Path) -> Melt:
    from polypace.systems import read_lammps_data

    return read_lammps_data(path)


def _with_places(melt: Melt) -> ase.Atoms:
    from polypace.select.places import bonded_places

    atoms: ase.Atoms = melt.atoms.copy()
    atoms.arrays["place"] = bonded_places(melt.bonds, atoms.numbers != 1)
    return atoms


def _atoms_of(trajectory: Any) -> ase.Atoms:
    """Atoms of a dump without topology: types that are chemical symbols, or masses, say the elements."""
    import ase
    from ase.data import atomic_numbers

    from polypace.systems.lammps_data import element_of

    types, topology = trajectory.types.tolist(), trajectory.topology
    if all(name in atomic_numbers for name in types):
        symbols = types
    elif topology.masses is not None:
        symbols = [element_of(name, mass) for name, mass in zip(types, topology.masses, strict=True)]
    else:
        raise InputError(
            f"{trajectory.name}: the elements of types {', '.join(sorted(set(types)))} are not known: give --topology "
            "(a LAMMPS data file), or dump the columns element or mass"
        )
    atoms = ase.Atoms(symbols, positions=np.zeros((len(symbols), 3)))
    atoms.arrays["type_name"] = trajectory.types
    if topology.molecules is not None:
        atoms.arrays["mol_id"] = topology.molecules
    return atoms
