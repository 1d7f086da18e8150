"""References: classical force fields in LAMMPS, quantum chemistry through ASE, labels."""

from polypace.forcefields import FORCE_FIELDS, ForceField, TraPPEUA, get_force_field
from polypace.reference.dispersion_tail import Baseline, DispersionTail
from polypace.reference.interactions import Interactions, force_field_interactions
from polypace.reference.labels import is_triclinic, read_dump, read_labels, read_thermo, write_dump
from polypace.reference.scripts import equilibration_script, label_script, npt_script, nvt_script

__all__ = [
    "FORCE_FIELDS",
    "Baseline",
    "DispersionTail",
    "ForceField",
    "Interactions",
    "TraPPEUA",
    "equilibration_script",
    "force_field_interactions",
    "get_force_field",
    "is_triclinic",
    "label_script",
    "npt_script",
    "nvt_script",
    "read_dump",
    "read_labels",
    "read_thermo",
    "write_dump",
]
