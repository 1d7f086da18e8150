"""The transfer grid: which fits there are, and what they say together.

pools (reference frames of each training length) → one fit per cell of the grid ← labelled frames of each test length.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polypace.study.plan import Foundation, Production, common_params
from polypace.study.price import price_of
from polypace.study.schema import StudySpec, Transfer
from polypace.study.step import Step
from polypace.study.tasks import collecting, gridding
from polypace.study.work import Work


@dataclass(frozen=True)
class Cell:
    """One place of the grid: training lengths, way to collect, radius of clusters (Å) or None, atoms to label."""

    train: tuple[int, ...]
    collection: str
    radius: float | None
    atoms: int

    @property
    def name(self) -> str:
        """C4+C8-clusters-6A-3000."""
        lengths = "+".join(f"C{length}" for length in self.train)
        radius = "" if self.radius is None else f"-{self.radius:g}A"
        return f"{lengths}-{self.collection}{radius}-{self.atoms}"


def cells(transfer: Transfer) -> Iterator[Cell]:
    """Every combination of training lengths, ways to collect, radii (of clusters only) and budgets."""
    for train, collection in itertools.product(transfer.train, transfer.collections):
        radii: tuple[float | None, ...] = transfer.cluster_radii if "clusters" in collection else (None,)
        for radius, atoms in itertools.product(radii, transfer.atoms):
            yield Cell(tuple(sorted(set(train))), collection, radius, atoms)


def plan_grid(spec: StudySpec, base: Foundation, learned: Mapping[str, Step] | None = None) -> list[Step]:
    """The fits of the grid, each with its repeats; those of active learning only with the labels `learned`."""
    transfer = spec.transfer
    if transfer is None:
        return []
    pools = {n: _pool(spec, "pool", n, base.melts[n], transfer.pool) for n in sorted({*_all_lengths(transfer)})}
    tests = {
        f"test-C{system.chain_length}": _test(spec, transfer, system.chain_length, base.melts[system.chain_length])
        for system in spec.systems.test
    }
    return [
        _cell(spec, transfer, cell, repeat, pools, tests, learned or {})
        for cell in cells(transfer)
        if learned is not None or cell.collection != "active-learning"
        for repeat in range(1, transfer.repeats + 1)
    ]


def _all_lengths(transfer: Transfer) -> Iterator[int]:
    for lengths in transfer.train:
        yield from lengths


def _data(spec: StudySpec, name: str) -> dict[str, Any]:
    return {
        **common_params(spec, name),
        "labels": spec.reference.labels,
        "label_settings": spec.reference.label_settings,
        "tail": list(spec.reference.tail_outside or ()),
    }


def _pool(spec: StudySpec, kind: str, length: int, melt: Step, frames: int) -> Step:
    name = f"{kind}/C{length}"
    params = {
        **common_params(spec, name),
        "chain_length": length,
        "temperature": spec.systems.temperature,
        "timestep": spec.reference.timestep,
        "frames": frames,
    }
    return Step(name, collecting.sample_pool, params, {"melt": melt})


def _test(spec: StudySpec, transfer: Transfer, length: int, melt: Step) -> Step:
    name = f"test/C{length}"
    params = {**_data(spec, name), "cluster_radius": max(transfer.cluster_radii), "surface_weight": 1.0}
    pool = _pool(spec, "test-frames", length, melt, transfer.test_frames)
    return Step(name, collecting.label_test, params, {"pool": pool})


def _cell(
    spec: StudySpec,
    transfer: Transfer,
    cell: Cell,
    repeat: int,
    pools: Mapping[int, Step],
    tests: Mapping[str, Step],
    learned: Mapping[str, Step],
) -> Step:
    name = f"grid/{cell.name}-{repeat}"
    params = {
        **_data(spec, name),
        "ace": spec.ace.model_dump(mode="json"),
        "train": list(cell.train),
        "collection": cell.collection,
        "cluster_radius": cell.radius,
        "surface_weight": transfer.surface_weight,
        "atoms": cell.atoms,
        "repeat": repeat,
    }
    inputs = {f"pool-C{length}": pools[length] for length in cell.train} | dict(tests)
    if cell.collection == "active-learning":
        inputs |= {f"learned-{role}": step for role, step in learned.items()}
    return Step(name, gridding.fit_cell, params, inputs, version=2)


def collect_grid(spec: StudySpec, steps: Sequence[Step], production: Production | None, work: Work) -> dict[str, Any]:
    """All cells with the mean and standard error of their repeats, the Pareto front, and what to do; of a study with MD
    also diffusion against chain length and what entangled chains would cost.
    """
    assert spec.transfer is not None
    groups: dict[str, list[dict[str, Any]]] = {}
    for step in steps:
        groups.setdefault(step.name.rsplit("-", 1)[0].removeprefix("grid/"), []).append(work.read(step, "cell.json"))
    quantum = spec.reference.labels != "force-field"
    summaries = [_summary(name, repeats, quantum) for name, repeats in groups.items()]
    return {
        "test_lengths": sorted(system.chain_length for system in spec.systems.test),
        "labels": spec.reference.labels,
        "cells": summaries,
        "front": _pareto(summaries),
        "recommendation": _recommend(summaries, quantum),
        "units": {
            "force": "eV/Å",
            "energy": "meV/atom",
            "cost": "seconds of labelling" if quantum else "atoms to label",
            "diffusion": "Å²/ps",
        },
        "diffusion": _diffusion(production, work) if production is not None else {},
        "price": price_of(spec, production, work) if production is not None else None,
    }


def _diffusion(production: Production, work: Work) -> dict[str, Any]:
    """g3(t)/(6 t) of the chains' centres at the longest lag time that is shown, per chain length.

    Apparent as long as g3 is not linear in t: equal times of reference and ACE can be compared, other runs cannot.
    """
    found = {}
    for length, step in sorted(production.comparisons.items()):
        msd = work.read(step, "chain.json")["msd"]
        lag = msd["lag_ps"][-1]
        found[f"C{length}"] = {"lag_ps": lag} | {
            name: {
                part: msd[f"{name}_g3{end}"][-1] / (6 * lag) for part, end in (("mean", "_A2"), ("error", "_error_A2"))
            }
            for name in ("reference", "ace")
        }
    return found


def _summary(name: str, repeats: Sequence[Mapping[str, Any]], quantum: bool) -> dict[str, Any]:
    """Means over repeats; errors are standard errors of the mean, None for a single repeat.

    `cost` is what labels are paid with: the budget of atoms, which is met to within a structure; with `quantum` labels
    the time they took, which grows faster than the atoms of a cluster.
    """
    first = repeats[0]
    longest = max(first["tests"], key=lambda role: int(role[1:]))
    shortest = min(first["tests"], key=lambda role: int(role[1:]))
    tests: dict[str, dict[str, Any]] = {}
    for role, of_test in first["tests"].items():
        numbers = [key for key, value in of_test.items() if not isinstance(value, dict)]
        tests[role] = {key: _mean([one["tests"][role][key] for one in repeats]) for key in numbers}
        tests[role]["force_rmse_by_position_eV_per_A"] = {
            place: _mean([one["tests"][role]["force_rmse_by_position_eV_per_A"][place] for one in repeats])
            for place in of_test["force_rmse_by_position_eV_per_A"]
        }
    error = [one["tests"][longest]["force_rmse_relative"] for one in repeats]
    ratio = [e / one["tests"][shortest]["force_rmse_relative"] for e, one in zip(error, repeats, strict=True)]
    seconds = _mean([one["label_seconds"] for one in repeats])
    keys = ("train", "collection", "cluster_radius_A", "budget_atoms", "n_functions")
    return {
        "name": name,
        **{key: first[key] for key in keys},
        "repeats": len(repeats),
        "structures": _mean([one["structures"] for one in repeats]),
        "no_active_set": next((one["no_active_set"] for one in repeats if one["no_active_set"]), None),
        "failed": sum(one["failed"] for one in repeats),
        "labelled_atoms": _mean([one["labelled_atoms"] for one in repeats]),
        "label_seconds": seconds,
        "cost": seconds["mean"] if quantum else float(first["budget_atoms"]),
        "tests": tests,
        "error": _mean(error),
        "transfer_ratio": _mean(ratio),
        "longest": longest,
        "shortest": shortest,
    }


def _mean(values: Sequence[float | None]) -> dict[str, float | None]:
    """Mean and its standard error, of the repeats that have a value."""
    array = np.array([value for value in values if value is not None], dtype=float)
    if not len(array):
        return {"mean": None, "error": None}
    error = float(array.std(ddof=1) / np.sqrt(len(array))) if len(array) > 1 else None
    return {"mean": float(array.mean()), "error": error}


def _pareto(summaries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the cells that no other beats in all of cost, error on the longest chain, and its ratio to the
    shortest chain's.
    """

    def numbers(cell: Mapping[str, Any]) -> tuple[float, ...]:
        return float(cell["cost"]), float(cell["error"]["mean"]), float(cell["transfer_ratio"]["mean"])

    front = []
    for cell in summaries:
        own = numbers(cell)
        others = [numbers(other) for other in summaries if other is not cell]
        if not any(all(a <= b for a, b in zip(other, own, strict=True)) and other != own for other in others):
            front.append(str(cell["name"]))
    return front


