"""Why a run failed, from exit codes and from the words of launchers."""

from __future__ import annotations

import shutil

import pytest

from polypace.errors import InterruptedRunError, ProgramError, UnstableRunError
from polypace.lammps.failure import HUNG, INCOMPLETE, TIMED_OUT, failure

MPICH = "=   EXIT CODE: 9\nYOUR APPLICATION TERMINATED WITH THE EXIT STRING: Killed (signal 9)\n"
OPEN_MPI = "mpirun noticed that process rank 1 with PID 0 on node n17 exited on signal 9 (Killed).\n"
SLURM = "srun: error: n17: task 3: Killed\n"
NODE = "slurmstepd: error: *** STEP 17.0 ON n17 CANCELLED AT 2026-11-25T10:00:00 DUE TO NODE FAILURE ***\n"
PROXY = "[mpiexec@n17] control_cb (/mpich/pm/hydra/mpiexec/pmiserv_cb.c:280): assert (!closed) failed\n"
DAEMON = "ORTE has lost communication with a remote daemon.\n"
CRASH = "YOUR APPLICATION TERMINATED WITH THE EXIT STRING: Segmentation fault (signal 11)\n"


@pytest.mark.parametrize(
    ("code", "text", "kind", "words"),
    [
        (-9, "", InterruptedRunError, r"signal 9 \(SIGKILL\): a lost node"),
        (9, MPICH, InterruptedRunError, "SIGKILL"),
        (137, OPEN_MPI, InterruptedRunError, "SIGKILL"),
        (137, SLURM, InterruptedRunError, "SIGKILL"),
        (1, NODE, InterruptedRunError, "SIGKILL"),
        (255, PROXY, InterruptedRunError, "launcher lost its process that keeps the ranks: a lost node"),
        (1, DAEMON, InterruptedRunError, "a lost node; run again"),
        (11, CRASH, ProgramError, r"crashed with signal 11 \(SIGSEGV\)"),
        (TIMED_OUT, "", InterruptedRunError, "did not end within 7 s"),
        (HUNG, "", InterruptedRunError, "no file changed for 7 s"),
        (INCOMPLETE, "", ProgramError, "was the disk full"),
        (1, "ERROR: Lost atoms: original 60 current 59\n" + MPICH, UnstableRunError, "Lost atoms"),
        (1, "ERROR: Cannot open dump file: No space left on device\n", ProgramError, "the disk is full"),
        (1, "ERROR: Unrecognized pair style 'x'\nLast input line: pair_style x\n", ProgramError, "'pair_style x'"),
        (1, "Kokkos::abort: Requested too much scratch memory on level 0.", ProgramError, "a smaller neighbor skin"),
        (3, "", ProgramError, "exit code 3 without an ERROR line"),
    ],
)
def test_causes_are_told_apart(tmp_path, code, text, kind, words):
    error = failure(tmp_path, ("lmp",), code, text, 7.0)
    assert type(error) is kind
    with pytest.raises(kind, match=words):
        raise error


def test_a_disk_without_space_is_the_cause(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(1, 1, 0))
    with pytest.raises(ProgramError, match="the disk is full"):
        raise failure(tmp_path, ("lmp",), 1, "")
