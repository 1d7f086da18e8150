"""Production MD: the reference and the ACE by one and the same protocol."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from polypace.analysis import density_of_series
from polypace.errors import UnstableRunError
from polypace.lammps.frames import Dump
from polypace.lammps.protocols import GammaWatch, MolecularDynamics, label_dump
from polypace.melt import Melt
from polypace.reference import read_labels
from polypace.study.step import StepContext, write_json
from polypace.study.tasks import common
from polypace.study.tasks.common import Params, read_melt, write_start

Lines = Callable[[Melt, str], list[str]]
Table = Mapping[str, common.Floats]

#: Part of an NPT run that is discarded before the density is averaged.
DISCARD = 0.3
POTENTIAL = ("potential.yaml", "potential.asi")


def run_reference(context: StepContext) -> None:
    """NPT for the density, then NVT at that density; labelled test frames from the NVT run."""
    params = context.params
    melt = read_melt(context.inputs["melt"])
    shutil.copyfile(context.inputs["melt"] / "melt.data", context.folder / "melt.data")

    def lines(start: Melt, data_file: str) -> list[str]:
        return common.reference_lines(params, start, data_file)

    density, _ = run_npt(context, melt, lines, topology=True)
    dense = common.scaled_to_density(melt, density["mean"])
    table = run_nvt(context, dense, lines, topology=True)
    labelled = read_labels(context.folder / "nvt" / "labels.dump", table, melt)
    common.write_frames(context.folder / "test.extxyz", labelled)


def run_ace_npt(context: StepContext) -> None:
    """Constant pressure with the fitted potential, from the reference's start: `density.json`, `run.json`."""
    melt, lines, watch = _ace(context)
    _, table = run_npt(context, melt, lines, topology=False, gamma=watch)
    write_json(context.folder / "run.json", _health(context.params, melt, table))


def run_ace_nvt(context: StepContext) -> None:
    """Constant volume with the fitted potential, at the reference's density: `nvt/nvt.dump`, `run.json`."""
    melt, lines, watch = _ace(context)
    density = json.loads((context.inputs["reference"] / "density.json").read_text())["mean"]
    dense = common.scaled_to_density(melt, density)
    table = run_nvt(context, dense, lines, topology=False, gamma=watch)
    write_json(context.folder / "run.json", _health(context.params, melt, table))


def _ace(context: StepContext) -> tuple[Melt, Lines, GammaWatch]:
    melt = read_melt(context.inputs["reference"])
    for name in POTENTIAL:
        shutil.copyfile(context.inputs["fit"] / name, context.folder / name)

    def lines(start: Melt, data_file: str) -> list[str]:
        return common.ace_lines(context.params, start, data_file, *POTENTIAL)

    return melt, lines, GammaWatch(every=context.params["gamma_every"])


def run_npt(
    context: StepContext, melt: Melt, lines: Lines, topology: bool, gamma: GammaWatch | None = None
) -> tuple[dict[str, Any], Table]:
    """Constant pressure; writes density.json, returns its content and the thermo table."""
    params, place = context.params, context.folder / "npt"
    place.mkdir()
    write_start(melt, params, place / "start.data", topology)
    steps = round(params["npt"] / params["timestep"])
    protocol = MolecularDynamics(
        interactions=lines(melt, "start.data"),
        temperature=params["temperature"],
        pressure=params["pressure"],
        timestep=params["timestep"],
        steps=steps,
        relax_steps=round(0.5 / params["timestep"]),
        seed=params["seed"] + 10,
        thermo_every=max(1, round(0.05 / params["timestep"])),
        gamma=gamma,
        title="constant pressure: density",
    )
    table = _run(context, protocol, place)
    kept = slice(int(DISCARD * len(table["Time"])), None)
    result = density_of_series(table["Time"][kept], table["Density"][kept])
    series = {
        "mean": result.mean,
        "error": result.error,
        "relative_fluctuation": float(table["Density"][kept].std() / result.mean),
        "time_ps": [round(float(t), 6) for t in table["Time"]],
        "series": [float(value) for value in table["Density"]],
    }
    write_json(context.folder / "density.json", series)
    return series, table


def run_nvt(context: StepContext, melt: Melt, lines: Lines, topology: bool, gamma: GammaWatch | None = None) -> Table:
    """Constant volume; writes nvt/nvt.dump with unwrapped positions for the dynamics, returns the thermo table."""
    params, place = context.params, context.folder / "nvt"
    place.mkdir()
    write_start(melt, params, place / "start.data", topology)
    steps = round(params["nvt"] / params["timestep"])
    every = max(1, round(params["sample_every"] / params["timestep"]))
    labels = None
    if "label_every" in params:
        labels = label_dump("labels.dump", every * max(1, round(params["label_every"] / params["sample_every"])))
    protocol = MolecularDynamics(
        interactions=lines(melt, "start.data"),
        temperature=params["temperature"],
        timestep=params["timestep"],
        steps=steps,
        relax_steps=round(0.5 / params["timestep"]),
        seed=params["seed"] + 20,
        thermo_every=every,
        dump=Dump("nvt.dump", every),
        gamma=gamma,
        title="constant volume: structure and dynamics",
        labels=labels,
    )
    return _run(context, protocol, place)


def _run(context: StepContext, protocol: MolecularDynamics, place: Path) -> Table:
    """Run or go on; what is kept of the run lies in `place`."""
    inputs = [place / "start.data", *(path for name in POTENTIAL if (path := context.folder / name).is_file())]
    finished = common.run_in_segments(context.params, protocol, place, context.partial / place.name, inputs)
    table: Table = finished.thermo
    check_health(table, context.params, place)
    return table


def check_health(table: Table, params: Params, place: Path) -> None:
    """Refuse numbers of a run that left the liquid.

    Raises
    ------
    UnstableRunError
        where the temperature or the density is far from what was asked for.
    """
    temperature, density = table["Temp"], table["Density"]
    hot = np.flatnonzero(~(temperature < 2 * params["temperature"]))
    thin = np.flatnonzero(~(density > 0.5 * density[0]))
    for what, where, values in (("temperature", hot, temperature), ("density", thin, density)):
        if len(where):
            step = int(table["Step"][where[0]])
            raise UnstableRunError(
                f"{place.parent.name}/{place.name}: {what} {values[where[0]]:.4g} at step {step}; the potential left "
                "the region it knows. Add learning rounds, hotter or closer training frames, or a larger basis."
            )


def _health(params: Params, melt: Melt, table: Table) -> dict[str, Any]:
    return {
        "time_ps": round(float(table["Step"][-1]) * params["timestep"], 6),
        "lost_atoms": 0,  # LAMMPS ends with an error on the first lost atom, and the run did not
        "gamma_max": float(table["v_gamma_max"].max()),
        "n_atoms": len(melt.atoms),
    }
