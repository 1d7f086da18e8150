"""A short run before a long one: right energy, stable, and how long the whole will take."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from polypace.errors import InputError, ProgramError
from polypace.lammps.find import find_lammps
from polypace.lammps.log import parse_loops
from polypace.lammps.program import LammpsProgram
from polypace.lammps.run import LammpsRun, run_lammps
from polypace.lammps.single_point import structure_data

if TYPE_CHECKING:
    import ase

ENERGY_TOLERANCE = 1e-6  # eV per atom


@dataclass(frozen=True)
class Preflight:
    """What a short NVE run told.

    energy_error (eV per atom) of step 0 against the expected energy, gamma_max over the run (None without an
    active set), drift of the total energy (eV per atom and ps), atom_steps_per_second, neighbors_per_atom
    (within cutoff and skin), and predicted_seconds for the planned steps of this system on these ranks.
    """

    energy_error: float
    gamma_max: float | None
    drift: float
    atom_steps_per_second: float
    neighbors_per_atom: float
    predicted_seconds: float


def preflight(
    atoms: ase.Atoms,
    pair_lines: str,
    type_names: Sequence[str],
    expected_energy: float,
    planned_steps: int,
    timestep: float = 0.001,
    temperature: float = 300.0,
    n_steps: int = 100,
    program: LammpsProgram | None = None,
    n_ranks: int = 1,
    folder: str | os.PathLike[str] | None = None,
) -> Preflight:
    """Run `n_steps` of NVE from `atoms` (periodic) at `temperature` (K) with `timestep` (ps).

    Parameters
    ----------
    pair_lines : str
        As from `ace_pair_lines`; with pace/extrapolation the grades are watched.
    expected_energy : float
        Potential energy (eV) of `atoms`, as Python computes it.
    planned_steps : int
        Steps of the run to come.

    Raises
    ------
    ProgramError
        when step 0 differs from `expected_energy` by more than 1e-6 eV per atom: another potential, swapped
        species or other units; UnstableRunError when atoms are lost.
    """
    if planned_steps < 1 or n_steps < 10:
        raise InputError(f"planned_steps >= 1 and n_steps >= 10 are needed, got {planned_steps}, {n_steps}")
    if folder is None:
        with tempfile.TemporaryDirectory() as temporary:
            return preflight(
                atoms, pair_lines, type_names, expected_energy, planned_steps, timestep, temperature, n_steps,
                program, n_ranks, temporary,
            )  # fmt: skip
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    program = program if program is not None else find_lammps()
    (place / "structure.data").write_text(structure_data(atoms, type_names, program.knows_labels))
    graded = "pace/extrapolation" in pair_lines
    run = run_lammps(_script(pair_lines, graded, timestep, temperature, n_steps), place, program, n_ranks)
    error = (float(run.thermo[0]["PotEng"][0]) - expected_energy) / len(atoms)
    if not abs(error) <= ENERGY_TOLERANCE:
        raise ProgramError(
            f"LAMMPS's energy of the first step differs from the expected {expected_energy:.6f} eV by "
            f"{error:.2e} eV per atom (allowed: {ENERGY_TOLERANCE:g}): check that potential, element order "
            f"and units are the same; polypace check POTENTIAL compares the programs. The run is {run.script}"
        )
    return _result(run, len(atoms), error, graded, timestep, planned_steps)


def _script(pair_lines: str, graded: bool, timestep: float, temperature: float, n_steps: int) -> str:
    gamma = "fix gamma all pair 10 pace/extrapolation gamma 1\ncompute gamma all reduce max f_gamma\n"
    columns = "step pe etotal c_gamma" if graded else "step pe etotal"
    return (
        f"units metal\natom_style atomic\nboundary p p p\nread_data structure.data\n{pair_lines}"
        f"{gamma if graded else ''}"
        f"thermo_style custom {columns}\nthermo_modify format float %.17g\nthermo 10\n"
        f"velocity all create {temperature!r} 4711 loop geom mom yes\nfix move all nve\n"
        f"timestep {timestep!r}\nrun {n_steps - n_steps % 10}\n"
    )


def _result(run: LammpsRun, n_atoms: int, error: float, graded: bool, timestep: float, planned_steps: int) -> Preflight:
    table, log = run.thermo[0], run.log.read_text()
    loops = parse_loops(log)
    neighbors = re.search(r"Ave neighs/atom = (\S+)", log)
    if not loops:
        raise ProgramError(f"{run.log} does not tell how long the run took")
    speed = loops[-1].atom_steps_per_second
    slope = np.polyfit(table["Step"] * timestep, table["TotEng"], 1)[0] / n_atoms
    return Preflight(
        energy_error=error,
        gamma_max=float(table["c_gamma"].max()) if graded else None,
        drift=float(slope),
        atom_steps_per_second=speed,
        neighbors_per_atom=float(neighbors.group(1)) if neighbors else float("nan"),
        predicted_seconds=planned_steps * n_atoms / speed,
    )
