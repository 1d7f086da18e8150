"""The Atomic Cluster Expansion: potentials, calculators, bases, fits."""
