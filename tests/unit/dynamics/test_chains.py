"""g1, g2, g3 against their definition."""

from __future__ import annotations

import numpy as np
import pytest

import polypace as pp
from polypace.analysis import chain_msd, end_to_end_autocorrelation
from polypace.errors import InputError
from polypace.trajectory import Topology
from tests.oracle.msd import chain_displacements


def melt(rng, n_frames=80, n_chains=6, length=5):
    drift = rng.normal(size=(n_frames, 1, 3)).cumsum(axis=0)
    positions = drift + rng.normal(size=(n_frames, n_chains * length, 3)).cumsum(axis=0)
    return positions, np.repeat(np.arange(n_chains), length)


@pytest.mark.parametrize("masses", ["equal", "different"])
@pytest.mark.parametrize("beads", ["all", "central", "some", "shuffled"])
def test_equals_definition(masses, beads, rng):
    positions, molecules = melt(rng)
    weights = np.ones(30) if masses == "equal" else rng.uniform(1, 15, 30)
    chosen = {"all": np.arange(30), "central": np.flatnonzero(np.isin(np.arange(30) % 5, (1, 2, 3)))}.get(
        beads, rng.choice(30, 11, replace=False)
    )
    arguments = {"all": {}, "central": {"central": 3}}.get(beads, {"particles": chosen})
    if beads == "shuffled":
        molecules = rng.permutation(molecules) + 7
    result = chain_msd(positions, 0.5, molecules=molecules, masses=weights, **arguments)
    expected = chain_displacements(positions, molecules, weights, chosen)
    for found, wanted in zip((result.g1, result.g2, result.g3), expected, strict=True):
        np.testing.assert_allclose(found.msd, wanted, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(found.directions.sum(axis=1), wanted, rtol=1e-10, atol=1e-10)
    assert result.n_beads == len(chosen)
    assert result.n_chains == 6


def test_chains_of_different_lengths(rng):
    positions, _ = melt(rng)
    molecules = np.repeat([0, 1, 2, 3], [3, 12, 5, 10])
    result = chain_msd(positions, 1.0, molecules=molecules)
    expected = chain_displacements(positions, molecules, np.ones(30), np.arange(30))
    for found, wanted in zip((result.g1, result.g2, result.g3), expected, strict=True):
        np.testing.assert_allclose(found.msd, wanted, rtol=1e-10, atol=1e-10)


def test_groups_at_a_time_change_nothing(rng):
    positions, molecules = melt(rng)
    all_at_once = chain_msd(positions, 1.0, molecules=molecules)
    one_by_one = chain_msd(positions, 1.0, molecules=molecules, max_memory=1000)
    np.testing.assert_allclose(one_by_one.g2.msd, all_at_once.g2.msd, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(one_by_one.g3.error, all_at_once.g3.error, rtol=1e-8, atol=1e-8)


def test_central_beads_lie_along_the_bonds(rng):
    positions, _ = melt(rng)
    order = rng.permutation(30)  # chains in any order of their atoms, as bond swaps leave them
    beads = order.reshape(6, 5)
    bonds = np.concatenate([np.stack([chain[:-1], chain[1:]], axis=1) for chain in beads])
    topology = Topology(np.arange(1, 31), np.full(30, "B"), np.ones(30), None, bonds)
    trajectory = pp.open_trajectory(positions, topology, timestep=0.5, coordinates="unwrapped")
    result = chain_msd(trajectory, central=1)
    molecules = np.empty(30, dtype=int)
    molecules[beads.ravel()] = np.repeat(np.arange(6), 5)
    expected = chain_displacements(positions, molecules, np.ones(30), beads[:, 2])
    for found, wanted in zip((result.g1, result.g2, result.g3), expected, strict=True):
        np.testing.assert_allclose(found.msd, wanted, rtol=1e-10, atol=1e-10)
    ends = end_to_end_autocorrelation(trajectory)
    np.testing.assert_allclose(
        ends.correlation[0], ((positions[:, beads[:, 4]] - positions[:, beads[:, 0]]) ** 2).sum(axis=2).mean()
    )


def test_bad_input_is_named(rng):
    positions, molecules = melt(rng)
    with pytest.raises(InputError, match="molecules is needed"):
        chain_msd(positions, 1.0)
    with pytest.raises(InputError, match="shortest molecule has 5 beads"):
        chain_msd(positions, 1.0, molecules=molecules, central=6)
    with pytest.raises(InputError, match="not both"):
        chain_msd(positions, 1.0, molecules=molecules, central=1, particles=[0])
    with pytest.raises(InputError, match="masses must be positive"):
        chain_msd(positions, 1.0, molecules=molecules, masses=np.zeros(30))
