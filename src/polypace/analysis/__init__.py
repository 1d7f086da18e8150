"""Dynamics and structure of polymers from trajectories."""
