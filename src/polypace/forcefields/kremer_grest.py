"""Kremer-Grest bead-spring chains."""

from __future__ import annotations

from polypace.errors import InputError
from polypace.forcefields.model import AtomType, BondedTerm, ForceField, Repulsive


def kremer_grest(stiffness: float = 0.0) -> ForceField:
    """Kremer-Grest chains in Lennard-Jones units (ε, σ, m, τ), with bending energy kθ (1 − cos θ), θ = 0
    straight.

    Purely repulsive Lennard-Jones between all beads, FENE bonds of 30 ε/σ² and 1.5 σ (K. Kremer, G. S. Grest,
    J. Chem. Phys. 92, 5057 (1990)); bending after R. Everaers et al., Science 303, 823 (2004). In LAMMPS
    `bond_style fene` has the repulsion of bonded beads, hence `special_bonds` 0 1 1.

    Raises
    ------
    InputError
        for a negative stiffness.
    """
    if not stiffness >= 0:
        raise InputError(f"stiffness must not be negative (kθ in ε), got {stiffness}")
    bending = BondedTerm(("bead", "bead", "bead"), "cosine", (float(stiffness),))
    return ForceField(
        name="kremer-grest" if stiffness == 0 else f"kremer-grest k={stiffness:g}",
        atom_types=(AtomType("bead", "X", 1.0, 1.0, 1.0, 0.0, "bead"),),
        bonds=(BondedTerm(("bead", "bead"), "fene", (30.0, 1.5, 1.0, 1.0)),),
        angles=(bending,) if stiffness > 0 else (),
        dihedrals=(),
        mixing="arithmetic",
        special=(0.0, 1.0, 1.0),
        truncation=Repulsive(),
        published=Repulsive(),
        timestep=0.01,
        units="lj",
    )


KremerGrest = kremer_grest()
