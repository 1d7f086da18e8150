"""The gate finds holes behind low barriers and lets walls and shallow wells pass."""

from __future__ import annotations

import ase
import numpy as np
import pytest

from polypace.study.gate import ContactScan, contact_structures, dimer_structures, run_scans
from polypace.units import BOLTZMANN

T = 350.0
DISTANCE = np.arange(6.0, 0.4, -0.05)


def scan(energy):
    return ContactScan("test", DISTANCE, np.asarray(energy))


def test_a_wall_passes():
    wall = scan(0.01 * (3.9 / DISTANCE) ** 12)
    assert wall.barrier(T) == np.inf and wall.passes(T)


def test_an_attractive_well_before_the_wall_is_no_hole():
    six = (3.9 / DISTANCE) ** 6
    assert scan(4 * 0.05 * (six**2 - six)).passes(T)


@pytest.mark.parametrize(("height", "passes"), [(0.3, False), (2.0, True)])
def test_a_hole_behind_a_barrier(height, passes):
    energy = np.where(DISTANCE > 2.0, height * np.exp(-((DISTANCE - 2.5) ** 2) / 0.02), -5.0)
    found = scan(energy)
    assert found.barrier(T) == pytest.approx(height, rel=0.05)
    assert found.passes(T) is passes
    assert (height > 25 * BOLTZMANN * T) is passes


def test_a_fall_from_the_start_has_no_barrier_to_hide_behind():
    assert scan(-1.0 / DISTANCE).barrier(T) == 0  # deeper than a van der Waals well
    hole = scan(np.where(DISTANCE > 3, 1e-3, -10.0))
    assert hole.barrier(T) == pytest.approx(1e-3) and not hole.passes(T)


def chains(rng):
    """Four zig-zag trimers, far apart."""
    template = np.array([[0.0, 0, 0], [1.3, 0.8, 0], [2.6, 0, 0]])
    positions = np.concatenate([template + 12 * k for k in range(4)])
    atoms = ase.Atoms("C12", positions=positions, cell=np.eye(3) * 60, pbc=True)
    atoms.set_array("mol_id", np.repeat(np.arange(4), 3))
    atoms.set_array("type_name", np.array(["CH3", "CH2", "CH3"] * 4))
    return atoms


def test_contact_structures_bring_two_whole_molecules_together(rng):
    melt = chains(rng)
    for frames in contact_structures(melt, 5, DISTANCE, seed=3):
        for atoms, distance in zip(frames, DISTANCE, strict=True):
            assert len(atoms) == 6 and not atoms.pbc.any()
            apart = np.linalg.norm(atoms.positions[:3, None] - atoms.positions[None, 3:], axis=2)
            assert apart.min() == pytest.approx(distance, abs=1e-10)
            assert atoms.info["contact"] == pytest.approx(distance)
            inside = np.linalg.norm(np.diff(atoms.positions[:3], axis=0), axis=1)
            np.testing.assert_allclose(inside, np.hypot(1.3, 0.8))


def test_scans_are_relative_to_the_furthest_structure():
    names, structures = dimer_structures({"CH2": "C", "CH3": "C"}, np.array([3.0, 2.0, 1.0]))
    assert names == ["CH2-CH2", "CH2-CH3", "CH3-CH3"]

    def energies(frames):
        return np.array([1.0 / atoms.get_distance(0, 1) for atoms in frames])

    for found in run_scans(structures, names, energies):
        np.testing.assert_allclose(found.energy, [0, 1 / 2 - 1 / 3, 1 - 1 / 3])
