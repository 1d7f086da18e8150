"""`polypace compare`: motion and structure of one run against another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from polypace.analysis import MSDRatio, compare_msd, diffusion_coefficient
from polypace.analysis.plots import ratio_figure, save_figure
from polypace.analysis.reduced_units import in_reduced_units, reduced_keys, reduced_text
from polypace.analysis.tables import write_json
from polypace.cli.dynamics_input import FRAMES_HELP, DynamicsOptions, displacement_curves, open_run
from polypace.cli.structure_output import compare_runs
from polypace.errors import InputError

T = TypeVar("T")


def compare_command(
    reference: Annotated[Path, typer.Argument(help="Trajectory of the reference.")],
    other: Annotated[Path, typer.Argument(help="Trajectory of the potential under test.")],
    topology: Annotated[
        str | None, typer.Option(help="Chains and masses: a LAMMPS data file; A,B where the runs differ.")
    ] = None,
    timestep: Annotated[
        str | None, typer.Option(help="ps per MD step, where the dumps have no times; A,B where the runs differ.")
    ] = None,
    units: Annotated[
        str | None, typer.Option(help="LAMMPS units of the dumps: real, metal, lj, …; A,B where the runs differ.")
    ] = None,
    frames: Annotated[str | None, typer.Option(help=FRAMES_HELP)] = None,
    central: Annotated[int | None, typer.Option(help="Only the middle beads of every chain, so many.")] = None,
    types: Annotated[str | None, typer.Option(help="Only these atom types, as C,H.")] = None,
    max_lag: Annotated[float | None, typer.Option(help="Longest lag, ps.")] = None,
    max_memory: Annotated[str | None, typer.Option(help="As 512MB; larger runs are transposed on disk.")] = None,
    threads: Annotated[int, typer.Option(help="0: OMP_NUM_THREADS, else all cores.")] = 0,
    names: Annotated[str, typer.Option(help="Names of the two in the figure.")] = "reference,ACE",
    output: Annotated[Path, typer.Option("--output", "-o", help="Prefix of the written files.")] = Path("compare"),
) -> None:
    """Ratio of displacements with its error over lag time, and structure: OUTPUT.json, .png, .pdf."""
    labels = names.split(",")
    if len(labels) != 2 or labels[0] == labels[1]:
        raise InputError(f"--names must be two different names with a comma between them, got {names!r}")
    options = DynamicsOptions(central, types, max_lag, max_memory, threads, None)
    settings = zip(
        of_both("--topology", topology, Path),
        of_both("--timestep", timestep, float),
        of_both("--units", units, str),
        strict=True,
    )
    runs = {
        label: open_run([file], *own, frames)
        for label, file, own in zip(labels, (reference, other), settings, strict=True)
    }
    reduced = all(run.is_reduced for run in runs.values())
    first, second = (displacement_curves(run, options) for run in runs.values())
    ratios = {name: compare_msd(first[name], second[name]) for name in first}
    output.parent.mkdir(parents=True, exist_ok=True)
    summary = {name: _summary(ratio) for name, ratio in ratios.items()}
    slow = "g3" if "g3" in first else "g1"
    summary["diffusion"] = {
        label: _diffusion(curves[slow]) for label, curves in zip(labels, (first, second), strict=True)
    }
    summary["structure"], figures = compare_runs(runs, output, threads)
    write_json(Path(f"{output}.json"), reduced_keys(summary) if reduced else summary)
    figure = ratio_figure(first, second, ratios, (labels[0], labels[1]))
    written = [*save_figure(in_reduced_units(figure) if reduced else figure, output), *figures]
    for name, ratio in ratios.items():
        lag, deviation = ratio.largest_deviation
        text = (
            f"{name}: {labels[1]}/{labels[0]} = {ratio.ratio[-1]:.3f} ± {ratio.error[-1]:.3f} at {ratio.lag[-1]:.4g} ps, "
            f"at most {deviation:.1f} standard errors from 1 (at {lag:.4g} ps)"
        )
        print(reduced_text(text) if reduced else text)
    print("written:", ", ".join([f"{output}.json", *written]))


def of_both(option: str, text: str | None, kind: Callable[[str], T]) -> tuple[T | None, T | None]:
    """What an option says about the two runs: one value for both, or two with a comma between them."""
    if text is None:
        return None, None
    parts = text.split(",")
    try:
        if len(parts) > 2:
            raise ValueError
        first, second = kind(parts[0]), kind(parts[-1])
    except ValueError:
        raise InputError(f"{option} must be one value, or two with a comma between them, got {text!r}") from None
    return first, second


def _summary(ratio: MSDRatio) -> dict[str, Any]:
    lag, deviation = ratio.largest_deviation
    return {
        "lag_ps": ratio.lag.tolist(),
        "ratio": ratio.ratio.tolist(),
        "error": ratio.error.tolist(),
        "largest_deviation": {"lag_ps": lag, "standard_errors": deviation},
    }


def _diffusion(curve: Any) -> dict[str, Any]:
    try:
        result = diffusion_coefficient(curve)
    except InputError as error:
        return {"refused": str(error)}
    return {"coefficient_A2_per_ps": result.coefficient, "error_A2_per_ps": result.error}
