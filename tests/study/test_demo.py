"""The whole line on real parts at a reduced size: run, killed and resumed, found again, damaged, reported."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from polypace.lammps import read_log
from polypace.study import learning
from polypace.study.plan import plan_exploration
from polypace.study.run import rewrite_report
from polypace.study.work import Unfinished
from tests.helpers.studies import results_of

pytestmark = [pytest.mark.program, pytest.mark.slow]
POLYPACE = Path(sys.executable).parent / "polypace"


def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [POLYPACE, "demo", "--reduced", folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "study"
    result = demo(folder)
    assert result.returncode == 0, result.stderr
    assert "C12" in result.stdout and "report.html" in result.stdout
    return folder


def test_results_hold_what_a_reader_needs(finished):
    results = json.loads((finished / "results.json").read_text())
    assert set(results["chains"]) == {"C6", "C12"}
    for chain in results["chains"].values():
        assert 0 < chain["force_rmse_relative"] < 0.3
        assert chain["force_rmse_eV_per_A"] < chain["force_rms_eV_per_A"]
        assert chain["energy_rmse_meV_per_atom"] > 0
        for who in ("reference", "ace"):
            assert 0.3 < chain["density_g_per_cm3"][who]["mean"] < 0.9
        assert chain["lost_atoms"] == 0 and chain["ace_time_ps"] == pytest.approx(2.0)
        assert chain["gamma_max"] > 0
        assert len(chain["msd"]["lag_ps"]) == len(chain["msd"]["ace_g1_A2"])
        assert 0 <= chain["rdf"]["distance"] < 1
    assert results["training"]["labelled_frames"] >= 26
    assert {step["name"].split("/")[0] for step in results["steps"]} == {
        "melt", "reference", "training", "validation", "fit", "explore", "select", "label", "validate", "ace", "compare",
    }  # fmt: skip
    assert all(step["wall_seconds"] > 0 for step in results["steps"])


def test_the_report_stands_alone(finished):
    page = (finished / "report.html").read_text()
    assert page.count("<svg") >= 8
    for outside in ('src="http', 'href="http', "<script", "<img", "@import"):
        assert outside not in page


def test_a_second_run_finds_everything_and_changes_nothing(finished):
    before = (finished / "results.json").read_bytes()
    result = demo(finished)
    assert result.returncode == 0, result.stderr
    assert "done in" not in result.stdout and "found" in result.stdout
    assert (finished / "results.json").read_bytes() == before


def test_status_and_report_need_only_the_folder(finished):
    status = subprocess.run([POLYPACE, "status", finished, "--verify"], capture_output=True, text=True)
    assert status.returncode == 0 and "to be made" not in status.stdout
    before = (finished / "results.json").read_bytes()
    assert subprocess.run([POLYPACE, "report", finished], capture_output=True).returncode == 0
    assert (finished / "results.json").read_bytes() == before


def test_the_report_of_a_study_outlives_raised_versions_of_steps(finished, tmp_path, monkeypatch):
    folder = tmp_path / "study"
    shutil.copytree(finished, folder)
    before = json.loads((folder / "results.json").read_text())
    monkeypatch.setattr(learning, "plan_exploration", lambda *given: replace(plan_exploration(*given), version=1000))
    outcome = rewrite_report(folder)
    assert "earlier versions of PolyPACE: explore/round-1" in outcome.note
    assert json.loads((folder / "results.json").read_text()) == before
    assert "made by earlier versions" in (folder / "report.html").read_text()
    # Where not even those can be found, results.json stays, and the page is written from it.
    monkeypatch.setattr(
        learning, "plan_exploration", lambda *given: replace(plan_exploration(*given), params={"of": "today"})
    )
    outcome = rewrite_report(folder)
    assert outcome.note.startswith("results.json as it was")
    assert json.loads((folder / "results.json").read_text()) == before
    (folder / "results.json").unlink()
    with pytest.raises(Unfinished, match="explore/round-1"):
        rewrite_report(folder)


def test_segments_can_be_run_again_by_hand(finished, tmp_path):
    (folder,) = finished.glob("steps/ace-npt-C12-*")
    for name in ("potential.yaml", "potential.asi", "npt/start.data", "npt/in.0000.lammps"):
        shutil.copy(folder / name, tmp_path)
    by_hand = subprocess.run(
        [POLYPACE.with_name("lmp"), "-in", "in.0000.lammps"], cwd=tmp_path, capture_output=True, text=True
    )
    assert by_hand.returncode == 0, by_hand.stdout[-2000:]
    ours, theirs = (read_log(path)[-1] for path in (tmp_path / "log.lammps", folder / "npt" / "log.0000.lammps"))
    np.testing.assert_array_equal(ours["Density"], theirs["Density"])


def test_killed_in_each_kind_of_step_it_goes_on_to_the_same_results(finished, tmp_path):
    """kill -9 while a step of each kind is in flight; nothing finished is made again, and the numbers are the same."""
    folder = tmp_path / "study"
    kinds = ["melt", "reference", "training", "fit", "explore", "select", "label", "validate", "ace", "compare"]
    for kind in kinds:
        finished_before = {path.name for path in folder.glob("steps/[a-z]*")}
        process = subprocess.Popen(
            [POLYPACE, "demo", "--reduced", folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + 300
        while process.poll() is None and time.monotonic() < deadline:
            if list(folder.glob(f"steps/.{kind}-*")):
                break
            time.sleep(0.01)
        process.kill()
        process.wait()
        assert finished_before <= {path.name for path in folder.glob("steps/[a-z]*")}
    stamps = {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("steps/[a-z]*/manifest.json")}
    result = demo(folder)
    assert result.returncode == 0, result.stderr
    after = {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("steps/[a-z]*/manifest.json")}
    assert all(after[name] == stamp for name, stamp in stamps.items())
    assert results_of(folder) == results_of(finished)


def test_ctrl_c_says_how_to_go_on(tmp_path):
    process = subprocess.Popen(
        [POLYPACE, "demo", "--reduced", tmp_path / "study"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        # A test run in the background ignores SIGINT, and its children would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("study/steps/.melt-*/log.lammps")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on from what was finished" in stderr and "Traceback" not in stderr