def _recommend(summaries: Sequence[Mapping[str, Any]], quantum: bool) -> str:
    """The cheapest cell whose error on the longest chain is not above the smallest one by more than their errors.

    The standard error is the cells' typical one, relative to their means: that of two or three repeats is itself known
    to a factor of two, and a fit that fails at random would be as good as any by its own.
    """
    best = min(summaries, key=lambda cell: cell["error"]["mean"])
    typical = float(np.median([(cell["error"]["error"] or 0.0) / cell["error"]["mean"] for cell in summaries]))
    limit = best["error"]["mean"] * (1 + 2 * np.sqrt(2) * typical)
    as_good = [cell for cell in summaries if cell["error"]["mean"] <= limit]
    chosen = min(as_good, key=lambda cell: (cell["cost"], cell["error"]["mean"]))
    error, ratio = chosen["error"], chosen["transfer_ratio"]
    lengths = " + ".join(f"C{n}" for n in chosen["train"])
    paid = f"{chosen['labelled_atoms']['mean']:.0f} labelled atoms"
    if quantum:
        paid += f" in {chosen['cost']:.3g} s"
    text = (
        f"Train on {lengths}, {_words(chosen)}, {paid}: force error on "
        f"{chosen['longest']} {_percent(error)}, {ratio['mean']:.2f} times that on {chosen['shortest']}."
    )
    text += _about_energies(chosen, summaries)
    others = [cell["name"] for cell in as_good if cell is not chosen]
    if best["repeats"] < 2:
        return text + " One repeat only, so differences have no uncertainty: take it as a hint."
    if others:
        shown = ", ".join(others[:6]) + (", …" if len(others) > 6 else "")
        text += (
            f" Within two standard errors of the best ({limit / best['error']['mean'] - 1:.0%} of it): {len(others)} of "
            f"{len(summaries) - 1} others ({shown})."
        )
    return text


