"""Training frames of one chain length: thermal, hot and perturbed (strained, pushed and twisted into contact).

Thermal frames alone make a small force error and a potential that falls into holes; the other kinds show it where
the walls are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import ase

from polypace.lammps.protocols import MolecularDynamics
from polypace.melt import Melt
from polypace.reference import read_dump
from polypace.study.step import StepContext, write_json
from polypace.study.tasks import common
from polypace.study.tasks.common import read_melt, run, write_frames, write_start
from polypace.study.tasks.labelling import label
from polypace.systems import perturbed_frames

#: ps between frames of one run: bonds, angles and torsions have forgotten each other.
SPACING = 0.5


def sample_training_frames(context: StepContext) -> None:
    """`train.extxyz`: labelled frames with `config_type` and `chain_length`; `frames.json`: how many of each."""
    params, wanted = context.params, context.params["frames"]
    melt = read_melt(context.inputs["melt"])
    thermal = _sample(context, melt, "thermal", params["temperature"], 2 * wanted["thermal"])
    kinds = {"thermal": thermal[::2]}
    kinds["hot"] = _sample(context, melt, "hot", wanted["hot_temperature"], wanted["hot"])
    # Every second thermal frame is a frame; those between are what the perturbed ones are made of.
    for number, (kind, count) in enumerate(wanted["perturbed"].items()):
        kinds[kind] = _perturbed(melt, thermal[1::2], kind, count, params["seed"] + 100 * number)
    frames = []
    for kind, atoms in kinds.items():
        if not atoms:
            continue
        for labelled in label(atoms, melt, params, context, kind):
            labelled.info["config_type"] = kind
            labelled.info["chain_length"] = params["chain_length"]
            frames.append(labelled)
    write_frames(context.folder / "train.extxyz", frames)
    write_json(context.folder / "frames.json", {kind: len(atoms) for kind, atoms in kinds.items()})


def _sample(context: StepContext, melt: Melt, name: str, temperature: float, n_frames: int) -> list[ase.Atoms]:
    """Frames of an NVT run with the reference at `temperature`, the first after one spacing."""
    if n_frames == 0:
        return []
    params, place = context.params, context.folder / f"sample-{name}"
    place.mkdir()
    write_start(melt, params, place / "start.data", topology=True)
    every = round(SPACING / params["timestep"])
    protocol = MolecularDynamics(
        interactions=common.reference_lines(params, melt, "start.data"),
        temperature=temperature,
        timestep=params["timestep"],
        steps=every * n_frames,
        relax_steps=round(1.0 / params["timestep"]),
        seed=params["seed"] + len(name),
        thermo_every=every,
        title=f"training frames: {name}",
        extra=[
            f"dump frames all custom {every} frames.dump id x y z ix iy iz",
            'dump_modify frames sort id format float "%.17g"',
        ],
    )
    run(params, protocol.script(), place)
    return read_dump(place / "frames.dump", melt)[1:]


def _perturbed(melt: Melt, seeds: Sequence[ase.Atoms], kind: str, count: int, seed: int) -> list[ase.Atoms]:
    """`count` frames of one kind of `polypace.systems.perturbed_frames`, each from a thermal frame of its own."""
    frames = []
    for k in range(count):
        frames += perturbed_frames(replace(melt, atoms=seeds[k % len(seeds)]), {kind: 1}, seed + k)
    return frames
