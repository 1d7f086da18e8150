"""Melts from `build_melt`: composition, density, geometry, seed, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from polypace.errors import InputError
from polypace.forcefields import TraPPEUA
from polypace.systems import build_melt, closest_contact
from polypace.systems.chains import linear_chain
from polypace.systems.conformations import (
    place_chains,
    sample_conformations,
    torsion_statistics,
)
from polypace.systems.local_energies import opls_torsion


def test_composition_density_and_contacts():
    melt = build_melt(16, 30, 0.7, seed=3)
    assert melt.types == linear_chain(16, TraPPEUA).types * 30
    assert melt.type_names == ("CH2", "CH3")
    assert melt.atoms.get_masses().sum() / melt.atoms.get_volume() / 0.6022140762 == pytest.approx(0.7)
    assert len(melt.bonds) == 15 * 30 and np.array_equal(np.bincount(melt.molecules), [16] * 30)
    assert closest_contact(melt) > 2.4
    steps = np.diff(melt.atoms.positions, axis=0)[melt.molecules[1:] == melt.molecules[:-1]]
    assert np.all(np.abs(np.linalg.norm(steps, axis=1) - 1.54) < 0.35)


def test_one_seed_one_melt():
    first, again, other = (build_melt(8, 20, 0.65, seed=seed).atoms.positions for seed in (5, 5, 6))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_blend_of_lengths():
    melt = build_melt([1, 2, 3, 12], density=0.2, seed=1)
    assert melt.types[:6] == ("CH4", "CH3", "CH3", "CH3", "CH2", "CH3")
    assert np.array_equal(np.bincount(melt.molecules), [1, 2, 3, 12])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"chain_length": 0, "n_chains": 3}, "chain_length must be at least 1"),
        ({"chain_length": 8, "n_chains": 0}, "n_chains must be a whole number of at least 1, got 0"),
        ({"chain_length": 8, "n_chains": 2.5}, "n_chains must be a whole number of at least 1, got 2.5"),
        ({"chain_length": 8.5, "n_chains": 3}, "whole number"),
        ({"chain_length": [8, 9], "n_chains": 3}, "lists 2 chains"),
        ({"chain_length": 8, "n_chains": 3, "density": 7.0}, "density must be above 0"),
        ({"chain_length": 8, "n_chains": 3, "density": float("nan")}, "density must be above 0"),
        ({"chain_length": 8, "n_chains": 3, "force_field": "mm9"}, "unknown force field 'mm9'; there are: "),
        ({"chain_length": 8, "n_chains": 3, "seed": -1}, "seed must be a whole number from 0 on, got -1"),
        ({"chain_length": 8, "n_chains": 3, "seed": 1.5}, "seed must be a whole number from 0 on, got 1.5"),
        ({"chain_length": 8, "n_chains": 3, "temperature": float("inf")}, "temperature must be above 0 and finite"),
        ({"chain_length": 1, "n_chains": 3, "force_field": "l-opls"}, "'l-opls' has no methane"),
        ({"chain_length": 8, "n_chains": 3, "temperature": 0.0}, "temperature must be above 0"),
    ],
)
def test_refuses(arguments, said):
    with pytest.raises(InputError, match=said):
        build_melt(**arguments)


def test_place_chains_reproduces_internal_coordinates(rng):
    bonds, bends = rng.uniform(1.4, 1.7, (5, 6)), rng.uniform(1.6, 2.3, (5, 5))
    torsions = rng.uniform(-np.pi, np.pi, (5, 4))
    for chain, b, a, t in zip(place_chains(bonds, bends, torsions), bonds, bends, torsions, strict=True):
        atoms = _as_atoms(chain)
        assert [atoms.get_distance(i, i + 1) for i in range(6)] == pytest.approx(b)
        assert np.deg2rad([atoms.get_angle(i, i + 1, i + 2) for i in range(5)]) == pytest.approx(a)
        dihedrals = np.deg2rad([atoms.get_dihedral(i, i + 1, i + 2, i + 3) for i in range(4)])
        assert np.allclose(np.cos(dihedrals - t), 1)


def _as_atoms(positions):
    import ase

    return ase.Atoms("C" * len(positions), positions)


def test_butane_torsions_follow_boltzmann(rng):
    statistics = torsion_statistics(TraPPEUA, 400.0)
    chains = np.array(sample_conformations(np.full(20000, 4), statistics, rng))
    from polypace.units import BOLTZMANN

    angles = np.linspace(0, 2 * np.pi, 721)[:-1]
    weight = np.exp(-opls_torsion(angles, TraPPEUA.dihedrals[0].coefficients) / (BOLTZMANN * 400))
    expected = weight[np.abs(angles - np.pi) < np.pi / 3].sum() / weight.sum()
    normal_1 = np.cross(chains[:, 1] - chains[:, 0], chains[:, 2] - chains[:, 1])
    normal_2 = np.cross(chains[:, 2] - chains[:, 1], chains[:, 3] - chains[:, 2])
    cosine = np.sum(normal_1 * normal_2, axis=1) / np.linalg.norm(normal_1, axis=1) / np.linalg.norm(normal_2, axis=1)
    assert np.mean(cosine < np.cos(np.deg2rad(120))) == pytest.approx(expected, abs=0.015)