def _about_energies(chosen: Mapping[str, Any], summaries: Sequence[Mapping[str, Any]]) -> str:
    """A word where energies of chain lengths cannot be compared: one length has one ratio of ends to middles."""
    longest = chosen["longest"]

    def shift(cell: Mapping[str, Any]) -> float:
        return float(cell["tests"][longest]["energy_shift_meV_per_atom"]["mean"])

    if abs(shift(chosen)) <= 10 * chosen["tests"][longest]["energy_spread_meV_per_atom"]["mean"]:
        return ""
    of_budget = [cell for cell in summaries if cell["budget_atoms"] == chosen["budget_atoms"]]
    better = min(of_budget, key=lambda cell: abs(shift(cell)))
    return (
        f" For forces and MD of one length; its energies on {longest} are shifted by {shift(chosen):.3g} meV/atom, those "
        f"of {better['name']} by {shift(better):.3g} ({_percent(better['error'])} in forces)."
    )


def _words(cell: Mapping[str, Any]) -> str:
    names = {
        "random": "whole frames at random",
        "d-optimal": "D-optimal frames",
        "active-learning": "frames of the learning loop filled up at random",
        "clusters": "clusters around random atoms",
        "d-optimal-clusters": "clusters around D-optimal environments",
    }
    radius = cell["cluster_radius_A"]
    return names[cell["collection"]] + ("" if radius is None else f" of {radius:g} Å")


def _percent(value: Mapping[str, float | None]) -> str:
    error = value["error"]
    return f"{100 * float(value['mean'] or 0.0):.2f}" + ("" if error is None else f" ± {100 * error:.2f}") + " %"
