"""Units: eV, Å, ps, amu inside (LAMMPS `metal`); conversions happen where files and foreign programs are met.

Constants are the CODATA 2018 values, through ASE; LAMMPS's own `metal` constants differ by up to 1e-7 (relative).
"""

from __future__ import annotations

KCAL_PER_MOL = 0.0433641153087705  # eV
BOLTZMANN = 8.617333262e-5  # eV/K
BAR = 6.241509074e-7  # eV/Å³
MEGAPASCAL = 10 * BAR  # eV/Å³
ATMOSPHERE = 1.01325 * BAR  # eV/Å³
GRAM_PER_CM3 = 0.6022140762081123  # amu/Å³
HARTREE = 27.211386245988  # eV
BOHR = 0.529177210903  # Å
WAVENUMBER = 1.239841984e-4  # eV per cm⁻¹
VOIGT = [0, 4, 8, 5, 2, 1]  # xx yy zz yz xz xy among the nine components of a tensor
# Kinetic energy: amu Å²/ps² in eV.
AMU_A2_PER_PS2 = 1.0364269574711572e-4
