"""The folder of a study: one run at a time, the study file beside its results."""

from __future__ import annotations

import os
from pathlib import Path

from polypace.durable import locked

__all__ = ["keep_study_file", "locked"]


def keep_study_file(source: Path, study: Path) -> Path:
    """Copy the study file into the folder, so that `status` and `report` need nothing else."""
    kept = study / "study.yaml"
    text = source.read_bytes()
    if not kept.is_file() or kept.read_bytes() != text:
        temporary = study / f".study.yaml.{os.getpid()}"
        temporary.write_bytes(text)
        temporary.replace(kept)
    return kept
