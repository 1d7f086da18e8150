"""Classical force fields as data: atom types, bonded terms, mixing; no engine, no geometry.

A shared table like `polypace.melt`: `systems` takes geometry and torsion statistics from it, `reference`
writes it as LAMMPS lines.
"""

from __future__ import annotations

from polypace.errors import InputError
from polypace.forcefields.kremer_grest import KremerGrest, kremer_grest
from polypace.forcefields.model import AtomType, BondedTerm, ForceField, Original, Repulsive, Smooth
from polypace.forcefields.opls import LOPLS, OPLSAA
from polypace.forcefields.trappe import TraPPEUA

FORCE_FIELDS = {force_field.name: force_field for force_field in (TraPPEUA, OPLSAA, LOPLS, KremerGrest)}


def get_force_field(name: str | ForceField) -> ForceField:
    """Force field by name ("trappe-ua", "opls-aa", "l-opls", "kremer-grest"); a `ForceField` is returned as
    it is.

    Raises
    ------
    InputError
        where no force field has that name; the message lists those there are.
    """
    if isinstance(name, ForceField):
        return name
    if name not in FORCE_FIELDS:
        raise InputError(f"unknown force field {name!r}; there are: {', '.join(sorted(FORCE_FIELDS))}")
    return FORCE_FIELDS[name]


__all__ = [
    "FORCE_FIELDS",
    "LOPLS",
    "OPLSAA",
    "AtomType",
    "BondedTerm",
    "ForceField",
    "KremerGrest",
    "Original",
    "Repulsive",
    "Smooth",
    "TraPPEUA",
    "get_force_field",
    "kremer_grest",
]
