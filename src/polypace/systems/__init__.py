"""Melts: chains, conformations, dense boxes, LAMMPS data files."""

from polypace.systems.build import build_melt
from polypace.systems.lammps_data import read_lammps_data, write_lammps_data
from polypace.systems.overlaps import closest_contact
from polypace.systems.perturb import perturbed_frames, press_contacts, rattle, strain, twist_chains
from polypace.systems.topology import Topology, topology

__all__ = [
    "Topology",
    "build_melt",
    "closest_contact",
    "perturbed_frames",
    "press_contacts",
    "rattle",
    "read_lammps_data",
    "strain",
    "topology",
    "twist_chains",
    "write_lammps_data",
]
