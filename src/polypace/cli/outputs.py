"""Files that a verb is going to write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from polypace.durable import write_text
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


def write_numbers(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file for people and programs: the order of the keys is kept, and what is NaN stays so."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
