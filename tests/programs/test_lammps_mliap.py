"""`pair_style mliap unified` with our model object in a real LAMMPS that has ML-IAP and PYTHON."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

import polypace
from polypace.ace import evaluate, write_mliap_model
from polypace.errors import MissingProgramError, ProgramError
from polypace.lammps import find_lammps, mliap_pair_lines
from polypace.lammps.capabilities import runs_python_models
from polypace.lammps.single_point import lammps_single_point
from tests.helpers.potentials import random_potential

pytestmark = pytest.mark.program
VARIABLE = "POLYPACE_LAMMPS_MLIAP"


@pytest.fixture(scope="module")
def program():
    """The LAMMPS of the variable above, else the one that is found."""
    try:
        found = find_lammps(os.environ.get(VARIABLE), styles=["pair mliap"])
    except MissingProgramError as error:
        pytest.skip(str(error))
    if not runs_python_models(found):
        pytest.skip(
            f"needs a LAMMPS with ML-IAP and PYTHON ({VARIABLE}=/path/to/lmp); {found.command[0]} has no PYTHON"
        )
    where = str(Path(polypace.__file__).parent.parent)
    return dataclasses.replace(found, environment={**found.environment, "PYTHONPATH": where})


@pytest.fixture
def melt(tmp_path, rng):
    potential = tmp_path / "p.yaml"
    potential.write_text(random_potential(np.random.default_rng(7)))
    model = tmp_path / "p.pkl"
    write_mliap_model(potential, model)
    atoms = bulk("C", "fcc", a=4.4, cubic=True).repeat(3)
    atoms.symbols[rng.random(len(atoms)) < 0.5] = "H"
    atoms.rattle(0.1, rng=rng)
    return atoms, model, evaluate([atoms], potential)[0]


@pytest.mark.parametrize("n_ranks", [1, 2])
@pytest.mark.parametrize("types", [["C", "H"], ["H", "C"]])
def test_against_python(program, melt, n_ranks, types):
    atoms, model, expected = melt
    lines = mliap_pair_lines(model, types, {"C": "C", "H": "H"}, labelled=True)
    found = lammps_single_point(atoms, lines, types, program=program, n_ranks=n_ranks)
    np.testing.assert_allclose(found.energies, expected.energies, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.forces, expected.forces, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.stress, expected.stress, rtol=0, atol=1e-9)


def test_elements_are_compared_by_name(program, melt):
    atoms, model, _ = melt
    with pytest.raises(ProgramError, match="Incorrect args for pair coefficients"):
        lammps_single_point(
            atoms, mliap_pair_lines(model, ["C", "H"], {"C": "C", "H": "N"}), ["C", "H"], program=program
        )
    lines = mliap_pair_lines(model, ["C", "H"], {"C": "C", "H": "H"}, labelled=True)
    with pytest.raises(ProgramError, match="its types are in another order"):
        lammps_single_point(atoms, lines, ["H", "C"], program=program)
