"""The steps of a study and what each needs. Nothing runs here, and nothing here depends on what has run.

melts → equilibrated → reference (test lengths), training and validation frames → first fit; a learning round
explore → select → label → fit from any fit; production and comparison with the last one.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polypace.study.schema import StudySpec, System
from polypace.study.step import Step
from polypace.study.tasks import (
    comparing,
    equilibrating,
    exploring,
    fitting,
    labelling,
    running,
    sampling,
    selecting,
    validating,
)


@dataclass(frozen=True)
class Foundation:
    """What no decision changes, by chain length: melts, training, validation and reference frames."""

    melts: Mapping[int, Step]
    training: Mapping[int, Step]
    validation: Mapping[int, Step]
    references: Mapping[int, Step]


@dataclass(frozen=True)
class Replica:
    """One exploration: chain length, temperature (K), and pressure (bar), or None for constant volume."""

    chain_length: int
    temperature: float
    pressure: float | None

    @property
    def name(self) -> str:
        """C16-350K, with -1bar where the pressure is constant."""
        name = f"C{self.chain_length}-{self.temperature:g}K"
        return name if self.pressure is None else f"{name}-{self.pressure:g}bar"


@dataclass(frozen=True)
class Production:
    """What is done with the final potential, by chain length; the comparisons need everything else."""

    npt: Mapping[int, Step]
    nvt: Mapping[int, Step]
    comparisons: Mapping[int, Step]


def plan_foundation(spec: StudySpec) -> Foundation:
    """Return the steps of `spec` that come before learning; equal parts of two studies get equal ids."""
    melts = {
        (role, system.chain_length): _equilibrated(spec, system)
        for role in ("train", "test")
        for system in getattr(spec.systems, role)
    }
    starts = {length: step for (_, length), step in melts.items()}
    training = {
        system.chain_length: _training(spec, system, melts["train", system.chain_length])
        for system in spec.systems.train
    }
    lengths = sorted({replica.chain_length for replica in replicas(spec)})
    validation = {length: _validation_frames(spec, length, starts[length]) for length in lengths}
    references = {
        system.chain_length: _reference(spec, system, melts["test", system.chain_length])
        for system in spec.systems.test
    }
    return Foundation(starts, training, validation, references)


def replicas(spec: StudySpec) -> Iterator[Replica]:
    """Every combination of chain length, temperature and pressure that learning explores."""
    learning = spec.learning
    known = {system.chain_length for system in (*spec.systems.train, *spec.systems.test)}
    lengths = learning.chain_lengths or tuple(sorted(known))
    for values in itertools.product(lengths, learning.temperatures, learning.pressures or (None,)):
        yield Replica(*values)


def plan_fit(spec: StudySpec, name: str, training: Mapping[int, Step], learned: Mapping[str, Step]) -> Step:
    """A fit to the training frames and to everything `learned` since, by role."""
    name = f"fit/{name}"
    params = {
        **_with_tail(spec, name),
        "ace": spec.ace.model_dump(mode="json"),
        "temperature": spec.systems.temperature,
    }
    inputs = {f"C{length}": step for length, step in training.items()}
    inputs |= learned
    return Step(name, fitting.fit_potential, params, inputs, version=2)


def plan_exploration(spec: StudySpec, number: int, replica: Replica, start: Step, fit: Step) -> Step:
    """MD of one replica with the potential, from where `start` (a melt or its last exploration) ended."""
    learning = spec.learning
    name = f"explore/round-{number}-{replica.name}"
    params = {
        **_with_tail(spec, name),
        "chain_length": replica.chain_length,
        "temperature": replica.temperature,
        "pressure": replica.pressure,
        "timestep": spec.production.timestep,
        "dump": "extrapolating" if learning.selection == "d-optimal" else "all",
        **learning.model_dump(include={"time", "gamma_select", "gamma_break", "watch_every"}),
    }
    return Step(name, exploring.explore, params, {"melt": start, "fit": fit}, version=3)


def plan_selection(spec: StudySpec, number: int, explorations: Sequence[Step], fit: Step) -> Step:
    """The choice of what is to be labelled, out of all replicas of a round."""
    learning = spec.learning
    name = f"select/round-{number}"
    params = {
        **common_params(spec, name),
        "gamma_usable": learning.gamma_break / 2,
        **learning.model_dump(
            include={"harvest", "selection", "max_frames", "max_atoms", "core_radius", "buffer_radius"}
        ),
    }
    return Step(name, selecting.select, params, {**_by_replica(explorations), "fit": fit})


def plan_labels(spec: StudySpec, number: int, explorations: Sequence[Step], selection: Step) -> Step:
    """Reference labels of what was selected."""
    name = f"label/round-{number}"
    params = {**_with_tail(spec, name), "harvest": spec.learning.harvest}
    inputs = {**_by_replica(explorations), "selection": selection}
    return Step(name, labelling.label_selection, params, inputs, version=2)


def plan_contacts(spec: StudySpec, chain_length: int, melt: Step, attempt: int) -> Step:
    """More chains pushed into each other, for a potential that did not pass the gate."""
    name = f"contacts/{attempt}"
    params = {**common_params(spec, name), "chain_length": chain_length, "scans": 16 * attempt}
    return Step(name, sampling.sample_contacts, params, {"melt": melt})


def plan_validation(spec: StudySpec, fit: Step, frames: Mapping[int, Step]) -> Step:
    """Errors of a fit on the validation frames."""
    name = f"validate/{fit.name.split('/')[1]}"
    inputs = {"fit": fit, **{f"C{length}": step for length, step in frames.items()}}
    return Step(name, validating.validate, _with_tail(spec, name), inputs)


def plan_production(spec: StudySpec, references: Mapping[int, Step], fit: Step) -> Production:
    """Runs with the final potential and their comparison with the reference."""
    npt = {length: _run(spec, "npt", length, step, fit) for length, step in references.items()}
    nvt = {length: _run(spec, "nvt", length, step, fit) for length, step in references.items()}
    comparisons = {
        length: _comparison(spec, length, reference, {"npt": npt[length], "nvt": nvt[length]}, fit)
        for length, reference in references.items()
    }
    return Production(npt, nvt, comparisons)


def seed_for(spec: StudySpec, name: str) -> int:
    """A seed of its own for every task, from the study's one seed."""
    digest = hashlib.sha256(f"{spec.seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:4], "little") % 900_000_000 + 1


def _by_replica(explorations: Sequence[Step]) -> dict[str, Step]:
    return {step.name.split("/")[1]: step for step in explorations}


def _with_tail(spec: StudySpec, name: str) -> dict[str, Any]:
    """Steps that know the ACE also need the tail beside it; the others must not change with it."""
    return {**common_params(spec, name), "tail": list(spec.reference.tail)}


def common_params(spec: StudySpec, name: str) -> dict[str, Any]:
    """What every step of a study knows: its seed, the force field and how LAMMPS runs."""
    return {
        "seed": seed_for(spec, name),
        "force_field": spec.systems.force_field,
        "cutoff": list(spec.reference.cutoff),
        "lammps": spec.lammps.model_dump(),
    }


def _equilibrated(spec: StudySpec, system: System) -> Step:
    name = f"melt/C{system.chain_length}"
    params = {
        **common_params(spec, name),
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
        **common_params(spec, name),
        "temperature": spec.systems.temperature,
        "pressure": spec.systems.pressure,
        **spec.reference.model_dump(exclude={"cutoff", "tail"}),
    }
    return Step(name, running.run_reference, params, {"melt": melt})


def _training(spec: StudySpec, system: System, melt: Step) -> Step:
    name = f"training/C{system.chain_length}"
    params = {
        **common_params(spec, name),
        "chain_length": system.chain_length,
        "temperature": spec.systems.temperature,
        "timestep": spec.reference.timestep,
        "frames": spec.training_data.model_dump(),
    }
    return Step(name, sampling.sample_training_frames, params, {"melt": melt})


def _validation_frames(spec: StudySpec, length: int, melt: Step) -> Step:
    name = f"validation/C{length}"
    params = {
        **common_params(spec, name),
        "chain_length": length,
        "temperature": spec.systems.temperature,
        "timestep": spec.reference.timestep,
        "frames": spec.learning.validation_frames,
    }
    return Step(name, validating.sample_validation_frames, params, {"melt": melt})


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
