"""`polypace status FOLDER`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def status_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a study.")],
    verify: Annotated[bool, typer.Option("--verify", help="Also compare every file with its recorded hash.")] = False,
) -> None:
    """Show every step of a study: finished, failed or still to be made, and how long it took."""
    from rich.console import Console
    from rich.table import Table

    from polypace.study.run import study_status

    table = Table(box=None, pad_edge=False)
    for heading in ("step", "state", "wall time", "folder"):
        table.add_column(heading)
    states = study_status(folder, verify=verify)
    for entry in states:
        seconds = "" if entry.wall_seconds is None else f"{entry.wall_seconds:.1f} s"
        table.add_row(entry.name, entry.state, seconds, entry.folder)
    console = Console()
    console.print(table)
    n_done = sum(entry.state == "finished" for entry in states)
    console.print(f"{n_done} of {len(states)} steps finished", highlight=False)
