"""Design rows of structures in which every atom reaches every other."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms

from polypace.ace import Potential, design_rows, evaluate


@pytest.mark.parametrize("n_atoms", [47, 48, 49, 53, 58, 70])
def test_rows_times_coefficients_are_the_prediction(n_atoms, shared, rng):
    potential = Potential.read(shared / "spec/vectors/al_r4_linear.yaml")
    length = (15.0 * n_atoms) ** (1 / 3)
    grid = np.array([(i, j, k) for i in range(5) for j in range(5) for k in range(5)])[rng.permutation(125)[:n_atoms]]
    positions = (grid + rng.uniform(-0.15, 0.15, grid.shape)) * length / 5
    atoms = Atoms(f"Al{n_atoms}", positions=positions, cell=[length] * 3, pbc=True)
    coefficients = rng.normal(size=sum(potential.n_functions.values()))
    rows = design_rows(atoms, potential)
    prediction = evaluate([atoms], potential.with_coefficients(coefficients))[0]
    scale = np.abs(prediction.forces).max()
    np.testing.assert_allclose(rows.forces @ coefficients, prediction.forces, atol=1e-11 * scale)
    np.testing.assert_allclose(rows.virial @ coefficients, prediction.virial, rtol=1e-9)
    assert rows.energy @ coefficients == pytest.approx(prediction.energy, rel=1e-11)
