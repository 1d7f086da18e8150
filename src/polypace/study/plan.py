"""The graph of a study: which steps there are and what each needs. Nothing runs here.

melts → equilibrated → reference (test lengths) and training frames (training lengths) → fit 0
→ [explore → label → fit] per learning round → ACE runs → comparison per length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polypace.study.schema import StudySpec, System
from polypace.study.step import Step
from polypace.study.tasks import comparing, equilibrating, exploring, fitting, labelling, running, sampling


@dataclass(frozen=True)
class StudyPlan:
    """The steps of a study by their role; `targets` need all others."""

    spec: StudySpec
    training: Mapping[int, Step]
    references: Mapping[int, Step]
    fits: Sequence[Step]
    explorations: Sequence[Sequence[Step]]
    labels: Sequence[Step]
    npt: Mapping[int, Step]
    nvt: Mapping[int, Step]
    comparisons: Mapping[int, Step]

    @property
    def targets(self) -> list[Step]:
        return list(self.comparisons.values())


def plan_study(spec: StudySpec) -> StudyPlan:
    """Return the steps of `spec`; equal parts of two studies get equal ids."""
    equilibrated = {
        (role, system.chain_length): _equilibrated(spec, system)
        for role in ("train", "test")
        for system in getattr(spec.systems, role)
    }
    references = {
        system.chain_length: _reference(spec, system, equilibrated["test", system.chain_length])
        for system in spec.systems.test
    }
    training = {
        system.chain_length: _training(spec, system, equilibrated["train", system.chain_length])
        for system in spec.systems.train
    }
    starts = {length: step for (_, length), step in equilibrated.items()}
    fits = [_fit(spec, training, [], None)]
    explorations: list[list[Step]] = []
    labels: list[Step] = []
    for number in range(1, spec.learning.rounds + 1):
        explorations.append(_explorations(spec, number, starts, fits[-1]))
        labels.append(_label(spec, number, explorations[-1], fits[-1]))
        fits.append(_fit(spec, training, labels, fits[-1]))
    npt = {length: _run(spec, "npt", length, step, fits[-1]) for length, step in references.items()}
    nvt = {length: _run(spec, "nvt", length, step, fits[-1]) for length, step in references.items()}
    comparisons = {
        length: _comparison(spec, length, reference, {"npt": npt[length], "nvt": nvt[length]}, fits[-1])
        for length, reference in references.items()
    }
    return StudyPlan(spec, training, references, fits, explorations, labels, npt, nvt, comparisons)


def seed_for(spec: StudySpec, name: str) -> int:
    """A seed of its own for every task, from the study's one seed."""
    digest = hashlib.sha256(f"{spec.seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:4], "little") % 900_000_000 + 1


def _with_tail(spec: StudySpec, name: str) -> dict[str, Any]:
    """Steps that know the ACE also need the tail beside it; the others must not change with it."""
    return {**_common(spec, name), "tail": list(spec.reference.tail)}


def _common(spec: StudySpec, name: str) -> dict[str, Any]:
    return {
        "seed": seed_for(spec, name),
        "force_field": spec.systems.force_field,
        "cutoff": list(spec.reference.cutoff),
        "lammps": spec.lammps.model_dump(),
    }


def _equilibrated(spec: StudySpec, system: System) -> Step:
    name = f"melt/C{system.chain_length}"
    params = {
        **_common(spec, name),
        **system.model_dump(),
        "temperature": spec.systems.temperature,
        "pressure": spec.systems.pressure,
        "time": spec.systems.equilibration,
        "timestep": spec.reference.timestep,
    }
    return Step(name, equilibrating.equilibrate, params)


def _reference(spec: StudySpec, system: System, melt: Step) -> Step:
    name = f"reference/C{system.chain_length}"
    params = {
        **_common(spec, name),
        "temperature": spec.systems.temperature,
        "pressure": spec.systems.pressure,
        **spec.reference.model_dump(exclude={"cutoff", "tail"}),
    }
    return Step(name, running.run_reference, params, {"melt": melt})


def _training(spec: StudySpec, system: System, melt: Step) -> Step:
    name = f"training/C{system.chain_length}"
    params = {
        **_common(spec, name),
        "chain_length": system.chain_length,
        "temperature": spec.systems.temperature,
        "timestep": spec.reference.timestep,
        "frames": spec.training_data.model_dump(),
    }
    return Step(name, sampling.sample_training_frames, params, {"melt": melt})


def _fit(spec: StudySpec, training: Mapping[int, Step], labels: Sequence[Step], previous: Step | None) -> Step:
    name = f"fit/round-{len(labels)}"
    params = {
        **_with_tail(spec, name),
        "ace": spec.ace.model_dump(mode="json"),
        "temperature": spec.systems.temperature,
    }
    inputs = {f"C{length}": step for length, step in training.items()}
    inputs |= {f"round-{number}": step for number, step in enumerate(labels, start=1)}
    if previous is not None:
        inputs["previous"] = previous
    return Step(name, fitting.fit_potential, params, inputs)


def _explorations(spec: StudySpec, number: int, starts: Mapping[int, Step], fit: Step) -> list[Step]:
    learning = spec.learning
    lengths = learning.chain_lengths or tuple(sorted(starts))
    steps = []
    for length in lengths:
        for temperature in learning.temperatures:
            name = f"explore/round-{number}-C{length}-{temperature:.0f}K"
            params = {
                **_with_tail(spec, name),
                "chain_length": length,
                "temperature": temperature,
                "timestep": spec.production.timestep,
                **learning.model_dump(include={"time", "gamma_select", "gamma_break", "watch_every"}),
            }
            steps.append(Step(name, exploring.explore, params, {"melt": starts[length], "fit": fit}))
    return steps


def _label(spec: StudySpec, number: int, explorations: Sequence[Step], fit: Step) -> Step:
    name = f"label/round-{number}"
    params = {
        **_common(spec, name),
        "max_frames": spec.learning.max_frames,
        "gamma_usable": spec.learning.gamma_break / 2,
    }
    inputs = {step.name.split("/")[1]: step for step in explorations} | {"fit": fit}
    return Step(name, labelling.label_harvest, params, inputs)


def _run(spec: StudySpec, ensemble: str, length: int, reference: Step, fit: Step) -> Step:
    name = f"ace/{ensemble}-C{length}"
    params = {
        **_with_tail(spec, name),
        "temperature": spec.systems.temperature,
        "pressure": spec.systems.pressure,
        **spec.production.model_dump(),
    }
    function = {"npt": running.run_ace_npt, "nvt": running.run_ace_nvt}[ensemble]
    return Step(name, function, params, {"reference": reference, "fit": fit})


def _comparison(spec: StudySpec, length: int, reference: Step, runs: Mapping[str, Step], fit: Step) -> Step:
    name = f"compare/C{length}"
    params = {
        **_with_tail(spec, name),
        "chain_length": length,
        "timestep": spec.production.timestep,
        "temperature": spec.systems.temperature,
    }
    return Step(name, comparing.compare, params, {"reference": reference, **runs, "fit": fit})
