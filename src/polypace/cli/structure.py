"""`polypace structure`: density, distributions, scattering and chain dimensions of a trajectory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from polypace.analysis.structure_plots import structure_figure
from polypace.analysis.structure_summary import compare_structure, structure_as_json, summarize_structure
from polypace.cli.dynamics_input import FRAMES_HELP, open_run
from polypace.cli.structure_output import comparison_as_json, print_comparison, print_values, save
from polypace.errors import InputError


def structure_command(
    files: Annotated[list[Path], typer.Argument(help="Trajectory; several files are one run.")],
    topology: Annotated[
        Path | None,
        typer.Option(help="Bonds, molecules, masses: a LAMMPS data file, or what MDAnalysis reads."),
    ] = None,
    timestep: Annotated[float | None, typer.Option(help="ps per MD step, where the dumps have no times.")] = None,
    units: Annotated[str | None, typer.Option(help="LAMMPS units of the dumps: real, metal, lj, …")] = None,
    reference: Annotated[
        Path | None, typer.Option(help="A second run with the same topology, to compare with.")
    ] = None,
    frames: Annotated[str | None, typer.Option(help=FRAMES_HELP)] = None,
    skip: Annotated[float, typer.Option(help="Share of the frames to leave out at the beginning.")] = 0.0,
    r_max: Annotated[float | None, typer.Option(help="Å; default 15, or half the cell.")] = None,
    q_max: Annotated[float, typer.Option(help="Å⁻¹.")] = 4.0,
    max_frames: Annotated[int, typer.Option(help="Frames for g(r) and S(q), evenly spaced.")] = 200,
    threads: Annotated[int, typer.Option(help="0: OMP_NUM_THREADS, else all cores.")] = 0,
    output: Annotated[Path, typer.Option("--output", "-o", help="Prefix of the written files.")] = Path("structure"),
) -> None:
    """Density and its drift, g(r), S(q), bonds, angles, dihedrals, chains: OUTPUT.json, .png, .pdf."""
    if not 0 <= skip < 1:
        raise InputError(f"--skip must be at least 0 and below 1, got {skip}")

    def summarize(paths: list[Path]) -> Any:
        trajectory = open_run(paths, topology, timestep, units, frames, threads)
        kept = trajectory[int(skip * trajectory.n_frames) :]
        return summarize_structure(kept, r_max=r_max, q_max=q_max, max_frames=max_frames, n_threads=threads)

    found = summarize(files)
    content = structure_as_json(found)
    runs = {"run": found}
    if reference is None:
        print_values(found)
    else:
        theirs = summarize([reference])
        runs = {"reference": theirs, "run": found}
        comparison = compare_structure(theirs, found)
        content = {"run": content, "reference": structure_as_json(theirs), "comparison": comparison_as_json(comparison)}
        print_comparison(comparison, ("reference", "run"))
    print("written:", ", ".join(save(content, structure_figure(runs), output)))
