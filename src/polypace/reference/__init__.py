"""References: classical force fields in LAMMPS, quantum chemistry through ASE, labels."""

from polypace.forcefields import (
    FORCE_FIELDS,
    LOPLS,
    OPLSAA,
    ForceField,
    KremerGrest,
    TraPPEUA,
    get_force_field,
    kremer_grest,
)
from polypace.reference.baseline import Baseline, CombinedBaseline, LabelBaseline
from polypace.reference.bead_scripts import bead_dynamics_script, bead_equilibration_script
from polypace.reference.coulomb_tail import CoulombTail
from polypace.reference.dispersion_tail import DispersionTail
from polypace.reference.interactions import Interactions, force_field_interactions
from polypace.reference.label_store import Label, LabelStore, Method, Status, label_key, with_label
from polypace.reference.labelling import (
    Failure,
    LabelledFrames,
    calculator_method,
    compute_label,
    force_field_method,
    label_frames,
)
from polypace.reference.labels import is_triclinic, read_dump, read_labels, read_thermo, write_dump
from polypace.reference.qm22 import read_qm22
from polypace.reference.quantum import quantum_calculator, quantum_method
from polypace.reference.scripts import equilibration_script, label_script, npt_script, nvt_script
from polypace.reference.weights import weighted_by_force

__all__ = [
    "FORCE_FIELDS",
    "LOPLS",
    "OPLSAA",
    "Baseline",
    "CombinedBaseline",
    "CoulombTail",
    "DispersionTail",
    "Failure",
    "ForceField",
    "Interactions",
    "KremerGrest",
    "Label",
    "LabelBaseline",
    "LabelStore",
    "LabelledFrames",
    "Method",
    "Status",
    "TraPPEUA",
    "bead_dynamics_script",
    "bead_equilibration_script",
    "calculator_method",
    "compute_label",
    "equilibration_script",
    "force_field_interactions",
    "force_field_method",
    "get_force_field",
    "is_triclinic",
    "kremer_grest",
    "label_frames",
    "label_key",
    "label_script",
    "npt_script",
    "nvt_script",
    "quantum_calculator",
    "quantum_method",
    "read_dump",
    "read_labels",
    "read_qm22",
    "read_thermo",
    "weighted_by_force",
    "with_label",
    "write_dump",
]
