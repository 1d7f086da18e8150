"""Labels from the reference, each frame once; and the harvest of a learning round."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import ase
import numpy as np

from polypace.melt import Melt
from polypace.reference import (
    LabelStore,
    Method,
    force_field_interactions,
    label_script,
    read_dump,
    read_labels,
    write_dump,
)
from polypace.study.step import StepContext, write_json
from polypace.study.tasks.common import (
    Params,
    last_table,
    read_melt,
    reference_force_field,
    run,
    write_frames,
    write_start,
)


def label(frames: Sequence[ase.Atoms], melt: Melt, params: Params, context: StepContext, name: str) -> list[ase.Atoms]:
    """Labelled copies of `frames` (all of the melt's chains); frames that the study's store knows are not computed."""
    if not frames:
        return []
    store = LabelStore(context.study / "labels")
    force_field = reference_force_field(params)
    settings = {"truncation": f"lj/mdf {params['cutoff'][0]:g} {params['cutoff'][1]:g}"}
    method = Method(force_field.name, settings)
    missing = store.missing(frames, method)
    if missing:
        new = [frames[place] for place in missing]
        start = time.perf_counter()
        labelled = _compute(new, melt, params, context.folder / f"label-{name}")
        seconds = (time.perf_counter() - start) / len(new)
        for atoms, answer in zip(new, labelled, strict=True):
            store.put_labelled(atoms, answer, method, seconds)
    return store.collect(frames, method)


def _compute(frames: Sequence[ase.Atoms], melt: Melt, params: Params, folder: Path) -> list[ase.Atoms]:
    folder.mkdir(parents=True)
    write_start(melt, params, folder / "start.data", topology=True)
    write_dump(frames, folder / "frames.dump")
    interactions = force_field_interactions(reference_force_field(params), melt.type_names)
    run(params, label_script(interactions, "start.data", "frames.dump", "labelled.dump"), folder)
    return read_labels(folder / "labelled.dump", folder / "log.lammps", melt)


def label_harvest(context: StepContext) -> None:
    """Choose among the frames that extrapolated, label them: `new.extxyz`, `harvest.json`."""
    params = context.params
    chosen: list[ase.Atoms] = []
    harvest = []
    per_run = max(1, params["max_frames"] // max(1, len(context.inputs) - 1))
    for role, folder in context.inputs.items():
        if role == "fit":
            continue
        melt = read_melt(folder)
        candidates = _candidates(folder, melt, params["gamma_usable"])
        picked = _spread(candidates, per_run)
        labelled = label([candidates[k] for k in picked], melt, params, context, role) if picked else []
        chosen += labelled
        harvest.append({"run": role, "candidates": len(candidates), "labelled": len(labelled)})
    write_frames(context.folder / "new.extxyz", chosen)
    write_json(context.folder / "harvest.json", harvest)


def _candidates(folder: Path, melt: Melt, gamma_usable: float) -> list[ase.Atoms]:
    """Frames that extrapolated but not wildly: what comes after a run has left the liquid teaches nothing about it."""
    dump = folder / "extrapolating.dump"
    if not dump.is_file() or not dump.stat().st_size:
        return []
    table = last_table(folder)
    gamma = dict(zip(table["Step"].astype(int).tolist(), table["v_gamma_max"].tolist(), strict=True))
    frames = read_dump(dump, melt)
    frames = [atoms for atoms in frames if gamma.get(atoms.info["step"], np.inf) <= gamma_usable]
    for atoms in frames:
        atoms.info["config_type"] = "learned"
        atoms.info["chain_length"] = int(np.bincount(melt.molecules)[0])
    return frames


def _spread(candidates: Sequence[ase.Atoms], n: int) -> list[int]:
    """At most `n` of the frames, spread over the run, the last among them."""
    if not candidates:
        return []
    return sorted(set(np.linspace(0, len(candidates) - 1, min(n, len(candidates))).round().astype(int).tolist()))
