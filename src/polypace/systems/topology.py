"""Bonded terms of a melt, numbered as the force field's tables number them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace.forcefields import ForceField
from polypace.melt import Melt


@dataclass(frozen=True)
class Topology:
    """Bonds, angles and dihedrals (0-based atoms) with the 0-based place of each term in the force field's
    table.
    """

    bonds: npt.NDArray[np.int64]
    bond_kinds: npt.NDArray[np.int64]
    angles: npt.NDArray[np.int64]
    angle_kinds: npt.NDArray[np.int64]
    dihedrals: npt.NDArray[np.int64]
    dihedral_kinds: npt.NDArray[np.int64]


def topology(melt: Melt, force_field: ForceField) -> Topology:
    """Every bond, angle and dihedral of `melt` with its term of `force_field`.

    Raises
    ------
    InputError
        where the force field lacks a type of the melt or a bonded term between such types.
    """
    angles = melt.angles() if force_field.angles else np.empty((0, 3), np.int64)
    dihedrals = melt.dihedrals() if force_field.dihedrals else np.empty((0, 4), np.int64)
    return Topology(
        melt.bonds,
        _kinds(melt, force_field, "bonds", melt.bonds),
        angles,
        _kinds(melt, force_field, "angles", angles),
        dihedrals,
        _kinds(melt, force_field, "dihedrals", dihedrals),
    )


def _kinds(melt: Melt, force_field: ForceField, table: str, members: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Place of the term of each row; looked up once per combination of types."""
    if not len(members):
        return np.empty(0, np.int64)
    names = melt.type_names
    numbers = np.searchsorted(names, melt.types)[members]
    combinations, inverse = np.unique(numbers, axis=0, return_inverse=True)
    places = [force_field.term(table, tuple(names[n] for n in row)) for row in combinations.tolist()]
    return np.array(places, dtype=np.int64)[inverse.reshape(-1)]
