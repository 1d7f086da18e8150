"""References: classical force fields in LAMMPS, quantum chemistry through ASE, labels."""
