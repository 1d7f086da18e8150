"""Melts: chains, conformations, dense boxes, LAMMPS data files."""

from polypace.systems.build import build_melt
from polypace.systems.connectivity import (
    backbones,
    molecules_by_bonds,
    numbered_for_bond_swaps,
    schulz_zimm_lengths,
    whole_molecules,
)
from polypace.systems.distance_windows import DistanceWindows, Window, distance_windows
from polypace.systems.internal_distances import (
    InternalDistanceCheck,
    InternalDistances,
    check_internal_distances,
    internal_distances,
    target_internal_distances,
)
from polypace.systems.lammps_data import read_lammps_data, write_lammps_data
from polypace.systems.overlaps import closest_contact
from polypace.systems.perturb import perturbed_frames, press_contacts, rattle, strain, twist_chains
from polypace.systems.topology import Topology, topology
from polypace.systems.views import to_universe

__all__ = [
    "DistanceWindows",
    "InternalDistanceCheck",
    "InternalDistances",
    "Topology",
    "Window",
    "backbones",
    "build_melt",
    "check_internal_distances",
    "closest_contact",
    "distance_windows",
    "internal_distances",
    "molecules_by_bonds",
    "numbered_for_bond_swaps",
    "perturbed_frames",
    "press_contacts",
    "rattle",
    "read_lammps_data",
    "schulz_zimm_lengths",
    "strain",
    "target_internal_distances",
    "to_universe",
    "topology",
    "twist_chains",
    "whole_molecules",
    "write_lammps_data",
]
