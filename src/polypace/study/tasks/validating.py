"""Validation: reference frames that no fit is trained on, and the errors of a fit on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from polypace.ace import Potential
from polypace.ace.fit_metrics import measure_errors
from polypace.study.step import StepContext, write_json
from polypace.study.tasks.common import dispersion_tail, read_frames, read_melt, write_frames
from polypace.study.tasks.labelling import label
from polypace.study.tasks.sampling import named, sample


def sample_validation_frames(context: StepContext) -> None:
    """`validation.extxyz`: labelled frames of a reference run of its own."""
    params = context.params
    melt = read_melt(context.inputs["melt"])
    frames = sample(context, melt, "validation", params["temperature"], params["frames"])
    labelled = label(frames, melt, params, context, "validation")
    write_frames(context.folder / "validation.extxyz", named(labelled, "validation", params))


def validate(context: StepContext) -> None:
    """`errors.json`: force and energy errors of the fit, in total and by chain length."""
    potential = Potential.read(context.inputs["fit"] / "potential.yaml")
    frames = {
        role: read_frames(folder / "validation.extxyz") for role, folder in context.inputs.items() if role != "fit"
    }
    everything = [atoms for part in frames.values() for atoms in part]
    errors = {role: _errors(part, potential, context) for role, part in frames.items()}
    write_json(context.folder / "errors.json", {**_errors(everything, potential, context), "by_chain_length": errors})


def _errors(frames: list[Any], potential: Potential, context: StepContext) -> dict[str, Any]:
    wanted = dispersion_tail(context.params).subtract(frames)
    quantities = measure_errors(wanted, potential, n_threads=context.n_threads).quantities
    # Relative to the whole reference force, not to what is left of it without the tail.
    rms = float(np.sqrt(np.mean(np.concatenate([atoms.get_forces().ravel() for atoms in frames]) ** 2)))
    return {
        "frames": len(frames),
        "force_rmse_eV_per_A": quantities["forces"].rmse,
        "force_rmse_relative": quantities["forces"].rmse / rms,
        "energy_rmse_meV_per_atom": 1e3 * quantities["energy"].rmse,
        "energy_spread_meV_per_atom": 1e3 * quantities["energy"].spread,
    }
