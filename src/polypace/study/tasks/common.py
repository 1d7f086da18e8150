"""What several kinds of step share: the reference, its tail, LAMMPS lines and runs."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ase
import ase.io
import numpy as np
import numpy.typing as npt

from polypace.forcefields import ForceField, get_force_field
from polypace.lammps import (
    LammpsRun,
    LongRun,
    MolecularDynamics,
    ace_pair_lines,
    find_lammps,
    read_log,
    run_lammps,
    run_long,
)
from polypace.melt import Melt
from polypace.reference import CombinedBaseline, CoulombTail, DispersionTail, LabelBaseline, force_field_interactions
from polypace.systems import read_lammps_data, strain, write_lammps_data
from polypace.units import GRAM_PER_CM3

Floats = npt.NDArray[np.float64]
Params = Mapping[str, Any]


def reference_force_field(params: Params) -> ForceField:
    return get_force_field(params["force_field"]).mdf(*params["cutoff"])


def dispersion_tail(params: Params) -> LabelBaseline:
    """What stays outside of the ACE: the dispersion tail, with that of the charges where there are any."""
    s_in, s_out = params["tail"]
    r_in, r_out = params["cutoff"]
    force_field = reference_force_field(params)
    tail = DispersionTail(s_in, s_out, r_in, r_out, force_field)
    return (
        CombinedBaseline((tail, CoulombTail(s_in, s_out, r_out, force_field=force_field)))
        if force_field.charged
        else tail
    )


def reference_lines(params: Params, melt: Melt, data_file: str) -> list[str]:
    """LAMMPS lines of the reference: read the data, define the force field."""
    interactions = force_field_interactions(reference_force_field(params), melt.type_names)
    return [*_read(interactions.units, interactions.atom_style, data_file), *interactions.lines]


def ace_lines(params: Params, melt: Melt, data_file: str, potential: str, active_set: str | None) -> list[str]:
    """LAMMPS lines of the ACE with the dispersion tail beside it; `active_set` makes gamma available."""
    elements = {name: melt.atoms[melt.types.index(name)].symbol for name in melt.type_names}
    pair = ace_pair_lines(potential, melt.type_names, elements, active_set, dispersion_tail(params), labelled=True)
    return [*_read("metal", "molecular", data_file), *pair.splitlines()]


def _read(units: str, atom_style: str, data_file: str) -> list[str]:
    return [f"units {units}", f"atom_style {atom_style}", "boundary p p p", "newton on", f"read_data {data_file}"]


def write_start(melt: Melt, params: Params, path: Path, topology: bool) -> None:
    """A data file to start from; an ACE needs no topology and gets none, so that none can act by accident."""
    if not topology:
        melt = Melt(melt.atoms, np.zeros((0, 2), dtype=np.int64), melt.molecules, melt.types)
    write_lammps_data(melt, path, reference_force_field(params))


#: What the LAMMPS of a study has to know: only one with our plugin has the tail.
STYLES = ("pair lj/mdf", "pair lj/mdf/tail", "pair pace/extrapolation")


#: MD steps of a segment: what a kill costs at most, against a second to start LAMMPS.
SHORTEST_SEGMENT, LONGEST_SEGMENT = 5_000, 100_000


def run(params: Params, script: str, folder: Path) -> LammpsRun:
    """Run LAMMPS as the study says."""
    folder.mkdir(parents=True, exist_ok=True)
    program = find_lammps(params["lammps"]["executable"], styles=STYLES)
    return run_lammps(script, folder, program=program, n_ranks=params["lammps"]["ranks"])


def run_in_segments(
    params: Params, protocol: MolecularDynamics, folder: Path, partial: Path, inputs: Sequence[Path]
) -> LongRun:
    """Run `protocol`, going on with what an earlier attempt left in `partial`; results without seams in `folder`."""
    program = find_lammps(params["lammps"]["executable"], styles=STYLES)
    finished = run_long(
        protocol,
        partial,
        inputs,
        segment_steps=max(SHORTEST_SEGMENT, min(LONGEST_SEGMENT, protocol.steps // 4)),
        program=program,
        n_ranks=params["lammps"]["ranks"],
        wall_time=math.inf,  # the end of a job is as good as a kill: the step is tried again and goes on
    )
    for dump, name in ((protocol.dump, "dump"), (protocol.labels, "labels")):
        if dump is not None:
            finished.join(name, folder / dump.kept_as)
    for name in ("manifest.json", "thermo.csv"):
        shutil.copyfile(finished.folder / name, folder / name)
    for number, segment in enumerate(finished.folders):
        for name in ("in", "log"):
            shutil.copyfile(segment / f"{name}.lammps", folder / f"{name}.{number:04d}.lammps")
    return finished


def last_table(folder: Path) -> Mapping[str, Floats]:
    table: Mapping[str, Floats] = read_log(folder / "log.lammps")[-1]
    return table


def scaled_to_density(melt: Melt, density: float) -> Melt:
    """The melt with cell and molecule centres scaled to `density` (g/cm³); molecules keep their shape."""
    volume = melt.atoms.get_masses().sum() / (density * GRAM_PER_CM3)
    return strain(melt, (volume / melt.atoms.get_volume()) ** (1 / 3) - 1, rigid_molecules=True)


def read_melt(folder: Path) -> Melt:
    return read_lammps_data(folder / "melt.data")


def write_frames(path: Path, frames: Sequence[ase.Atoms]) -> None:
    ase.io.write(path, list(frames), format="extxyz")


def read_frames(path: Path) -> list[ase.Atoms]:
    frames = ase.io.read(path, index=":", format="extxyz") if path.stat().st_size else []
    assert isinstance(frames, list)
    return frames
