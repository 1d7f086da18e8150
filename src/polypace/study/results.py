"""results.json: every number of a study, from the files of its steps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from polypace import __version__
from polypace.study.plan import StudyPlan
from polypace.study.step import Step

#: What the demo aims for: force error on trained and on longer chains, density (relative).
AIMS = {"trained": 0.05, "longer": 0.07, "density": 0.01}

UNITS = {
    "density_g_per_cm3": "g/cm³",
    "time_ps": "ps",
    "wall_seconds": "s",
    "r_A": "Å",
    "angle_deg": "degrees",
    "gamma_max": "dimensionless, 1 is the edge of the active set",
    "rdf.distance": "∫|g_ACE − g_ref| r² dr / ∫ g_ref r² dr, dimensionless",
    "force_rmse_relative": "RMSE over the RMS force component, dimensionless",
}


def collect_results(plan: StudyPlan, study: Path, manifests: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Gather what the finished steps wrote; `manifests` by step id, for the wall times."""

    def load(step: Step, name: str) -> Any:
        return json.loads((study / "steps" / step.folder_name / name).read_text(encoding="utf-8"))

    spec = plan.spec
    final = load(plan.fits[-1], "fit.json")
    learning = [
        _learning_round(number, [load(step, "explore.json") for step in explorations], load(label, "harvest.json"))
        for number, (explorations, label) in enumerate(zip(plan.explorations, plan.labels, strict=True), start=1)
    ]
    trained = {system.chain_length for system in spec.systems.train}
    chains = {}
    for length, step in plan.comparisons.items():
        chain = load(step, "chain.json")
        chain["trained"] = length in trained
        chain["labelled_frames"] = _labelled(length, plan, load, learning)
        chain["aims"] = {
            "force_rmse_relative": AIMS["trained" if chain["trained"] else "longer"],
            "density_relative": AIMS["density"],
        }
        chains[f"C{length}"] = chain
    return {
        "study": {
            "name": spec.name,
            "seed": spec.seed,
            "polypace": __version__,
            "temperature_K": spec.systems.temperature,
            "pressure_bar": spec.systems.pressure,
            "reference": f"{spec.systems.force_field}, lj/mdf {spec.reference.cutoff[0]:g} {spec.reference.cutoff[1]:g} Å; "
            f"the dispersion tail, switched on from {spec.reference.tail[0]:g} to {spec.reference.tail[1]:g} Å, stays "
            "outside of the ACE",
        },
        "units": UNITS,
        "potential": _potential(final, load(plan.fits[-1], "scans.json")),
        "training": {
            "chain_lengths": sorted(plan.training),
            "learned_chain_lengths": sorted(set(final["chain_lengths"]) - set(plan.training)),
            "labelled_frames": final["n_frames"],
            "labelled_atoms": final["n_atoms"],
            "frames_by_kind": final["frames_by_kind"],
        },
        "learning": learning,
        "chains": chains,
        "steps": _steps(plan, manifests),
    }


def _learning_round(number: int, runs: Sequence[Any], harvest: Sequence[Any]) -> dict[str, Any]:
    return {
        "round": number,
        "runs": list(runs),
        "gamma_max": max(run["gamma_max"] for run in runs),
        "candidates": sum(entry["candidates"] for entry in harvest),
        "labelled": sum(entry["labelled"] for entry in harvest),
        "harvest": list(harvest),
    }


def _labelled(length: int, plan: StudyPlan, load: Any, learning: Sequence[Any]) -> int:
    """Labelled training frames of one chain length, the learned ones included."""
    count = 0
    if length in plan.training:
        count += sum(load(plan.training[length], "frames.json").values())
    for entry in learning:
        for run, got in zip(entry["runs"], entry["harvest"], strict=True):
            count += got["labelled"] if run["chain_length"] == length else 0
    return count


def _potential(fit: Mapping[str, Any], scans: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "n_functions": fit["n_functions"],
        "cutoff_A": fit["cutoff_A"],
        "condition_number": fit["condition_number"],
        "train_force_rmse_eV_per_A": fit["force_rmse_eV_per_A"],
        "train_energy_rmse_meV_per_atom": fit["energy_rmse_meV_per_atom"],
        "errors_by_kind": fit["errors_by_kind"],
        "contact_scans": [scan for scan in scans if scan["reference_eV"] is not None],
        "dimer_scans": [scan for scan in scans if scan["reference_eV"] is None],
    }


def _steps(plan: StudyPlan, manifests: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    from polypace.study.execution import topological_order

    return [
        {"name": step.name, "folder": f"steps/{step.folder_name}", "wall_seconds": manifests[step.id]["wall_seconds"]}
        for step in topological_order(plan.targets)
    ]
