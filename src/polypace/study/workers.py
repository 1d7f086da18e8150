"""Parsl's worker pools as studies need them: found without an activated environment, watched, ended with their study."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from parsl.executors import HighThroughputExecutor
from parsl.executors.high_throughput.executor import DEFAULT_LAUNCH_CMD
from parsl.executors.status_handling import BlockProviderExecutor
from parsl.jobs.states import JobState, JobStatus
from parsl.providers.base import ExecutionProvider

from polypace.errors import EngineError
from polypace.lammps.processes import dies_with_parent

LOST_BLOCKS = 3  # blocks in a row that failed or never reported back


class WorkerPool(HighThroughputExecutor):
    """Asks the scheduler for its blocks as often as it listens for signs of life."""

    @property
    def status_polling_interval(self) -> int:
        return max(1, min(60, int(self.heartbeat_threshold) // 4))


def worker_pool(
    label: str, provider: ExecutionProvider, workers: int, patience: int, address: str | None
) -> HighThroughputExecutor:
    """A pool of `workers` processes a block that gives up what was silent for `patience` seconds."""
    programs = Path(sys.executable).parent
    interchange = programs / "interchange.py"
    return WorkerPool(
        label=label,
        provider=provider,
        max_workers_per_node=workers,
        cores_per_worker=1e-6,  # their number is `workers`, whatever the node has
        address=address,
        heartbeat_period=max(1, patience // 4),
        heartbeat_threshold=patience,
        launch_cmd=DEFAULT_LAUNCH_CMD,
        # Without its study it would keep the blocks busy until their wall time is over.
        interchange_launch_cmd=[*dies_with_parent(), str(interchange if interchange.exists() else interchange.name)],
        block_error_handler=_give_up_on_blocks,
    )


def _give_up_on_blocks(executor: BlockProviderExecutor, status: Mapping[str, JobStatus]) -> None:
    """End a study whose last blocks all failed: asking for the next would go on for ever."""
    latest = [status[block] for block in sorted(status, key=int)][-LOST_BLOCKS:]
    if len(latest) < LOST_BLOCKS or any(block.state not in (JobState.FAILED, JobState.MISSING) for block in latest):
        return
    last = latest[-1]
    said = [text.strip() for text in (last.message, last.stderr_summary, last.stdout_summary) if text and text.strip()]
    executor.set_bad_state_and_fail_all(
        EngineError(
            f"the last {LOST_BLOCKS} blocks of workers failed or never reported back; check partition, account, "
            "walltime and worker_init of the engine block, and that the nodes reach this machine (engine.address). "
            "The last block said:\n" + ("\n".join(said) or "nothing")
        )
    )
