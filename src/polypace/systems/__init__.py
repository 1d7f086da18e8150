"""Melts: chains, conformations, dense boxes, LAMMPS data files."""
