"""Neighbours found on the way through a structure (projections of pair functions) against the neighbour list."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from ase import Atoms

from polypace import _core
from polypace.ace import BasisSpec, evaluate, projections
from polypace.errors import InputError
from tests.oracle import ace as oracle

from .test_neighbor_list import CELLS, PBC

CUTOFF = 4.3


@pytest.fixture(scope="module")
def pairs():
    return BasisSpec.simple(["C"], CUTOFF, nradmax=(5,), lmax=(0,), radial="SBessel").build()


@pytest.mark.parametrize("pbc", [*PBC, (False, False, True)])
@pytest.mark.parametrize(("name", "scale"), [*((name, 1) for name in CELLS), ("skewed", 4), ("flat", 2)])
def test_sees_the_pairs_of_the_neighbour_list(pairs, name, scale, pbc, rng):
    cell = scale * CELLS[name]
    # Atoms also outside the cell, as unwrapped chains are.
    atoms = Atoms(f"C{8 * scale**3}", rng.uniform(-1.5, 2.5, (8 * scale**3, 3)) @ cell, cell=cell, pbc=pbc)
    offsets, _, _, displacements = _core.neighbors.neighbor_list(atoms.positions, cell, pbc, CUTOFF)
    r = np.linalg.norm(displacements, axis=1)
    (bond,) = pairs.data.bonds
    g = np.array([oracle.basis_functions(bond, distance) for distance in r]).reshape(len(r), 5)
    expected = np.array([g[a:b].sum(axis=0) for a, b in itertools.pairwise(offsets)])
    (found,) = projections([atoms], pairs, radial="analytic")
    np.testing.assert_allclose(found, expected, atol=1e-11 * max(1, np.abs(expected).max(initial=0)))


def test_many_images_of_one_atom(pairs):
    """A cell thirty times smaller than the cutoff: a hundred thousand neighbours."""
    cell = 0.15 * np.eye(3)
    (prediction,) = evaluate([Atoms("C", cell=cell, pbc=True)], pairs.with_coefficients([1.0, 0, 0, 0, 0]))
    shifts = np.indices((61, 61, 61)).reshape(3, -1).T - 30
    squares, numbers = np.unique((shifts**2).sum(axis=1), return_counts=True)
    shells = zip(0.15 * np.sqrt(squares[1:]), numbers[1:].tolist(), strict=True)
    expected = sum(n * oracle.basis_functions(pairs.data.bonds[0], r)[0] for r, n in shells if r < CUTOFF)
    assert prediction.energy == pytest.approx(expected, rel=1e-8)


def test_a_cell_with_too_many_images_is_refused(pairs):
    with pytest.raises(
        (InputError, ValueError), match=r"is so small that .* images lie within the cutoff .* check the cell"
    ):
        evaluate([Atoms("C", cell=1e-3 * np.eye(3), pbc=True)], pairs)
