"""Fit the ACE, select its active set, and let it through the gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ase
import numpy as np
import numpy.typing as npt

from polypace.ace import BasisSpec, Potential, evaluate
from polypace.ace.core_repulsion import CoreRepulsion
from polypace.ace.fit_metrics import ErrorSummary
from polypace.ace.fitting import SOLVERS, FitResult, fit
from polypace.ace.solvers import Solver
from polypace.ace.weights import Weights
from polypace.blas_threads import single_threaded_blas
from polypace.errors import InputError
from polypace.forcefields import ForceField
from polypace.select import select_active_set
from polypace.study.gate import ContactScan, contact_structures, dimer_structures, run_scans
from polypace.study.step import StepContext, write_json
from polypace.study.tasks.common import Params, dispersion_tail, read_frames, reference_force_field

Floats = npt.NDArray[np.float64]

#: Kinds of frames whose virial says something about the pressure of a melt.
BULK = ("thermal", "hot", "compressed", "stretched", "sheared", "learned")
#: Chains pushed into each other per gate.
N_CONTACTS = 12


def fit_potential(context: StepContext) -> None:
    """`potential.yaml`, `.yace`, `.asi`, `fit.json`, `scans.json` from every labelled frame there is.

    Whether the potential passes the gate stands in `fit.json`; what to do about it is not this step's business.
    """
    params = context.params
    frames = _all_frames(context)
    result = _fitted(context, frames)
    potential = result.potential
    potential.write(context.folder / "potential.yaml")
    potential.write(context.folder / "potential.yace")
    with single_threaded_blas():
        active_set = select_active_set(frames, potential, n_threads=context.n_threads)
    active_set.write(context.folder / "potential.asi")
    scans = scan(potential, frames, params)
    write_json(context.folder / "scans.json", scans)
    write_json(context.folder / "fit.json", {**_summary(frames, result), "holes": _holes(scans)})


def _fitted(context: StepContext, frames: Sequence[ase.Atoms]) -> FitResult:
    params, ace = context.params, context.params["ace"]
    return fit(
        [with_weights(atoms, ace["soft_force"]) for atoms in dispersion_tail(params).subtract(frames)],
        BasisSpec.from_dict(ace["basis"]),
        weights=Weights(
            ace["energy_weight"], ace["force_weight"], ace["virial_weight"], config_types=ace["kind_weights"]
        ),
        solver=solver_of(ace),
        smoothness=ace["smoothness"],
        e0=0.0,
        core_repulsion=CoreRepulsion(r_in=ace["core_radius"], delta_in=ace["core_width"], margin=0.95),
        n_threads=context.n_threads,
    )


def with_weights(atoms: ase.Atoms, soft_force: float) -> ase.Atoms:
    """Weights (1 + |F|²/F₀²)⁻² for forces, and their smallest for the energy of the frame; virials of liquids only.

    Chains pushed into each other feel forces a hundred times the thermal ones. They are to show where the wall is;
    at full weight the fit would spend its functions on the exact height of walls that MD never climbs.
    """
    strength = np.einsum("ad,ad->a", atoms.get_forces(), atoms.get_forces())
    weights = (1 + strength / soft_force**2) ** -2
    atoms.set_array("force_weight", weights * atoms.arrays.get("force_weight", 1.0))
    atoms.info["energy_weight"] = float(weights.min() * atoms.info.get("energy_weight", 1.0))
    atoms.info["virial_weight"] = atoms.info["energy_weight"] if atoms.info["config_type"] in BULK else 0.0
    return atoms


def solver_of(ace: Params) -> Solver:
    return SOLVERS[ace["solver"]](**ace["solver_options"])


def _all_frames(context: StepContext) -> list[ase.Atoms]:
    frames = []
    for folder in context.inputs.values():
        file = folder / "train.extxyz"
        frames += read_frames(file if file.is_file() else folder / "new.extxyz")
    if not frames:
        raise InputError("there are no labelled frames to fit to; ask for frames in training_data")
    return frames


def _summary(frames: Sequence[ase.Atoms], result: Any) -> dict[str, Any]:
    kinds: dict[str, int] = {}
    for atoms in frames:
        kinds[atoms.info["config_type"]] = kinds.get(atoms.info["config_type"], 0) + 1
    errors = result.metrics
    return {
        "frames_by_kind": kinds,
        "n_frames": len(frames),
        "n_atoms": sum(len(atoms) for atoms in frames),
        "chain_lengths": sorted({int(atoms.info["chain_length"]) for atoms in frames}),
        "n_functions": sum(result.potential.n_functions.values()),
        "cutoff_A": result.potential.max_cutoff,
        "condition_number": result.condition_number,
        "errors_by_kind": {kind: _errors(parts) for kind, parts in errors.by_config_type.items()},
        "seconds": result.seconds,
    }


def _errors(parts: dict[str, ErrorSummary]) -> dict[str, float | None]:
    """Of one kind of frames; clusters have no energy that counts."""
    return {
        "force_rmse_eV_per_A": parts["forces"].rmse,
        "force_rmse_relative": parts["forces"].relative,
        "energy_rmse_meV_per_atom": 1e3 * parts["energy"].rmse if "energy" in parts else None,
    }


def scan(potential: Potential, frames: Sequence[ase.Atoms], params: Params) -> list[dict[str, Any]]:
    """Dimers of every pair of types, and chains pushed into each other, with ACE and tail and with the reference."""
    tail, force_field = dispersion_tail(params), reference_force_field(params)
    types = {str(name): symbol for atoms in frames[:1] for name, symbol in zip(*_types(atoms), strict=True)}

    def with_ace(structures: Sequence[ase.Atoms]) -> Floats:
        predictions = evaluate(structures, potential)
        return np.array([p.energy + tail.evaluate(s).energy for p, s in zip(predictions, structures, strict=True)])

    def with_reference(structures: Sequence[ase.Atoms]) -> Floats:
        return np.array([_between_molecules(atoms, force_field) for atoms in structures])

    names, dimers = dimer_structures(types, np.arange(1.3, 0.35, -0.02))
    scans = [_entry(s, None, params) for s in run_scans(dimers, names, with_ace)]
    bulk = [atoms for atoms in frames if atoms.info["config_type"] in BULK]
    longest = max(bulk or frames, key=lambda atoms: atoms.info["chain_length"])
    contacts = contact_structures(longest, N_CONTACTS, np.arange(6.0, 0.35, -0.05), params["seed"])
    labels = [f"contact-{k}" for k in range(1, N_CONTACTS + 1)]
    for ours, theirs in zip(
        run_scans(contacts, labels, with_ace), run_scans(contacts, labels, with_reference), strict=True
    ):
        scans.append(_entry(ours, theirs, params))
    return scans


def _types(atoms: ase.Atoms) -> tuple[list[str], list[str]]:
    return [str(name) for name in atoms.arrays["type_name"]], atoms.get_chemical_symbols()


def _between_molecules(atoms: ase.Atoms, force_field: ForceField) -> float:
    """Lennard-Jones energy (eV) between the two molecules of a scan; inside of them nothing changes."""
    first = atoms.arrays["mol_id"] == atoms.arrays["mol_id"][0]
    names = atoms.arrays["type_name"]
    distance = np.linalg.norm(atoms.positions[first][:, None] - atoms.positions[~first][None], axis=2)
    mixed = np.array([[force_field.mixed(str(a), str(b)) for b in names[~first]] for a in names[first]])
    six = (mixed[..., 1] / distance) ** 6
    return float((4 * mixed[..., 0] * (six**2 - six)).sum())


def _entry(ours: ContactScan, theirs: ContactScan | None, params: Params) -> dict[str, Any]:
    barrier = ours.barrier(params["temperature"])
    return {
        "name": ours.name,
        "distance_A": ours.distance.round(6).tolist(),
        "ace_eV": ours.energy.tolist(),
        "reference_eV": None if theirs is None else theirs.energy.tolist(),
        "barrier_eV": None if np.isinf(barrier) else barrier,
        "passes": ours.passes(params["temperature"]),
    }


def _holes(scans: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The scans that do not pass, lowest barrier first."""
    holes = [{"name": entry["name"], "barrier_eV": entry["barrier_eV"]} for entry in scans if not entry["passes"]]
    return sorted(holes, key=lambda hole: hole["barrier_eV"])
