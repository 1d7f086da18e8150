"""One fit of the transfer grid: collect data, fit, measure on every test length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ase
import numpy as np

from polypace.ace import BasisSpec, Potential, Weights, fit, measure_errors
from polypace.ace.fitting import linear_basis
from polypace.blas_threads import single_threaded_blas
from polypace.select import ActiveSet, extrapolation_grade, select_active_set
from polypace.study.step import StepContext, write_json
from polypace.study.tasks.collecting import collect
from polypace.study.tasks.common import Params, dispersion_tail, read_frames, write_frames
from polypace.study.tasks.fitting import solver_of, with_weights


def fit_cell(context: StepContext) -> None:
    """`train.extxyz`, `potential.yaml`, and `cell.json`: what was labelled, and errors and gamma per test length."""
    params, ace = context.params, context.params["ace"]
    basis = linear_basis(BasisSpec.from_dict(ace["basis"]))
    with single_threaded_blas():
        collected = collect(context, basis)
        frames = _without_tail(collected.frames, params)
        result = fit(
            [_weighted(atoms, ace["soft_force"], params) for atoms in frames],
            basis,
            weights=Weights(ace["energy_weight"], ace["force_weight"], ace["virial_weight"], config_types={}),
            solver=solver_of(ace),
            smoothness=ace["smoothness"],
            e0="least_squares",
            n_threads=1,
        )
        few = _too_few(frames, result.potential)
        active_set = None if few else select_active_set(frames, result.potential, n_threads=1)
    result.potential.write(context.folder / "potential.yaml")
    write_frames(context.folder / "train.extxyz", collected.frames)
    tests = {role: folder for role, folder in context.inputs.items() if role.startswith("test-")}
    write_json(
        context.folder / "cell.json",
        {
            "train": params["train"],
            "collection": params["collection"],
            "cluster_radius_A": params["cluster_radius"],
            "budget_atoms": params["atoms"],
            "repeat": params["repeat"],
            "structures": len(collected.frames),
            "failed": collected.tried - len(collected.frames),
            "labelled_atoms": collected.n_atoms,
            "label_seconds": collected.seconds,
            "no_active_set": few,
            "n_functions": sum(result.potential.n_functions.values()),
            "train_force_rmse_eV_per_A": result.metrics.quantities["forces"].rmse,
            "tests": {
                role.removeprefix("test-"): _errors(
                    read_frames(folder / "test.extxyz"), result.potential, active_set, params
                )
                for role, folder in tests.items()
            },
        },
    )


def _too_few(frames: Sequence[ase.Atoms], potential: Potential) -> str | None:
    """The element with fewer environments than functions: forces determine such a fit, no active set can be chosen."""
    for element, wanted in potential.n_functions.items():
        counted = [(atoms.symbols == element) & (atoms.arrays["force_weight"] > 0) for atoms in frames]
        found = int(sum(np.count_nonzero(places) for places in counted))
        if found < wanted:
            return f"{found} environments of {element} for {wanted} functions"
    return None


def _without_tail(frames: Sequence[ase.Atoms], params: Params) -> list[ase.Atoms]:
    """What the ACE has to learn: everything, where the study names no tail for its quantum labels."""
    return dispersion_tail(params).subtract(frames) if params["tail"] else list(frames)


def _weighted(atoms: ase.Atoms, soft_force: float, params: Params) -> ase.Atoms:
    weighted: ase.Atoms = with_weights(atoms, soft_force)
    if params["labels"] != "force-field":
        # A cluster and its label belong together, surface and caps included; its energy is as good as its forces.
        weighted.info["energy_weight"] = 1.0
    return weighted


def _errors(
    frames: Sequence[ase.Atoms], potential: Potential, active_set: ActiveSet | None, params: Params
) -> dict[str, Any]:
    """Errors with and without the shift of all energies (composition), along the chain, and what gamma says."""
    wanted = _without_tail(frames, params)
    for atoms in wanted:
        atoms.info["energy_weight"] = 1.0
        atoms.arrays.pop("force_weight", None)
    metrics = measure_errors(wanted, potential, n_threads=1)
    forces, energy = metrics.quantities["forces"], metrics.quantities["energy"]
    # Relative to the whole reference force, not to what is left of it without the tail.
    rms = float(np.sqrt(np.mean(np.concatenate([atoms.get_forces().ravel() for atoms in frames]) ** 2)))
    return {
        "frames": len(frames),
        "atoms": sum(len(atoms) for atoms in frames),
        "force_rmse_eV_per_A": forces.rmse,
        "force_rmse_relative": forces.rmse / rms,
        "energy_rmse_meV_per_atom": 1e3 * energy.rmse,
        "energy_shift_meV_per_atom": 1e3 * energy.mean,
        "energy_spread_meV_per_atom": 1e3 * energy.spread,
        "force_rmse_by_position_eV_per_A": {
            place: part["forces"].rmse for place, part in metrics.by_chain_position.items() if place != "0"
        },
        **_coverage(wanted, potential, active_set),
    }


def _coverage(
    frames: Sequence[ase.Atoms], potential: Potential, active_set: ActiveSet | None
) -> dict[str, float | None]:
    if active_set is None:
        return dict.fromkeys(("gamma_max", "gamma_p99", "share_covered"))
    gamma = np.concatenate(extrapolation_grade(frames, potential, active_set, n_threads=1))
    return {
        "gamma_max": float(gamma.max()),
        "gamma_p99": float(np.quantile(gamma, 0.99)),
        "share_covered": float(np.mean(gamma <= 1.0)),
    }
