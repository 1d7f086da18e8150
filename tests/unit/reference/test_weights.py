"""Weights by force."""

from __future__ import annotations

import ase
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from polypace.errors import InputError
from polypace.reference import weighted_by_force


def test_large_forces_count_less():
    atoms = ase.Atoms("C2", [[0, 0, 0], [3.0, 0, 0]])
    atoms.calc = SinglePointCalculator(atoms, energy=1.0, forces=np.array([[0, 0, 0], [0, 4.0, 0]]))
    atoms.arrays["force_weight"] = np.array([0.5, 1.0])
    weighted = weighted_by_force([atoms], scale=2.0)[0]
    assert weighted.arrays["force_weight"] == pytest.approx([0.5, 0.2])
    assert weighted.info["energy_weight"] == pytest.approx(0.6)
    assert weighted.get_potential_energy() == 1.0 and "energy_weight" not in atoms.info
    with pytest.raises(InputError, match="scale must be above 0"):
        weighted_by_force([atoms], scale=0.0)
    with pytest.raises(InputError, match="frame 0 has no forces"):
        weighted_by_force([ase.Atoms("C")])
