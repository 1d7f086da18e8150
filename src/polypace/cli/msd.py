"""`polypace msd`: g1, g2, g3 with errors, exponents and figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from polypace.analysis import Regimes, find_regimes
from polypace.analysis.plots import msd_figure, save_figure
from polypace.analysis.reduced_units import in_reduced_units, reduced_keys, reduced_text
from polypace.analysis.tables import msd_summary, write_json, write_msd_table
from polypace.cli.dynamics_input import FRAMES_HELP, DynamicsOptions, displacement_curves, open_run
from polypace.errors import InputError


def msd_command(
    trajectories: Annotated[list[Path], typer.Argument(help="Files of one run: LAMMPS dumps, DCD, XTC, …")],
    topology: Annotated[Path | None, typer.Option(help="Chains and masses: a LAMMPS data file.")] = None,
    timestep: Annotated[float | None, typer.Option(help="ps per MD step, where the dump has no times.")] = None,
    units: Annotated[str | None, typer.Option(help="LAMMPS units of the dump: real, metal, lj, …")] = None,
    frames: Annotated[str | None, typer.Option(help=FRAMES_HELP)] = None,
    central: Annotated[int | None, typer.Option(help="Only the middle beads of every chain, so many.")] = None,
    types: Annotated[str | None, typer.Option(help="Only these atom types, as C,H.")] = None,
    max_lag: Annotated[float | None, typer.Option(help="Longest lag, ps.")] = None,
    max_memory: Annotated[str | None, typer.Option(help="As 512MB; larger runs are transposed on disk.")] = None,
    threads: Annotated[int, typer.Option(help="0: OMP_NUM_THREADS, else all cores.")] = 0,
    scratch: Annotated[Path | None, typer.Option(help="Folder for the transposed run; kept, resumed.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Prefix of the written files.")] = Path("msd"),
) -> None:
    """Mean square displacements with errors: OUTPUT.csv, OUTPUT.json, OUTPUT.png and OUTPUT.pdf."""
    options = DynamicsOptions(central, types, max_lag, max_memory, threads, scratch)
    run = open_run(trajectories, topology, timestep, units, frames)
    curves = displacement_curves(run, options)
    regimes = _regimes(curves["g1"])
    output.parent.mkdir(parents=True, exist_ok=True)
    write_msd_table(Path(f"{output}.csv"), curves, reduced=run.is_reduced)
    summary = msd_summary(curves, regimes)
    write_json(Path(f"{output}.json"), reduced_keys(summary) if run.is_reduced else summary)
    shown = regimes if isinstance(regimes, Regimes) and "g3" in curves else None
    figure = msd_figure(curves, shown)
    written = save_figure(in_reduced_units(figure) if run.is_reduced else figure, output)
    for line in _lines(summary):
        print(reduced_text(line) if run.is_reduced else line)
    print("written:", ", ".join([f"{output}.csv", f"{output}.json", *written]))


def _regimes(curve: object) -> Regimes | str:
    try:
        return find_regimes(curve)  # type: ignore[arg-type]
    except InputError as error:
        return str(error)


def _lines(summary: dict[str, Any]) -> Iterator[str]:
    """The summary for people."""
    regimes = summary.get("regimes", {})
    for name, facts in summary.items():
        if name == "regimes":
            continue
        exponent, longest = facts["exponent"], facts["longest_lag_ps"]
        yield f"{name}: {facts['n_particles']} particles, {facts['n_frames']} frames, lags up to {longest:g} ps"
        yield "  lowest exponent: " + (
            exponent.get("refused")
            or f"{exponent['lowest']:.3f} ± {exponent['error']:.3f} at {exponent['at_ps']:.4g} ps"
        )
        if diffusion := facts.get("diffusion"):
            yield "  diffusion: " + (diffusion.get("refused") or _diffusion_text(diffusion))
    for name, law in (regimes.get("named") or {}).items():
        yield (
            f"  {name}: t^({law['exponent']:.3f} ± {law['error']:.3f}) from {law['begin_ps']:.4g} to {law['end_ps']:.4g} ps"
        )


def _diffusion_text(found: dict[str, Any]) -> str:
    begin, end = found["fit_range_ps"]
    return (
        f"D = {found['coefficient_A2_per_ps']:.4g} ± {found['error_A2_per_ps']:.2g} Å²/ps, fitted from {begin:.4g} to "
        f"{end:.4g} ps (probability of a worse χ²: {found['quality']:.2g})"
    )
