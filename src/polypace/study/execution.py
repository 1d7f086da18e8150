"""Running a study's steps: Parsl keeps the order and the workers, a step is one Parsl task.

Threads on this machine by default; an `engine:` block of the study file or a user's own Parsl configuration brings
Slurm, PBS, Flux or Kubernetes (docs/howto/cluster.md).
"""

from __future__ import annotations

import contextlib
import logging
import runpy
import signal
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

from polypace.errors import InputError, PolypaceError
from polypace.study.step import Step, StepStore


class Observer(Protocol):
    """Is told what happens to steps (the progress table of the command line is one)."""

    def started(self, step: Step) -> None: ...
    def finished(self, step: Step, manifest: Mapping[str, Any], was_there: bool) -> None: ...
    def failed(self, step: Step, error: BaseException) -> None: ...


def topological_order(targets: Iterable[Step]) -> list[Step]:
    """Every step that the targets need, inputs before users, each id once."""
    ordered: dict[str, Step] = {}

    def visit(step: Step) -> None:
        if step.id in ordered:
            return
        for source in step.inputs.values():
            visit(source)
        ordered[step.id] = step

    for target in targets:
        visit(target)
    return list(ordered.values())


def execute(
    steps: Sequence[Step], store: StepStore, engine: Mapping[str, Any], observer: Observer
) -> dict[str, dict[str, Any]]:
    """Make every step once, independent ones side by side; return the manifests by step id.

    Raises
    ------
    The first error of a step. Steps that do not depend on the failed one are finished first: nothing is lost.
    """
    import parsl
    from parsl.dataflow.dflow import DataFlowKernel

    logging.getLogger("parsl").addHandler(logging.NullHandler())  # errors are ours to tell
    kernel = DataFlowKernel(parsl_config(engine, store.study))
    app = parsl.python_app(_make, data_flow_kernel=kernel)
    futures: dict[str, Future[tuple[dict[str, Any], bool]]] = {}
    local = _Local(observer) if _in_process(engine) else None
    try:
        for step in steps:
            sources = [futures[source.id] for source in step.inputs.values()]
            futures[step.id] = app(store, step, local, inputs=sources)
            futures[step.id].add_done_callback(_reporter(step, observer, local))
        return _collect(steps, futures)
    except KeyboardInterrupt:
        if local is not None:
            local.stop()
        raise
    finally:
        kernel.cleanup()


class _Local:
    """What tasks in threads of this process share with whoever runs them: news of starts, and the order to stop."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._stopping = threading.Event()

    def started(self, step: Step) -> None:
        if self._stopping.is_set():
            raise Interrupted(f"step {step.name} was not started")
        self._observer.started(step)

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def stop(self) -> None:
        """Start nothing more and end the programs that are running: waiting for them could take hours."""
        import psutil

        self._stopping.set()
        programs = psutil.Process().children(recursive=True)
        for program in programs:
            with contextlib.suppress(psutil.Error):
                program.terminate()
        for program in psutil.wait_procs(programs, timeout=5)[1]:
            with contextlib.suppress(psutil.Error):
                program.kill()


class Interrupted(PolypaceError, RuntimeError):
    """A step was not made because the run was interrupted."""


def _make(
    store: StepStore, step: Step, local: _Local | None, inputs: Sequence[Any] = ()
) -> tuple[dict[str, Any], bool]:
    # `inputs` only orders the tasks: what a step reads lies in its inputs' folders.
    was_there = store.folder(step).exists()
    if local is not None and not was_there:
        local.started(step)
    return store.make(step), was_there


def _reporter(step: Step, observer: Observer, local: _Local | None) -> Callable[[Future[Any]], None]:
    def report(future: Future[Any]) -> None:
        error = future.exception()
        if error is None:
            manifest, was_there = future.result()
            observer.finished(step, manifest, was_there)
        elif not _is_consequence(error) and not (local is not None and local.stopping):
            observer.failed(step, error)

    return report


def _is_consequence(error: BaseException) -> bool:
    from parsl.dataflow.errors import DependencyError

    return isinstance(error, DependencyError)


def _collect(steps: Sequence[Step], futures: Mapping[str, Future[Any]]) -> dict[str, dict[str, Any]]:
    manifests, first = {}, None
    for step in steps:
        error = futures[step.id].exception()  # waits
        if error is None:
            manifests[step.id] = futures[step.id].result()[0]
        elif first is None and not _is_consequence(error):
            first = _named(step, error)
    if first is not None:
        raise first
    return manifests


def _named(step: Step, error: BaseException) -> BaseException:
    if isinstance(error, OSError) and error.errno is not None:
        return PolypaceError(
            f"step {step.name}: {error.strerror} ({error.filename or 'while writing'}); free space or fix the "
            "permissions, then run the study again: finished steps are kept"
        )
    if isinstance(error, PolypaceError) and not str(error).startswith("step "):
        error.args = (f"step {step.name}: {error}",)
    return error


def _in_process(engine: Mapping[str, Any]) -> bool:
    return engine.get("kind", "threads") == "threads"


def parsl_config(engine: Mapping[str, Any], study: Path) -> Any:
    """Parsl's configuration of an `engine:` block.

    `kind: threads` (default) with `workers`; `kind: processes` with `workers`; `kind: slurm` with `partition`,
    `nodes`, `cores_per_task`, `walltime`, `worker_init`; `kind: parsl` with `file`, a Python file defining `config`.
    """
    from parsl.config import Config
    from parsl.executors import HighThroughputExecutor, ThreadPoolExecutor
    from parsl.providers import LocalProvider, SlurmProvider

    common: dict[str, Any] = {
        "run_dir": str(study / "parsl"),
        "initialize_logging": False,
        "usage_tracking": 0,
        "exit_mode": "skip",
    }
    kind = engine.get("kind", "threads")
    if kind == "threads":
        executor: Any = ThreadPoolExecutor(label="threads", max_threads=engine.get("workers", 1))
        return Config(executors=[executor], strategy="none", **common)
    if kind == "processes":
        executor = HighThroughputExecutor(
            label="processes",
            max_workers_per_node=engine.get("workers", 1),
            address="127.0.0.1",
            provider=LocalProvider(init_blocks=1, max_blocks=1),
        )
        return Config(executors=[executor], strategy="none", **common)
    if kind == "slurm":
        provider = SlurmProvider(
            partition=engine.get("partition"),
            account=engine.get("account"),
            nodes_per_block=engine.get("nodes", 1),
            walltime=engine.get("walltime", "01:00:00"),
            worker_init=engine.get("worker_init", ""),
            scheduler_options=engine.get("scheduler_options", ""),
            init_blocks=1,
            max_blocks=engine.get("max_blocks", 1),
        )
        executor = HighThroughputExecutor(
            label="slurm", provider=provider, max_workers_per_node=engine.get("workers", 1)
        )
        return Config(executors=[executor], **common)
    if kind == "parsl":
        config = runpy.run_path(str(engine["file"])).get("config")
        if not isinstance(config, Config):
            raise InputError(f"engine.file {engine['file']} must define `config`, a parsl.config.Config")
        return config
    raise InputError(f"engine.kind must be threads, processes, slurm or parsl, got {kind!r}")


def raise_on_sigterm() -> None:
    """Let SIGTERM unwind like Ctrl-C, so that child programs are ended and temporary folders removed."""

    def handler(signum: int, frame: Any) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)
