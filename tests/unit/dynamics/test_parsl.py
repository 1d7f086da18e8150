"""The tasks of the dynamics on two workers of Parsl, as they would run on a cluster."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import polypace as pp
from polypace.analysis import msd_by_tasks


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Parsl's own threads and sockets
def test_two_parsl_workers(rng, tmp_path, monkeypatch):
    from parsl.concurrent import ParslPoolExecutor
    from parsl.config import Config
    from parsl.executors import HighThroughputExecutor
    from parsl.providers import LocalProvider

    # Parsl starts its programs by name.
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])
    positions = rng.normal(size=(200, 12, 3)).cumsum(axis=0)
    np.save(tmp_path / "positions.npy", positions)
    workers = HighThroughputExecutor(
        label="two_workers", max_workers_per_node=2, address="127.0.0.1", provider=LocalProvider(max_blocks=1)
    )
    config = Config(executors=[workers], run_dir=str(tmp_path / "parsl"), usage_tracking=0)
    with ParslPoolExecutor(config) as executor:
        result = msd_by_tasks(tmp_path / "positions.npy", 0.5, executor=executor, n_tasks=4)
        command = ["sh", "-c", "sleep 0.5; echo $PPID"]
        futures = [executor.submit(subprocess.check_output, command) for _ in range(6)]
        workers_seen = {int(future.result()) for future in futures}
    assert len(workers_seen) == 2  # while one worker waits, the other takes the next task
    assert os.getpid() not in workers_seen
    np.testing.assert_allclose(result.msd, pp.msd(positions, 0.5).msd, rtol=1e-10, atol=1e-10)
