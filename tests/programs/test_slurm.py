"""Studies on a real Slurm of one node: workers and blocks killed in the middle, MPI inside of steps, errors told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.helpers.small_study import results_without_times, write_small_study
from tests.programs.slurm_node import missing_programs, slurm_node

POLYPACE = Path(sys.executable).parent / "polypace"
SLURM = {"kind": "slurm", "workers": 2, "patience": 8, "address": "127.0.0.1", "partition": "main"}

pytestmark = [
    pytest.mark.program,
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(missing_programs()),
        reason=f"not installed: {', '.join(missing_programs())} (apt-get install slurm-wlm munge)",
    ),
]


@pytest.fixture(scope="module")
def slurm():
    with slurm_node(n_cpus=2) as environment:
        yield environment


class StudyRun:
    """`polypace run` in the background, and what of it can be killed."""

    def __init__(self, study: Path, environment: dict[str, str]) -> None:
        self._environment, self.study = environment, study
        self.folder = study.with_suffix("")
        self.process = subprocess.Popen(
            [POLYPACE, "run", study], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self) -> StudyRun:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def wait_for(self, condition: Callable[[], object], seconds: float = 300) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.process.communicate()[1]
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)

    def in_flight(self, kind: str) -> bool:
        return bool(list(self.folder.glob(f"steps/.{kind}-*")))

    def finished(self) -> dict[str, int]:
        return {path.parent.name: path.stat().st_mtime_ns for path in self.folder.glob("steps/[a-z]*/manifest.json")}

    def busy_workers(self) -> list[psutil.Process]:
        """Processes of the pool that run a LAMMPS."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.name() == "lmp" and str(self.folder) in process.cwd():
                    found.append(process.parent())
            except psutil.Error:
                continue
        return found

    def jobs(self) -> list[str]:
        squeue = ["squeue", "--noheader", "--states=RUNNING", "--format=%i"]
        return subprocess.run(squeue, env=self._environment, capture_output=True, text=True, check=True).stdout.split()

    def end(self) -> str:
        _, stderr = self.process.communicate(timeout=900)
        return stderr


def test_killed_workers_blocks_and_runs_end_in_the_results_of_threads(slurm, tmp_path):
    threads = write_small_study(tmp_path / "threads.yaml", {"kind": "threads", "workers": 2})
    done = subprocess.run([POLYPACE, "run", threads], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr

    with StudyRun(write_small_study(tmp_path / "slurm.yaml", SLURM), slurm) as run:
        run.wait_for(lambda: run.in_flight("melt") and run.busy_workers())
        run.busy_workers()[0].send_signal(signal.SIGKILL)
        run.wait_for(lambda: run.in_flight("fit"))
        (job,) = run.jobs()
        subprocess.run(["scancel", job], env=slurm, check=True)
        run.wait_for(lambda: run.in_flight("ace"))
        assert run.jobs() and run.jobs() != [job]
        kept = run.finished()

    with StudyRun(run.study, slurm) as again:
        assert again.end() == "" and again.process.returncode == 0
    assert kept and kept.items() <= again.finished().items()
    assert results_without_times(run.folder) == results_without_times(threads.with_suffix(""))


def test_mpi_inside_of_an_allocation(slurm, tmp_path):
    """A step's ranks are started by srun, inside of a batch job whose own task is the worker."""
    code = (
        "from polypace.cli.doctor import SHORT_RUN\nfrom polypace.lammps import find_lammps, run_lammps\n"
        f"run = run_lammps(SHORT_RUN, {str(tmp_path / 'run')!r}, find_lammps(), 2)\n"
        "print(run.command[:6], 'processor grid' in run.log.read_text())\n"
    )
    script = tmp_path / "job.sh"
    script.write_text(f'#!/bin/sh\n{sys.executable} -c "$CODE"\n')
    submitted = subprocess.run(
        ["sbatch", "--wait", "--exclusive", "--ntasks-per-node=1", f"--output={tmp_path}/job.out", script],
        env={**slurm, "CODE": code}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    said = (tmp_path / "job.out").read_text()
    assert submitted.returncode == 0, said
    assert "srun', '--mpi=pmi2', '--overlap', '-n', '2'" in said and "True" in said


def test_a_failing_step_reports_its_log(slurm, tmp_path):
    fake = tmp_path / "lmp"
    fake.write_text("#!/bin/sh\necho the very last words\nexit 3\n")
    fake.chmod(0o755)
    study = write_small_study(tmp_path / "fails.yaml", SLURM)
    with StudyRun(study, {**slurm, "POLYPACE_LAMMPS": str(fake)}) as run:
        stderr = run.end()
    assert run.process.returncode == 1
    assert "step melt/" in stderr and "the very last words" in stderr and "Traceback" not in stderr


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        ({"partition": "nowhere"}, "invalid partition"),
        ({"worker_init": "echo no such module >&2; exit 1"}, "no such module"),
    ],
    ids=["partition", "worker_init"],
)
def test_blocks_that_never_work_end_with_what_they_said(slurm, tmp_path, engine, message):
    with StudyRun(write_small_study(tmp_path / "blocks.yaml", SLURM | engine), slurm) as run:
        stderr = run.end()
    assert run.process.returncode == 1
    assert "blocks of workers failed" in stderr and message in stderr and "Traceback" not in stderr


def test_nothing_is_left_running(slurm):
    """After the tests above: no pool, no interchange."""
    mine = psutil.Process(os.getpid())
    end = time.monotonic() + 20
    while time.monotonic() < end:
        left = [p.info for p in psutil.process_iter(["name", "cmdline", "ppid"]) if _of_a_pool(p.info)]
        if not left:
            return
        time.sleep(0.5)
    raise AssertionError(f"{mine.pid}: {left}")


def _of_a_pool(info) -> bool:
    words = " ".join(info["cmdline"] or [])
    return "interchange.py" in words or ("process_worker_pool.py" in words and "polypace" in words)
