"""Clusters out of periodic melts: capped, whole molecules, or a small periodic cell."""

from polypace.carve.cluster import Cluster
from polypace.carve.clusters import carve_clusters
from polypace.carve.descriptors import compare_descriptors

__all__ = ["Cluster", "carve_clusters", "compare_descriptors"]
