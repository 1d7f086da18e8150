"""Explore with the potential and watch gamma; a run that leaves the liquid is data, not a crash."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from polypace.errors import UnstableRunError
from polypace.lammps import read_log
from polypace.lammps.frames import WITH_IMAGES, Dump
from polypace.lammps.protocols import GammaWatch, MolecularDynamics
from polypace.melt import Melt
from polypace.reference import read_dump
from polypace.study.step import StepContext, write_json
from polypace.study.tasks import common
from polypace.study.tasks.common import Floats, Params, last_table, read_melt, reference_force_field, run, write_start
from polypace.systems import write_lammps_data
from polypace.units import GRAM_PER_CM3

#: Factors of the starting density between which a melt is a liquid.
THINNEST, DENSEST = 0.6, 1.6
#: Frames that are kept of one run: ten times what selection looks at.
ENOUGH = 400
#: Of the histogram of gamma.
BINS_PER_DECADE = 10


def explore(context: StepContext) -> None:
    """MD with `pace/extrapolation`: `extrapolating.dump`, `explore.json`, and `melt.data`, where the next round starts.

    Frames above gamma_select are kept; gamma_break, a temperature or a density that no liquid has, or ENOUGH frames end
    the run softly. After such an end, and after lost atoms, the next round starts again from where this one did.
    """
    params = context.params
    melt = read_melt(context.inputs["melt"])
    for suffix in ("yaml", "asi"):
        shutil.copyfile(context.inputs["fit"] / f"potential.{suffix}", context.folder / f"potential.{suffix}")
    write_start(melt, params, context.folder / "start.data", topology=False)
    lost = False
    try:
        run(params, _protocol(params, melt).script(), context.folder)
    except UnstableRunError:
        lost = True
        tables = read_log(context.folder / "log.lammps")
        if not tables or not len(tables[-1]["Step"]):
            raise  # not even the first step: there is nothing to learn from
    summary = _summary(params, context.folder, melt, lost)
    write_json(context.folder / "explore.json", summary)
    if summary["status"] == "finished":
        end = read_dump(context.folder / "last.dump", melt)[-1]
        write_lammps_data(replace(melt, atoms=end), context.folder / "melt.data", reference_force_field(params))
    else:
        shutil.copyfile(context.inputs["melt"] / "melt.data", context.folder / "melt.data")


def _protocol(params: Params, melt: Melt) -> MolecularDynamics:
    steps, every = round(params["time"] / params["timestep"]), params["watch_every"]
    extrapolating = params["dump"] == "extrapolating"
    every_frame = Dump("extrapolating.dump", every * max(1, steps // (every * ENOUGH)), WITH_IMAGES, 12, times=False)
    return MolecularDynamics(
        interactions=common.ace_lines(params, melt, "start.data", "potential.yaml", "potential.asi"),
        temperature=params["temperature"],
        pressure=params["pressure"],
        timestep=params["timestep"],
        steps=steps,
        seed=params["seed"],
        gamma=GammaWatch(
            every=every,
            select=params["gamma_select"] if extrapolating else None,
            halt=params["gamma_break"],
            enough=ENOUGH if extrapolating else None,
        ),
        dump=None if extrapolating else every_frame,
        title=f"explore C{params['chain_length']} at {params['temperature']:g} K",
        final_data=None,
        extra=[
            *watchdog_lines(melt, params["temperature"], every),
            f"dump last all custom {steps} last.dump id mol type x y z ix iy iz",
            'dump_modify last sort id format float "%.17g"',
        ],
    )


def watchdog_lines(melt: Melt, temperature: float, every: int) -> list[str]:
    """LAMMPS lines that end a run softly once temperature or density are no liquid's."""
    density = melt.atoms.get_masses().sum() / melt.atoms.get_volume() / GRAM_PER_CM3
    return [
        "",
        "# watchdogs: what has left the liquid is not followed",
        "variable temperature_now equal temp",
        f'variable density_off equal "(density<{THINNEST * density:.6g})+(density>{DENSEST * density:.6g})"',
        f"fix temperature all halt {every} v_temperature_now > {hottest(temperature, len(melt.atoms)):.6g} error soft",
        f"fix density all halt {every} v_density_off > 0.5 error soft",
    ]


def _summary(params: Params, folder: Path, melt: Melt, lost: bool) -> dict[str, Any]:
    table = last_table(folder)
    time = table["Step"] * params["timestep"]
    gamma = table["v_gamma_max"]
    seen = gamma[np.isfinite(gamma)]
    above = np.flatnonzero(gamma > params["gamma_select"])
    return {
        "chain_length": params["chain_length"],
        "temperature_K": params["temperature"],
        "pressure_bar": params["pressure"],
        "status": "lost atoms" if lost else _ending(folder),
        "time_ps": round(float(time[-1]), 6),
        "first_above_ps": round(float(time[above[0]]), 6) if len(above) else None,
        "share_above": float(len(above) / len(gamma)),
        "gamma_max": float(seen.max()) if len(seen) else 0.0,
        "gamma_median": float(np.median(seen)) if len(seen) else 0.0,
        "gamma_histogram": _histogram(seen),
        "n_atoms": len(melt.atoms),
    }


def _ending(folder: Path) -> str:
    """finished, or which watch ended the run: gamma, temperature, density, enough (frames)."""
    text = (folder / "log.lammps").read_text(errors="replace")
    met = re.search(r"Fix halt condition for fix-id (\w+) met", text)
    if met is None:
        return "finished"
    return {"halt": "gamma"}.get(met[1], met[1])


def _histogram(gamma: Floats) -> Mapping[str, list[float]]:
    """Counts of the frames' largest gamma over logarithmic bins; `edges` has one more entry than `counts`."""
    logs = np.log10(np.maximum(gamma, 1e-3)) * BINS_PER_DECADE
    low, high = (int(np.floor(logs.min())), int(np.floor(logs.max())) + 1) if len(logs) else (0, 1)
    counts, edges = np.histogram(logs, bins=np.arange(low, high + 1))
    return {"edges": [float(f"{10 ** (e / BINS_PER_DECADE):.4g}") for e in edges], "counts": counts.tolist()}


def hottest(temperature: float, n_atoms: int) -> float:
    """The temperature (K) that no liquid at `temperature` reaches.

    That of N atoms fluctuates by √(2/3N): eight times that above one and a half times T.
    """
    return temperature * (1.5 + 8 * float(np.sqrt(2 / (3 * n_atoms))))
