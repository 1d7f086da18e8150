"""Descriptors of the core before and after carving."""

from __future__ import annotations

import numpy as np
import pytest
from ase.neighborlist import neighbor_list

from polypace.ace import BasisSpec, projections
from polypace.carve import carve_clusters, compare_descriptors
from polypace.errors import InputError, UnstableRunError
from tests.helpers.polyethylene import polyethylene


@pytest.fixture(scope="module")
def melt():
    return polyethylene(10, 40, seed=6, explicit_hydrogens=False)


def coordination(cutoff):
    """Smooth moments of the neighbours: change with any neighbour that comes, goes or is renamed."""

    def descriptor(atoms):
        i, j, d = neighbor_list("ijd", atoms, cutoff)
        end = atoms.arrays["type_name"][j] == "CH3"
        taper = (1 - (d / cutoff) ** 2) ** 3
        columns = [np.bincount(i, taper * np.cos(k * d) * (1 + end), len(atoms)) for k in range(4)]
        return np.column_stack(columns)

    return descriptor


@pytest.mark.parametrize("mode", ["capped", "whole-molecules", "periodic"])
def test_descriptors_survive_where_the_sphere_is_whole(melt, mode):
    clusters = carve_clusters(melt, range(0, 400, 90), 2.0, 8.6, mode=mode, cutoff=5.0, descriptor=coordination(5.0))
    differences = compare_descriptors(melt, clusters, coordination(5.0))
    assert differences.shape == (len(clusters),) and (differences < 1e-10).all()


def test_too_small_a_cutoff_is_noticed(melt):
    with pytest.raises(UnstableRunError, match="carve with cutoff= at least"):
        carve_clusters(melt, range(0, 400, 90), 2.0, 6.0, cutoff=2.4, descriptor=coordination(6.0))


def test_descriptor_must_give_one_row_per_atom(melt):
    with pytest.raises(InputError, match="one row for each of the 400 atoms of the melt"):
        carve_clusters(melt, [5], 2.0, 6.0, descriptor=lambda atoms: np.zeros(3))


@pytest.mark.parametrize("mode", ["capped", "periodic"])
def test_ace_projections_and_grades_survive(mode):
    """B-projections of every weighted atom, and a linear grade of them, are the melt's to 1e-10."""
    melt = polyethylene(3, 40, seed=8)
    potential = BasisSpec.simple(["C", "H"], 3.6, nradmax=(4, 2), lmax=(0, 2)).build()
    weights = np.random.default_rng(1).normal(size=(projections([melt.atoms], potential)[0].shape[1], 20))

    def grade(atoms):
        return np.abs(projections([atoms], potential)[0] @ weights).max(axis=1)

    clusters = carve_clusters(melt, range(0, 120, 31), 2.0, 7.2, mode=mode, cutoff=3.6)
    assert all(cluster.force_weight.sum() > 3 for cluster in clusters)
    differences = compare_descriptors(melt, clusters, lambda atoms: projections([atoms], potential)[0])
    assert (differences < 1e-10).all()
    assert (compare_descriptors(melt, clusters, grade) < 1e-10).all()
