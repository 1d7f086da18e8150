"""The learning loop: fit → explore → select → label → fit, until nothing extrapolates or the budget is used.

Steps of a round are planned from the fit of the round before, made (or found, by their hash), and their small results
decide what comes next. A killed loop takes the same decisions again; a budget is no part of any step, so an added one
continues the old loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from polypace.errors import UnstableRunError
from polypace.study.plan import (
    Foundation,
    Replica,
    plan_contacts,
    plan_exploration,
    plan_fit,
    plan_labels,
    plan_selection,
    plan_validation,
    replicas,
)
from polypace.study.schema import StudySpec
from polypace.study.step import Step
from polypace.study.work import Work

Record = Mapping[str, Any]

#: Times that a potential with holes gets more contact frames before learning gives up.
REPAIRS = 2
GO_ON = "go on"


@dataclass(frozen=True)
class Learned:
    """Where learning stands.

    fit : the potential so far
    labels : labelled frames that were added to the training frames, by role
    starts, quiet : where each replica goes on from, and for how many ps it has not passed gamma_select with `fit`
    atoms : labelled so far
    spans : when the loop's steps began and ended; the time in which at least one of them ran is the loop's wall time
    records : one per round, for results.json
    verdict : "go on", or why learning ended
    """

    fit: Step
    labels: Mapping[str, Step]
    starts: Mapping[Replica, Step]
    quiet: Mapping[Replica, float]
    atoms: int = 0
    spans: tuple[tuple[float, float], ...] = ()
    refits: int = 0
    records: tuple[Record, ...] = ()
    verdict: str = GO_ON


def learn(spec: StudySpec, base: Foundation, work: Work) -> Learned:
    """Return the last potential and the record of every round.

    Raises
    ------
    UnstableRunError
        where a potential has holes behind low barriers that more contact frames do not close.
    """
    fit, labels = _fit_without_holes(spec, base, "round-0", {}, work)
    starts = {replica: base.melts[replica.chain_length] for replica in replicas(spec)}
    state = Learned(fit, labels, starts, dict.fromkeys(starts, 0.0))
    if spec.learning.iterations == 0:
        return replace(state, verdict="no learning was asked for")
    while state.verdict == GO_ON:
        state = _round(spec, base, state, work)
        work.decided(state.records)
    return state


def _round(spec: StudySpec, base: Foundation, state: Learned, work: Work) -> Learned:
    number = len(state.records) + 1
    explorations = {
        replica: plan_exploration(spec, number, replica, start, state.fit) for replica, start in state.starts.items()
    }
    validation = plan_validation(spec, state.fit, base.validation)
    work.finish([*explorations.values(), validation])
    runs = {replica: work.read(step, "explore.json") for replica, step in explorations.items()}
    quiet = {replica: _quiet(run, state.quiet[replica]) for replica, run in runs.items()}
    record = {
        "round": number,
        "potential": state.fit.name,
        "runs": [
            {"replica": replica.name, **run, "quiet_ps": round(quiet[replica], 6)} for replica, run in runs.items()
        ],
        "gamma_max": max(run["gamma_max"] for run in runs.values()),
        "validation": work.read(validation, "errors.json"),
    }
    state = replace(state, starts=explorations, quiet=quiet)
    made = [*explorations.values(), validation]
    if all(time > 0 for time in quiet.values()):
        state = replace(state, verdict=_when_quiet(spec, quiet))
    else:
        state, details, steps = _learn_from(spec, base, state, number, work)
        record |= details
        made += steps
    return _closed(spec, state, record, made, work)


def _learn_from(
    spec: StudySpec, base: Foundation, state: Learned, number: int, work: Work
) -> tuple[Learned, dict[str, Any], list[Step]]:
    """Select, label, refit: the state after it, what goes on record, and the steps that were made."""
    explorations = list(state.starts.values())
    selection = plan_selection(spec, number, explorations, state.fit)
    work.finish([selection])
    chosen = work.read(selection, "selection.json")
    details = {"selection": chosen, "labelled_frames": 0, "labelled_atoms": 0}
    verdict = _may_label(spec, state, chosen)
    if verdict != GO_ON:
        return replace(state, verdict=verdict), details, [selection]
    labels = plan_labels(spec, number, explorations, selection)
    name = f"round-{number}"
    fit, known = _fit_without_holes(spec, base, name, {**state.labels, name: labels}, work)
    new = [step for role, step in known.items() if role not in state.labels]
    got = work.read(labels, "labels.json")
    details |= {
        "labelled_frames": got["frames"],
        "labelled_atoms": got["atoms"],
        "labels": got,
        "contact_repairs": len(new) - 1,
    }
    atoms = state.atoms + got["atoms"]
    learned = replace(
        state, fit=fit, labels=known, atoms=atoms, refits=state.refits + 1, quiet=dict.fromkeys(state.quiet, 0.0)
    )
    return learned, details, [selection, *new, fit]


def _closed(spec: StudySpec, state: Learned, record: dict[str, Any], made: list[Step], work: Work) -> Learned:
    """The state with the round's costs and record, and the budgets looked at."""
    seconds = {step.name.split("/")[0]: 0.0 for step in made}
    for step in made:
        seconds[step.name.split("/")[0]] += work.seconds(step)
    before = covered(state.spans)
    state = replace(state, spans=(*state.spans, *(work.span(step) for step in made)))
    if state.verdict == GO_ON:
        state = replace(state, verdict=_budget_left(spec, state))
    record = {
        "labelled_frames": 0,
        "labelled_atoms": 0,
        **record,
        "labelled_atoms_total": state.atoms,
        "seconds": {kind: round(value, 3) for kind, value in seconds.items()},
        "wall_seconds": round(covered(state.spans) - before, 3),
        "verdict": state.verdict,
    }
    return replace(state, records=(*state.records, record))


