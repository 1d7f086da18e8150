"""Trajectories: readers, unwrapping, topology."""

from polypace.trajectory.notes import TrajectoryWarning
from polypace.trajectory.open import open_trajectory
from polypace.trajectory.source import Coordinates
from polypace.trajectory.topology import Topology, read_topology
from polypace.trajectory.trajectory import Frame, Trajectory
from polypace.trajectory.unwrap import UnwrapProof

__all__ = [
    "Coordinates",
    "Frame",
    "Topology",
    "Trajectory",
    "TrajectoryWarning",
    "UnwrapProof",
    "open_trajectory",
    "read_topology",
]
