"""LAMMPS input scripts for bead-spring melts, in Lennard-Jones units."""

from __future__ import annotations

from pathlib import Path

from polypace.errors import InputError
from polypace.reference.interactions import Interactions
from polypace.reference.scripts import THERMO, check_positive, check_seed, header_lines, push_off_lines


def bead_equilibration_script(
    interactions: Interactions,
    data_file: str | Path,
    output: str | Path,
    *,
    steps: int,
    push_off_steps: int = 20000,
    temperature: float = 1.0,
    friction: float = 0.5,
    seed: int = 1,
    timestep: float | None = None,
    swap_every: int = 0,
    thermo_every: int = 1000,
) -> str:
    """Script for a melt of `build_melt(…, "kremer-grest")`: slow push-off, then Langevin dynamics with bond
    swaps.

    Times in τ, `temperature` in ε/k, `friction` in 1/τ. With `swap_every` > 0, chains exchange bonds by Monte
    Carlo every so many steps (`fix bond/swap`, D. N. Theodorou; R. Auhl et al., J. Chem. Phys. 119, 12718
    (2003), section IV), which relaxes chains of any length; the data file must then be that of
    `numbered_for_bond_swaps`, and the result is read through `molecules_by_bonds` and `whole_molecules`.
    LAMMPS refuses swaps where there are dihedrals.

    Raises
    ------
    InputError
        where swaps are asked for with dihedrals, or a number is not positive.
    """
    step = interactions.timestep if timestep is None else timestep
    check_positive(temperature=temperature, friction=friction, timestep=step, steps=steps)
    check_seed(seed)
    if swap_every and any(line.startswith("dihedral_style") for line in interactions.lines):
        raise InputError("bond swaps are not possible with dihedrals; use them for bead-spring chains only")
    damping = 1 / friction
    lines = header_lines(interactions, data_file, step)
    lines += push_off_lines(interactions, temperature, seed, push_off_steps, thermo_every, damping)
    lines += [
        "# The real interactions, moves still limited",
        *interactions.lines,
        f"run {max(push_off_steps // 4, 1)}",
        "unfix move",
        "",
        "# Langevin dynamics" + (" with bond swaps" if swap_every else ""),
        "fix move all nve",
        "reset_timestep 0",
        f"thermo_style custom {THERMO}",
    ]
    if swap_every:
        # A bond may turn to a partner within 1.3 σ; half of the candidates are tried.
        lines.append(f"fix swap all bond/swap {swap_every} 0.5 1.3 {seed + 7}")
        lines.append("thermo_style custom step temp pe press f_swap[1] f_swap[2]")
    return "\n".join([*lines, f"run {steps}", f"write_data {output} nocoeff"]) + "\n"


def bead_dynamics_script(
    interactions: Interactions,
    data_file: str | Path,
    dump_file: str | Path,
    *,
    steps: int,
    dump_every: int,
    temperature: float = 1.0,
    friction: float = 0.5,
    seed: int = 1,
    timestep: float | None = None,
    thermo_every: int = 1000,
) -> str:
    """Script for Langevin dynamics of a bead-spring melt with a dump of unwrapped positions, the thermostat
    of 1990.

    K. Kremer, G. S. Grest, J. Chem. Phys. 92, 5057 (1990), equation 1: friction 0.5/τ.
    """
    step = interactions.timestep if timestep is None else timestep
    check_positive(temperature=temperature, friction=friction, timestep=step, steps=steps, dump_every=dump_every)
    check_seed(seed)
    lines = header_lines(interactions, data_file, step)
    lines += [
        *interactions.lines,
        f"thermo {thermo_every}",
        f"thermo_style custom {THERMO}",
        f"fix heat all langevin {temperature} {temperature} {1 / friction} {seed}",
        "fix move all nve",
        f"dump frames all custom {dump_every} {dump_file} id mol type xu yu zu",
        "dump_modify frames sort id",
        f"run {steps}",
    ]
    return "\n".join(lines) + "\n"
