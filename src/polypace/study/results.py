"""results.json: every number of a study, from the files of its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polypace import __version__
from polypace.study.learning import Learned
from polypace.study.plan import Foundation, Production, plan_validation
from polypace.study.schema import StudySpec
from polypace.study.work import Work

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


def collect_results(
    spec: StudySpec, base: Foundation, learned: Learned, production: Production | None, work: Work
) -> dict[str, Any]:
    """Gather what the finished steps wrote; without production there are no chains."""
    final = work.read(learned.fit, "fit.json")
    last = plan_validation(spec, learned.fit, base.validation)
    return {
        "study": _study(spec),
        "units": UNITS,
        "potential": {
            **_potential(final, work.read(learned.fit, "scans.json")),
            "validation": work.read(last, "errors.json"),
        },
        "training": {
            "chain_lengths": sorted(base.training),
            "learned_chain_lengths": sorted(set(final["chain_lengths"]) - set(base.training)),
            "labelled_frames": final["n_frames"],
            "labelled_atoms": final["n_atoms"],
            "frames_by_kind": final["frames_by_kind"],
        },
        "learning": {
            "verdict": learned.verdict,
            "potential": learned.fit.name,
            "gamma_select": spec.learning.gamma_select,
            "harvest": spec.learning.harvest,
            "selection": spec.learning.selection,
            "labelled_atoms": learned.atoms,
            "rounds": list(learned.records),
        },
        "chains": _chains(spec, base, learned, production, work) if production is not None else {},
        "steps": _steps(work),
    }


def collect_without_potential(spec: StudySpec, work: Work) -> dict[str, Any]:
    """What there is of a study whose only purpose is the transfer grid."""
    return {
        "study": _study(spec),
        "units": UNITS,
        "learning": {"verdict": "no learning was asked for", "rounds": []},
        "chains": {},
        "steps": _steps(work),
    }


def _steps(work: Work) -> list[dict[str, Any]]:
    return [
        {"name": step.name, "folder": f"steps/{work.store.folder(step).name}", "wall_seconds": work.seconds(step)}
        for step in work.steps.values()
    ]


def _study(spec: StudySpec) -> dict[str, Any]:
    reference = f"{spec.systems.force_field}, lj/mdf {spec.reference.cutoff[0]:g} {spec.reference.cutoff[1]:g} Å"
    if spec.reference.labels != "force-field":
        reference = f"{spec.reference.labels} on clusters carved out of {spec.systems.force_field} melts"
    if tail := spec.reference.tail_outside:
        reference += f"; the dispersion tail, switched on from {tail[0]:g} to {tail[1]:g} Å, stays outside of the ACE"
    return {
        "name": spec.name,
        "seed": spec.seed,
        "polypace": __version__,
        "temperature_K": spec.systems.temperature,
        "pressure_bar": spec.systems.pressure,
        "reference": reference,
    }


def _chains(
    spec: StudySpec, base: Foundation, learned: Learned, production: Production, work: Work
) -> dict[str, dict[str, Any]]:
    chains = {}
    for length, step in production.comparisons.items():
        chain = work.read(step, "chain.json")
        chain["trained"] = length in base.training
        chain["labelled_frames"] = _labelled(length, base, learned, work)
        chain["aims"] = {
            "force_rmse_relative": AIMS["trained" if chain["trained"] else "longer"],
            "density_relative": AIMS["density"],
        }
        chains[f"C{length}"] = chain
    return chains


def _labelled(length: int, base: Foundation, learned: Learned, work: Work) -> int:
    """Labelled training frames of one chain length, the learned ones included."""
    count = sum(work.read(base.training[length], "frames.json").values()) if length in base.training else 0
    for record in learned.records:
        for name, of_replica in record.get("selection", {}).get("by_replica", {}).items():
            if f"-C{length}-" in name and record["labelled_frames"]:
                count += of_replica["selected"]
    return count


def _potential(fit: Mapping[str, Any], scans: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    # Of thermal frames: walls that contact frames climb, at no weight, would be all that a mean of all kinds shows.
    thermal = fit["errors_by_kind"].get("thermal", {})
    return {
        "n_functions": fit["n_functions"],
        "cutoff_A": fit["cutoff_A"],
        "condition_number": fit["condition_number"],
        "train_force_rmse_eV_per_A": thermal.get("force_rmse_eV_per_A"),
        "train_energy_rmse_meV_per_atom": thermal.get("energy_rmse_meV_per_atom"),
        "errors_by_kind": fit["errors_by_kind"],
        "contact_scans": [scan for scan in scans if scan["reference_eV"] is not None],
        "dimer_scans": [scan for scan in scans if scan["reference_eV"] is None],
    }
