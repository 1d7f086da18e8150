"""Runs in segments: killed, stopped, hung, full disks, damaged files; the result is that of an undisturbed run."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import threading
import time

import numpy as np
import pytest

import polypace as pp
from polypace.cli.app import main
from polypace.errors import FileFormatError, InputError, InterruptedRunError, ProgramError, UnstableRunError
from polypace.lammps import GammaWatch, find_lammps, read_log, read_long_run, run_long
from tests.helpers.long_runs import (
    SEGMENT,
    fingerprint,
    go_on,
    kill_at_random,
    processes_in,
    protocol,
    wait_until,
    write_inputs,
)

pytestmark = pytest.mark.program
SHORT = 3 * SEGMENT


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An undisturbed run of `SHORT` steps."""
    return go_on(tmp_path_factory.mktemp("whole"), 1, SHORT)


def test_frames_rows_and_histograms_are_complete(whole):
    run = protocol(SHORT)
    assert (whole.status, whole.step, len(whole.segments)) == ("finished", SHORT, 3)
    frames = pp.open_trajectory(whole.trajectory)
    assert frames.steps.tolist() == run.dump.steps(0, SHORT).tolist() and not frames.notes
    np.testing.assert_allclose(frames.times, 0.0005 * frames.steps, rtol=1e-9)
    labels = pp.open_trajectory(whole.labels)
    assert labels.steps.tolist() == list(range(0, SHORT + 1, 50))
    assert whole.thermo["Step"].tolist() == list(range(0, SHORT + 1, 10))
    assert (whole.folder / "thermo.csv").read_text().count("\n") == SHORT // 10 + 2
    gamma = whole.gamma
    assert gamma.steps.tolist() == list(range(20, SHORT + 1, 20))
    assert (gamma.counts.sum(axis=1) == 2 * 64).all()
    assert (gamma.fraction_above(2.0) >= gamma.fraction_above(10.0)).all()


def test_kept_frames_and_alarms_follow_the_grades(whole):
    table = whole.thermo
    assert whole.alarms == table["Step"][table["v_gamma_max"] > 20].astype(int).tolist()
    kept = pp.open_trajectory(whole.extrapolating)
    assert kept.steps.tolist() == table["Step"][table["v_gamma_max"] > 5].astype(int).tolist()
    assert 0 < len(whole.alarms) < kept.n_frames < len(table["Step"])


def test_alarms_are_known_before_their_segment_ends(whole, tmp_path, capsys):
    """As a kill leaves it: the log of the segment that was being made is all there is of it."""
    run = tmp_path / "run"
    shutil.copytree(whole.folder, run)
    last = run / "segments" / whole.segments[-1].folder_name
    (last / "segment.json").unlink()
    last.rename(run / "segments" / "current")
    partial = read_long_run(run)
    assert len(partial.segments) == 2 and partial.alarms == whole.alarms
    assert partial.alarms[-1] > partial.step
    with pytest.raises(SystemExit):
        main(["status", str(run)])
    said = capsys.readouterr().out
    assert f"step {partial.step} of {SHORT} is safe, LAMMPS got to {SHORT}" in said
    assert f"{len(whole.alarms)} alarms, the last at step {whole.alarms[-1]}" in said


def test_the_manifest_says_what_ran(whole, tmp_path):
    manifest = json.loads((whole.folder / "manifest.json").read_text())
    assert manifest["seed"] == 17 and manifest["segment_steps"] == SEGMENT
    assert set(manifest["inputs"]) == {"start.data", "p.yaml", "p.asi"}
    assert all(len(entry["sha256"]) == 64 for entry in manifest["inputs"].values())
    assert whole.segments[0].lammps == find_lammps().version and whole.segments[0].polypace == pp.__version__
    whole.verify()


def test_the_seam_is_where_lammps_would_be(whole, tmp_path):
    """One process for all steps: the same up to the order in which LAMMPS sums after reading a restart file."""
    single = go_on(tmp_path, 1, SHORT, segment_steps=SHORT)
    assert single.thermo["Step"].tolist() == whole.thermo["Step"].tolist()
    before = single.thermo["Step"] <= SEGMENT
    for name in ("PotEng", "Temp", "v_gamma_max"):
        assert single.thermo[name][before].tolist() == whole.thermo[name][before].tolist()
        np.testing.assert_allclose(single.thermo[name], whole.thermo[name], rtol=1e-6)
    np.testing.assert_allclose(np.loadtxt(single.msd), np.loadtxt(whole.msd), rtol=1e-6)


def test_kills_at_random_times_change_nothing(whole, tmp_path):
    """bench/kill_and_resume.py is the long version."""
    kills = kill_at_random(tmp_path, 1, 4, np.random.default_rng(5), 0.6, SHORT)
    assert len(kills) >= 2
    assert fingerprint(read_long_run(tmp_path / "run")) == fingerprint(whole)


