"""TraPPE-UA: united-atom n-alkanes."""

from __future__ import annotations

from polypace.forcefields.model import AtomType, BondedTerm, ForceField, Original, Smooth
from polypace.units import BOLTZMANN

#: TraPPE-UA for n-alkanes (M. G. Martin, J. I. Siepmann, J. Phys. Chem. B 102, 2569 (1998), tables 1 and
#: 2), with harmonic bonds in place of the rigid ones: k/2 = 226 450 K/Å² (C. J. Mundy et al., J. Chem.
#: Phys. 102, 3376 (1995)). Every energy is the published one in kelvin times k_B. Torsion: c1 [1 + cos φ] +
#: c2 [1 − cos 2φ] + c3 [1 + cos 3φ] with 355.03, −68.19 and 791.32 K, φ = 180° in trans. Pairs closer than
#: 1-5 do not interact; Lorentz-Berthelot mixing.
TraPPEUA = ForceField(
    name="trappe-ua",
    atom_types=(
        AtomType("CH4", "C", 16.043, 148.0 * BOLTZMANN, 3.73, 0.0, "C"),
        AtomType("CH3", "C", 15.035, 98.0 * BOLTZMANN, 3.75, 0.0, "C"),
        AtomType("CH2", "C", 14.027, 46.0 * BOLTZMANN, 3.95, 0.0, "C"),
    ),
    bonds=(BondedTerm(("C", "C"), "harmonic", (226450.0 * BOLTZMANN, 1.54)),),
    angles=(BondedTerm(("C", "C", "C"), "harmonic", (31250.0 * BOLTZMANN, 114.0)),),
    dihedrals=(
        BondedTerm(
            ("C", "C", "C", "C"),
            "opls",
            (2 * 355.03 * BOLTZMANN, -2 * 68.19 * BOLTZMANN, 2 * 791.32 * BOLTZMANN, 0.0),
        ),
    ),
    mixing="arithmetic",
    special=(0.0, 0.0, 0.0),
    truncation=Smooth(10.0, 12.0),
    published=Original(14.0),
    timestep=0.001,
)
