"""Run a study: plan its steps, make those that are missing, collect the numbers, write the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polypace.errors import InputError
from polypace.report import write_report
from polypace.study.execution import Observer, execute, raise_on_sigterm, topological_order
from polypace.study.folder import keep_study_file, locked
from polypace.study.plan import StudyPlan, plan_study
from polypace.study.results import collect_results
from polypace.study.schema import read_study
from polypace.study.step import Step, StepStore, write_json


@dataclass(frozen=True)
class StudyOutcome:
    """What a finished study leaves: the numbers, and where they lie."""

    results: Mapping[str, Any]
    results_file: Path
    report: Path


@dataclass(frozen=True)
class StepState:
    """One line of `polypace status`."""

    name: str
    state: str
    wall_seconds: float | None
    folder: str


class _Silent:
    def planned(self, steps: Sequence[Step]) -> None: ...
    def started(self, step: Step) -> None: ...
    def finished(self, step: Step, manifest: Mapping[str, Any], was_there: bool) -> None: ...
    def failed(self, step: Step, error: BaseException) -> None: ...


def run_study(
    path: str | Path,
    folder: str | Path | None = None,
    *,
    workers: int | None = None,
    observe: Callable[[list[Step]], Observer] | None = None,
) -> StudyOutcome:
    """Run every step of the study file `path` that is not finished in `folder`.

    Parameters
    ----------
    path
        Study file (docs/reference/study.md).
    folder
        Where results go; default: the study file's name without its suffix.
    workers
        Steps that run side by side; overrides `engine.workers`. Never changes a result.
    observe
        Gets the steps in order and returns an observer of their progress.

    Raises
    ------
    PolypaceError
        naming the step and what to do; finished steps are kept and the next run goes on from them.
    """
    source = Path(path)
    spec = read_study(source)
    study = Path(folder) if folder is not None else source.with_suffix("")
    engine = spec.engine.model_dump(mode="json", exclude_none=True)
    if workers is not None:
        engine["workers"] = workers
    with locked(study):
        keep_study_file(source, study)
        plan = plan_study(spec)
        steps = topological_order(plan.targets)
        observer = observe(steps) if observe is not None else _Silent()
        raise_on_sigterm()
        manifests = execute(steps, StepStore(study, n_threads=engine["workers"]), engine, observer)
        return _write(plan, study, manifests)


def study_status(folder: str | Path, *, verify: bool = False) -> list[StepState]:
    """State of every step of the study in `folder`, in the order in which they are made."""
    study = Path(folder)
    store = StepStore(study)
    states = []
    for step in topological_order(_plan_of(study).targets):
        manifest = store.manifest(step) if not verify or store.verify(step) else None
        state = "finished" if manifest is not None else "to be made"
        if manifest is None and (study / "failed" / step.folder_name).is_dir():
            state = "failed"
        if manifest is None and any(store.root.glob(f".{step.folder_name}.*")):
            state = "running or interrupted"
        seconds = manifest["wall_seconds"] if manifest is not None else None
        states.append(StepState(step.name, state, seconds, f"steps/{step.folder_name}"))
    return states


def rewrite_report(folder: str | Path) -> StudyOutcome:
    """Write results.json and report.html anew from the finished steps."""
    study = Path(folder)
    plan = _plan_of(study)
    store = StepStore(study)
    manifests = {}
    for step in topological_order(plan.targets):
        manifest = store.manifest(step)
        if manifest is None:
            raise InputError(f"step {step.name} of {study} is not finished; run `polypace run {study / 'study.yaml'}`")
        manifests[step.id] = manifest
    return _write(plan, study, manifests)


def _plan_of(study: Path) -> StudyPlan:
    path = study / "study.yaml"
    if not path.is_file():
        raise InputError(f"{study} is not the folder of a study: it has no study.yaml; give the folder of a run")
    return plan_study(read_study(path))


def _write(plan: StudyPlan, study: Path, manifests: Mapping[str, Mapping[str, Any]]) -> StudyOutcome:
    results = collect_results(plan, study, manifests)
    results_file, report = study / "results.json", study / "report.html"
    # Through JSON once, so that the page shows what the file says.
    write_json(results_file, results)
    write_report(json.loads(results_file.read_text(encoding="utf-8")), report)
    return StudyOutcome(results, results_file, report)
