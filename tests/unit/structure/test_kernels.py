"""The compiled structure kernels against loops over everything."""

from __future__ import annotations

import numpy as np
import pytest

from polypace import _core
from tests.oracle.structure import angle, dihedral, nearest_image, pair_counts, structure_factor

CELLS = {
    "cubic": np.diag([9.0, 9.0, 9.0]),
    "skewed": np.array([[8.0, 0.0, 0.0], [5.0, 7.0, 0.0], [-3.0, 2.0, 9.0]]),
    "tiny": np.array([[2.1, 0.0, 0.0], [0.9, 1.9, 0.0], [0.3, 0.7, 2.3]]),
    "flat": np.diag([30.0, 4.0, 1.5]),
    "left-handed": np.array([[0.0, 6.0, 0.0], [7.0, 0.0, 0.0], [0.0, 0.0, 8.0]]),
}
PBC = [(True, True, True), (False, False, False), (True, False, True)]


@pytest.mark.parametrize("pbc", PBC)
@pytest.mark.parametrize("name", CELLS)
def test_pairs_equal_all_images(name, pbc, rng):
    cell = CELLS[name]
    n = {"tiny": 5, "flat": 7}.get(name, 11)
    positions = rng.uniform(-1, 2, (n, 3)) @ cell
    types = rng.integers(0, 3, n).astype(np.int32)
    counts = _core.structure.count_pairs(positions, types, cell, pbc, 4.3, 20, 3)
    np.testing.assert_array_equal(counts, pair_counts(positions, types, cell, pbc, 4.3, 20, 3))


def test_pairs_of_many_atoms_equal_the_neighbour_list(rng):
    cell = CELLS["skewed"] * 3
    positions = rng.uniform(0, 1, (3000, 3)) @ cell
    types = np.zeros(3000, dtype=np.int32)
    one = _core.structure.count_pairs(positions, types, cell, (True,) * 3, 6.0, 60, 1, 1)
    two = _core.structure.count_pairs(positions, types, cell, (True,) * 3, 6.0, 60, 1, 2)
    np.testing.assert_array_equal(one, two)
    displacements = _core.neighbors.neighbor_list(positions, cell, (True,) * 3, 6.0)[3]
    want = np.histogram(np.linalg.norm(displacements, axis=1), bins=60, range=(0, 6))[0] // 2
    np.testing.assert_array_equal(one[0], want)


def test_pairs_within_molecules(rng):
    positions = rng.normal(0, 2, (12, 3))
    types = rng.integers(0, 2, 12).astype(np.int32)
    molecules = np.array([0] * 5 + [1] * 7)
    offsets, members = np.array([0, 5, 12]), np.arange(12)
    counts = _core.structure.count_molecule_pairs(positions, types, offsets, members, 5.0, 10, 2)
    box, open_ = np.eye(3) * 100, (False,) * 3
    want = sum(pair_counts(positions[molecules == m], types[molecules == m], box, open_, 5.0, 10, 2) for m in (0, 1))
    np.testing.assert_array_equal(counts, want)


@pytest.mark.parametrize("pbc", PBC[:2])
def test_bonds_angles_dihedrals(pbc, rng):
    cell = CELLS["skewed"]
    # Bonds shorter than half the cell, placed in any image.
    cells = np.stack([cell, 1.1 * cell])
    positions = np.cumsum(rng.normal(0, 0.5, (2, 9, 3)), axis=1)
    if pbc[0]:
        positions += rng.integers(-2, 3, positions.shape) @ cells
    tuples = [np.array([np.arange(k, k + n) for k in range(10 - n)]) for n in (2, 3, 4)]
    bonds, angles, dihedrals = (
        _core.structure.internal_coordinates(positions, cells, pbc, rows.astype(np.int64)) for rows in tuples
    )
    for f in range(2):
        want = [np.linalg.norm(nearest_image(positions[f, b] - positions[f, a], cells[f], pbc)) for a, b in tuples[0]]
        np.testing.assert_allclose(bonds[f], want, rtol=1e-10)
        np.testing.assert_allclose(angles[f], [angle(positions[f], cells[f], pbc, t) for t in tuples[1]], rtol=1e-7)
        np.testing.assert_allclose(
            dihedrals[f], [dihedral(positions[f], cells[f], pbc, t) for t in tuples[2]], rtol=1e-7
        )