def _quiet(run: Record, before: float) -> float:
    """ps without passing gamma_select, this run included; 0 after a run that passed it or left the liquid."""
    loud = run["first_above_ps"] is not None or run["status"] != "finished"
    return 0.0 if loud else before + float(run["time_ps"])


def _when_quiet(spec: StudySpec, quiet: Mapping[Replica, float]) -> str:
    wanted = spec.learning.converged_for or spec.learning.time
    shortest = min(quiet.values())
    if shortest < wanted - 1e-9:
        return GO_ON
    return f"converged: no replica passed gamma {spec.learning.gamma_select:g} for {shortest:g} ps"


def _may_label(spec: StudySpec, state: Learned, chosen: Record) -> str:
    allowed = spec.learning.budget.atoms
    if not chosen["selected"]:
        return "stuck: replicas left the liquid without extrapolating; look at their logs, lower temperatures"
    if allowed is not None and state.atoms + chosen["atoms"] > allowed:
        return f"budget used: {state.atoms} atoms are labelled, {chosen['atoms']} more would be above {allowed}"
    return GO_ON


def _budget_left(spec: StudySpec, state: Learned) -> str:
    learning = spec.learning
    if state.refits == learning.iterations:
        return f"budget used: iterations ({learning.iterations}); the last potential has not explored"
    hours = covered(state.spans) / 3600
    if learning.budget.hours is not None and hours >= learning.budget.hours:
        return f"budget used: {hours:.2f} h of {learning.budget.hours:g} h"
    return GO_ON


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Length of the union of intervals."""
    total, reached = 0.0, -inf
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def _fit_without_holes(
    spec: StudySpec, base: Foundation, name: str, labels: Mapping[str, Step], work: Work
) -> tuple[Step, Mapping[str, Step]]:
    """A fit that passes the gate, and the labels it was made from: more contact frames where it did not at once."""
    longest = max(replica.chain_length for replica in replicas(spec))
    holes: list[Record] = []
    for attempt in range(REPAIRS + 1):
        if attempt:
            number = 1 + sum(role.startswith("contacts") for role in labels)
            labels = {**labels, f"contacts-{number}": plan_contacts(spec, longest, base.melts[longest], number)}
        fit = plan_fit(spec, f"{name}-{attempt}" if attempt else name, base.training, labels)
        work.finish([fit])
        holes = work.read(fit, "fit.json")["holes"]
        if not holes:
            return fit, labels
    raise UnstableRunError(
        f"the potential of {name} has {len(holes)} holes behind low barriers (scan {holes[0]['name']}: "
        f"{holes[0]['barrier_eV']:.2f} eV), and {REPAIRS} times more contact frames did not close them; MD would fall "
        "in. Add contact or hot frames to training_data, or a stronger smoothness prior."
    )
