"""Ways to collect training data out of a pool of reference frames, until so many atoms are to be labelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ase
import numpy as np

from polypace.ace import Potential
from polypace.carve import carve_clusters
from polypace.errors import ProgramError
from polypace.melt import Melt
from polypace.reference import LabelStore, label_frames, quantum_method
from polypace.select import select_frames
from polypace.study.step import StepContext, write_json
from polypace.study.tasks.common import Params, read_frames, read_melt, write_frames
from polypace.study.tasks.labelling import label
from polypace.study.tasks.sampling import named, sample

#: Å around its centre whose environments a cluster is made for.
CORE_RADIUS = 2.0


@dataclass(frozen=True)
class Structure:
    """What can be labelled: a frame or a cluster with its bonds, and the frame's place in the pool's run."""

    melt: Melt
    atoms: ase.Atoms
    place: str


@dataclass(frozen=True)
class Collected:
    """Labelled structures, how many were tried, and the seconds their labels took when they were made."""

    frames: list[ase.Atoms]
    tried: int
    seconds: float

    @property
    def n_atoms(self) -> int:
        """Atoms that were labelled."""
        return sum(len(atoms) for atoms in self.frames)


def sample_pool(context: StepContext) -> None:
    """`pool.extxyz`: frames of a reference run of their own, without labels; `melt.data`: their topology."""
    params = context.params
    melt = read_melt(context.inputs["melt"])
    frames = sample(context, melt, "pool", params["temperature"], params["frames"])
    places = melt.chain_positions()
    for number, atoms in enumerate(frames):
        atoms.set_array("chain_position", places)
        atoms.info["step"] = number
    write_frames(context.folder / "pool.extxyz", list(named(frames, "thermal", params)))
    (context.folder / "melt.data").write_bytes((context.inputs["melt"] / "melt.data").read_bytes())


def label_test(context: StepContext) -> None:
    """`test.extxyz`: labels of the pool's frames, or, for a quantum method, of clusters carved out of each."""
    params = context.params
    structures = pool_of(context.inputs["pool"], "test")
    if params["labels"] != "force-field":
        rng = np.random.default_rng(params["seed"])
        structures = [cluster(one, int(rng.integers(len(one.atoms))), params["cluster_radius"]) for one in structures]
    labelled = labels_of(structures, context)
    write_frames(context.folder / "test.extxyz", labelled.frames)
    write_json(
        context.folder / "test.json",
        {"frames": len(labelled.frames), "failed": labelled.tried - len(labelled.frames), "seconds": labelled.seconds},
    )


def pool_of(folder: Path, name: str) -> list[Structure]:
    """Every frame of a pool."""
    melt = read_melt(folder)
    frames = read_frames(folder / "pool.extxyz")
    return [Structure(melt, atoms, f"{name}-{number}") for number, atoms in enumerate(frames)]


def collect(context: StepContext, basis: Potential) -> Collected:
    """Choose as the step's `collection` says, among the pools of its inputs, and label."""
    params = context.params
    pools = {role: folder for role, folder in context.inputs.items() if role.startswith("pool-")}
    candidates = [entry for role, folder in pools.items() for entry in pool_of(folder, role)]
    rng = np.random.default_rng(params["seed"])
    learned = _learned(context) if params["collection"] == "active-learning" else []
    room = params["atoms"] - sum(len(atoms) for atoms in learned)
    chosen = list(_within(_WAYS[params["collection"]](candidates, basis, params, rng), room, 0 if learned else 1))
    labelled = labels_of(chosen, context)
    return Collected(learned + labelled.frames, labelled.tried + len(learned), labelled.seconds)


def _within(structures: Iterator[Structure], n_atoms: int, least: int) -> Iterator[Structure]:
    """The first ones that have room together, but not fewer than `least`."""
    total = 0
    for number, structure in enumerate(structures):
        total += len(structure.atoms)
        if total > n_atoms and number >= least:
            return
        yield structure


Way = Callable[[Sequence[Structure], Potential, Params, np.random.Generator], Iterator[Structure]]


def _random(
    candidates: Sequence[Structure], basis: Potential, params: Params, rng: np.random.Generator
) -> Iterator[Structure]:
    yield from (candidates[k] for k in rng.permutation(len(candidates)).tolist())


