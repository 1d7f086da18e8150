"""The short run before a long one."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from polypace.ace import evaluate
from polypace.errors import ProgramError
from polypace.lammps import ace_pair_lines, preflight
from tests.helpers.potentials import random_potential

pytestmark = pytest.mark.program


def test_right_energy_passes_and_swapped_species_do_not(tmp_path, rng):
    potential = tmp_path / "p.yaml"
    potential.write_text(random_potential(np.random.default_rng(7)))
    atoms = bulk("C", "fcc", a=4.4, cubic=True).repeat(3)
    atoms.symbols[rng.random(len(atoms)) < 0.5] = "H"
    expected = evaluate([atoms], potential)[0].energy
    types = ["C", "H"]
    lines = ace_pair_lines(potential, types, {"C": "C", "H": "H"})
    found = preflight(atoms, lines, types, expected, planned_steps=1000, timestep=2e-4, n_steps=50)
    assert abs(found.energy_error) < 1e-10 and found.gamma_max is None
    assert found.neighbors_per_atom > 10
    assert found.predicted_seconds == pytest.approx(1000 * len(atoms) / found.atom_steps_per_second)
    assert abs(found.drift) < 1.0
    swapped = ace_pair_lines(potential, types, {"C": "H", "H": "C"})
    with pytest.raises(ProgramError, match="atom type 1 the element H, but its type label says C"):
        preflight(atoms, swapped, types, expected, planned_steps=1000)
    with pytest.raises(ProgramError, match="element order and units"):
        preflight(atoms, lines, types, expected + 2e-6 * len(atoms), planned_steps=1000)
