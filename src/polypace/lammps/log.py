"""LAMMPS's log: thermo tables, the error that ended a run, warnings. Text in, data out."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from polypace.errors import FileFormatError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    ThermoTable = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class LogErrors:
    """What a log says went wrong: LAMMPS's ERROR lines, the command that led there, and the warnings."""

    errors: tuple[str, ...]
    last_command: str
    warnings: tuple[str, ...]

    @property
    def lost_atoms(self) -> bool:
        """Whether the run ended because atoms left the region where a simulation makes sense."""
        return any(re.search(LOST, line) for line in self.errors)


LOST = (
    r"Lost atoms|atoms? \d+ \d+ missing|atoms missing|atoms \d+ and \d+ are|Out of range atoms"
    r"|atoms are no longer there|[Nn]on-numeric|NaN"
)


def read_log(path: str | os.PathLike[str]) -> list[ThermoTable]:
    """Return the thermo tables of a LAMMPS log or screen file, one per run, as {column name: values}.

    A run that was cut off gives the rows that were written completely.

    Raises
    ------
    FileFormatError
        when the file cannot be read.
    """
    try:
        text = Path(path).read_text(errors="replace")
    except OSError as error:
        raise FileFormatError(f"{os.fspath(path)}: {error.strerror}") from None
    return parse_log(text)


@dataclass(frozen=True)
class Loop:
    """A run that came to its end; `cpu_use` is the share of its cores that it had, NaN where the log does not tell."""

    seconds: float
    n_ranks: int
    n_steps: int
    n_atoms: int
    cpu_use: float

    @property
    def atom_steps_per_second(self) -> float:
        return self.n_atoms * self.n_steps / self.seconds


def parse_loops(text: str) -> list[Loop]:
    """The runs that came to their end in the text of a log."""
    loops = []
    for part in re.split(r"^(?=Loop time of )", text, flags=re.MULTILINE)[1:]:
        found = re.match(r"Loop time of (\S+) on (\d+) procs for (\d+) steps with (\d+) atoms", part)
        if found is not None:
            share = re.search(r"^(\S+)% CPU use", part, re.MULTILINE)
            use = float(share[1]) / 100 if share is not None else math.nan
            loops.append(Loop(float(found[1]), int(found[2]), int(found[3]), int(found[4]), use))
    return loops


@dataclass(frozen=True)
class LoopCost:
    """Steps of the last run in a log, and the core seconds that they took."""

    steps: int
    core_seconds: float


def read_loop_cost(path: str | os.PathLike[str]) -> LoopCost:
    """Cost of the last run in a log: loop time × MPI tasks × share of the cores that they had.

    Processor time, so a machine with other things to do gives the same number. Start-up is not in it.

    Raises
    ------
    FileFormatError
        when the log tells of no finished run.
    """
    loops = [one for one in parse_loops(Path(path).read_text(errors="replace")) if not math.isnan(one.cpu_use)]
    if not loops:
        raise FileFormatError(f"{os.fspath(path)} does not tell how long a run took; was it cut off?")
    last = loops[-1]
    return LoopCost(last.n_steps, last.seconds * last.n_ranks * last.cpu_use)


def parse_log(text: str) -> list[ThermoTable]:
    """The thermo tables in the text of a log; `thermo_style one`, `custom` and `yaml` are understood."""
    lines = text.split("\n")
    complete = lines[:-1]  # what follows the last newline may be half a line
    return [_table(names, rows) for names, rows in _blocks(complete)]


def _blocks(lines: list[str]) -> Iterable[tuple[list[str], list[list[float]]]]:
    names: list[str] = []
    rows: list[list[float]] = []
    for previous, line in zip(["", *lines], lines, strict=False):
        new_names = _header(previous, line)
        if new_names is not None:
            if names:
                yield names, rows
            names, rows = new_names, []
        elif names:
            row = _row(line, len(names))
            if row is not None:
                rows.append(row)
            elif line.startswith(("Loop time", "ERROR", "...")):
                yield names, rows
                names = []
    if names:
        yield names, rows


def _header(previous: str, line: str) -> list[str] | None:
    if previous.startswith("Per MPI rank memory allocation") and line.strip() and not line.startswith("--"):
        return line.split()
    yaml = re.match(r"keywords: \[(.*)\]", line)
    return [name.strip(" '\"") for name in yaml.group(1).split(",") if name.strip()] if yaml else None


def _row(line: str, n_columns: int) -> list[float] | None:
    words = line.split()
    if line.startswith("  - [") and line.endswith("]"):
        words = [word for word in line[5:-1].replace(",", " ").split() if word]
    if len(words) != n_columns:
        return None
    try:
        return [float(word) for word in words]
    except ValueError:
        return None


def _table(names: list[str], rows: list[list[float]]) -> ThermoTable:
    import numpy as np

    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    return {name: values[:, column].copy() for column, name in enumerate(names)}


def parse_errors(text: str) -> LogErrors:
    """The ERROR and WARNING lines of a log or screen text, each once, and the command that failed."""
    errors, warnings, last_command = [], [], ""
    for line in text.splitlines():
        if line.startswith("ERROR"):
            errors.append(line.strip())
        elif line.startswith("WARNING"):
            warnings.append(line.strip())
        elif line.startswith(("Last input line:", "Last command:")):
            last_command = line.split(":", 1)[1].strip()
    return LogErrors(tuple(dict.fromkeys(errors)), last_command, tuple(dict.fromkeys(warnings)))
