"""The engine block: keys of each kind, what Parsl gets of them, workers that are lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml
from parsl.executors.high_throughput.errors import ManagerLost, WorkerLost
from pydantic import TypeAdapter, ValidationError

from polypace.errors import EngineError, InputError, MissingProgramError
from polypace.study import engine as engine_module
from polypace.study import execution
from polypace.study.engine import LOST_WORKERS, Engine, Processes, Threads, _cost_of_failure
from polypace.study.execution import execute
from polypace.study.schema import read_study
from polypace.study.step import Step, StepStore
from polypace.study.work import Silent
from tests.conftest import ROOT
from tests.helpers.small_study import results_without_times, write_small_study

# Parsl leaves sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
POLYPACE = Path(sys.executable).parent / "polypace"


def engine(**keys):
    return TypeAdapter(Engine).validate_python(keys)


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Programs of schedulers that say nothing, first in PATH."""
    for name in ("sbatch", "sacct", "squeue", "qsub"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")


def test_threads_are_the_default():
    assert engine() == Threads() and engine(workers=3).parsl_config(Path("x")).executors[0].max_threads == 3


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kind": "slurn"}, "'slurn'.*'threads', 'processes', 'slurm', 'pbs', 'flux', 'kubernetes', 'parsl'"),
        ({"kind": "threads", "partition": "normal"}, "threads.partition\n.*not permitted"),
        ({"kind": "slurm", "queue": "normal"}, "slurm.queue\n.*not permitted"),
        ({"kind": "pbs", "partition": "normal"}, "pbs.partition\n.*not permitted"),
        ({"kind": "slurm", "walltime": "12h"}, "slurm.walltime\n.*hours:minutes:seconds, as 12:00:00, got '12h'"),
        ({"kind": "processes", "max_blocks": 2}, "processes.max_blocks"),
        ({"kind": "kubernetes"}, "kubernetes.image\n.*required"),
        ({"kind": "parsl"}, "parsl.file\n.*required"),
        ({"workers": 0}, "workers\n.*greater than or equal to 1"),
    ],
)
def test_mistakes_are_named(keys, message):
    with pytest.raises(ValidationError, match=f"(?s){message}"):
        engine(**keys)


def test_mistakes_in_a_study_file_are_said_for_people(tmp_path):
    study = yaml.safe_load((ROOT / "src/polypace/study/templates/demo.yaml").read_text())
    for block, message in (
        ({"kind": "slurn"}, "engine.kind: must be one of 'threads', .*'parsl', got 'slurn'"),
        ("slurm", "engine: must be a mapping with the key kind, as {kind: …}, got 'slurm'"),
    ):
        (tmp_path / "study.yaml").write_text(yaml.safe_dump({**study, "engine": block}))
        with pytest.raises(InputError, match=message):
            read_study(tmp_path / "study.yaml")


def test_a_wall_time_without_quotes_is_what_yaml_makes_of_it():
    assert engine(kind="slurm", **yaml.safe_load("walltime: 12:30:05")).walltime == "12:30:05"


def test_a_failing_configuration_file_is_named(tmp_path):
    (tmp_path / "own.py").write_text("raise ValueError('no such site')\n")
    with pytest.raises(InputError, match=r"engine\.file .*own\.py fails: ValueError: no such site"):
        engine(kind="parsl", file=tmp_path / "own.py").parsl_config(tmp_path)


def test_what_slurm_and_pbs_are_asked_for(commands, tmp_path):
    common = {
        "workers": 3,
        "address": "127.0.0.1",
        "nodes": 2,
        "walltime": "02:30:00",
        "worker_init": "module load x",
        "max_blocks": 4,
    }
    slurm = engine(kind="slurm", partition="p", account="a", qos="q", memory_per_node=8, exclusive=False, **common)
    (executor,) = slurm.parsl_config(tmp_path).executors
    provider = executor.provider
    assert (provider.partition, provider.account, provider.qos, provider.mem_per_node) == ("p", "a", "q", 8)
    assert (provider.nodes_per_block, provider.walltime, provider.max_blocks) == (2, "02:30:00", 4)
    assert "--exclusive" not in provider.scheduler_options and executor.max_workers_per_node == 3
    first, second = provider.worker_init.splitlines()[:2]
    assert first.startswith(f"export PATH={Path(sys.executable).parent}") and second == "module load x"
    pbs = engine(kind="pbs", queue="long", cores_per_node=16, select_options="mem=8gb", **common)
    provider = pbs.parsl_config(tmp_path).executors[0].provider
    assert (provider.queue, provider.cpus_per_node, provider.select_options) == ("long", 16, "mem=8gb")


