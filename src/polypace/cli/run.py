"""`polypace run STUDY.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run_command(
    study: Annotated[Path, typer.Argument(help="The study file (YAML).")],
    folder: Annotated[
        Path | None, typer.Option("--folder", "-d", help="Where results go; default: named after the study file.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Steps that run side by side.")] = None,
) -> None:
    """Run every step that is not finished yet, then print the comparison and write the report.

    A STUDY that is no file but bears the name of a template (transfer_ua.yaml, transfer_aa.yaml, transfer_xtb.yaml,
    learn_ua.yaml, demo.yaml) is written first.
    """
    from polypace.cli.progress import run_with_progress

    run_with_progress(study, folder if folder is not None else study.with_suffix(""), workers)
