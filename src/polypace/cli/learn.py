"""`polypace learn STUDY.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def learn_command(
    study: Annotated[Path, typer.Argument(help="The study file (YAML).")],
    folder: Annotated[
        Path | None, typer.Option("--folder", "-d", help="Where results go; default: named after the study file.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Steps that run side by side.")] = None,
) -> None:
    """Fit, explore, select, label and refit until nothing extrapolates; leaves potential.yaml, .yace and .asi.

    A STUDY that is no file but bears the name of a template (learn_ua.yaml) is written first.
    """
    from polypace.cli.progress import run_with_progress

    run_with_progress(study, folder if folder is not None else study.with_suffix(""), workers, only_learn=True)
