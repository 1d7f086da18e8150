"""Finished steps of a study as earlier versions of PolyPACE made them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from polypace.study.step import MANIFEST, Step, StepStore


class EarlierStore(StepStore):
    """Also finds steps that were made before their version was raised: same parameters and inputs, a lower version.

    Only for looking things up: a run makes such a step anew.
    """

    def __init__(self, study: Path) -> None:
        super().__init__(study)
        self._found: dict[str, Step] = {}

    @property
    def earlier(self) -> list[str]:
        """Names of the steps that were found in an earlier version only, or made from such steps."""
        return [made.name for asked, made in self._found.items() if made.id != asked]

    def folder(self, step: Step) -> Path:
        return self.root / self._as_made(step).folder_name

    def manifest(self, step: Step) -> dict[str, Any] | None:
        """That of the step as it was made; the first manifests did not say when a step began."""
        manifest = super().manifest(step)
        if manifest is not None and "began" not in manifest:
            ended = (self.folder(step) / MANIFEST).stat().st_mtime
            manifest["began"] = ended - manifest["wall_seconds"]
        return manifest

    def _as_made(self, step: Step) -> Step:
        if step.id not in self._found:
            inputs = {role: self._as_made(source) for role, source in step.inputs.items()}
            versions = (replace(step, inputs=inputs, version=version) for version in range(step.version, 0, -1))
            self._found[step.id] = next((made for made in versions if (self.root / made.folder_name).is_dir()), step)
        return self._found[step.id]
