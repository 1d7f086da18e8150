"""Alarms are told from a log that LAMMPS is still writing."""

from __future__ import annotations

import logging

from polypace.lammps.alarms import AlarmBell, alarm_grades
from polypace.lammps.log import parse_log

HEAD = "Per MPI rank memory allocation (min/avg/max) = 1 | 1 | 1 Mbytes\n   Step   Temp   v_gamma_max\n"
ROWS = ["100 300 1.5\n", "110 301 12\n", "120 299 13\n", "130 299 40\n", "140 300 9\n"]


def test_rows_above_the_alarm():
    table = parse_log(HEAD + "".join(ROWS) + "150 300 9")[0]
    assert alarm_grades(table, 10.0, 100) == {110: 12.0, 120: 13.0, 130: 40.0}
    assert alarm_grades(table, 10.0, 110) == {120: 13.0, 130: 40.0}  # step 110 belongs to the segment before
    assert alarm_grades(table, None, 0) == alarm_grades({}, 10.0, 0) == {}


def test_the_first_and_each_much_larger_grade_is_told_once(tmp_path, caplog):
    log = tmp_path / "log.lammps"
    bell = AlarmBell(log, 10.0, 100)
    told = []
    with caplog.at_level(logging.WARNING):
        bell.look()  # nothing there yet
        for rows in range(len(ROWS) + 1):
            log.write_text(HEAD + "".join(ROWS[:rows]))
            bell.look()
            bell.look()
            told.append(len(caplog.records))
    assert told == [0, 0, 1, 1, 2, 2]
    assert "extrapolation grade 40 at step 130, alarm at 10" in caplog.text