def rank_stopper(folder, number, after):
    """Send a signal to one rank of the second segment, once it runs."""

    def work():
        segments = folder / "run" / "segments"
        wait_until(lambda: (segments / f"{after:06d}").exists(), 120, 0.002)
        ranks = []
        while not ranks:
            ranks = [pid for pid, name in processes_in(segments / "current") if name == "lmp"]
        os.kill(ranks[-1], number)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_killed_rank_is_told_and_its_segment_made_again(tmp_path):
    """Few steps: two ranks on busy cores wait for each other. Now and then MPICH's proxy goes down with its rank."""
    options = {"segment_steps": 10, "n_ranks": 2, "steps": 20}
    whole = fingerprint(go_on(tmp_path / "whole", **options))
    killer = rank_stopper(tmp_path / "killed", signal.SIGKILL, 0)
    with pytest.raises(InterruptedRunError, match=r"(signal 9 \(SIGKILL\)|keeps the ranks): a lost node"):
        go_on(tmp_path / "killed", retries=0, **options)
    killer.join()
    current = tmp_path / "killed" / "run" / "segments" / "current"
    wait_until(lambda: not processes_in(current))
    assert read_long_run(tmp_path / "killed" / "run").step == 10
    killer = rank_stopper(tmp_path / "killed", signal.SIGKILL, 0)
    again = go_on(tmp_path / "killed", retries=1, **options)
    killer.join()
    assert fingerprint(again) == whole
    longer = go_on(tmp_path / "killed", **(options | {"steps": 40, "n_ranks": 1}))  # other ranks: the MSD goes on
    assert [segment.n_ranks for segment in longer.segments] == [2, 2, 1, 1]
    lags, origins = np.loadtxt(longer.msd)[:, [0, 4]].T
    assert origins[:7].tolist() == [8, 7, 6, 5, 4, 3, 2] and np.allclose(lags[:7], 0.0025 * np.arange(1, 8))


def test_a_hung_program_is_ended_and_its_segment_made_again(whole, tmp_path):
    stopper = rank_stopper(tmp_path, signal.SIGSTOP, 0)
    run = go_on(tmp_path, 1, SHORT, stall_timeout=2.0)
    stopper.join()
    assert fingerprint(run) == fingerprint(whole)


def test_a_time_limit_pauses_and_the_next_call_goes_on(whole, tmp_path, monkeypatch):
    monkeypatch.setattr("polypace.lammps.long_run.CAUTION", 1e9)  # no second segment fits
    paused = go_on(tmp_path, 1, SHORT, wall_time=300)
    assert (paused.status, paused.step) == ("paused", SEGMENT)
    with pytest.raises(InterruptedRunError, match=r"does not suffice for one segment of 100 steps; the last segment"):
        go_on(tmp_path, 1, SHORT, wall_time=300)
    monkeypatch.undo()
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(int(time.time()) + 5))
    with pytest.raises(InterruptedRunError, match="does not suffice"):
        go_on(tmp_path, 1, SHORT)
    monkeypatch.undo()
    assert fingerprint(go_on(tmp_path, 1, SHORT)) == fingerprint(whole)


def test_a_limit_in_the_first_segment_says_how_far_it_got(tmp_path):
    inputs = write_inputs(tmp_path)
    with pytest.raises(InterruptedRunError, match=r"got from step 0 to \d+: allow more time, or start anew"):
        run_long(protocol(10**7), tmp_path / "run", inputs, segment_steps=10**7, wall_time=2.0)


def test_a_run_is_prolonged(whole, tmp_path):
    go_on(tmp_path, 1, SEGMENT)
    assert read_long_run(tmp_path / "run").status == "finished"
    run = go_on(tmp_path, 1, SHORT)
    assert run.thermo["PotEng"].tolist() == whole.thermo["PotEng"].tolist()
    assert pp.open_trajectory(run.trajectory).steps.tolist() == pp.open_trajectory(whole.trajectory).steps.tolist()


def test_a_damaged_restart_file_costs_its_segment(whole, tmp_path):
    go_on(tmp_path, 1, 2 * SEGMENT)
    last = tmp_path / "run" / "segments" / "000001"
    content = (last / "end.restart").read_bytes()
    (last / "end.restart").write_bytes(content[:2000] + b"?" + content[2001:])
    run = go_on(tmp_path, 1, SHORT)
    assert run.thermo["PotEng"].tolist() == whole.thermo["PotEng"].tolist()
    assert list((tmp_path / "run" / "damaged").iterdir())
    (run.folders[0] / "melt.dump").unlink()
    with pytest.raises(FileFormatError, match=r"melt\.dump is missing"):
        run.verify()


