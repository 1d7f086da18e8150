"""A step: frozen parameters + ids of its inputs → a folder named by their hash, made once.

The identity of a computation is the hash of what determines it (the idea of signac's state points): same inputs, same
folder. Work happens under a temporary name; the manifest with the hash of every file is written last and the folder
renamed, so a folder that exists is finished. A changed or damaged file is noticed, not trusted.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from polypace import __version__
from polypace.durable import file_hash, write_json
from polypace.errors import DamagedStepError, InputError

__all__ = ["MANIFEST", "Step", "StepContext", "StepStore", "canonical_json", "write_json"]

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Step:
    """One node of a study.

    Parameters
    ----------
    name
        Readable name, `kind/what` (for example `reference/C16`).
    function
        `function(context)` writes its results into `context.folder`. Not part of the identity; `version` is.
    params
        Everything that determines the result, as JSON values.
    inputs
        Steps whose folders the function reads, by role.
    version
        Raised by hand when the function's results change meaning.
    """

    name: str
    function: Callable[[StepContext], None]
    params: Mapping[str, Any]
    inputs: Mapping[str, Step] = field(default_factory=dict)
    version: int = 1

    @cached_property
    def id(self) -> str:
        identity = {
            "name": self.name,
            "version": self.version,
            "params": self.params,
            "inputs": {role: step.id for role, step in self.inputs.items()},
        }
        return hashlib.sha256(canonical_json(identity).encode()).hexdigest()[:12]

    @property
    def folder_name(self) -> str:
        return f"{self.name.replace('/', '-')}-{self.id}"


@dataclass(frozen=True)
class StepContext:
    """What a step's function gets: where to write, its parameters, and where its inputs lie.

    `partial` need not exist; what a function keeps there survives kills and failures until the step is finished, so
    that a long run can go on.
    """

    folder: Path
    partial: Path
    params: Mapping[str, Any]
    inputs: Mapping[str, Path]
    study: Path
    n_threads: int


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces; numbers as Python prints them, so equal values give equal text."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"a step's parameters must be finite JSON values: {error}") from None


class StepStore:
    """The folders of a study's steps."""

    def __init__(self, study: Path, n_threads: int = 1) -> None:
        self.study = study
        self.root = study / "steps"
        self.n_threads = n_threads

    def folder(self, step: Step) -> Path:
        return self.root / step.folder_name

    def partial(self, step: Step) -> Path:
        """Where an unfinished step keeps what a later attempt can go on with."""
        return self.study / "partial" / step.folder_name

    def progress(self, step: Step) -> int:
        """How many pieces of an unfinished step are safe: grows from attempt to attempt while one gets further."""
        return sum(1 for _ in self.partial(step).glob("*/segments/[0-9]*"))

    def manifest(self, step: Step) -> dict[str, Any] | None:
        """Return the manifest of a finished step, None where it has not been made yet."""
        path = self.folder(step) / MANIFEST
        if not path.is_file():
            return None
        try:
            manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, UnicodeDecodeError) as error:
            raise self._set_aside(step, f"{path} cannot be read ({error})") from None
        return manifest

    def verify(self, step: Step) -> bool:
        """True for a finished and undamaged step, False for one to be made.

        Raises
        ------
        DamagedStepError
            when a file is missing or differs from the manifest; the folder is set aside, so that the next run
            makes the step again and everything that is whole stays.
        """
        folder = self.folder(step)
        if not folder.exists():
            return False
        manifest = self.manifest(step)
        if manifest is None:
            raise self._set_aside(step, f"{folder} has no {MANIFEST}")
        for name, expected in manifest.get("files", {}).items():
            path = folder / name
            if not path.is_file():
                raise self._set_aside(step, f"{path} is missing")
            if path.stat().st_size != expected["bytes"] or file_hash(path) != expected["sha256"]:
                raise self._set_aside(step, f"{path} has changed since the step was finished")
        return True

    def make(self, step: Step) -> dict[str, Any]:
        """Return the step's manifest, making the step first where it is not there yet."""
        if self.verify(step):
            manifest = self.manifest(step)
            assert manifest is not None
            shutil.rmtree(self.partial(step), ignore_errors=True)  # left by a kill after the rename below
            return manifest
        self.root.mkdir(parents=True, exist_ok=True)
        for stale in self.root.glob(f".{step.folder_name}.*"):
            shutil.rmtree(stale, ignore_errors=True)
        work = self.root / f".{step.folder_name}.{os.getpid()}"
        work.mkdir()
        start, began = time.perf_counter(), time.time()
        try:
            inputs = {role: self.folder(source) for role, source in step.inputs.items()}
            step.function(StepContext(work, self.partial(step), step.params, inputs, self.study, self.n_threads))
            manifest = self._describe(step, work, began, time.perf_counter() - start)
            write_json(work / MANIFEST, manifest)
            work.rename(self.folder(step))
            shutil.rmtree(self.partial(step), ignore_errors=True)
        except BaseException:
            self._keep_failure(step, work)
            raise
        return manifest

    def _describe(self, step: Step, work: Path, began: float, seconds: float) -> dict[str, Any]:
        paths = sorted(path for path in work.rglob("*") if path.is_file())
        return {
            "name": step.name,
            "id": step.id,
            "version": step.version,
            "params": step.params,
            "inputs": {role: source.folder_name for role, source in step.inputs.items()},
            "files": {
                path.relative_to(work).as_posix(): {"bytes": path.stat().st_size, "sha256": file_hash(path)}
                for path in paths
            },
            "polypace": __version__,
            "began": round(began, 3),
            "wall_seconds": round(seconds, 3),
        }

    def _keep_failure(self, step: Step, work: Path) -> None:
        """Keep what a failed step left (scripts, logs) where the message can point to, without the step's name."""
        failed = self.study / "failed" / step.folder_name
        shutil.rmtree(failed, ignore_errors=True)
        failed.parent.mkdir(parents=True, exist_ok=True)
        try:
            work.rename(failed)
        except OSError:
            shutil.rmtree(work, ignore_errors=True)

    def _set_aside(self, step: Step, what: str) -> DamagedStepError:
        place = self.study / "damaged" / step.folder_name
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        self.folder(step).rename(place)
        return DamagedStepError(
            f"step {step.name}: {what}. The folder was moved to {place}; run the study again to make this step anew."
        )
