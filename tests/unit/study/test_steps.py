"""Steps are made once, found again, noticed when damaged, and survive being killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from polypace.errors import DamagedStepError, InputError, PolypaceError
from polypace.study.earlier import EarlierStore
from polypace.study.engine import Threads
from polypace.study.execution import execute, topological_order
from polypace.study.folder import locked
from polypace.study.run import study_status
from polypace.study.step import Step, StepStore


def write_number(context):
    (context.folder / "number.txt").write_text(str(context.params["number"]))
    with (context.study / "made.log").open("a") as log:
        log.write(f"{context.params['number']}\n")


def add_inputs(context):
    total = sum(int((folder / "number.txt").read_text()) for folder in context.inputs.values())
    (context.folder / "number.txt").write_text(str(total))


def fail(context):
    raise PolypaceError("the reactor is cold; light it")


def number(value: int) -> Step:
    return Step(f"number/{value}", write_number, {"number": value})


class Recorder:
    def __init__(self):
        self.events = []

    def planned(self, steps): ...

    def started(self, step):
        self.events.append(("started", step.name))

    def finished(self, step, manifest, was_there):
        self.events.append(("found" if was_there else "made", step.name))

    def failed(self, step, error):
        self.events.append(("failed", step.name))


def run(steps, study, workers=2):
    recorder = Recorder()
    manifests = execute(steps, StepStore(study), Threads(workers=workers), recorder)
    return manifests, recorder.events


def test_identity_is_the_hash_of_parameters_inputs_and_version():
    one, two = number(1), number(2)
    assert one.id == number(1).id != two.id
    total = Step("sum", add_inputs, {}, {"a": one, "b": two})
    assert total.id != Step("sum", add_inputs, {}, {"a": two, "b": one}).id
    assert total.id != Step("sum", add_inputs, {}, {"a": one, "b": two}, version=2).id
    with pytest.raises(InputError, match="finite JSON"):
        _ = Step("bad", write_number, {"number": float("nan")}).id


def test_a_graph_is_made_once_in_order_and_found_again(tmp_path):
    one, two = number(1), number(2)
    total = Step("sum", add_inputs, {}, {"a": one, "b": two})
    steps = topological_order([total])
    assert [step.name for step in steps] == ["number/1", "number/2", "sum"]
    manifests, events = run(steps, tmp_path)
    assert (StepStore(tmp_path).folder(total) / "number.txt").read_text() == "3"
    assert manifests[total.id]["inputs"] == {"a": one.folder_name, "b": two.folder_name}
    assert ("made", "sum") in events
    _, again = run(steps, tmp_path)
    assert sorted(again) == [("found", "number/1"), ("found", "number/2"), ("found", "sum")]
    assert (tmp_path / "made.log").read_text().count("\n") == 2


def test_a_chain_of_steps_may_be_long():
    step = number(1)
    for k in range(2000):
        step = Step(f"sum/{k}", add_inputs, {}, {"a": step})
        assert step.id
    ordered = topological_order([step])
    assert len(ordered) == 2001 and ordered[0].name == "number/1" and ordered[-1] is step


def test_a_changed_file_is_noticed_set_aside_and_made_anew(tmp_path):
    step = number(7)
    run([step], tmp_path)
    store = StepStore(tmp_path)
    (store.folder(step) / "number.txt").write_text("8")
    with pytest.raises(DamagedStepError, match=r"number\.txt has changed.*moved to"):
        run([step], tmp_path)
    assert (tmp_path / "damaged" / step.folder_name / "number.txt").read_text() == "8"
    run([step], tmp_path)
    assert (store.folder(step) / "number.txt").read_text() == "7"


@pytest.mark.parametrize("what", ["manifest gone", "manifest cut", "file gone"])
def test_a_damaged_folder_is_noticed(tmp_path, what):
    step = number(3)
    run([step], tmp_path)
    folder = StepStore(tmp_path).folder(step)
    if what == "manifest gone":
        (folder / "manifest.json").unlink()
    elif what == "manifest cut":
        text = (folder / "manifest.json").read_text()
        (folder / "manifest.json").write_text(text[: len(text) // 2])
    else:
        (folder / "number.txt").unlink()
    with pytest.raises(DamagedStepError, match="run the study again"):
        run([step], tmp_path)
    run([step], tmp_path)


def test_a_failed_step_names_itself_and_loses_nothing(tmp_path):
    bad = Step("reactor", fail, {})
    after = Step("after", add_inputs, {}, {"bad": bad})
    good = number(5)
    with pytest.raises(PolypaceError, match="step reactor: the reactor is cold; light it"):
        run([bad, after, good], tmp_path)
    assert StepStore(tmp_path).verify(good)
    assert not StepStore(tmp_path).folder(after).exists()
    assert not list((tmp_path / "steps").glob(".*"))


def count_up(context):
    """Three attempts are needed; each goes on with what the one before kept."""
    context.partial.mkdir(parents=True, exist_ok=True)
    done = sorted(context.partial.iterdir())
    (context.partial / str(len(done))).touch()
    if len(done) < context.params["attempts"] - 1:
        raise PolypaceError("not yet")
    (context.folder / "count.txt").write_text(str(len(done) + 1))


def test_what_a_step_keeps_for_later_survives_failures_and_goes_with_its_end(tmp_path):
    store = StepStore(tmp_path)
    step, other = (Step("count", count_up, {"attempts": n}) for n in (3, 4))
    for _ in range(2):
        with pytest.raises(PolypaceError, match="not yet"):
            store.make(step)
    with pytest.raises(PolypaceError, match="not yet"):
        store.make(other)
    assert len(list(store.partial(step).iterdir())) == 2 and len(list(store.partial(other).iterdir())) == 1
    store.make(step)
    assert (store.folder(step) / "count.txt").read_text() == "3"
    assert not store.partial(step).exists() and store.partial(other).exists()
    store.partial(step).mkdir()  # as a kill just after the step's end leaves it
    store.make(step)
    assert not store.partial(step).exists()


def test_two_runs_of_one_study_do_not_mix(tmp_path):
    with locked(tmp_path):
        code = f"import pathlib, polypace.study.folder as f\nwith f.locked(pathlib.Path({str(tmp_path)!r})): pass"
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode != 0 and f"process {os.getpid()}" in result.stderr
    with locked(tmp_path):
        pass


def test_kill_9_in_the_middle_leaves_nothing_half_made(tmp_path):
    """The killed step is made from its start by the next run, and its leftovers are gone."""
    (tmp_path / "slow.py").write_text(
        textwrap.dedent(
            """
            import sys, time
            from pathlib import Path
            from polypace.study.step import Step, StepStore

            def slow(context):
                (context.folder / "half.txt").write_text("half")
                if len(sys.argv) > 1:
                    time.sleep(60)
                (context.folder / "whole.txt").write_text("whole")

            StepStore(Path(__file__).parent).make(Step("slow", slow, {}))
            """
        )
    )
    process = subprocess.Popen([sys.executable, str(tmp_path / "slow.py"), "wait"])
    deadline = time.monotonic() + 30
    while not list((tmp_path / "steps").glob(".slow-*/half.txt")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list((tmp_path / "steps").glob(".slow-*/half.txt")) and not list((tmp_path / "steps").glob("slow-*"))
    subprocess.run([sys.executable, str(tmp_path / "slow.py")], check=True)
    (folder,) = (tmp_path / "steps").iterdir()
    assert folder.name.startswith("slow-")
    assert set(json.loads((folder / "manifest.json").read_text())["files"]) == {"half.txt", "whole.txt"}


def test_steps_of_earlier_versions_are_found_with_what_was_made_from_them(tmp_path):
    def graph(version: int, last: int = 1) -> tuple[Step, Step]:
        source = Step("number/2", write_number, {"number": 2}, version=version)
        return source, Step("sum/2", add_inputs, {}, {"a": source, "b": number(3)}, version=last)

    _, total = graph(1)
    run([total], tmp_path)
    source, newer = graph(3, last=2)
    assert StepStore(tmp_path).manifest(newer) is None
    store = EarlierStore(tmp_path)
    assert store.manifest(newer)["version"] == 1
    assert (store.folder(newer) / "number.txt").read_text() == "5"
    assert sorted(store.earlier) == ["number/2", "sum/2"], "number/3 is of this version"
    run([source], tmp_path)
    assert EarlierStore(tmp_path).folder(source) == StepStore(tmp_path).folder(source), "the newest there is"
    other = Step("number/2", write_number, {"number": 7}, version=3)
    assert EarlierStore(tmp_path).manifest(other) is None, "other parameters are another step"


def test_status_of_a_folder_that_is_none(tmp_path):
    with pytest.raises(InputError, match="nowhere does not exist; give the folder"):
        study_status(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"is not the folder of a study: it has no study\.yaml"):
        study_status(tmp_path)
