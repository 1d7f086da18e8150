"""What is worth a label among everything that extrapolated, over all replicas of a round together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ase
import numpy as np
import numpy.typing as npt

from polypace.ace import Potential
from polypace.blas_threads import single_threaded_blas
from polypace.carve import Cluster, carve_clusters
from polypace.carve.settings import CUT_DEPTH
from polypace.errors import FileFormatError
from polypace.melt import Melt
from polypace.reference.labels import DumpFrame, atoms_of_snapshot, iterate_dump
from polypace.select import ActiveSet, extrapolation_grade, select_environments, select_frames
from polypace.study.step import StepContext, write_json
from polypace.study.tasks.common import Params, last_table, read_melt, write_frames
from polypace.study.tasks.exploring import hottest

#: Frames of one replica that compete, thinned evenly: neighbours in time hardly differ, and memory is bounded.
CANDIDATES = 40

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Candidate:
    """A frame of an exploration: its melt (topology) and the frame with `info["replica"]` and `info["gamma_max"]`."""

    melt: Melt
    atoms: ase.Atoms


@dataclass(frozen=True)
class Trust:
    """The potential that explored, and what it knows."""

    potential: Potential
    active_set: ActiveSet
    n_threads: int

    def grades(self, atoms: ase.Atoms) -> npt.NDArray[np.float64]:
        return extrapolation_grade([atoms], self.potential, self.active_set, n_threads=self.n_threads)[0]


def select(context: StepContext) -> None:
    """`selected.extxyz` (frames or clusters), for clusters also `clusters.json`, and `selection.json`."""
    params, fit = context.params, context.inputs["fit"]
    candidates = list(_candidates(context))
    trust = Trust(Potential.read(fit / "potential.yaml"), ActiveSet.read(fit / "potential.asi"), context.n_threads)
    with single_threaded_blas():
        if params["harvest"] == "frames":
            frames = [candidates[k].atoms for k in _chosen_frames(candidates, trust, params)]
        else:
            clusters = _clusters(candidates, trust, params)
            frames = [cluster.atoms for cluster in clusters]
            records = [{"bonds": cluster.bonds.tolist(), **cluster.provenance} for cluster in clusters]
            write_json(context.folder / "clusters.json", records)
    write_frames(context.folder / "selected.extxyz", frames)
    write_json(context.folder / "selection.json", _summary(candidates, frames))


def _candidates(context: StepContext) -> Iterator[Candidate]:
    for role, folder in context.inputs.items():
        if role == "fit":
            continue
        state = json.loads((folder / "explore.json").read_text())
        gamma = _sane(folder, state, context.params)
        steps = sorted(gamma)
        kept = {steps[k] for k in spread(len(steps), CANDIDATES)}
        melt = read_melt(folder)
        for snapshot in _snapshots(folder, state):
            if snapshot.step in kept:
                atoms = atoms_of_snapshot(snapshot, melt)
                atoms.info |= {
                    "config_type": "learned",
                    "chain_length": state["chain_length"],
                    "replica": role,
                    "gamma_max": gamma[snapshot.step],
                }
                yield Candidate(melt, atoms)


def _sane(folder: Path, state: Params, params: Params) -> dict[int, float]:
    """Largest gamma, by time step, of the dumped frames that are still a liquid's.

    What comes after a run has left the liquid teaches nothing about it. Where a run was out of it within one look,
    the frame of smallest gamma is all there is.
    """
    table = last_table(folder)
    limit = hottest(state["temperature_K"], state["n_atoms"])
    rows = zip(table["Step"].tolist(), table["v_gamma_max"].tolist(), table["Temp"].tolist(), strict=True)
    known = {int(step): (gamma, temperature) for step, gamma, temperature in rows if np.isfinite(gamma)}
    dumped = {s.step: known[s.step] for s in _snapshots(folder, state) if s.step in known}
    sane = {step: gamma for step, (gamma, t) in dumped.items() if gamma <= params["gamma_usable"] and t <= limit}
    if not sane and dumped:
        step = min(dumped, key=lambda step: dumped[step][0])
        sane = {step: dumped[step][0]}
    return sane


def _snapshots(folder: Path, state: Params) -> Iterator[DumpFrame]:
    """Snapshots of the dump; that of a run which ended with an error may be cut off."""
    dump = folder / "extrapolating.dump"
    if not dump.is_file() or not dump.stat().st_size:
        return
    try:
        yield from iterate_dump(dump)
    except FileFormatError:
        if state["status"] != "lost atoms":
            raise


def spread(n: int, wanted: int) -> list[int]:
    """At most `wanted` of 0…n−1, evenly, the last among them."""
    if n == 0:
        return []
    return sorted(set(np.linspace(0, n - 1, min(n, wanted)).round().astype(int).tolist()))


def _chosen_frames(candidates: Sequence[Candidate], trust: Trust, params: Params) -> list[int]:
    """Places of the frames that enlarge most what the active set spans; or frames at random."""
    if not candidates:
        return []
    frames = [entry.atoms for entry in candidates]
    if params["selection"] == "random":
        order = np.random.default_rng(params["seed"]).permutation(len(frames)).tolist()
        return _within(order, frames, params)
    options: dict[str, Any] = {"known": trust.active_set, "n_threads": trust.n_threads}
    picked = select_frames(
        frames, trust.potential, params["max_frames"], max_atoms=params["max_atoms"], **options
    ).frames
    return list(picked) or [_worst(candidates)]


def _within(order: Sequence[int], frames: Sequence[ase.Atoms], params: Params) -> list[int]:
    """The first of `order` that max_frames and max_atoms allow."""
    chosen: list[int] = []
    n_atoms = 0
    for place in order:
        n_atoms += len(frames[place])
        if len(chosen) == params["max_frames"] or n_atoms > (params["max_atoms"] or np.inf):
            break
        chosen.append(place)
    return chosen


def _worst(candidates: Sequence[Candidate]) -> int:
    return max(range(len(candidates)), key=lambda k: candidates[k].atoms.info["gamma_max"])


def _clusters(candidates: Sequence[Candidate], trust: Trust, params: Params) -> list[Cluster]:
    """Clusters around the chosen environments, those of the largest gamma first."""
    clusters: list[Cluster] = []
    n_atoms = 0
    cutoff = trust.potential.max_cutoff
    buffer = params["buffer_radius"] or params["core_radius"] + cutoff + CUT_DEPTH
    mode: Any = "whole-molecules" if params["harvest"] == "molecules" else "capped"
    for place, atom in _environments(candidates, trust, params):
        source = candidates[place]
        if len(clusters) == params["max_frames"]:
            break
        (cluster,) = carve_clusters(
            replace(source.melt, atoms=source.atoms),
            [atom],
            params["core_radius"],
            buffer,
            mode=mode,
            cutoff=cutoff,
            source=f"{source.atoms.info['replica']} step {source.atoms.info['step']}",
        )
        if n_atoms + len(cluster.atoms) > (params["max_atoms"] or np.inf):
            continue
        n_atoms += len(cluster.atoms)
        kept = {key: source.atoms.info[key] for key in ("chain_length", "replica", "step")}
        # The energy contains caps and surface, which are no part of a melt.
        cluster.atoms.info |= {**kept, "config_type": "cluster", "energy_weight": 0.0}
        cluster.atoms.info["gamma_max"] = float(trust.grades(source.atoms)[atom])
        clusters.append(cluster)
    return clusters


def _environments(candidates: Sequence[Candidate], trust: Trust, params: Params) -> list[tuple[int, int]]:
    """(frame, atom) in the order in which they are worth a label, none within the core of an earlier one."""
    if not candidates:
        return []
    frames = [entry.atoms for entry in candidates]
    if params["selection"] == "random":
        rng = np.random.default_rng(params["seed"])
        places = rng.integers(len(frames), size=4 * params["max_frames"]).tolist()
        return [(place, int(rng.integers(len(frames[place])))) for place in places]
    picked = select_environments(frames, trust.potential, known=trust.active_set, n_threads=trust.n_threads)
    found = [(int(place), int(atom)) for place, atom in picked.environments]
    if not found:
        place = _worst(candidates)
        found = [(place, int(trust.grades(frames[place]).argmax()))]
    return _apart(found, frames, params["core_radius"])


def _apart(
    environments: Sequence[tuple[int, int]], frames: Sequence[ase.Atoms], radius: float
) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for place, atom in environments:
        before = [other for frame, other in kept if frame == place]
        if not before or frames[place].get_distances(atom, before, mic=True).min() > radius:
            kept.append((place, atom))
    return kept


def _summary(candidates: Sequence[Candidate], chosen: Sequence[ase.Atoms]) -> dict[str, Any]:
    replicas = dict.fromkeys(entry.atoms.info["replica"] for entry in candidates)
    return {
        "candidates": len(candidates),
        "selected": len(chosen),
        "atoms": sum(len(atoms) for atoms in chosen),
        "by_replica": {
            name: {
                "candidates": sum(entry.atoms.info["replica"] == name for entry in candidates),
                "selected": sum(atoms.info["replica"] == name for atoms in chosen),
            }
            for name in replicas
        },
        "gamma": [round(float(atoms.info["gamma_max"]), 6) for atoms in chosen],
    }