def test_missing_schedulers_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for kind, program in [("slurm", "sbatch"), ("pbs", "qsub"), ("flux", "flux")]:
        with pytest.raises(MissingProgramError, match=f"engine.kind: {kind} needs the program {program}"):
            engine(kind=kind).parsl_config(tmp_path)
    with pytest.raises(MissingProgramError, match="pip install kubernetes"):
        engine(kind="kubernetes", image="i", volumes={"claim": "/data"}).parsl_config(tmp_path)


def test_a_configuration_file_of_the_users_own(tmp_path):
    site = tmp_path / "site.py"
    with pytest.raises(InputError, match=r"site\.py does not exist"):
        engine(kind="parsl", file=site).parsl_config(tmp_path)
    site.write_text("config = 3\n")
    with pytest.raises(InputError, match="must define `config`"):
        engine(kind="parsl", file=site).parsl_config(tmp_path)
    site.write_text("from parsl.config import Config\nconfig = Config(retries=7)\n")
    assert engine(kind="parsl", file=site).parsl_config(tmp_path).retries == 7


def test_only_lost_workers_are_tried_again(tmp_path):
    store, step = StepStore(tmp_path), Step("long", kill_yourself, {})
    task = {"args": (store, step)}
    for error in (WorkerLost(1, "host"), ManagerLost(b"m", "host")):
        assert _cost_of_failure(error, task) * LOST_WORKERS <= LOST_WORKERS
    assert _cost_of_failure(InputError("x"), task) > LOST_WORKERS


def test_a_step_that_gets_further_may_outlive_any_number_of_workers(tmp_path):
    store, step = StepStore(tmp_path), Step("long", kill_yourself, {})
    task, lost = {"args": (store, step)}, ManagerLost(b"m", "host")
    for number in range(2 * LOST_WORKERS):
        (store.partial(step) / "nvt" / "segments" / f"{number:06d}").mkdir(parents=True)
        assert _cost_of_failure(lost, task) == 0
    assert _cost_of_failure(lost, task) == 1


def kill_yourself(context):
    """Ends its worker as the kernel does when memory runs out."""
    tries = context.study / "tries"
    tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_step_that_kills_its_workers_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # workers know what is installed, not these tests
    for module in (engine_module, execution):
        monkeypatch.setattr(module, "LOST_WORKERS", 1)  # Parsl looks after its workers every ten seconds
    step = Step("hungry/one", kill_yourself, {})
    with pytest.raises(EngineError, match=r"step hungry/one: its worker was lost 2 times.*memory"):
        execute([step], StepStore(tmp_path), Processes(kind="processes", workers=1, patience=4), Silent())
    assert (tmp_path / "tries").read_text() == "xx"


@pytest.mark.program
@pytest.mark.slow
def test_processes_make_what_threads_make(tmp_path):
    """Worker processes have nothing of this process; the interchange of Parsl ends with its study, also by kill -9."""
    folders = []
    for kind in ("threads", "processes"):
        study = write_small_study(tmp_path / f"{kind}.yaml", {"kind": kind, "workers": 2})
        done = subprocess.run([POLYPACE, "run", study], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        folders.append(study.with_suffix(""))
    assert results_without_times(folders[0]) == results_without_times(folders[1])
    study = write_small_study(tmp_path / "killed.yaml", {"kind": "processes", "workers": 2, "patience": 4})
    process = subprocess.Popen([POLYPACE, "run", study], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(tmp_path.glob("killed/steps/.melt-*")) and process.poll() is None:
        time.sleep(0.05)
    pool = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    psutil.wait_procs(pool, timeout=30)
    assert not [p for p in pool if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
