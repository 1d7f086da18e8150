"""A LAMMPS of another origin, version and MPI (Debian's: 2021, Open MPI, without ML-PACE), found, used and refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from polypace.cli.app import main
from polypace.cli.doctor import SHORT_RUN
from polypace.errors import MissingProgramError, ProgramError
from polypace.lammps import find_lammps, run_lammps
from polypace.lammps.capabilities import capabilities
from polypace.lammps.program import LammpsProgram
from polypace.lammps.wheel import wheel_mpirun
from tests.helpers.potentials import random_potential

pytestmark = pytest.mark.program
OTHER = os.environ.get("POLYPACE_OTHER_LAMMPS", "/usr/bin/lmp")
LJ = SHORT_RUN.replace("run 200", "run 5")


@pytest.fixture(scope="module")
def other() -> LammpsProgram:
    if not Path(OTHER).exists():
        pytest.skip(f"needs a second LAMMPS (apt-get install lammps), there is none at {OTHER}")
    program = find_lammps(OTHER)
    if "ML-PACE" in program.packages or "Open MPI" not in program.mpi:
        pytest.skip(f"{OTHER} has ML-PACE or another MPI than Open MPI")
    return program


def test_it_says_what_it_is_and_what_it_lacks(other):
    assert not other.is_wheel and 20150101 < other.number < 20990101 and "MOLECULE" in other.packages
    can = {item.name.split(" (")[0]: item for item in capabilities(other)}
    assert not can["pair_style pace"].available and "-D PKG_ML-PACE=on" in can["pair_style pace"].remedy
    assert can["several MPI ranks"].available
    with pytest.raises(MissingProgramError, match=r"lacks: pair pace; remedy: .*conda install -c conda-forge lammps"):
        find_lammps(OTHER, styles=["pair pace"])


def test_it_runs_on_ranks_of_its_own_mpi(other, tmp_path):
    energies = [run_lammps(LJ, tmp_path / str(n), other, n).thermo[-1]["TotEng"][-1] for n in (1, 2)]
    np.testing.assert_allclose(*energies, rtol=1e-10)


def test_the_launcher_of_another_mpi_is_told(other, tmp_path, monkeypatch):
    mpirun = wheel_mpirun() or shutil.which("mpirun.mpich")
    assert mpirun is not None
    monkeypatch.setenv("POLYPACE_MPIRUN", mpirun)
    with pytest.raises(ProgramError, match=r"started copies of LAMMPS instead of 2 ranks.*POLYPACE_MPIRUN"):
        run_lammps(LJ, tmp_path, other, 2)


def test_check_names_the_missing_package(other, tmp_path, capsys):
    potential = tmp_path / "p.yaml"
    potential.write_text(random_potential(np.random.default_rng(3)))
    with pytest.raises(SystemExit):
        main(["check", str(potential), "--lammps", OTHER])
    assert "lacks: pair pace; remedy" in capsys.readouterr().err
