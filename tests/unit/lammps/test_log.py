"""LAMMPS logs, from stored outputs of real runs (data/)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polypace.errors import FileFormatError
from polypace.lammps.log import LoopCost, parse_errors, parse_log, read_log, read_loop_cost

DATA = Path(__file__).parent / "data"


def test_tables_of_a_minimization_and_a_yaml_run():
    tables = read_log(DATA / "two_runs.log")
    assert [list(table)[:2] for table in tables] == [["Step", "Temp"], ["Step", "Temp"]]
    np.testing.assert_array_equal(tables[0]["Step"], [0, 10, 20])
    np.testing.assert_array_equal(tables[0]["PotEng"], [117.07684, 36.888813, 24.991751])
    np.testing.assert_array_equal(tables[1]["Step"], [20, 30, 40])
    assert tables[1]["Press"][-1] == 145085.984860664


def test_a_run_cut_off_anywhere_gives_its_complete_rows():
    text = (DATA / "two_runs.log").read_text()
    whole = parse_log(text)
    for length in range(0, len(text), 7):
        for table, full in zip(parse_log(text[:length]), whole, strict=False):
            rows = len(table["Step"])
            for name, values in table.items():
                np.testing.assert_array_equal(values, full[name][:rows])


def test_lost_atoms_are_told():
    text = (DATA / "lost_atoms.log").read_text()
    found = parse_errors(text)
    assert found.errors == ("ERROR: Lost atoms: original 60 current 0",)
    assert found.lost_atoms
    assert parse_log(text)[0]["Temp"].tolist() == [300]


def test_a_missing_log_is_named():
    with pytest.raises(FileFormatError, match=r"nowhere/log\.lammps: No such file"):
        read_log("nowhere/log.lammps")


def test_cost_of_a_run_on_a_busy_machine(tmp_path):
    log = tmp_path / "log.lammps"
    log.write_text(
        "Loop time of 9 on 1 procs for 6 steps with 192 atoms\n\n99.0% CPU use with 1 MPI tasks x 1 OpenMP threads\n"
        "Loop time of 10 on 2 procs for 500 steps with 192 atoms\n\nPerformance: 31.274 ns/day\n"
        "40.0% CPU use with 2 MPI tasks x 1 OpenMP threads\n"
    )
    assert read_loop_cost(log) == LoopCost(500, 8.0), "the last run; two ranks that had 0.4 of a core each for 10 s"
    log.write_text("Loop time of 9 on 1 procs for 6 steps with 192 at")
    with pytest.raises(FileFormatError, match="was it cut off"):
        read_loop_cost(log)
