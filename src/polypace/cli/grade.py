"""`polypace grade`: extrapolation grades of trajectories; no labels are needed."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polypace.cli.frame_files import FrameFiles
from polypace.cli.outputs import make_folders
from polypace.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from polypace.ace import Potential
    from polypace.select import ActiveSet, GradeMap, GradeSummary, WorstEnvironment

COLUMNS = ("source", "frame", "atom", "gamma", "species", "type", "place", "chain_length")


def grade_command(
    trajectories: Annotated[
        list[Path], typer.Argument(help="Files that ASE reads, LAMMPS dumps or data files; of any length.")
    ],
    potential: Annotated[Path | None, typer.Option("--potential", "-p", help="The potential, .yaml.")] = None,
    active_set: Annotated[Path | None, typer.Option("--active-set", "-a", help="Its active set, .asi.")] = None,
    basis: Annotated[
        Path | None, typer.Option(help="Instead of a potential: a basis, with --training. No labels are needed.")
    ] = None,
    training: Annotated[
        list[Path] | None, typer.Option(help="What is known: files of frames, patterns in quotes; may be repeated.")
    ] = None,
    topology: Annotated[
        Path | None, typer.Option(help="LAMMPS data file of the trajectories: types, molecules, bonds.")
    ] = None,
    training_topology: Annotated[Path | None, typer.Option(help="The same of the training files.")] = None,
    every: Annotated[int, typer.Option(help="Only every so-manieth frame.")] = 1,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The summary as JSON.")] = None,
    figure: Annotated[Path | None, typer.Option(help="The summary as a picture (.png, .svg, .pdf).")] = None,
    worst: Annotated[
        Path | None, typer.Option(help="The environments above 1, worst first, as CSV; polypace carve takes it.")
    ] = None,
    n_worst: Annotated[int, typer.Option(help="At most so many of them, one per molecule and file.")] = 100,
    write_grades: Annotated[
        Path | None, typer.Option(help="γ of every atom, one row per frame, .npy (frames of equal size).")
    ] = None,
    threads: Annotated[int, typer.Option(help="0: all cores.")] = 0,
) -> None:
    """Print γ by species, place along the chain and chain length: above 1 the potential extrapolates.

    With --potential and --active-set for a fitted potential; with --basis and --training before any label exists.
    """
    from polypace.select import GradeMap, plot_coverage

    make_folders(output, figure, worst, write_grades)
    targets = FrameFiles(trajectories, topology, every)
    ace, active = _potential_and_set(potential, active_set, basis, training, training_topology, threads)
    active.kind(ace)
    grade_map = GradeMap(n_worst)
    rows = _grade(targets, ace, active, grade_map, threads, keep=write_grades is not None)
    summaries = grade_map.summaries()
    print_summaries(summaries, grade_map.n_frames)
    _print_worst(grade_map.worst[:5])
    if output:
        plain = {key: {name: asdict(s) for name, s in group.items()} for key, group in summaries.items()}
        output.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    if figure:
        plot_coverage(figure, summaries)
    if worst:
        write_worst(worst, grade_map.worst)
    if write_grades:
        _write_grades(write_grades, rows)


def _potential_and_set(
    potential: Path | None,
    active_set: Path | None,
    basis: Path | None,
    training: list[Path] | None,
    topology: Path | None,
    threads: int,
) -> tuple[Potential, ActiveSet]:
    from polypace.ace import Potential
    from polypace.ace.fitting import linear_basis
    from polypace.select import ActiveSet, select_active_set

    if (potential is None) == (basis is None):
        raise InputError("give either --potential with --active-set, or --basis with --training")
    if (active_set is None) == (not training):
        raise InputError("say what is known: either --active-set (.asi) or --training (files of frames)")
    ace = Potential.read(potential) if potential else linear_basis(basis)
    if active_set is not None:
        return ace, ActiveSet.read(active_set)
    assert training is not None
    active = select_active_set(FrameFiles(training, topology), ace, n_threads=threads)
    sizes = ", ".join(f"{len(rows)} of {element}" for element, rows in active.selected.items())
    print(f"active set of the training frames: {sizes}")
    return ace, active


def _grade(
    targets: FrameFiles, ace: Potential, active: ActiveSet, grade_map: GradeMap, threads: int, keep: bool
) -> list[npt.NDArray[np.float64]]:
    """Grade file by file; the frames are counted and let go, their γ kept only where they are to be written."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    from polypace.select import iterate_grades

    kept: list[npt.NDArray[np.float64]] = []
    columns = (TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, transient=True, console=Console(stderr=True)) as progress:
        for path in targets.paths:
            task = progress.add_task(str(path))
            of_file = FrameFiles([path], targets.topology, targets.every)
            for number, (atoms, grades) in enumerate(iterate_grades(of_file, ace, active, n_threads=threads)):
                grade_map.add(atoms, grades, source=str(path), frame=number * targets.every)
                if keep:
                    kept.append(grades)
                progress.update(task, description=f"{path}: {number + 1} frames, {len(atoms)} atoms each")
    return kept


def print_summaries(summaries: dict[str, dict[str, GradeSummary]], n_frames: int) -> None:
    """The grades as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"extrapolation grade γ, {n_frames} frames")
    for heading in ("", "", "environments", "median", "99 %", "largest", "above 1"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for key, group in summaries.items():
        for name, summary in group.items():
            numbers = (summary.median, summary.percentile_99, summary.largest)
            table.add_row(
                "" if key == "all" else key.replace("place_by_length", "place").replace("_", " "),
                name,
                str(summary.n),
                *(f"{number:.3g}" for number in numbers),
                f"{summary.share_above_one:.2%}",
            )
    console = Console()
    (console if console.is_terminal else Console(width=120)).print(table)


def _print_worst(worst: list[WorstEnvironment]) -> None:
    if not worst:
        print("no environment extrapolates: none has γ > 1")
    for environment in worst:
        names = environment.names
        where = f"{environment.source} frame {environment.frame} atom {environment.atom}"
        what = " ".join(names[key] for key in ("type", "species") if key in names)
        if "place_by_length" in names:
            what += f", {names['place_by_length']}"
        print(f"γ {environment.grade:.3g}: {where} ({what})")


def write_worst(path: Path, worst: list[WorstEnvironment]) -> None:
    """Environments as CSV, worst first; atoms and frames counted from 0."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for environment in worst:
            names = [environment.names.get(key, "") for key in COLUMNS[4:]]
            numbers = [environment.source, environment.frame, environment.atom, f"{environment.grade:.6g}"]
            table.writerow([*numbers, *names])


def _write_grades(path: Path, rows: list[npt.NDArray[np.float64]]) -> None:
    import numpy as np

    if len({len(row) for row in rows}) != 1:
        raise InputError("--write-grades needs frames with equal numbers of atoms")
    np.save(path, np.array(rows))
