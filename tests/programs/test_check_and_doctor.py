"""`polypace check` and `polypace doctor` as a user calls them."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from polypace.cli.app import main
from tests.helpers.potentials import random_potential

pytestmark = pytest.mark.program


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    said = capsys.readouterr()
    return int(left.value.code or 0), said.out, said.err


@pytest.fixture
def potential(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(random_potential(np.random.default_rng(3)))
    return path


def test_a_good_potential_agrees(capsys, potential):
    code, out, _ = run(capsys, "check", str(potential))
    assert code == 0
    assert out.count("agrees") >= 4 and "DIFFERS" not in out and "LAMMPS, exported .yace, 2 ranks" in out


def test_disagreement_is_told(capsys, potential, monkeypatch):
    """A LAMMPS that reads another potential than Python."""
    from polypace.cli import check

    elsewhere = potential.with_name("other.yaml")
    elsewhere.write_text(potential.read_text().replace("c: [0.0", "c: [0.1"))
    original = check._in_lammps
    monkeypatch.setattr(check, "_in_lammps", lambda a, p, file, *rest: original(a, p, elsewhere, *rest))
    code, out, _ = run(capsys, "check", str(potential))
    assert code == 1 and out.count("DIFFERS") == 2


def test_missing_file_and_missing_program(capsys, potential):
    code, _, err = run(capsys, "check", "nowhere.yaml")
    assert code == 1 and "nowhere.yaml does not exist" in err
    code, _, err = run(capsys, "check", str(potential), "--lammps", "/nowhere/lmp")
    assert code == 1 and "/nowhere/lmp" in err and "cannot be started" in err


def test_doctor(capsys):
    code, out, _ = run(capsys, "doctor")
    assert code == 0
    assert "22 Jul 2025" in out and "atom-steps/s" in out
    assert "pair_style pace" in out and "the PolyPACE plugin" in out


def test_a_short_run_before_a_long_one(capsys, potential, tmp_path):
    """Types of the file are mapped to elements by name; the energy of step 0 is compared."""
    atoms = bulk("C", "fcc", a=4.4, cubic=True).repeat(2)
    atoms.symbols[::3] = "H"
    start = tmp_path / "start.extxyz"
    atoms.write(start)
    arguments = ["check", str(potential), "--structure", str(start), "--steps", "5000", "--timestep", "0.0002"]
    code, out, err = run(capsys, *arguments)
    assert code == 0, err
    assert "eV/atom from Python's" in out and "atom-steps/s" in out and "5000 steps will take" in out
    code, out, err = run(capsys, *arguments, "--element", "H=N")
    assert (
        code == 1 and not out and "the atom type H is mapped to the element N, which the potential does not have" in err
    )
    code, _, err = run(capsys, *arguments, "--element", "H:C")
    assert code == 1 and "must be of the form TYPE=ELEMENT" in err
    code, _, err = run(capsys, *arguments, "--element", "O=C")
    assert code == 1 and "--element names the atom type O" in err and "has C, H" in err
    code, _, err = run(capsys, "check", str(potential), "--element", "H=C")
    assert code == 1 and "--element is for the atom types of --structure" in err
    code, _, err = run(capsys, "check", str(potential), "--structure", "nowhere.data")
    assert code == 1 and "structure file nowhere.data does not exist" in err


def test_doctor_looks_at_the_lammps_that_is_named_alone(capsys):
    code, out, _ = run(capsys, "doctor", "--lammps", "/nowhere/lmp")
    assert code == 1 and "/nowhere/lmp (the argument): cannot be used" in out and "atom-steps/s" not in out
