"""Chains folded onto themselves: lengths are kept, distances and angles are what was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from ase.neighborlist import neighbor_list

from polypace.errors import InputError
from polypace.systems import build_melt
from polypace.systems.pinch import _dihedral, pinch_chain, pinch_ends, pinched_chain_melt


def bond_lengths(x):
    return np.linalg.norm(np.diff(x, axis=0), axis=1)


@pytest.fixture
def melt():
    return build_melt(8, 6, density=0.5, seed=4)


@pytest.mark.parametrize("distance", [1.5, 2.0, 2.5])
def test_a_pinched_chain_keeps_its_bonds_and_closes(melt, distance, rng):
    x = melt.atoms.positions[:8]
    for place in range(1, 6):
        folded = pinch_chain(x, place, distance, twist=0.3)
        np.testing.assert_allclose(bond_lengths(folded), bond_lengths(x), atol=1e-9)
        closed = np.linalg.norm(folded[place + 2] - folded[place - 1])
        assert closed <= distance
        if distance <= 2:  # nearer than any cis, so that it was bent to be met
            assert closed > distance - 0.1
        assert _dihedral(*folded[place - 1 : place + 3]) == pytest.approx(0.3, abs=1e-6)


def test_pinched_ends_move_only_end_atoms(melt):
    bent = pinch_ends(melt, seed=1)
    still = np.tile([False] + [True] * 6 + [False], 6)
    np.testing.assert_array_equal(bent.atoms.positions[still], melt.atoms.positions[still])
    for k in range(6):
        here, there = bent.atoms.positions[8 * k : 8 * k + 8], melt.atoms.positions[8 * k : 8 * k + 8]
        np.testing.assert_allclose(bond_lengths(here), bond_lengths(there), atol=1e-9)
        first, second = here[0] - here[1], here[2] - here[1]
        angle = np.degrees(np.arccos(first @ second / np.linalg.norm(first) / np.linalg.norm(second)))
        assert 59.9 < angle < 105.1


def test_nothing_is_bent_into_something_else():
    """Dense short chains: as drawn, one end in a thousand lands on another atom (0.09 Å, 1e18 eV), and no ends meet."""
    melt = build_melt(5, 60, density=0.65, seed=3)
    bonded = {frozenset(pair) for pair in melt.bonds.tolist()}
    n_moved = 0
    for seed in range(8):
        bent = pinch_ends(melt, seed).atoms
        first, second, distance = neighbor_list("ijd", bent, 1.3)
        assert {frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)} <= bonded, distance.min()
        n_moved += np.count_nonzero(np.abs(bent.positions - melt.atoms.positions).max(axis=1) > 1e-9)
        alone = pinched_chain_melt(melt, seed, seed).atoms.get_all_distances()
        assert alone[np.triu_indices(5, k=2)].min() >= 1.3
    assert n_moved > 0.95 * 8 * 120


def test_a_chain_alone_has_its_own_topology(melt):
    alone = pinched_chain_melt(melt, 2, seed=3)
    assert len(alone.atoms) == 8 and len(alone.bonds) == 7 and alone.molecules.tolist() == [0] * 8
    lengths = np.linalg.norm(
        alone.atoms.positions[alone.bonds[:, 0]] - alone.atoms.positions[alone.bonds[:, 1]], axis=1
    )
    assert np.all(np.abs(lengths - 1.54) < 0.3)


def test_a_place_outside_is_refused():
    with pytest.raises(InputError, match=r"place must be 1…1"):
        pinch_chain(np.zeros((4, 3)), 2, 1.5, 0.0)
