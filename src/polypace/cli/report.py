"""`polypace report FOLDER`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report_command(folder: Annotated[Path, typer.Argument(help="Folder of a finished study.")]) -> None:
    """Write results.json and report.html of a study anew from its finished steps."""
    from polypace.cli.progress import print_summary, wide_console
    from polypace.study.run import rewrite_report

    outcome = rewrite_report(folder)
    console = wide_console()
    print_summary(outcome.results, console)
    if outcome.note:
        console.print(f"note:    {outcome.note}", highlight=False, soft_wrap=True, markup=False)
    console.print(f"report:  {outcome.report}", highlight=False, soft_wrap=True)
