"""Running LAMMPS as a subprocess in a folder of its own, from a script that can be run again by hand."""

from __future__ import annotations

import contextlib
import math
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from polypace.errors import MissingProgramError
from polypace.lammps.failure import HUNG, INCOMPLETE, TIMED_OUT, failure
from polypace.lammps.find import find_lammps
from polypace.lammps.launcher import check_ranks, launcher
from polypace.lammps.log import parse_errors, read_log
from polypace.lammps.processes import dies_with_parent, end_programs_in
from polypace.lammps.program import LammpsProgram

if TYPE_CHECKING:
    from polypace.lammps.log import ThermoTable

SCRIPT, LOG, SCREEN = "in.lammps", "log.lammps", "screen.txt"
PATIENCE = 10.0  # s between asking a program to end and ending it
LOOK_EVERY = 10.0  # s between looks at a run that goes on


@dataclass(frozen=True)
class LammpsRun:
    """A finished run: its folder, the command that was used, wall time (s) and LAMMPS's warnings."""

    folder: Path
    command: tuple[str, ...]
    n_ranks: int
    seconds: float
    warnings: tuple[str, ...]

    @property
    def script(self) -> Path:
        """The input script."""
        return self.folder / SCRIPT

    @property
    def log(self) -> Path:
        """LAMMPS's log file."""
        return self.folder / LOG

    @property
    def thermo(self) -> list[ThermoTable]:
        """The thermo tables of the log, one per `run` or `minimize`."""
        return read_log(self.log)


def run_lammps(
    script: str,
    folder: str | os.PathLike[str],
    program: LammpsProgram | None = None,
    n_ranks: int = 1,
    timeout: float | None = None,
    n_threads: int = 1,
    stall_timeout: float | None = None,
    look: Callable[[], None] | None = None,
) -> LammpsRun:
    """Run `script` in `folder` (made if need be), leaving in.lammps, log.lammps and screen.txt there.

    Parameters
    ----------
    script : str
        The whole input script; its file names are relative to `folder`.
    program : LammpsProgram, optional
        Default: what `find_lammps()` finds.
    n_ranks, n_threads : int
        MPI ranks, and OpenMP threads a rank (for styles that have them).
    timeout : float, optional
        Seconds of wall time after which the run is ended.
    stall_timeout : float, optional
        Seconds without a change of any file in `folder` after which the run is taken for hung and ended; must be
        longer than the time between thermo lines.
    look : callable, optional
        Called every ten seconds while LAMMPS runs, and when it has ended.

    Raises
    ------
    UnstableRunError
        when atoms were lost or came too close; InterruptedRunError when it or a rank was killed, hung or ran out
        of time; ProgramError when LAMMPS failed otherwise or the disk was full. All carry LAMMPS's ERROR line,
        the command it stands for and the last lines of the log.
    MissingProgramError
        without a LAMMPS, or without an MPI launcher for several ranks.
    """
    program = program if program is not None else find_lammps()
    place = Path(folder).resolve()
    place.mkdir(parents=True, exist_ok=True)
    command = (*launcher(program, n_ranks), *program.command, *_unbuffered(program), "-in", SCRIPT, "-log", LOG)
    by_hand = f"# by hand, in this folder: {_by_hand(n_ranks)}\n"
    (place / SCRIPT).write_text(script if script.startswith("# by hand") else by_hand + script)
    (place / LOG).unlink(missing_ok=True)  # an older run's words must not be taken for this one's
    start = time.monotonic()
    code = _execute(command, place, program.full_environment(n_threads), timeout, stall_timeout, look)
    seconds = time.monotonic() - start
    if look is not None:
        look()
    text = _text(place / SCREEN) + _text(place / LOG)
    if code == 0 and "Total wall time:" not in text:
        code = INCOMPLETE
    if code != 0:
        end_programs_in(place, Path(program.command[0]).name)
        raise failure(place, command, code, text, stall_timeout if code == HUNG else timeout)
    check_ranks(text, n_ranks, command)
    return LammpsRun(place, command, n_ranks, seconds, parse_errors(text).warnings)


def _unbuffered(program: LammpsProgram) -> tuple[str, ...]:
    """So that the log of a killed run is whole; older versions do not know the option."""
    return ("-nonbuf",) if program.number >= 20250722 else ()


def _by_hand(n_ranks: int) -> str:
    prefix = f"mpirun -n {n_ranks} " if n_ranks > 1 else ""
    return f"{prefix}lmp -in {SCRIPT} -log {LOG}"


def _execute(
    command: tuple[str, ...],
    folder: Path,
    environment: dict[str, str],
    timeout: float | None,
    stall_timeout: float | None,
    look: Callable[[], None] | None,
) -> int:
    with _terminate_raises(), open(folder / SCREEN, "wb") as screen:
        try:
            process = subprocess.Popen(
                [*dies_with_parent(), *command],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            reason = error.strerror or error
            raise MissingProgramError(f"{shlex.join(command)} cannot be started: {reason}") from None
        patience = PATIENCE
        try:
            code = _wait(process, folder, timeout, stall_timeout, look)
            patience = 0.0 if code == HUNG else PATIENCE  # a stopped process hears nothing
            return code
        finally:
            _end(process, patience)


def _wait(
    process: subprocess.Popen[bytes],
    folder: Path,
    timeout: float | None,
    stall_timeout: float | None,
    look: Callable[[], None] | None,
) -> int:
    end = time.monotonic() + timeout if timeout is not None else math.inf
    # Silence is looked for ten times in the span allowed.
    longest = min(
        stall_timeout / 10 if stall_timeout is not None else math.inf, LOOK_EVERY if look is not None else math.inf
    )
    while True:
        pause = min(end - time.monotonic(), longest)
        try:
            return process.wait(None if pause == math.inf else max(pause, 0.0))
        except subprocess.TimeoutExpired:
            if look is not None:
                look()
            if time.monotonic() >= end:
                return TIMED_OUT
            if stall_timeout is not None and time.time() - _last_change(folder) > stall_timeout:
                return HUNG


def _last_change(folder: Path) -> float:
    changes = [entry.stat().st_mtime for entry in os.scandir(folder) if entry.is_file()]
    return max(changes, default=0.0)


def _end(process: subprocess.Popen[bytes], patience: float) -> None:
    if process.poll() is not None:
        return
    process.terminate()  # mpirun passes it on to its ranks
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _terminate_raises() -> Iterator[None]:
    """While LAMMPS runs, SIGTERM ends it before it ends us (only the main thread may ask for that)."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
