"""The folder of a study: one run at a time, the study file beside its results."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polypace.errors import InputError


@contextmanager
def locked(study: Path) -> Iterator[None]:
    """Hold the study's lock; the system releases it even after `kill -9`.

    Raises
    ------
    InputError
        when another process is running the same study.
    """
    study.mkdir(parents=True, exist_ok=True)
    path = study / ".lock"
    with path.open("a+", encoding="ascii") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.seek(0)
            owner = stream.read().strip() or "unknown"
            raise InputError(
                f"{study} is being run by process {owner}; wait for it or stop it, or give another folder"
            ) from None
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def keep_study_file(source: Path, study: Path) -> Path:
    """Copy the study file into the folder, so that `status` and `report` need nothing else."""
    kept = study / "study.yaml"
    text = source.read_bytes()
    if not kept.is_file() or kept.read_bytes() != text:
        temporary = study / f".study.yaml.{os.getpid()}"
        temporary.write_bytes(text)
        temporary.replace(kept)
    return kept
