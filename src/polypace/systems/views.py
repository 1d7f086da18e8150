"""Melts as objects of other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np

from polypace.melt import Melt


def to_universe(melt: Melt) -> Any:
    """The melt as an `MDAnalysis.Universe`: names, types, elements, masses, residues (one a molecule),
    bonds, box.

    Positions are copied (MDAnalysis holds them in single precision, Å).
    """
    import MDAnalysis

    n_molecules = int(melt.molecules.max()) + 1
    universe = MDAnalysis.Universe.empty(
        len(melt.atoms), n_residues=n_molecules, atom_resindex=melt.molecules, trajectory=True
    )
    universe.add_TopologyAttr("names", list(melt.types))
    universe.add_TopologyAttr("types", list(melt.types))
    universe.add_TopologyAttr("elements", melt.atoms.get_chemical_symbols())
    universe.add_TopologyAttr("masses", melt.atoms.get_masses())
    universe.add_TopologyAttr("resids", np.arange(1, n_molecules + 1))
    universe.add_TopologyAttr("bonds", [tuple(bond) for bond in melt.bonds.tolist()])
    universe.atoms.positions = melt.atoms.positions
    universe.dimensions = melt.atoms.cell.cellpar()
    return universe
