"""Run a study: learn, run the final potential, collect the numbers, write the report."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polypace.errors import InputError
from polypace.reference import quantum_calculator, quantum_method
from polypace.report import write_report, write_transfer
from polypace.study.earlier import EarlierStore
from polypace.study.execution import Execution, raise_on_sigterm
from polypace.study.folder import keep_study_file, locked
from polypace.study.learning import Learned, learn
from polypace.study.plan import Foundation, Production, plan_foundation, plan_production, plan_validation
from polypace.study.results import collect_results, collect_without_potential
from polypace.study.schema import StudySpec, read_study
from polypace.study.step import Step, StepStore, write_json
from polypace.study.transfer import collect_grid, plan_grid
from polypace.study.work import LearningObserver, LiveWork, Silent, Unfinished, Work

POTENTIAL_FILES = ("potential.yaml", "potential.yace", "potential.asi")


@dataclass(frozen=True)
class StudyOutcome:
    """What a finished study leaves: the numbers, and where they lie.

    note : what a reader must know of the numbers; empty for a study that was just run
    """

    results: Mapping[str, Any]
    results_file: Path
    report: Path
    note: str = ""


@dataclass(frozen=True)
class StepState:
    """One line of `polypace status`."""

    name: str
    state: str
    wall_seconds: float | None
    folder: str


def run_study(
    path: str | Path,
    folder: str | Path | None = None,
    *,
    workers: int | None = None,
    only_learn: bool = False,
    observer: LearningObserver | None = None,
) -> StudyOutcome:
    """Make every step of the study file `path` that is not finished in `folder`.

    Parameters
    ----------
    path
        Study file (docs/reference/study.md).
    folder
        Where results go; default: the study file's name without its suffix.
    workers
        Steps that run side by side; overrides `engine.workers`. Never changes a result.
    only_learn
        Stop at the learned potential, before the runs with it.
    observer
        Is told of steps and decisions as they come.

    Raises
    ------
    PolypaceError
        naming the step and what to do; finished steps are kept and the next run goes on from them.
    """
    source = Path(path)
    spec = read_study(source)
    if only_learn and spec.learning.iterations == 0:
        raise InputError(f"study file {source}: learning.iterations is 0, so there is nothing to learn; raise it")
    study = Path(folder) if folder is not None else source.with_suffix("")
    engine = spec.engine if workers is None else spec.engine.model_copy(update={"workers": workers})
    if engine.in_process and spec.reference.labels != "force-field":
        # Missing extras are told now and not after the melts; workers elsewhere have packages of their own.
        quantum_calculator(quantum_method(spec.reference.labels, **spec.reference.label_settings))
    observer = observer if observer is not None else Silent()
    with locked(study):
        keep_study_file(source, study)
        raise_on_sigterm()
        with Execution(StepStore(study, n_threads=engine.workers), engine, observer) as execution:
            followed = follow(spec, LiveWork(execution, observer), only_learn)
        return _write(followed, study)


@dataclass(frozen=True)
class Followed:
    """A study, followed to its end: what was planned, learned and run."""

    spec: StudySpec
    base: Foundation
    learned: Learned | None
    production: Production | None
    grid: Sequence[Step]
    work: Work


def follow(spec: StudySpec, work: Work, only_learn: bool) -> Followed:
    """Plan, make (or look up) and decide, from the melts to the comparisons."""
    base = plan_foundation(spec)
    if spec.transfer is not None and spec.transfer.only:
        grid = plan_grid(spec, base)
        work.finish(grid)
        return Followed(spec, base, None, None, grid, work)
    # In the order in which results are waited for: the workers take what was submitted first.
    work.submit([*base.training.values(), *base.validation.values()])
    if not only_learn:
        work.submit(base.references.values())
    learned = learn(spec, base, work)
    last = plan_validation(spec, learned.fit, base.validation)
    if only_learn:
        work.finish([last])
        return Followed(spec, base, learned, None, (), work)
    production = plan_production(spec, base.references, learned.fit)
    grid = plan_grid(spec, base, learned.labels)
    work.finish([*production.comparisons.values(), last, *grid])
    return Followed(spec, base, learned, production, grid, work)


def study_status(folder: str | Path, *, verify: bool = False) -> list[StepState]:
    """State of every step of the study in `folder` that is known so far, in the order in which they are made.

    What a learning round needs is known once the round before is finished.
    """
    study = Path(folder)
    store = StepStore(study)
    work = Work(store)
    with contextlib.suppress(Unfinished):
        follow(_spec_of(study), work, only_learn=False)
    return [_state(step, store, verify) for step in work.steps.values()]


def _state(step: Step, store: StepStore, verify: bool) -> StepState:
    manifest = store.manifest(step) if not verify or store.verify(step) else None
    state = "finished" if manifest is not None else "to be made"
    if manifest is None and (store.study / "failed" / step.folder_name).is_dir():
        state = "failed"
    if manifest is None and any(store.root.glob(f".{step.folder_name}.*")):
        state = "running or interrupted"
    seconds = manifest["wall_seconds"] if manifest is not None else None
    return StepState(step.name, state, seconds, f"steps/{step.folder_name}")


def rewrite_report(folder: str | Path) -> StudyOutcome:
    """Write results.json and the report anew from the finished steps: of the whole study, or of its learning.

    Steps of earlier versions of PolyPACE count, and the report says so. Where even those cannot be put together, the
    pages are written from the results.json that is there.

    Raises
    ------
    Unfinished
        where there is neither.
    """
    study = Path(folder)
    spec = _spec_of(study)
    store = EarlierStore(study)
    before = _results_of(study)
    for only_learn in (False, True):
        try:
            followed = follow(spec, Work(store), only_learn)
            if not (only_learn and _was_complete(before, followed)):
                return _write(followed, study, _note_on(store.earlier, study))
        except Unfinished:
            if only_learn and before is None:
                raise
        except (KeyError, FileNotFoundError):
            if not store.earlier:  # files of an earlier version may lack what this one reads
                raise
    if before is None:
        raise Unfinished(f"the steps of {study} are of an earlier version that cannot be read; {_run_again(study)}")
    try:
        return _write_pages(
            before, study, f"results.json as it was: {study}/steps does not give it; {_run_again(study)}"
        )
    except KeyError:
        raise Unfinished(
            f"results.json of {study} is of an earlier version; it and its pages stay as they are; {_run_again(study)}"
        ) from None


def _results_of(study: Path) -> dict[str, Any] | None:
    path = study / "results.json"
    if not path.is_file():
        return None
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return results


def _was_complete(before: Mapping[str, Any] | None, followed: Followed) -> bool:
    """Whether results.json has the runs with this very potential, so that its learning alone would be less."""
    learned = followed.learned
    if before is None or learned is None or not before["chains"]:
        return False
    fit = followed.work.store.folder(learned.fit).name
    return any(step["folder"] == f"steps/{fit}" for step in before["steps"])


def _note_on(earlier: Sequence[str], study: Path) -> str:
    if not earlier:
        return ""
    names = ", ".join(earlier[:4]) + (f" and {len(earlier) - 4} more" if len(earlier) > 4 else "")
    return f"made by earlier versions of PolyPACE: {names}; {_run_again(study)}"


def _run_again(study: Path) -> str:
    return f"`polypace run {study / 'study.yaml'} -d {study}` makes them anew"


def _spec_of(study: Path) -> StudySpec:
    path = study / "study.yaml"
    if not path.is_file():
        what = "is not the folder of a study: it has no study.yaml" if study.is_dir() else "does not exist"
        raise InputError(f"{study} {what}; give the folder of a study or of a long run")
    return read_study(path)


def _write(followed: Followed, study: Path, note: str = "") -> StudyOutcome:
    spec, learned, work = followed.spec, followed.learned, followed.work
    if learned is None:
        results = collect_without_potential(spec, work)
    else:
        for name in POTENTIAL_FILES:
            _replace(work.store.folder(learned.fit) / name, study / name)
        results = collect_results(spec, followed.base, learned, followed.production, work)
    if followed.grid:
        results["transfer"] = collect_grid(spec, followed.grid, followed.production, work)
    write_json(study / "results.json", results)
    # Through JSON once, so that the pages show what the file says.
    return _write_pages(json.loads((study / "results.json").read_text(encoding="utf-8")), study, note)


def _write_pages(results: Mapping[str, Any], study: Path, note: str) -> StudyOutcome:
    report = study / "report.html"
    if "transfer" in results:
        transfer_page = write_transfer(results, study, note)
        report = report if "potential" in results else transfer_page
    if "potential" in results:
        write_report(results, report, note)
    return StudyOutcome(results, study / "results.json", report, note)


def _replace(source: Path, target: Path) -> None:
    """Copy so that a reader of `target` sees the old file or the new one."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, temporary)
    temporary.replace(target)
