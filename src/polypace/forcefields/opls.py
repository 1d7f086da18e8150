"""OPLS-AA and L-OPLS: all-atom n-alkanes."""

from __future__ import annotations

from dataclasses import replace

from polypace.forcefields.model import AtomType, BondedTerm, ForceField, Original, Smooth
from polypace.units import KCAL_PER_MOL

_CARBON, _HYDROGEN = 12.011, 1.008


def _atom(name: str, epsilon: float, sigma: float, charge: float) -> AtomType:
    element = name[0]
    mass = _CARBON if element == "C" else _HYDROGEN
    return AtomType(name, element, mass, epsilon * KCAL_PER_MOL, sigma, charge, name[:2])


def _torsion(classes: tuple[str, str, str, str], *kilocalories: float) -> BondedTerm:
    return BondedTerm(classes, "opls", tuple(value * KCAL_PER_MOL for value in kilocalories))


_HYDROGEN_TORSION = (0.0, 0.0, 0.3, 0.0)

#: OPLS-AA for n-alkanes: W. L. Jorgensen, D. S. Maxwell, J. Tirado-Rives, J. Am. Chem. Soc. 118, 11225
#: (1996), with the hydrocarbon torsions of the later parameter files (11/99). Published in kcal/mol.
#: Geometric mixing; 1-4 pairs count one half; Lennard-Jones cut at 11 Å with tail correction here. Types:
#: CT4 (methane), CT3, CT2 and the hydrogens on them.
OPLSAA = ForceField(
    name="opls-aa",
    atom_types=(
        _atom("CT4", 0.066, 3.50, -0.24),
        _atom("CT3", 0.066, 3.50, -0.18),
        _atom("CT2", 0.066, 3.50, -0.12),
        _atom("HC4", 0.030, 2.50, 0.06),
        _atom("HC3", 0.030, 2.50, 0.06),
        _atom("HC2", 0.030, 2.50, 0.06),
    ),
    bonds=(
        BondedTerm(("CT", "CT"), "harmonic", (268.0 * KCAL_PER_MOL, 1.529)),
        BondedTerm(("CT", "HC"), "harmonic", (340.0 * KCAL_PER_MOL, 1.090)),
    ),
    angles=(
        BondedTerm(("CT", "CT", "CT"), "harmonic", (58.35 * KCAL_PER_MOL, 112.7)),
        BondedTerm(("CT", "CT", "HC"), "harmonic", (37.5 * KCAL_PER_MOL, 110.7)),
        BondedTerm(("HC", "CT", "HC"), "harmonic", (33.0 * KCAL_PER_MOL, 107.8)),
    ),
    dihedrals=(
        _torsion(("CT", "CT", "CT", "CT"), 1.3, -0.05, 0.2, 0.0),
        _torsion(("CT", "CT", "CT", "HC"), *_HYDROGEN_TORSION),
        _torsion(("HC", "CT", "CT", "HC"), *_HYDROGEN_TORSION),
    ),
    mixing="geometric",
    special=(0.0, 0.0, 0.5),
    truncation=Smooth(8.0, 10.0),
    published=Original(11.0),
    timestep=0.0005,
)

#: L-OPLS, OPLS-AA made for long alkanes: S. W. I. Siu, K. Pluhackova, R. A. Böckmann, J. Chem. Theory
#: Comput. 8, 1459 (2012): charges, ε of hydrogen on CH2, and the torsion of the backbone are its own. No
#: methane.
LOPLS = replace(
    OPLSAA,
    name="l-opls",
    atom_types=(
        _atom("CT3", 0.066, 3.50, -0.222),
        _atom("CT2", 0.066, 3.50, -0.148),
        _atom("HC3", 0.030, 2.50, 0.074),
        _atom("HC2", 0.026290630975, 2.50, 0.074),
    ),
    dihedrals=(
        _torsion(("CT", "CT", "CT", "CT"), 0.6446926386, -0.2143420172, 0.1782194073, 0.0),
        *OPLSAA.dihedrals[1:],
    ),
    published=Original(13.0),
)
