"""Explore with the potential and watch gamma."""

from __future__ import annotations

import shutil

import numpy as np

from polypace.lammps.protocols import GammaWatch, MolecularDynamics
from polypace.melt import Melt
from polypace.study.step import StepContext, write_json
from polypace.study.tasks import common
from polypace.study.tasks.common import last_table, read_melt, run, write_start


def explore(context: StepContext) -> None:
    """NVT with `pace/extrapolation`; frames above gamma_select are kept, gamma_break ends the run softly."""
    params = context.params
    melt = read_melt(context.inputs["melt"])
    shutil.copyfile(context.inputs["melt"] / "melt.data", context.folder / "melt.data")
    for suffix in ("yaml", "asi"):
        shutil.copyfile(context.inputs["fit"] / f"potential.{suffix}", context.folder / f"potential.{suffix}")
    write_start(melt, params, context.folder / "start.data", topology=False)
    watch = GammaWatch(every=params["watch_every"], select=params["gamma_select"], halt=params["gamma_break"])
    protocol = MolecularDynamics(
        interactions=common.ace_lines(params, melt, "start.data", "potential.yaml", "potential.asi"),
        temperature=params["temperature"],
        timestep=params["timestep"],
        steps=round(params["time"] / params["timestep"]),
        seed=params["seed"],
        gamma=watch,
        title=f"explore C{params['chain_length']} at {params['temperature']:g} K",
    )
    run(params, protocol.script(), context.folder)
    write_json(context.folder / "explore.json", _summary(context, melt))


def _summary(context: StepContext, melt: Melt) -> dict[str, object]:
    table, params = last_table(context.folder), context.params
    time = float(table["Step"][-1]) * params["timestep"]
    gamma = table["v_gamma_max"]
    return {
        "chain_length": params["chain_length"],
        "temperature_K": params["temperature"],
        "time_ps": round(time, 6),
        "halted": bool(time < params["time"] - 1.5 * params["watch_every"] * params["timestep"]),
        "gamma_max": float(np.nanmax(gamma)),
        "n_atoms": len(melt.atoms),
    }
