"""A study's step that was killed in the middle of its MD goes on there, to the results of an undisturbed one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from polypace.durable import file_hash
from polypace.study.step import Step, StepStore
from polypace.study.tasks import common, running
from polypace.systems import build_melt, write_lammps_data
from tests.conftest import ROOT
from tests.helpers.long_runs import processes_in, wait_until

pytestmark = pytest.mark.program
PARAMS = {
    "force_field": "trappe-ua",
    "cutoff": [6.0, 7.0],
    "tail": [4.6, 6.0],
    "lammps": {"executable": None, "ranks": 1},
    "temperature": 350.0,
    "pressure": 1.0,
    "timestep": 0.001,
    "npt": 0.6,
    "nvt": 1.8,
    "sample_every": 0.05,
    "label_every": 0.3,
    "seed": 3,
}


def make_melt(context):
    melt = build_melt(5, 27, 0.55, "trappe-ua", 2)
    write_lammps_data(melt, context.folder / "melt.data", common.reference_force_field(PARAMS))


def make(study: Path) -> Path:
    """The reference step, in segments of 300 steps; its folder."""
    common.SHORTEST_SEGMENT = 300
    melt = Step("melt/C5", make_melt, {})
    reference = Step("reference/C5", running.run_reference, PARAMS, {"melt": melt})
    store = StepStore(study)
    store.make(melt)
    store.make(reference)
    return store.folder(reference)


def results(folder: Path) -> dict[str, object]:
    """What does not hold times of day."""
    kept = ["nvt/nvt.dump", "nvt/labels.dump", "nvt/thermo.csv", "npt/thermo.csv", "density.json", "test.extxyz"]
    return {name: file_hash(folder / name) for name in kept}


def test_a_killed_step_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "SHORTEST_SEGMENT", 300)
    whole = make(tmp_path / "whole")
    assert len(json.loads((whole / "nvt" / "manifest.json").read_text())["inputs"]) == 1
    labelled = common.read_frames(whole / "test.extxyz")
    assert [atoms.info["step"] for atoms in labelled] == list(range(0, 1801, 300))

    study = tmp_path / "killed"
    command = [sys.executable, "-m", "tests.programs.test_step_goes_on", str(study)]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    segments = study / "partial"
    wait_until(lambda: len(list(segments.glob("*/nvt/segments/00000[12]"))) == 2, 120)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (current,) = segments.glob("*/nvt/segments")
    wait_until(lambda: not processes_in(current / "current"))
    safe = {path.name: path.stat().st_ino for path in current.glob("0*")}
    assert len(safe) >= 3 and not list((study / "steps").glob("reference*"))
    assert run_and_watch(study, current, safe)
    assert not list(segments.iterdir())
    folder = next((study / "steps").glob("reference*"))
    assert results(folder) == results(whole)


def run_and_watch(study: Path, segments: Path, safe: dict[str, int]) -> bool:
    """Go on, and tell whether the safe segments stayed the same folders until the step was finished."""
    process = subprocess.Popen([sys.executable, "-m", "tests.programs.test_step_goes_on", str(study)], cwd=ROOT)
    kept = True
    while process.poll() is None:
        for name, inode in safe.items():
            path = segments / name
            try:
                kept &= path.stat().st_ino == inode
            except FileNotFoundError:
                pass  # the step is finished, its partial results are gone
        time.sleep(0.01)
    assert process.returncode == 0
    return kept


if __name__ == "__main__":
    make(Path(sys.argv[1]))
