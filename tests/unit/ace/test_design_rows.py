"""Design rows against pacemaker's force arrays and against the linear potentials themselves."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms

from polypace.ace import Potential, design_rows, evaluate, iterate_design_rows
from polypace.errors import InputError
from tests.helpers.ace_systems import random_potential
from tests.unit.ace.test_reference_vectors import assert_close, frames_of
from tests.unit.formats.vectors import CASES, folder, load


@pytest.mark.parametrize("name", CASES)
def test_forces_of_every_function(name, shared):
    case = load(shared, name)
    given = [s for s in case["structures"] if s.get("B_forces") is not None]
    if not given:
        pytest.skip("case without B_forces")
    potential = Potential.read(folder(shared) / case["potential"])
    for want, atoms in zip(given, frames_of({"structures": given}), strict=True):
        rows = design_rows(atoms, potential)
        assert_close(rows.forces, np.transpose(want["B_forces"], (0, 2, 1)), 1e-10)


@pytest.mark.parametrize("name", ["al_cheblinear", "al_r4_linear", "syn_nial_linear"])
def test_rows_times_coefficients_are_the_prediction(name, shared):
    case = load(shared, name)
    potential = Potential.read(folder(shared) / case["potential"])
    frames = frames_of(case)
    rows = list(iterate_design_rows(frames, potential, n_threads=2))
    for row, prediction in zip(rows, evaluate(frames, potential), strict=True):
        c = potential.coefficients
        assert_close(row.energy @ c, prediction.energy, 1e-12)
        assert_close(row.forces @ c, prediction.forces, 1e-12)
        assert_close(row.virial @ c, prediction.virial, 1e-12)


@pytest.mark.parametrize("n", [4, 60, 200])
def test_small_and_large_structures(n, rng):
    """Up to some tens of atoms all of them, beyond only those in reach are columns while rows are summed."""
    potential = random_potential("bessel, inner cutoff", rng)
    linear = random_potential("density, three elements", rng)
    for one in (potential, linear):
        atoms = Atoms([one.elements[i % 2] for i in range(n)], cell=np.eye(3) * 2.9 * n ** (1 / 3), pbc=True)
        atoms.positions = rng.uniform(0, 1, (n, 3)) @ np.asarray(atoms.cell)
        moved = [atoms.copy(), atoms.copy()]
        moved[0].positions[1] += [0, 1e-5, 0]
        moved[1].positions[1] -= [0, 1e-5, 0]
        here, plus, minus = iterate_design_rows([atoms, *moved], one, radial="analytic")
        slope = (plus.energy - minus.energy) / 2e-5
        assert_close(here.forces[1, 1], -slope, 1e-6)
        assert_close(here.forces.sum(axis=0), np.zeros_like(here.forces[0]), 1e-9 * np.abs(here.forces).max())


def test_ctilde_potential_is_refused(shared):
    with pytest.raises(InputError, match="C-tilde"):
        design_rows(frames_of(load(shared, "alni_zbl"))[0], folder(shared) / "alni_zbl.yace")