def test_another_run_in_the_folder_is_refused(whole, tmp_path):
    folder = whole.folder.parent
    with pytest.raises(InputError, match="holds another run: segment_steps differ"):
        go_on(folder, 1, SHORT, segment_steps=50)
    inputs = write_inputs(tmp_path)
    (tmp_path / "p.yaml").write_text((tmp_path / "p.yaml").read_text() + "\n")
    with pytest.raises(InputError, match="holds another run: inputs differ"):
        run_long(protocol(SHORT), whole.folder, inputs, segment_steps=SEGMENT)
    with pytest.raises(InputError, match=r"reads start\.data, which is not among the inputs"):
        run_long(protocol(SHORT), tmp_path / "new", inputs[1:])
    elsewhere = [line.replace("start.data", "there/start.data") for line in protocol(SHORT).interactions]
    with pytest.raises(
        InputError, match=r"reads there/start\.data, .*; write read_data start\.data: inputs are copied"
    ):
        run_long(dataclasses.replace(protocol(SHORT), interactions=elsewhere), tmp_path / "new", inputs)
    with pytest.raises(InputError, match=r"manifest\.json is missing"):
        read_long_run(tmp_path)


def test_a_full_disk_is_told(tmp_path):
    """LAMMPS itself takes no notice; /dev/full gives the system's error at every write."""
    inputs = write_inputs(tmp_path)
    full = protocol(SHORT, extra=["shell rm -f melt.dump", "shell ln -s /dev/full melt.dump"])
    with pytest.raises(ProgramError, match="the disk is full"):
        run_long(full, tmp_path / "run", inputs, segment_steps=SEGMENT)
    assert read_long_run(tmp_path / "run").step == 0


def test_a_small_file_system_fills_up(tmp_path):
    """As root, a real one; what was finished stays, and with more space the same call ends well."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    try:
        with pytest.raises(ProgramError, match="the disk is full"):
            go_on(disk, 1, SHORT)
        safe = read_long_run(disk / "run")
        assert safe.step < SHORT
        safe.verify()
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        assert go_on(disk, 1, SHORT).status == "finished"
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def test_grades_end_the_run(tmp_path):
    inputs = write_inputs(tmp_path)
    watched = protocol(SHORT, gamma=GammaWatch(10, halt=12.0))
    run = run_long(watched, tmp_path / "run", inputs, segment_steps=SEGMENT)
    table = read_log(run.folders[-1] / "log.lammps")[-1]
    assert run.status == "halted" and 0 < run.step < SHORT
    assert table["v_gamma_max"][-1] > 12 and table["Step"][-1] == run.step
    again = run_long(watched, tmp_path / "run", inputs, segment_steps=SEGMENT)
    assert (again.status, again.step) == ("halted", run.step)


def test_enough_kept_frames_end_the_run(tmp_path, caplog):
    inputs = write_inputs(tmp_path)
    watched = protocol(SHORT, gamma=GammaWatch(10, select=5.0, alarm=8.0, enough=8))
    with caplog.at_level("WARNING"):
        run = run_long(watched, tmp_path / "run", inputs, segment_steps=SEGMENT)
    assert f"at step {run.alarms[0]}, alarm at 8" in caplog.text
    counts = [segment.kept_frames for segment in run.segments]
    assert run.status == "halted" and sum(counts) >= 8 > sum(counts[:-1]) and run.step < SHORT
    assert pp.open_trajectory(run.extrapolating).n_frames == sum(counts)


def test_lost_atoms_are_not_tried_again(tmp_path):
    inputs = write_inputs(tmp_path)
    with pytest.raises(UnstableRunError):
        run_long(protocol(SHORT, timestep=0.1, relax_steps=0), tmp_path / "run", inputs, segment_steps=SEGMENT)


def test_what_a_killed_launcher_left_is_ended(whole, tmp_path):
    """A LAMMPS at work in the segment's folder, as it may stay when only its launcher is killed."""
    go_on(tmp_path, 1, SEGMENT)
    current = tmp_path / "run" / "segments" / "current"
    current.mkdir()
    (current / "in.endless").write_text("region b block 0 1 0 1 0 1\ncreate_box 1 b\nmass 1 1\nrun 1000000000\n")
    program = find_lammps()
    left = subprocess.Popen(
        [*program.command, "-in", "in.endless"], cwd=current, env=program.full_environment(), stdout=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: "lmp" in [name for _, name in processes_in(current)])
        assert go_on(tmp_path, 1, SHORT).thermo["PotEng"].tolist() == whole.thermo["PotEng"].tolist()
        assert left.poll() is not None
    finally:
        left.kill()
