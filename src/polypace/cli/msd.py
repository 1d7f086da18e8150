"""`polypace msd`: g1, g2, g3 with errors, exponents and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polypace.analysis import Regimes, find_regimes
from polypace.analysis.plots import in_reduced_units, msd_figure, save_figure
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
    curves = displacement_curves(open_run(trajectories, topology, timestep, units, frames), options)
    regimes = _regimes(curves["g1"])
    output.parent.mkdir(parents=True, exist_ok=True)
    write_msd_table(Path(f"{output}.csv"), curves)
    summary = msd_summary(curves, regimes)
    write_json(Path(f"{output}.json"), summary)
    shown = regimes if isinstance(regimes, Regimes) and "g3" in curves else None
    figure = msd_figure(curves, shown)
    written = save_figure(in_reduced_units(figure) if units == "lj" else figure, output)
    _say(summary)
    print("written:", ", ".join([f"{output}.csv", f"{output}.json", *written]))


def _regimes(curve: object) -> Regimes | str:
    try:
        return find_regimes(curve)  # type: ignore[arg-type]
    except InputError as error:
        return str(error)


def _say(summary: dict[str, dict[str, object]]) -> None:
    for name, facts in summary.items():
        if name == "regimes":
            continue
        print(f"{name}: {facts['n_particles']} particles, {facts['n_frames']} frames, {facts['longest_lag_ps']:g} ps")
        for key in ("exponent", "diffusion"):
            found = facts.get(key)
            if isinstance(found, dict):
                text = found.get("refused") or ", ".join(
                    f"{k} = {v:.4g}" if isinstance(v, float) else f"{k} = {v}" for k, v in found.items()
                )
                print(f"  {key}: {text}")
    regimes = summary.get("regimes", {})
    for name, law in (regimes.get("named") or {}).items():  # type: ignore[attr-defined]
        print(
            f"  {name}: t^({law['exponent']:.3f} ± {law['error']:.3f}) from {law['begin_ps']:.4g} to {law['end_ps']:.4g} ps"
        )
