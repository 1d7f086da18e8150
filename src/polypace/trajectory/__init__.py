"""Trajectories: readers, unwrapping, topology."""
