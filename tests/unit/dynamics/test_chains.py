"""g1, g2, g3 against their definition."""

from __future__ import annotations

import numpy as np
import pytest

from polypace.analysis import chain_msd
from polypace.errors import InputError
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
