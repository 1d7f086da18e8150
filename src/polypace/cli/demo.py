"""`polypace demo`: the shipped study."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer


def demo_command(
    folder: Annotated[Path, typer.Argument(help="Where results go.")] = Path("demo"),
    reduced: Annotated[bool, typer.Option("--reduced", help="A smaller study, minutes instead of ten.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Steps that run side by side.")] = None,
) -> None:
    """Train an ACE on short alkane melts, run it in LAMMPS on longer ones, compare with the reference."""
    from polypace.cli.progress import run_with_progress

    name = "demo_reduced.yaml" if reduced else "demo.yaml"
    with as_file(files("polypace.study") / "templates" / name) as study:
        run_with_progress(study, folder, workers)