def test_dihedral_signs_and_ends():
    """cis 0, trans 180, and +90 where the last bond turns clockwise seen along the middle one."""
    start = np.array([[0.0, 1, 0], [0, 0, 0], [0, 0, 1.5]])
    ends = {0: [0, 1, 1.5], 180: [0, -1, 1.5], 90: [-1, 0, 1.5], -90: [1, 0, 1.5]}
    for degrees, end in ends.items():
        positions = np.vstack([start, [end]])[None]
        value = _core.structure.internal_coordinates(positions, np.zeros((1, 3, 3)), (False,) * 3, np.arange(4)[None])[
            0, 0
        ]
        assert abs(value) == pytest.approx(180) if degrees == 180 else value == pytest.approx(degrees)
        counts, _ = _core.structure.internal_coordinate_histograms(
            positions,
            np.zeros((1, 3, 3)),
            (False,) * 3,
            np.arange(4)[None],
            np.zeros(1, dtype=np.int64),
            1,
            -180.0,
            2.0,
            180,
        )
        assert counts.sum() == 1


def test_histograms_equal_the_values(rng):
    positions = rng.uniform(0, 9, (4, 30, 3))
    cells = np.stack([CELLS["cubic"]] * 4)
    tuples = np.array([rng.choice(30, 3, replace=False) for _ in range(50)])
    groups = rng.integers(0, 2, 50)
    values = _core.structure.internal_coordinates(positions, cells, (True,) * 3, tuples)
    arguments = (positions, cells, (True,) * 3, tuples, groups, 2, 20.0, 5.0, 30)
    counts, moments = _core.structure.internal_coordinate_histograms(*arguments, 1)
    again, _ = _core.structure.internal_coordinate_histograms(*arguments, 2)
    np.testing.assert_array_equal(counts, again)
    for f in range(4):
        for g in range(2):
            mine = values[f, groups == g]
            np.testing.assert_array_equal(counts[f, g], np.histogram(mine, bins=30, range=(20, 170))[0])
            np.testing.assert_allclose(moments[f, g], [mine.sum(), (mine**2).sum()])


def test_chain_statistics(rng):
    cell = CELLS["skewed"]
    walk = np.cumsum(rng.normal(0, 0.6, (2, 11, 3)), axis=1)
    wrapped = walk - np.floor(walk @ np.linalg.inv(cell)) @ cell
    offsets, beads = np.array([0, 6, 10]), np.array([0, 1, 2, 3, 4, 5, 10, 9, 8, 7])
    end, gyration, internal = _core.structure.chain_statistics(
        wrapped, np.stack([cell, cell]), (True,) * 3, offsets, beads, 5
    )
    for f in range(2):
        chains = [walk[f, beads[:6]], walk[f, beads[6:]]]
        np.testing.assert_allclose(end[f], [((c[-1] - c[0]) ** 2).sum() for c in chains])
        np.testing.assert_allclose(gyration[f], [((c - c.mean(axis=0)) ** 2).sum(axis=1).mean() for c in chains])
        want = [sum(((c[s:] - c[:-s]) ** 2).sum() for c in chains if len(c) > s) for s in range(1, 6)]
        np.testing.assert_allclose(internal[f], want)


def test_density_modes(rng):
    cell = CELLS["skewed"]
    positions = rng.uniform(-1, 2, (700, 3)) @ cell
    vectors = rng.integers(-6, 7, (40, 3))
    types = np.zeros(700, dtype=np.int32)
    modes = _core.structure.density_modes(positions, types, cell, vectors, 1, 1)
    np.testing.assert_array_equal(modes, _core.structure.density_modes(positions, types, cell, vectors, 1, 2))
    np.testing.assert_allclose((modes[0] ** 2).sum(axis=1) / 700, structure_factor(positions, cell, vectors), rtol=1e-9)
    types[::3] = 1
    split = _core.structure.density_modes(positions, types, cell, vectors, 2)
    np.testing.assert_allclose(split.sum(axis=0), modes[0], atol=1e-10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"r_max": -1.0}, "r_max must be positive"),
        ({"n_bins": 0}, "n_bins and n_types must be positive"),
        ({"types": np.full(3, 4, dtype=np.int32)}, "type of atom 0 is 4"),
        ({"positions": np.full((3, 3), np.nan)}, "position of atom 0 must be finite"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {
        "positions": np.zeros((3, 3)), "types": np.zeros(3, dtype=np.int32), "cell": np.eye(3) * 5,
        "pbc": (True,) * 3, "r_max": 2.0, "n_bins": 4, "n_types": 1,
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        _core.structure.count_pairs(**(arguments | change))
