"""Running LAMMPS: files left, failures told, nothing left running."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from polypace.errors import MissingProgramError, ProgramError, UnstableRunError
from polypace.lammps import LammpsProgram, find_lammps, run_lammps
from polypace.lammps.processes import dies_with_parent
from tests.helpers.long_runs import processes_in, wait_until

pytestmark = pytest.mark.program

GAS = """units metal
region box block 0 12 0 12 0 12
create_box 1 box
create_atoms 1 random 60 1234 box overlap 2.5
mass * 14
pair_style lj/cut 8
pair_coeff 1 1 0.0085 3.75
velocity all create 300 1
fix 1 all nve
"""


def test_serial_and_two_ranks(tmp_path):
    program = find_lammps()
    one = run_lammps(GAS + "run 20\n", tmp_path / "one", program)
    two = run_lammps(GAS + "run 20\n", tmp_path / "two", program, n_ranks=2)
    assert one.thermo[0]["Step"].tolist() == [0, 20]
    assert two.command[1:3] == ("-n", "2") and "2 by" in two.log.read_text().replace("1 by 1 by 2", "2 by")
    assert one.thermo[0]["TotEng"][0] == pytest.approx(two.thermo[0]["TotEng"][0], rel=1e-6)
    assert two.script.read_text().startswith("# by hand, in this folder: mpirun -n 2 lmp")


def test_a_wrong_command_is_reported_with_its_line(tmp_path):
    with pytest.raises(ProgramError, match="at the command 'pair_style nonsense': ERROR: Unrecognized pair"):
        run_lammps(GAS + "pair_style nonsense\n", tmp_path)


def test_lost_atoms(tmp_path):
    script = "boundary f f f\n" + GAS + "timestep 1\nrun 100\n"
    with pytest.raises(UnstableRunError, match="Lost atoms: original 60 current"):
        run_lammps(script, tmp_path)


def test_time_limit_ends_every_rank(tmp_path):
    with pytest.raises(ProgramError, match=r"did not end within 1\.5 s"):
        run_lammps(GAS + "run 100000000\n", tmp_path, n_ranks=2, timeout=1.5)
    assert not processes_in(tmp_path)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_lammps_outlives_its_caller(tmp_path, how):
    if how == signal.SIGKILL and not dies_with_parent():
        pytest.skip("needs setpriv of util-linux")
    code = f"from polypace.lammps import run_lammps; run_lammps({GAS + 'run 100000000'!r}, {str(tmp_path)!r})"
    # A test run in the background ignores SIGINT, and its children would inherit that.
    caller = subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_until(lambda: "lmp" in [name for _, name in processes_in(tmp_path)])
    caller.send_signal(how)
    assert caller.wait(20) != 0
    wait_until(lambda: not processes_in(tmp_path))


def test_a_hung_run_is_told_from_a_slow_one(tmp_path):
    slow = GAS + "thermo 1\nshell sleep 0.7\nshell sleep 0.7\nrun 1\n"
    run_lammps(slow, tmp_path / "slow", stall_timeout=1.5)
    with pytest.raises(ProgramError, match="no file changed for 1 s, longer than the time"):
        run_lammps(GAS + "shell sleep 60\n", tmp_path / "hung", stall_timeout=1.0)


def test_a_log_that_breaks_off_is_an_error(tmp_path):
    silent = tmp_path / "lmp"
    silent.write_text("#!/bin/sh\necho LAMMPS\n")
    silent.chmod(0o755)
    program = LammpsProgram((str(silent),), "test", "1 Jan 2020", 20200101, frozenset(), frozenset(), "")
    with pytest.raises(ProgramError, match="its log is not whole"):
        run_lammps(GAS, tmp_path, program)


def test_a_launcher_of_another_mpi_is_noticed(tmp_path, monkeypatch):
    """It starts copies that know nothing of each other."""
    mpirun = tmp_path / "mpirun"
    mpirun.write_text('#!/bin/sh\nshift 2\n"$@"\n')
    mpirun.chmod(0o755)
    monkeypatch.setattr("polypace.lammps.launcher.wheel_mpirun", lambda: str(mpirun))
    with pytest.raises(ProgramError, match="started copies of LAMMPS instead of 2 ranks"):
        run_lammps(GAS + "run 1\n", tmp_path, n_ranks=2)


def test_missing_program(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYPACE_LAMMPS", str(tmp_path / "none"))
    with pytest.raises(MissingProgramError, match="none -h cannot be started"):
        run_lammps(GAS, tmp_path)
