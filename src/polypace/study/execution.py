"""Running a study's steps: Parsl keeps the order and the workers, a step is one Parsl task.

Threads on this machine by default; an `engine:` block of the study file or a user's own Parsl configuration brings
Slurm, PBS, Flux or Kubernetes (docs/howto/cluster.md). Workers elsewhere get a step and the study's folder, nothing of
this process.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any, Protocol

from polypace.errors import EngineError, PolypaceError
from polypace.study.engine import LOST_WORKERS
from polypace.study.step import Step, StepStore

if TYPE_CHECKING:
    from polypace.study.engine import Engine


class Observer(Protocol):
    """Is told what happens to steps (the progress table of the command line is one)."""

    def planned(self, steps: Sequence[Step]) -> None: ...
    def started(self, step: Step) -> None: ...
    def finished(self, step: Step, manifest: Mapping[str, Any], was_there: bool) -> None: ...
    def failed(self, step: Step, error: BaseException) -> None: ...


def topological_order(targets: Iterable[Step]) -> list[Step]:
    """Every step that the targets need, inputs before users, each id once."""
    ordered: dict[str, Step] = {}
    waiting = list(targets)[::-1]
    while waiting:  # no recursion: a loop of learning rounds is a chain of thousands of steps
        step = waiting[-1]
        missing = [source for source in step.inputs.values() if source.id not in ordered]
        if step.id not in ordered and missing:
            waiting += missing[::-1]
        else:
            ordered.setdefault(step.id, waiting.pop())
    return list(ordered.values())


def execute(steps: Sequence[Step], store: StepStore, engine: Engine, observer: Observer) -> dict[str, dict[str, Any]]:
    """Make every step once, independent ones side by side; return the manifests by step id.

    Raises
    ------
    The first error of a step. Steps that do not depend on the failed one are finished first: nothing is lost.
    """
    with Execution(store, engine, observer) as execution:
        return execution.finish(steps)


class Execution:
    """Steps on their way: submitted at any time, waited for when their results are needed.

    What is submitted first is started first, so that long runs which nothing waits for yet fill the workers that the
    steps of a loop leave idle. Use as a context; leaving it waits for every step that was submitted.
    """

    def __init__(self, store: StepStore, engine: Engine, observer: Observer) -> None:
        self.store = store
        self._engine, self._observer = engine, observer
        self._steps: dict[str, Step] = {}
        self._futures: dict[str, Future[tuple[dict[str, Any], bool]]] = {}
        self._local = _Local(observer) if engine.in_process else None

    def __enter__(self) -> Execution:
        import parsl
        from parsl.dataflow.dflow import DataFlowKernel

        logging.getLogger("parsl").addHandler(logging.NullHandler())  # errors are ours to tell
        self._kernel = DataFlowKernel(self._engine.parsl_config(self.store.study.resolve()))
        self._app = parsl.python_app(_make, data_flow_kernel=self._kernel)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        try:
            for future in self._futures.values() if not interrupted else ():
                future.exception()  # waits: what can be finished is finished, also after an error elsewhere
        except KeyboardInterrupt:
            interrupted = True
            raise
        finally:
            if interrupted and self._local is not None:
                self._local.stop()
                # Steps whose programs were ended fail now, and those behind them with them; before the workers go.
                wait(self._futures.values(), timeout=10)
            self._kernel.cleanup()

    def submit(self, targets: Iterable[Step]) -> None:
        """Let the targets and what they need be made; steps that were submitted before are not submitted again."""
        new = [step for step in topological_order(targets) if step.id not in self._futures]
        self._observer.planned(new)
        for step in new:
            sources = [self._futures[source.id] for source in step.inputs.values()]
            self._steps[step.id] = step
            self._futures[step.id] = self._app(self.store, step, self._local, inputs=sources)
            self._futures[step.id].add_done_callback(_reporter(step, self._observer, self._local))

    def finish(self, targets: Iterable[Step]) -> dict[str, dict[str, Any]]:
        """Submit, wait, and return the manifests of the targets and of what they needed, by step id.

        Raises
        ------
        The first error of a step, when everything that does not depend on it is finished.
        """
        steps = topological_order(targets)
        self.submit(steps)
        return _collect(steps, self._futures)


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

    return bool(isinstance(error, DependencyError))


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
    from parsl.executors.errors import BadStateException
    from parsl.executors.high_throughput.errors import ManagerLost, WorkerLost

    if isinstance(error, BadStateException):
        return EngineError(f"step {step.name}: {error.reason}")
    if isinstance(error, WorkerLost | ManagerLost):
        return EngineError(
            f"step {step.name}: its worker was lost {LOST_WORKERS + 1} times, last on {error.hostname}; was it longer than "
            "the engine's walltime, or out of memory? Finished steps are kept: run the study again after a correction"
        )
    if isinstance(error, OSError) and error.errno is not None:
        return PolypaceError(
            f"step {step.name}: {error.strerror} ({error.filename or 'while writing'}); free space or fix the "
            "permissions, then run the study again: finished steps are kept"
        )
    if isinstance(error, PolypaceError) and not str(error).startswith("step "):
        error.args = (f"step {step.name}: {error}",)
    return error


def raise_on_sigterm() -> None:
    """Let SIGTERM unwind like Ctrl-C, so that child programs are ended and temporary folders removed."""

    def handler(signum: int, frame: Any) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)
