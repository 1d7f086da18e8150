"""A melt: atoms, bonds and molecules. What the steps pass on where chains matter."""

from __future__ import annotations

from dataclasses import dataclass

import ase
import numpy as np
import numpy.typing as npt

from polypace.arrays import as_array
from polypace.errors import InputError


@dataclass(frozen=True)
class Melt:
    """Atoms with their chains.

    Parameters
    ----------
    atoms : ase.Atoms
        Positions (Å) of whole or wrapped molecules, cell and pbc; united atoms carry the symbol C and their mass.
    bonds : (n_bonds, 2) int64
        Bonded pairs, 0-based, each once.
    molecules : (n_atoms,) int64
        Molecule of every atom, 0-based.
    types : tuple of str, one per atom
        Force-field type name of every atom ("CH3", "CH2", "CT3", …).

    Raises
    ------
    InputError
        where shapes disagree or a bond names an atom that is not there.
    """

    atoms: ase.Atoms
    bonds: npt.NDArray[np.int64]
    molecules: npt.NDArray[np.int64]
    types: tuple[str, ...]

    def __post_init__(self) -> None:
        n = len(self.atoms)
        object.__setattr__(self, "bonds", as_array(self.bonds, "bonds", shape=(None, 2), dtype=np.int64))
        object.__setattr__(self, "molecules", as_array(self.molecules, "molecules", shape=(n,), dtype=np.int64))
        object.__setattr__(self, "types", tuple(self.types))
        if len(self.types) != n:
            raise InputError(f"types must name each of the {n} atoms, got {len(self.types)} names")
        if self.bonds.size and (self.bonds.min() < 0 or self.bonds.max() >= n):
            raise InputError(f"bonds must name atoms 0…{n - 1}, got {self.bonds.min()}…{self.bonds.max()}")

    @property
    def type_names(self) -> tuple[str, ...]:
        """The distinct type names, in the order in which LAMMPS numbers them (sorted, from 1)."""
        return tuple(sorted(set(self.types)))

    def angles(self) -> npt.NDArray[np.int64]:
        """(n, 3): every pair of bonds that share an atom, the shared one in the middle."""
        rows = []
        for middle, ends in enumerate(self.neighbors()):
            rows += [(a, middle, b) for i, a in enumerate(ends) for b in ends[i + 1 :]]
        return np.array(rows, dtype=np.int64).reshape(-1, 3)

    def dihedrals(self) -> npt.NDArray[np.int64]:
        """(n, 4): every chain of three bonds, once."""
        neighbors = self.neighbors()
        rows = [
            (a, b, c, d)
            for b, c in self.bonds.tolist()
            for a in neighbors[b]
            if a != c
            for d in neighbors[c]
            if d not in (a, b)
        ]
        return np.array(rows, dtype=np.int64).reshape(-1, 4)

    def chain_positions(self) -> npt.NDArray[np.int64]:
        """(n_atoms,): place along the chain, 1 for the heavy atom at the nearest end; hydrogens have that of theirs.

        0 for molecules without an end (rings).
        """
        neighbors = self.neighbors()
        heavy = self.atoms.numbers != 1
        place = np.zeros(len(self.atoms), dtype=np.int64)
        front = [i for i in np.flatnonzero(heavy).tolist() if np.count_nonzero(heavy[neighbors[i]]) < 2]
        distance = 1
        while front:
            place[front] = distance
            reached = {j for i in front for j in neighbors[i]}
            front, distance = [j for j in reached if heavy[j] and place[j] == 0], distance + 1
        for hydrogen in np.flatnonzero(~heavy).tolist():
            place[hydrogen] = max(place[neighbors[hydrogen]], default=0)
        return place

    def neighbors(self) -> list[list[int]]:
        """Bonded atoms of every atom, ascending."""
        lists: list[list[int]] = [[] for _ in range(len(self.atoms))]
        for a, b in self.bonds.tolist():
            lists[a].append(b)
            lists[b].append(a)
        return [sorted(ends) for ends in lists]
