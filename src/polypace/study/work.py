"""Where the steps of a study are made, or looked up: what plans and decides does not know which."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from polypace.errors import PolypaceError
from polypace.study.execution import Execution, Observer, topological_order
from polypace.study.step import Step, StepStore, write_json


class LearningObserver(Observer, Protocol):
    """Is also told what learning decided."""

    def decided(self, record: Mapping[str, Any]) -> None: ...


class Silent:
    """Observer that says nothing."""

    def planned(self, steps: Sequence[Step]) -> None: ...
    def started(self, step: Step) -> None: ...
    def finished(self, step: Step, manifest: Mapping[str, Any], was_there: bool) -> None: ...
    def failed(self, step: Step, error: BaseException) -> None: ...
    def decided(self, record: Mapping[str, Any]) -> None: ...


class Unfinished(PolypaceError, LookupError):
    """A study's folder does not hold a step yet."""


class Work:
    """Finished steps of a study and their results; this base only looks them up.

    steps : every step that was asked for so far, inputs before users
    """

    def __init__(self, store: StepStore) -> None:
        self.store = store
        self.steps: dict[str, Step] = {}

    def submit(self, targets: Iterable[Step]) -> None:
        """Steps that will be needed later."""
        self.steps |= {step.id: step for step in topological_order(targets) if step.id not in self.steps}

    def finish(self, targets: Iterable[Step]) -> None:
        """After this call the targets' results can be read.

        Raises
        ------
        Unfinished
            naming the first step that is missing.
        """
        wanted = topological_order(targets)
        self.submit(wanted)
        for step in wanted:
            if self.store.manifest(step) is None:
                raise Unfinished(
                    f"step {step.name} of {self.store.study} is not finished; "
                    f"run `polypace run {self.store.study / 'study.yaml'} -d {self.store.study}`"
                )

    def read(self, step: Step, name: str) -> Any:
        """Content of a JSON file of a finished step."""
        return json.loads((self.store.folder(step) / name).read_text(encoding="utf-8"))

    def seconds(self, step: Step) -> float:
        """Wall time of a finished step, as its manifest says."""
        manifest = self.store.manifest(step)
        assert manifest is not None
        return float(manifest["wall_seconds"])

    def span(self, step: Step) -> tuple[float, float]:
        """When a finished step began and ended, in seconds since 1970, as its manifest says."""
        manifest = self.store.manifest(step)
        assert manifest is not None
        return manifest["began"], manifest["began"] + manifest["wall_seconds"]

    def decided(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Learning came to a decision, the last of `records`."""


class LiveWork(Work):
    """Steps are made; every decision is written to `learning.json` as it falls."""

    def __init__(self, execution: Execution, observer: LearningObserver) -> None:
        super().__init__(execution.store)
        self._execution, self._observer = execution, observer

    def submit(self, targets: Iterable[Step]) -> None:
        wanted = list(targets)
        super().submit(wanted)
        self._execution.submit(wanted)

    def finish(self, targets: Iterable[Step]) -> None:
        wanted = list(targets)
        self.submit(wanted)
        self._execution.finish(wanted)

    def decided(self, records: Sequence[Mapping[str, Any]]) -> None:
        write_json(self.store.study / "learning.json", list(records))
        self._observer.decided(records[-1])
