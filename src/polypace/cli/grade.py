"""`polypace grade`: extrapolation grades of trajectories; no labels are needed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import ase
    import numpy as np
    import numpy.typing as npt

    from polypace.ace import Potential
    from polypace.select import ActiveSet, GradeSummary

BATCH_ATOMS = 8192


def grade_command(
    trajectories: Annotated[list[Path], typer.Argument(help="Files that ASE reads, or LAMMPS dumps.")],
    potential: Annotated[Path, typer.Option("--potential", "-p", help="The potential, .yaml.")],
    active_set: Annotated[Path, typer.Option("--active-set", "-a", help="Its active set, .asi.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The summary as JSON.")] = None,
    threads: Annotated[int, typer.Option(help="0: all cores.")] = 0,
) -> None:
    """Print γ by species, by place along the chain and by chain length: above 1 the potential extrapolates."""
    from polypace.ace import Potential
    from polypace.select import ActiveSet, summarize_grades

    ace, active = Potential.read(potential), ActiveSet.read(active_set)
    active.kind(ace)
    frames, grades = [], []
    for path in trajectories:
        of_file, values = _grade_file(path, ace, active, threads)
        frames += of_file
        grades += values
    summaries = summarize_grades(frames, grades)
    print_summaries(summaries, len(frames))
    if output:
        plain = {key: {name: asdict(s) for name, s in group.items()} for key, group in summaries.items()}
        output.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def _grade_file(
    path: Path, ace: Potential, active: ActiveSet, threads: int
) -> tuple[list[ase.Atoms], list[npt.NDArray[np.float64]]]:
    from rich.progress import Progress

    from polypace.ace.labels import iterate_frames
    from polypace.select import extrapolation_grade

    frames: list[ase.Atoms] = []
    grades: list[npt.NDArray[np.float64]] = []
    with Progress(transient=True) as progress:
        task = progress.add_task(str(path), total=None)
        waiting: list[ase.Atoms] = []
        for atoms in iterate_frames(path):
            frames.append(atoms)
            waiting.append(atoms)
            if sum(map(len, waiting)) >= BATCH_ATOMS:
                grades += extrapolation_grade(waiting, ace, active, n_threads=threads)
                waiting = []
                progress.update(task, description=f"{path}: {len(grades)} frames")
        grades += extrapolation_grade(waiting, ace, active, n_threads=threads) if waiting else []
    return frames, grades


def print_summaries(summaries: dict[str, dict[str, GradeSummary]], n_frames: int) -> None:
    """The grades as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"extrapolation grade γ, {n_frames} frames")
    for heading in ("", "", "environments", "median", "99 %", "largest", "above 1"):
        table.add_column(heading, justify="right" if heading else "left")
    for key, group in summaries.items():
        for name, summary in group.items():
            numbers = (summary.median, summary.percentile_99, summary.largest)
            table.add_row(
                "" if key == "all" else key.replace("_", " "),
                name,
                str(summary.n),
                *(f"{number:.3g}" for number in numbers),
                f"{summary.share_above_one:.2%}",
            )
    Console().print(table)
