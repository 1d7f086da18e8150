"""Dynamics and structure of polymers from trajectories."""

from polypace.analysis.chain_motion import ChainMSD, chain_msd
from polypace.analysis.chains import Backbones, ChainDimensions, chain_dimensions, find_backbones
from polypace.analysis.comparison import MSDRatio, compare_msd
from polypace.analysis.diffusion import Diffusion, diffusion_coefficient, yeh_hummer
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
from polypace.analysis.regimes import Regimes, find_regimes
from polypace.analysis.scaling import LocalExponent, PiecewisePowerLaw, local_exponent, piecewise_power_law
from polypace.analysis.scattering import StructureFactor, structure_factor
from polypace.analysis.structure_summary import (
    StructureComparison,
    StructureSummary,
    compare_structure,
    summarize_structure,
)

__all__ = [
    "MSD",
    "RDF",
    "Backbones",
    "ChainDimensions",
    "ChainMSD",
    "Density",
    "Diffusion",
    "DihedralDistribution",
    "Distribution",
    "DistributionDistance",
    "LocalExponent",
    "MSDRatio",
    "PiecewisePowerLaw",
    "Regimes",
    "StructureComparison",
    "StructureFactor",
    "StructureSummary",
    "angle_distribution",
    "bond_distribution",
    "chain_dimensions",
    "chain_msd",
    "compare_msd",
    "compare_structure",
    "density",
    "density_of_series",
    "diffusion_coefficient",
    "dihedral_distribution",
    "distribution_distance",
    "find_backbones",
    "find_regimes",
    "local_exponent",
    "msd",
    "piecewise_power_law",
    "rdf",
    "structure_factor",
    "summarize_structure",
    "yeh_hummer",
]
