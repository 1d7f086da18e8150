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
from polypace.analysis.msd import MSD, msd, msd_by_species
from polypace.analysis.multiple_tau import MultipleTauMSD
from polypace.analysis.packing import Density, density, density_of_series
from polypace.analysis.radial import RDF, rdf
from polypace.analysis.regimes import Regimes, find_regimes
from polypace.analysis.relaxation import Autocorrelation, RouseModes, end_to_end_autocorrelation, rouse_modes
from polypace.analysis.scaling import LocalExponent, PiecewisePowerLaw, local_exponent, piecewise_power_law
from polypace.analysis.scattering import StructureFactor, structure_factor
from polypace.analysis.self_motion import (
    DisplacementFunction,
    non_gaussian_parameter,
    self_intermediate_scattering,
    van_hove_self,
)
from polypace.analysis.spectra import PartialSpectra
from polypace.analysis.structure_summary import (
    StructureComparison,
    StructureSummary,
    compare_structure,
    summarize_structure,
)
from polypace.analysis.tasks import msd_by_tasks, partial_spectra

__all__ = [
    "MSD",
    "RDF",
    "Autocorrelation",
    "Backbones",
    "ChainDimensions",
    "ChainMSD",
    "Density",
    "Diffusion",
    "DihedralDistribution",
    "DisplacementFunction",
    "Distribution",
    "DistributionDistance",
    "LocalExponent",
    "MSDRatio",
    "MultipleTauMSD",
    "PartialSpectra",
    "PiecewisePowerLaw",
    "Regimes",
    "RouseModes",
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
    "end_to_end_autocorrelation",
    "find_backbones",
    "find_regimes",
    "local_exponent",
    "msd",
    "msd_by_species",
    "msd_by_tasks",
    "non_gaussian_parameter",
    "partial_spectra",
    "piecewise_power_law",
    "rdf",
    "rouse_modes",
    "self_intermediate_scattering",
    "structure_factor",
    "summarize_structure",
    "van_hove_self",
    "yeh_hummer",
]
