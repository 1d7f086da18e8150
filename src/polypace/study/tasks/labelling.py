"""Labels from the reference, each structure once; and those of what a learning round selected."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ase
import numpy as np

from polypace.errors import ProgramError
from polypace.melt import Melt
from polypace.reference import (
    LabelStore,
    Method,
    force_field_interactions,
    label_script,
    read_labels,
    write_dump,
)
from polypace.reference.labels import atoms_of_snapshot, iterate_dump
from polypace.study.step import StepContext, write_json
from polypace.study.tasks.common import (
    Params,
    dispersion_tail,
    read_frames,
    read_melt,
    reference_force_field,
    run,
    write_frames,
    write_start,
)

#: Clusters per round whose labels are held against those of their frames.
CHECKED = 3


def label(frames: Sequence[ase.Atoms], melt: Melt, params: Params, context: StepContext, name: str) -> list[ase.Atoms]:
    """Labelled copies of all `frames` (of the melt's chains); frames that the study's store knows are not computed.

    Raises
    ------
    ProgramError
        where a frame has no finite label.
    """
    labelled = label_what_can_be(frames, melt, params, context, name)
    if len(labelled) < len(frames):
        raise ProgramError(
            f"{len(frames) - len(labelled)} of {len(frames)} structures ({name}) have no finite label: {_reasons(context)}"
        )
    return labelled


def _reasons(context: StepContext) -> str:
    return (
        f"the files in {context.study / 'labels'} with status 'failed' say why; overlapping atoms are the usual cause"
    )


def label_what_can_be(
    frames: Sequence[ase.Atoms], melt: Melt, params: Params, context: StepContext, name: str
) -> list[ase.Atoms]:
    """The same without those that have no finite label."""
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


def label_selection(context: StepContext) -> None:
    """`new.extxyz`: the selected frames or clusters with their labels; `labels.json`: how many, and how true."""
    frames = read_frames(context.inputs["selection"] / "selected.extxyz")
    labelled = _clusters(frames, context) if context.params["harvest"] != "frames" else _frames(frames, context)
    if not labelled:
        raise ProgramError(f"none of the {len(frames)} selected structures has a finite label: {_reasons(context)}")
    write_frames(context.folder / "new.extxyz", labelled)
    summary: dict[str, Any] = {
        "frames": len(labelled),
        "atoms": sum(len(atoms) for atoms in labelled),
        "failed": len(frames) - len(labelled),
    }
    if context.params["harvest"] != "frames":
        summary["core_force_difference_eV_per_A"] = _core_difference(labelled, context)
    write_json(context.folder / "labels.json", summary)


def _frames(frames: Sequence[ase.Atoms], context: StepContext) -> list[ase.Atoms]:
    labelled = []
    for replica in dict.fromkeys(atoms.info["replica"] for atoms in frames):
        own = [atoms for atoms in frames if atoms.info["replica"] == replica]
        labelled += label_what_can_be(own, read_melt(context.inputs[replica]), context.params, context, replica)
    return labelled


def _clusters(frames: Sequence[ase.Atoms], context: StepContext) -> list[ase.Atoms]:
    """Every cluster has a topology of its own, and so a run of its own."""
    records = json.loads((context.inputs["selection"] / "clusters.json").read_text())
    labelled = []
    for number, (atoms, record) in enumerate(zip(frames, records, strict=True)):
        melt = _melt_of(atoms, record["bonds"])
        labelled += label_what_can_be([atoms], melt, context.params, context, f"cluster-{number}")
    return labelled


def _melt_of(atoms: ase.Atoms, bonds: Sequence[Sequence[int]]) -> Melt:
    types = tuple(str(name) for name in atoms.arrays["type_name"])
    return Melt(atoms, np.array(bonds, dtype=np.int64).reshape(-1, 2), atoms.arrays["mol_id"], types)


def _core_difference(clusters: Sequence[ase.Atoms], context: StepContext) -> float:
    """Largest difference (eV/Å) between the forces of cluster and periodic frame that the potential is to learn.

    On atoms whose force counts, for the first clusters of the round: their frames are labelled as well. Without the
    tail, which both lack beyond the cut, the two must agree.
    """
    tail = dispersion_tail(context.params)
    worst = 0.0
    for number, cluster in enumerate(clusters[:CHECKED]):
        folder = context.inputs[cluster.info["replica"]]
        melt = read_melt(folder)
        snapshot = next(s for s in iterate_dump(folder / "extrapolating.dump") if s.step == cluster.info["step"])
        frame = label([atoms_of_snapshot(snapshot, melt)], melt, context.params, context, f"check-{number}")
        periodic, own = tail.subtract(frame)[0].get_forces(), tail.subtract([cluster])[0].get_forces()
        counts = cluster.arrays["force_weight"] > 0
        difference = own[counts] - periodic[cluster.arrays["source"][counts]]
        worst = max(worst, float(np.abs(difference).max()))
    return worst
