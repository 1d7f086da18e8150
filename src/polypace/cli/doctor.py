"""`polypace doctor`: the LAMMPS programs found, what they can run, what would bring the rest, their speed."""

from __future__ import annotations

import shlex
import tempfile
from typing import Annotated

import typer

from polypace.errors import MissingProgramError, PolypaceError
from polypace.lammps.capabilities import capabilities
from polypace.lammps.find import candidates
from polypace.lammps.log import parse_loops
from polypace.lammps.probe import probe
from polypace.lammps.program import LammpsProgram
from polypace.lammps.run import run_lammps

N_STEPS = 200
SHORT_RUN = f"""units metal
lattice fcc 5.3
region box block 0 8 0 8 0 8
create_box 1 box
create_atoms 1 box
mass 1 39.95
pair_style lj/cut 8.5
pair_coeff 1 1 0.0103 3.4
velocity all create 80 4928
fix 1 all nve
run {N_STEPS}
"""


def doctor_command(
    lammps: Annotated[str | None, typer.Option(help="Look at this LAMMPS, not at those found.")] = None,
) -> None:
    """Show every LAMMPS that is found, in the order in which they would be used."""
    from rich.console import Console

    console = Console(highlight=False)
    n_usable = 0
    for candidate in candidates(lammps):
        try:
            program = probe(candidate.command, candidate.source)
        except PolypaceError as error:
            name = shlex.join(candidate.command)
            console.print(f"[bold]{name}[/] ({candidate.source}): cannot be used\n  {error}")
            continue
        n_usable += 1
        _show(console, program)
    if n_usable == 0 and lammps is not None:
        raise typer.Exit(1)
    if n_usable == 0:
        raise MissingProgramError("no LAMMPS starts here; remedy: pip install --force-reinstall polypace")


def _show(console, program: LammpsProgram) -> None:  # type: ignore[no-untyped-def]
    from rich.table import Table

    console.print(f"[bold]{shlex.join(program.command)}[/]")
    console.print(f"  LAMMPS {program.version}, from {program.source}, MPI: {program.mpi or 'none'}")
    table = Table("", "can run", "through, or what brings it", box=None, pad_edge=False, show_header=False)
    for item in capabilities(program):
        mark = "[green]yes[/]" if item.available else "[yellow]no[/]"
        table.add_row("  " + mark, item.name, item.through if item.available else item.remedy)
        if item.caution:
            table.add_row("", "", f"[yellow]caution:[/] {item.caution}")
    console.print(table)
    console.print(f"  {_speed(program)}\n")


def _speed(program: LammpsProgram) -> str:
    """Speed of a short Lennard-Jones run: every LAMMPS has it, and a crippled installation shows."""
    parts = []
    for n_ranks in (1, 2) if program.mpi else (1,):
        with tempfile.TemporaryDirectory() as folder:
            try:
                run = run_lammps(SHORT_RUN, folder, program, n_ranks, timeout=120)
            except PolypaceError as error:
                return f"short run on {n_ranks} ranks failed: {error}"
            speed = parse_loops(run.log.read_text())[-1].atom_steps_per_second
            parts.append(f"{speed / 1e6:.2f} on {n_ranks}")
    return f"short run (2048 atoms, lj/cut): 10⁶ atom-steps/s {', '.join(parts)} rank(s)"
