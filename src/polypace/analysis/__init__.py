"""Dynamics and structure of polymers from trajectories."""

from polypace.analysis.msd import MSD, msd

__all__ = ["MSD", "msd"]
