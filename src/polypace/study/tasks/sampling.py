"""Training frames of one chain length: thermal, hot and perturbed (strained, pushed and twisted into contact).

Thermal frames alone make a small force error and a potential that falls into holes; the other kinds show it where
the walls are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import ase
import numpy as np

from polypace.lammps.protocols import MolecularDynamics
from polypace.melt import Melt
from polypace.reference import read_dump
from polypace.study.gate import contact_structures
from polypace.study.step import StepContext, write_json
from polypace.study.tasks import common
from polypace.study.tasks.common import Params, read_melt, run, write_frames, write_start
from polypace.study.tasks.labelling import label
from polypace.systems import perturbed_frames
from polypace.systems.pinch import pinch_ends, pinched_chain_melt

#: ps between frames of one run: bonds, angles and torsions have forgotten each other.
SPACING = 0.5
#: Chains folded onto themselves per melt with bent ends.
CHAINS_ALONE = 12
#: Closest contacts (Å) of the pairs of chains alone.
PAIR_DISTANCES = np.array([5.0, 4.3, 3.8, 3.5, 3.2, 3.0, 2.8, 2.6])


def sample_training_frames(context: StepContext) -> None:
    """`train.extxyz`: labelled frames with `config_type` and `chain_length`; `frames.json`: how many of each."""
    params, wanted = context.params, context.params["frames"]
    melt = read_melt(context.inputs["melt"])
    thermal = sample(context, melt, "thermal", params["temperature"], 2 * wanted["thermal"])
    kinds = {"thermal": thermal[::2]}
    kinds["hot"] = sample(context, melt, "hot", wanted["hot_temperature"], wanted["hot"])
    # Every second thermal frame is a frame; those between are what the perturbed ones are made of.
    for number, (kind, count) in enumerate(wanted["perturbed"].items()):
        kinds[kind] = _perturbed(melt, thermal[1::2], kind, count, params["seed"] + 100 * number)
    frames: list[ase.Atoms] = []
    for kind, atoms in kinds.items():
        frames += named(label(atoms, melt, params, context, kind), kind, params)
    pairs, chains = _pairs(melt, thermal[1], wanted["pairs"], params["seed"])
    kinds["pairs"] = pairs
    frames += named(label(pairs, chains, params, context, "pairs"), "pairs", params)
    for kind, (atoms, topology) in _pinched(melt, thermal, wanted["pinched"], params["seed"]).items():
        kinds[kind] = atoms
        frames += named(label(atoms, topology, params, context, kind), kind, params)
    write_frames(context.folder / "train.extxyz", frames)
    write_json(context.folder / "frames.json", {kind: len(atoms) for kind, atoms in kinds.items()})


def named(frames: Sequence[ase.Atoms], kind: str, params: Params) -> Sequence[ase.Atoms]:
    for atoms in frames:
        atoms.info["config_type"] = kind
        atoms.info["chain_length"] = params["chain_length"]
    return frames


def sample(context: StepContext, melt: Melt, name: str, temperature: float, n_frames: int) -> list[ase.Atoms]:
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


def sample_contacts(context: StepContext) -> None:
    """`new.extxyz`: more labelled pairs of chains pushed into each other, for a fit that did not pass the gate."""
    params = context.params
    melt = read_melt(context.inputs["melt"])
    atoms = melt.atoms.copy()
    atoms.set_array("mol_id", melt.molecules)
    atoms.set_array("type_name", np.array(melt.types))
    pairs, chains = _pairs(melt, atoms, params["scans"], params["seed"])
    labelled = label(pairs, chains, params, context, "pairs")
    write_frames(context.folder / "new.extxyz", named(labelled, "pairs", params))
    write_json(context.folder / "frames.json", {"pairs": len(labelled)})


def _perturbed(melt: Melt, seeds: Sequence[ase.Atoms], kind: str, count: int, seed: int) -> list[ase.Atoms]:
    """`count` frames of one kind of `polypace.systems.perturbed_frames`, each from a thermal frame of its own."""
    frames = []
    for k in range(count):
        frames += perturbed_frames(replace(melt, atoms=seeds[k % len(seeds)]), {kind: 1}, seed + k)
    return frames


def _pinched(
    melt: Melt, thermal: Sequence[ase.Atoms], count: int, seed: int
) -> dict[str, tuple[list[ase.Atoms], Melt]]:
    """Melts with the ends of all chains bent sharply, and single chains folded onto themselves."""
    melts = [replace(melt, atoms=thermal[(2 * k + 1) % len(thermal)]) for k in range(count)]
    ends = [pinch_ends(source, seed + k).atoms for k, source in enumerate(melts)]
    n_chains = int(melt.molecules.max()) + 1
    alone = [
        pinched_chain_melt(source, (7 * j + k) % n_chains, seed + 1000 * k + j)
        for k, source in enumerate(melts)
        for j in range(CHAINS_ALONE)
    ]
    chain = alone[0] if alone else melt
    return {"bent ends": (ends, melt), "folded chains": ([single.atoms for single in alone], chain)}


def _pairs(melt: Melt, seed_frame: ase.Atoms, n_scans: int, seed: int) -> tuple[list[ase.Atoms], Melt]:
    """Two chains alone, from apart to far up the wall, and their topology; the vacuum that the gate scans in.

    All chains of a melt are alike, so that one topology serves every pair.
    """
    scans = contact_structures(seed_frame, n_scans, PAIR_DISTANCES, seed)
    frames = [_in_a_box(atoms) for frames in scans for atoms in frames]
    both = np.flatnonzero(melt.molecules < 2)
    bonds = melt.bonds[np.isin(melt.bonds, both).all(axis=1)]
    types = tuple(melt.types[k] for k in both)
    atoms = frames[0] if frames else melt.atoms[both]
    return frames, Melt(atoms, np.searchsorted(both, bonds), melt.molecules[both], types)


def _in_a_box(atoms: ase.Atoms) -> ase.Atoms:
    atoms = atoms.copy()
    atoms.set_array("mol_id", (atoms.arrays["mol_id"] != atoms.arrays["mol_id"][0]).astype(np.int64))
    extent = float(np.ptp(atoms.positions, axis=0).max())
    atoms.set_cell(np.eye(3) * (extent + 40))
    atoms.set_pbc(True)
    atoms.center()
    return atoms
