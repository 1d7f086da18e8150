"""The neighbour list against all images, on cells that are skewed, tiny, open or far from the origin."""

from __future__ import annotations

import numpy as np
import pytest

from polypace import _core
from tests.oracle.neighbors import neighbor_pairs

CELLS = {
    "cubic": np.diag([9.0, 9.0, 9.0]),
    "skewed": np.array([[8.0, 0.0, 0.0], [5.0, 7.0, 0.0], [-3.0, 2.0, 9.0]]),
    "tiny": np.array([[2.1, 0.0, 0.0], [0.9, 1.9, 0.0], [0.3, 0.7, 2.3]]),
    "flat": np.diag([30.0, 4.0, 1.5]),
    "left-handed": np.array([[0.0, 6.0, 0.0], [7.0, 0.0, 0.0], [0.0, 0.0, 8.0]]),
}
PBC = [(True, True, True), (False, False, False), (True, False, True), (False, True, False)]


@pytest.mark.parametrize("pbc", PBC)
@pytest.mark.parametrize("name", CELLS)
def test_equals_all_images(name, pbc, rng):
    cell = CELLS[name]
    # Atoms also outside the cell, as unwrapped chains are.
    positions = rng.uniform(-1.5, 2.5, (7, 3)) @ cell
    cutoff = 4.3
    offsets, neighbors, shifts, displacements = _core.neighbors.neighbor_list(positions, cell, pbc, cutoff)
    centers = np.repeat(np.arange(len(positions)), np.diff(offsets))
    found = {(int(i), int(j), tuple(s.tolist())) for i, j, s in zip(centers, neighbors, shifts, strict=True)}
    assert len(found) == len(neighbors)
    assert found == neighbor_pairs(positions, cell, pbc, cutoff)
    np.testing.assert_allclose(displacements, positions[neighbors] - positions[centers] + shifts @ cell, atol=1e-12)


def test_does_not_depend_on_threads(rng):
    cell = np.diag([25.0, 26.0, 27.0])
    positions = rng.uniform(0, 1, (2000, 3)) @ cell
    one = _core.neighbors.neighbor_list(positions, cell, (True,) * 3, 6.0, 1)
    two = _core.neighbors.neighbor_list(positions, cell, (True,) * 3, 6.0, 2)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_no_atoms_and_one_atom():
    cell = np.eye(3)
    offsets, neighbors, _, _ = _core.neighbors.neighbor_list(np.zeros((0, 3)), cell, (True,) * 3, 1.0)
    assert offsets.tolist() == [0] and len(neighbors) == 0
    offsets, neighbors, _, _ = _core.neighbors.neighbor_list(np.zeros((1, 3)), cell, (False,) * 3, 5.0)
    assert offsets.tolist() == [0, 0] and len(neighbors) == 0


@pytest.mark.parametrize(
    ("positions", "cell", "cutoff", "message"),
    [
        (np.zeros((1, 3)), np.zeros((3, 3)), 1.0, "cell vectors"),
        (np.zeros((1, 3)), np.eye(3), -1.0, "cutoff must be positive"),
        (np.zeros((1, 3)), np.eye(3), np.inf, "cutoff must be positive and finite"),
        (np.full((1, 3), np.nan), np.eye(3), 1.0, "atom 0 must be finite"),
        (np.zeros((1, 2)), np.eye(3), 1.0, "3 columns"),
    ],
)
def test_bad_input_is_named(positions, cell, cutoff, message):
    with pytest.raises(ValueError, match=message):
        _core.neighbors.neighbor_list(positions, cell, (True,) * 3, cutoff)
