"""`polypace status FOLDER`, of a study or of a long run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def status_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a study, or of a run of polypace.lammps.run_long.")],
    verify: Annotated[bool, typer.Option("--verify", help="Also compare every file with its recorded hash.")] = False,
) -> None:
    """Show every step of a study: finished, failed or still to be made, and how long it took; or how far a run is."""
    from rich.console import Console
    from rich.table import Table

    from polypace.lammps.long_run_results import SEGMENTS
    from polypace.study.run import study_status

    if (folder / SEGMENTS).is_dir():
        _print_run(folder, verify)
        return
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


def _print_run(folder: Path, verify: bool) -> None:
    from polypace.lammps import read_long_run

    run = read_long_run(folder)
    if verify:
        run.verify()
    print(f"{run.status}: step {run.step} of {run.steps} is safe, LAMMPS got to {run.reached}")
    if run.segments:
        print(f"{len(run.segments)} segments, {run.atom_steps_per_second:.3g} atom-steps/s, about "
              f"{run.seconds_left / 3600:.1f} h left, last on {run.segments[-1].host}")  # fmt: skip
    if run.manifest["gamma"]:
        alarms, kept = run.alarms, sum(segment.kept_frames for segment in run.segments)
        last = f", the last at step {alarms[-1]}" if alarms else ""
        print(f"{len(alarms)} alarms{last}; {kept} frames kept")
    for text in dict.fromkeys(text for segment in run.segments for text in segment.warnings):
        print(text)
