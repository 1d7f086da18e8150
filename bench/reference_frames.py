"""Labelled frames of a force field's melt, for the benches that need some."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import ase

from polypace.forcefields import ForceField
from polypace.lammps import run_lammps
from polypace.melt import Melt
from polypace.reference import (
    bead_equilibration_script,
    equilibration_script,
    force_field_interactions,
    nvt_script,
    read_labels,
)
from polypace.systems import build_melt, read_lammps_data, write_lammps_data


@dataclass(frozen=True)
class Sample:
    """An equilibrated melt and labelled frames of a Langevin run of it."""

    melt: Melt
    frames: list[ase.Atoms]


def sample_reference(
    field: ForceField,
    length: int,
    n_chains: int,
    density: float,
    temperature: float,
    *,
    n_frames: int,
    every: int,
    equilibration: int = 4000,
) -> Sample:
    """Build a melt, equilibrate it for `equilibration` steps at constant volume, keep a frame `every` steps."""
    melt = build_melt(length, n_chains, density, field, 1, temperature)
    interactions = force_field_interactions(field, melt.type_names)
    with tempfile.TemporaryDirectory(prefix="frames-") as name:
        folder = Path(name)
        write_lammps_data(melt, folder / "start.data", field)
        if field.units == "lj":
            script = bead_equilibration_script(interactions, "start.data", "eq.data", steps=equilibration)
        else:
            script = equilibration_script(
                interactions, "start.data", "eq.data",
                temperature=temperature, push_off_steps=1000, langevin_steps=equilibration, npt_steps=10,
            )  # fmt: skip
        run_lammps(script, folder)
        script = nvt_script(
            interactions, "eq.data", "run.dump",
            temperature=temperature, steps=every * n_frames, dump_every=every, thermostat="langevin",
        )  # fmt: skip
        log = run_lammps(script, folder).log
        melt = read_lammps_data(folder / "eq.data")
        return Sample(melt, read_labels(folder / "run.dump", log, melt)[1:])
