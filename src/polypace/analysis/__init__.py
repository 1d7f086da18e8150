"""Dynamics and structure of polymers from trajectories."""

from polypace.analysis.chain_motion import ChainMSD, chain_msd
from polypace.analysis.chains import Backbones, ChainDimensions, chain_dimensions, find_backbones
from polypace.analysis.distance import DistributionDistance, distribution_distance
from polypace.analysis.distributions import (
    DihedralDistribution,
    Distribution,
    angle_distribution,
    bond_distribution,
    dihedral_distribution,
)
from polypace.analysis.msd import MSD, msd
from polypace.analysis.packing import Density, density, density_of_series
from polypace.analysis.radial import RDF, rdf
from polypace.analysis.scattering import StructureFactor, structure_factor

__all__ = [
    "MSD",
    "RDF",
    "Backbones",
    "ChainDimensions",
    "ChainMSD",
    "Density",
    "DihedralDistribution",
    "Distribution",
    "DistributionDistance",
    "StructureFactor",
    "angle_distribution",
    "bond_distribution",
    "chain_dimensions",
    "chain_msd",
    "density",
    "density_of_series",
    "dihedral_distribution",
    "distribution_distance",
    "find_backbones",
    "msd",
    "rdf",
    "structure_factor",
]
