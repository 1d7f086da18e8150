"""Steps whose extrapolation grades are above an alarm's: found in a log, told while LAMMPS still writes it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from polypace.errors import FileFormatError
from polypace.lammps.log import read_log

if TYPE_CHECKING:
    from polypace.lammps.log import ThermoTable

LOGGER = logging.getLogger(__name__)
GRADE = "v_gamma_max"
WORSE = 1.5  # how many times a grade must exceed the last one told to be told too


def alarm_grades(table: ThermoTable, alarm: float | None, start: int) -> dict[int, float]:
    """{step: largest grade} of the rows above `alarm`; the segment from `start` owns the steps after it (and step 0)."""
    if alarm is None or GRADE not in table:
        return {}
    steps, grades = table["Step"], table[GRADE]
    above = (grades > alarm) & ((steps > start) | (steps == 0))
    return {int(step): float(grade) for step, grade in zip(steps[above], grades[above], strict=True)}


class AlarmBell:
    """Logs a warning when the first grade of a segment is above the alarm's, and for each `WORSE` times as large."""

    def __init__(self, log: Path, alarm: float, start: int) -> None:
        self._log, self._alarm, self._start = log, alarm, start
        self._limit = alarm
        self._size = -1

    def look(self) -> None:
        """Read what LAMMPS has written so far."""
        size = self._log.stat().st_size if self._log.is_file() else -1
        if size == self._size:
            return
        self._size = size
        try:
            tables = read_log(self._log)
        except FileFormatError:
            return
        for step, grade in alarm_grades(tables[-1], self._alarm, self._start).items() if tables else ():
            if grade > self._limit:
                self._limit = WORSE * grade
                LOGGER.warning(
                    "%s: extrapolation grade %.3g at step %d, alarm at %g", self._log.parent, grade, step, self._alarm
                )
