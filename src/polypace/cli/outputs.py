"""Files that a verb is going to write."""

from __future__ import annotations

from pathlib import Path

from polypace.errors import InputError


def make_folders(*paths: Path | None) -> None:
    """Make the folders of files to come, before the work: a wrong name must not cost what took hours.

    Raises
    ------
    InputError
        where a path is a folder itself.
    """
    for path in paths:
        if path is None:
            continue
        if path.is_dir():
            raise InputError(f"{path} is a folder: give the name of a file to write")
        path.parent.mkdir(parents=True, exist_ok=True)