def _d_optimal(
    candidates: Sequence[Structure], basis: Potential, params: Params, rng: np.random.Generator
) -> Iterator[Structure]:
    """Frames by the number of environments that span the most volume, then the others at random.

    Each repeat chooses out of two thirds of the pool, so that repeats differ.
    """
    drawn = sorted(rng.permutation(len(candidates))[: max(1, 2 * len(candidates) // 3)].tolist())
    picked = select_frames([candidates[k].atoms for k in drawn], basis, n_threads=1).frames
    first = [drawn[k] for k in picked]
    yield from (candidates[k] for k in first)
    yield from (candidates[k] for k in rng.permutation(len(candidates)).tolist() if k not in first)


def _clusters(
    candidates: Sequence[Structure], basis: Potential, params: Params, rng: np.random.Generator
) -> Iterator[Structure]:
    """Around atoms at random."""
    while True:
        source = candidates[int(rng.integers(len(candidates)))]
        heavy = np.flatnonzero(source.atoms.numbers != 1)
        yield cluster(source, int(rng.choice(heavy)), params["cluster_radius"])


def _d_optimal_clusters(
    candidates: Sequence[Structure], basis: Potential, params: Params, rng: np.random.Generator
) -> Iterator[Structure]:
    """Around the environments that span the most volume, in random order, then around atoms at random."""
    drawn = sorted(rng.permutation(len(candidates))[: max(1, 2 * len(candidates) // 3)].tolist())
    found = select_frames([candidates[k].atoms for k in drawn], basis, n_threads=1).environments
    places = np.concatenate([pairs.reshape(-1, 2) for pairs in found.values()])
    for frame, atom in rng.permutation(places).tolist():
        yield cluster(candidates[drawn[frame]], atom, params["cluster_radius"])
    yield from _clusters(candidates, basis, params, rng)


_WAYS: dict[str, Way] = {
    "random": _random,
    "d-optimal": _d_optimal,
    "active-learning": _random,
    "clusters": _clusters,
    "d-optimal-clusters": _d_optimal_clusters,
}


def cluster(source: Structure, atom: int, radius: float) -> Structure:
    """The cluster around one atom; its atoms keep their places along the chain, caps have 0."""
    (carved,) = carve_clusters(
        replace(source.melt, atoms=source.atoms), [atom], CORE_RADIUS, radius, source=source.place, n_threads=1
    )
    atoms = carved.atoms
    places = source.atoms.arrays["chain_position"]
    atoms.set_array("chain_position", np.where(carved.source >= 0, places[carved.source], 0))
    atoms.info |= {"config_type": "cluster", "chain_length": source.atoms.info["chain_length"]}
    return Structure(carved.melt, atoms, f"{source.place}-{atom}")


def labels_of(structures: Sequence[Structure], context: StepContext) -> Collected:
    """Labels from the force field or the quantum method; what fails is recorded in the store and left out."""
    params = context.params
    if params["labels"] == "force-field":
        frames: list[ase.Atoms] = []
        for group in _by_topology(structures):
            frames += label([s.atoms for s in group], group[0].melt, params, context, group[0].place)
    else:
        method = quantum_method(params["labels"], **params["label_settings"])
        found = label_frames([s.atoms for s in structures], method, LabelStore(context.study / "labels"))
        frames = list(found.frames)
    if structures and not frames:
        raise ProgramError(
            f"none of the {len(structures)} structures has a finite label; the files in {context.study / 'labels'} "
            "with status 'failed' say why"
        )
    for atoms in frames:
        if "force_weight" in atoms.arrays:
            atoms.arrays["force_weight"] = np.maximum(atoms.arrays["force_weight"], params["surface_weight"])
    seconds = sum(float(atoms.info.get("label_seconds", 0.0)) for atoms in frames)
    return Collected(frames, len(structures), seconds)


def _by_topology(structures: Sequence[Structure]) -> list[list[Structure]]:
    groups: dict[int, list[Structure]] = {}
    for structure in structures:
        groups.setdefault(id(structure.melt), []).append(structure)
    return list(groups.values())


def _learned(context: StepContext) -> list[ase.Atoms]:
    """Frames of the learning loop whose chains are as long as those of this fit, the first rounds first."""
    lengths: set[Any] = set(context.params["train"])
    kept: list[ase.Atoms] = []
    total = 0
    for role, folder in context.inputs.items():
        if not role.startswith("learned-"):
            continue
        for atoms in read_frames(folder / "new.extxyz"):
            if int(atoms.info["chain_length"]) in lengths and total + len(atoms) <= context.params["atoms"]:
                kept.append(atoms)
                total += len(atoms)
    return kept
