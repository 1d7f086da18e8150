"""Errors of curves where molecules are few: blocks in time; and the numbers of independent samples."""

from __future__ import annotations

import numpy as np
import pytest

import polypace as pp
from polypace.analysis import (
    chain_msd,
    compare_msd,
    end_to_end_autocorrelation,
    local_exponent,
    non_gaussian_parameter,
    self_intermediate_scattering,
    van_hove_self,
)
from polypace.errors import InputError


def walk(rng, n_frames, n_particles):
    return rng.normal(size=(n_frames, n_particles, 3)).cumsum(axis=0)


def covered(found, error, truth):
    return np.abs(np.asarray(found) - truth) < 2 * np.asarray(error)


def test_one_walker_has_errors_that_cover_the_truth():
    rng = np.random.default_rng(3)
    lags = np.array([1, 5, 20, 60])
    inside = np.zeros(4)
    for _ in range(50):
        result = pp.msd(walk(rng, 800, 1), 0.5)
        inside += covered(result.msd[lags], result.error[lags], 3.0 * lags)
    # Eight blocks: two standard errors are 91 % of Student's distribution; at long lags the error is an upper bound.
    assert (inside >= 40).all(), inside
    known = result.lag <= result.groups.known_lag[-1]
    assert 90 < known.sum() <= 100  # frames of a block
    assert result.error[0] == 0
    assert (np.isfinite(result.error) == known).all()


def test_blocks_by_definition(rng):
    positions = walk(rng, 200, 3)
    result = pp.msd(positions, 1.0, n_blocks=5)
    lag = int(result.groups.lag[6])
    cells = [[pp.msd(positions[b * 40 : b * 40 + 40, [i]], 1.0).msd[lag] for i in range(3)] for b in range(5)]
    assert result.error[lag] == pytest.approx(np.std(cells, ddof=1) / np.sqrt(15), rel=1e-8)
    assert pp.msd(positions, 1.0, n_blocks=1).groups.curves.shape[0] == 3
    with pytest.raises(InputError, match="n_blocks must be positive, got 0"):
        pp.msd(positions, 1.0, n_blocks=0)


def test_blocks_of_log_spaced_frames():
    rng = np.random.default_rng(4)
    steps = np.concatenate([100 * block + np.array([0, 1, 2, 4, 8, 16, 32]) for block in range(64)])
    inside = np.zeros(3)
    for _ in range(40):
        positions = walk(rng, steps[-1] + 1, 1)[steps]
        result = pp.msd(positions, times=steps.astype(float))
        at = [int(np.flatnonzero(result.lag == lag)[0]) for lag in (1, 8, 100)]
        inside += covered(result.msd[at], result.error[at], 3 * result.lag[at])
    assert (inside >= 31).all(), inside
    assert result.groups.known_lag[-1] <= 800


def test_what_is_derived_uses_the_blocks(rng):
    exponent = local_exponent(pp.msd(walk(rng, 4000, 2), 1.0))
    assert exponent.lag[-1] <= 500
    assert (np.abs(exponent.alpha - 1) < 5 * exponent.error + 0.01).all()
    ratio = compare_msd(pp.msd(walk(rng, 4000, 1), 1.0), pp.msd(2 * walk(rng, 4000, 1), 1.0))
    assert (np.abs(ratio.ratio - 4) < 5 * ratio.error).all()
    few = pp.msd(walk(rng, 6, 1), 1.0)  # too short for blocks: no error is invented
    assert np.isnan(few.error[1:]).all()
    with pytest.raises(InputError, match="at least 2 independent molecules"):
        local_exponent(few)


def test_two_chains(rng):
    positions = walk(rng, 400, 10)
    chains = chain_msd(positions, 1.0, molecules=np.repeat([0, 1], 5), remove_drift=False)
    blocks = [
        chain_msd(positions[b * 50 : b * 50 + 50], 1.0, molecules=np.repeat([0, 1], 5), remove_drift=False, n_blocks=1)
        for b in range(8)
    ]
    for name in ("g1", "g2", "g3"):
        curve = getattr(chains, name)
        cells = np.concatenate([getattr(block, name).groups.curves[:, :3] for block in blocks])
        np.testing.assert_allclose(curve.error[1:4], cells.std(axis=0, ddof=1) / 4, rtol=1e-7)


def test_one_chain_relaxes():
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(40):
        vectors = np.zeros((3000, 2, 3))
        for n in range(1, 3000):  # end-to-end vector with ⟨R²⟩ = 3 that forgets a tenth in every frame
            vectors[n, 1] = 0.9 * vectors[n - 1, 1] + np.sqrt(1 - 0.81) * rng.normal(size=3)
        result = end_to_end_autocorrelation(vectors, 1.0, molecules=np.zeros(2, dtype=int))
        inside += covered(result.correlation[10], result.error[10], 3 * 0.9**10)
    assert inside >= 31, inside
    # The integral of the correlation time, Σ ρ(n)² over ± n, says how many frames count once.
    assert 3000 / 9.5 / 4 < result.effective_samples[0] < 3000 / 9.5 * 4


def test_functions_of_one_walker():
    rng = np.random.default_rng(6)
    inside = np.zeros(3)
    for _ in range(40):
        positions = walk(rng, 800, 1)
        scattering = self_intermediate_scattering(positions, 1.0, wave_numbers=0.5, lag=5.0)
        hove = van_hove_self(positions, 1.0, lag=5.0, edges=[0.0, 5.0**0.5, 40.0])
        alpha2 = non_gaussian_parameter(positions, 1.0, lag=5.0)
        inside += [
            covered(scattering.value[0, 0], scattering.error[0, 0], np.exp(-0.125 * 5)),
            covered(hove.value[0, 0] * 5**0.5, hove.error[0, 0] * 5**0.5, 0.198748),
            covered(alpha2.value[0, 0], alpha2.error[0, 0], 0.0),
        ]
    assert (inside >= 31).all(), inside


@pytest.mark.parametrize("function", ["msd", "scattering", "hove", "alpha2"])
def test_effective_samples_are_the_independent_displacements(function, rng):
    positions = walk(rng, 400, 256)
    options = {"n_groups": 64, "molecules": np.arange(256)}
    one = {"lag": 1.0, **options}
    calls = {
        "msd": lambda r: pp.msd(r, 1.0, **options).effective_samples[1],
        "scattering": lambda r: self_intermediate_scattering(r, 1.0, wave_numbers=1.0, **one).effective_samples[0, 0],
        "hove": lambda r: van_hove_self(r, 1.0, edges=[0, 1.5, 20], **one).effective_samples[0, 0],
        "alpha2": lambda r: non_gaussian_parameter(r, 1.0, **one).effective_samples[0, 0],
    }
    # Displacements over one frame are independent; the variance of 64 groups is known to a fifth.
    assert 0.5 < calls[function](positions) / (399 * 256) <= 2
    # Four particles that move as one count once.
    options["molecules"] = one["molecules"] = np.arange(256) // 4
    assert 0.5 < calls[function](np.repeat(positions[:, :64], 4, axis=1)) / (399 * 64) < 2
