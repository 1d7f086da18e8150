"""`polypace structure`: density, distributions, scattering and chain dimensions of a trajectory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def structure_command(
    files: Annotated[list[Path], typer.Argument(help="Trajectory; several files are one run.")],
    topology: Annotated[
        Path | None,
        typer.Option(help="Bonds, molecules, masses: a LAMMPS data file, or what MDAnalysis reads."),
    ] = None,
    timestep: Annotated[
        float | None, typer.Option(help="ps per MD step, where the dumps have no times.")
    ] = None,
    units: Annotated[str | None, typer.Option(help="LAMMPS units of the dumps: real, metal, lj, …")] = None,
    reference: Annotated[
        Path | None, typer.Option(help="A second run with the same topology, to compare with.")
    ] = None,
    skip: Annotated[float, typer.Option(help="Share of the frames to leave out at the beginning.")] = 0.0,
    r_max: Annotated[float | None, typer.Option(help="Å; default 15, or half the cell.")] = None,
    q_max: Annotated[float, typer.Option(help="Å⁻¹.")] = 4.0,
    max_frames: Annotated[int, typer.Option(help="Frames for g(r) and S(q), evenly spaced.")] = 200,
    threads: Annotated[int, typer.Option(help="0: OMP_NUM_THREADS, else all cores.")] = 0,
    output: Annotated[Path, typer.Option("--output", "-o", help="Prefix of the written files.")] = Path(
        "structure"
    ),
) -> None:
    """Density and its drift, g(r), S(q), bonds, angles, dihedrals, chains: OUTPUT.json, .png, .pdf."""
    from polypace.analysis.structure_plots import structure_figure
    from polypace.analysis.structure_summary import compare_structure, structure_as_json, summarize_structure
    from polypace.errors import InputError
    from polypace.trajectory import open_trajectory

    if not 0 <= skip < 1:
        raise InputError(f"--skip must be at least 0 and below 1, got {skip}")

    def summarize(paths: list[Path]) -> Any:
        trajectory = open_trajectory(paths, topology, timestep=timestep, units=units, n_threads=threads)
        kept = trajectory[int(skip * trajectory.n_frames) :]
        return summarize_structure(kept, r_max=r_max, q_max=q_max, max_frames=max_frames, n_threads=threads)

    found = summarize(files)
    content = structure_as_json(found)
    runs = {"run": found}
    if reference is None:
        _print_values(found)
    else:
        theirs = summarize([reference])
        runs = {"reference": theirs, "run": found}
        comparison = compare_structure(theirs, found)
        content = {"run": content, "reference": structure_as_json(theirs), "comparison": _as_json(comparison)}
        _print_comparison(comparison)
    output.parent.mkdir(parents=True, exist_ok=True)
    Path(f"{output}.json").write_text(
        json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    figure = structure_figure(runs)
    for suffix in ("png", "pdf"):
        figure.savefig(f"{output}.{suffix}")
    print(f"written: {output}.json, {output}.png, {output}.pdf")


def _print_values(summary: Any) -> None:
    from polypace.analysis.structure_summary import structure_values

    print(f"{summary.name}: {summary.n_frames} frames of {summary.n_atoms} atoms")
    for name, (value, error, unit) in structure_values(summary).items():
        print(f"  {name:<18} {value:10.5g} ± {error:<9.2g} {unit}")
    if summary.density is not None and not summary.density.is_stationary:
        d = summary.density
        print(
            f"  the density is not stationary: it drifts by {d.drift:.3g} ± {d.drift_error:.2g} g/cm³ over "
            f"the run, with {len(d.values) / d.inefficiency:.0f} independent samples"
        )
    for name, reason in summary.refused.items():
        print(f"  no {name}: {reason}")


def _print_comparison(comparison: Any) -> None:
    print(f"{'':<18} {'reference':>22} {'run':>22}  standard errors apart")
    for v in comparison.values:
        both = [f"{x:.5g} ± {e:.2g}" for x, e in ((v.reference, v.reference_error), (v.other, v.other_error))]
        print(f"{v.name + ' ' + v.unit:<18} {both[0]:>22} {both[1]:>22}  {v.deviation:.1f}")
    print("distances of distributions: ½∫|p − q|, what errors alone would give, Wasserstein distance")
    for name, d in comparison.distances.items():
        print(f"  {name:<10} {d.integrated:8.4f}  {d.noise:8.4f}  {d.wasserstein:8.4g} {d.unit}")


def _as_json(comparison: Any) -> dict[str, Any]:
    from math import isfinite

    def clean(fields: dict[str, Any]) -> dict[str, Any]:
        return {
            key: None if isinstance(value, float) and not isfinite(value) else value
            for key, value in fields.items()
        }

    return {
        "values": [clean({**vars(value), "deviation": value.deviation}) for value in comparison.values],
        "distances": {name: clean(vars(distance)) for name, distance in comparison.distances.items()},
    }
