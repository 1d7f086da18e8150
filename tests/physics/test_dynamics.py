"""Motions whose displacements are known on paper."""

from __future__ import annotations

import numpy as np
import pytest

import polypace as pp
from polypace.analysis import (
    MSD,
    chain_msd,
    compare_msd,
    diffusion_coefficient,
    find_regimes,
    local_exponent,
    piecewise_power_law,
    yeh_hummer,
)
from polypace.analysis.curves import GroupCurves
from polypace.analysis.diffusion import brownian_covariance
from polypace.errors import InputError
from tests.helpers.rouse import rouse_g1, rouse_g3, rouse_trajectory


def assert_within_errors(result, expected, n_errors=4.5):
    index = np.unique(np.geomspace(1, len(result.lag) // 4, 20).astype(int))
    deviation = (result.msd - expected)[index] / result.error[index]
    assert np.abs(deviation).max() < n_errors, deviation


def test_constant_velocity():
    velocity = np.array([[0.3, -0.2, 0.1], [1.0, 0.0, 2.0]])
    positions = np.arange(200)[:, None, None] * velocity + 1e5
    result = pp.msd(positions, 0.5)
    np.testing.assert_allclose(
        result.directions, (velocity**2).mean(axis=0) * (result.lag[:, None] / 0.5) ** 2, rtol=1e-9
    )


def test_ornstein_uhlenbeck(rng):
    decay, x = 0.95, rng.normal(size=(60, 3))
    frames = np.empty((4000, 60, 3))
    for frame in frames:
        x = decay * x + np.sqrt(1 - decay**2) * rng.normal(size=(60, 3))
        frame[:] = x
    result = pp.msd(frames, 1.0)
    assert_within_errors(result, 6 * (1 - decay**result.lag))


def test_rouse_chains(rng):
    positions = rouse_trajectory(rng, 3000, 40, 16, dt=0.5)
    result = chain_msd(positions, 0.5, molecules=np.repeat(np.arange(40), 16), remove_drift=False)
    lag = result.g1.lag
    assert_within_errors(result.g1, rouse_g1(lag, 16))
    assert_within_errors(result.g3, rouse_g3(lag, 16))
    assert_within_errors(result.g2, rouse_g1(lag, 16) - rouse_g3(lag, 16))
    # Without the drift of the system the chains are 39/40 as mobile.
    without = chain_msd(positions, 0.5, molecules=np.repeat(np.arange(40), 16))
    assert_within_errors(without.g3, rouse_g3(lag, 16) * 39 / 40)


def test_rouse_regime_and_nothing_more(rng):
    positions = rouse_trajectory(rng, 2000, 30, 64, dt=1.0)
    result = chain_msd(positions, 1.0, molecules=np.repeat(np.arange(30), 64), central=12)
    exponent = local_exponent(result.g1, max_lag=200.0)
    middle = (exponent.lag > 3) & (exponent.lag < 60)
    np.testing.assert_allclose(exponent.alpha[middle], 0.5, atol=0.05)
    regimes = find_regimes(result.g1, min_lag=2.0, max_lag=200.0)
    assert "rouse" in regimes.named
    assert "entangled" in regimes.refused
    with pytest.raises(InputError, match="tau_e needs the entangled regime, which is not shown"):
        _ = regimes.tau_e


def synthetic(lag, curve, n_groups=16, noise=0.01, seed=0):
    """An MSD of groups that scatter about `curve` by factors that change slowly with the lag."""
    rng = np.random.default_rng(seed)
    wiggle = np.array([np.interp(np.log(lag), np.linspace(*np.log(lag[[0, -1]]), 6), w) for w in
                       rng.normal(size=(n_groups, 6))])  # fmt: skip
    curves = curve * np.exp(noise * wiggle)
    groups = GroupCurves(lag, curves.mean(axis=0), curves, np.ones(n_groups))
    error = np.sqrt(np.diag(groups.covariance()))
    thirds = np.repeat(groups.mean[:, None] / 3, 3, axis=1)
    origins = np.full(len(lag), 1000)
    return MSD(lag, groups.mean, error, thirds, origins, n_groups, groups)


def test_tube_regimes_and_crossovers():
    lag = np.geomspace(1, 3e6, 160)
    tau_e, tau_r, tau_d = 100.0, 1e4, 1e5
    powers = [lag**0.5, tau_e**0.25 * lag**0.25, tau_e**0.25 * tau_r**-0.25 * lag**0.5]
    curve = np.where(lag < tau_e, powers[0], np.where(lag < tau_r, powers[1], powers[2]))
    curve = np.where(lag > tau_d, powers[2] * (lag / tau_d) ** 0.5, curve)
    regimes = find_regimes(synthetic(lag, curve), max_lag=3e6)
    for crossover, exact in ((regimes.tau_e, tau_e), (regimes.tau_r, tau_r), (regimes.tau_d, tau_d)):
        assert abs(crossover.lag / exact - 1) < 0.25
    length, error = regimes.entanglement_length(segment_length=1.0)
    assert abs(length - 3 * 10) < 3 * error + 4
    lowest, _, at = regimes.exponent.minimum
    assert lowest == pytest.approx(0.25, abs=0.03) and tau_e < at < tau_r
    assert regimes.exponent.decades_below(0.35) == pytest.approx(2, abs=0.4)


def test_a_cage_is_no_tube(rng):
    centers = 0.2 * rng.normal(size=(400, 20, 1, 3)).cumsum(axis=0)
    beads = (centers + 0.5 * rng.normal(size=(400, 20, 5, 3))).reshape(400, 100, 3)
    regimes = find_regimes(pp.msd(beads, 1.0, molecules=np.repeat(np.arange(20), 5)))
    assert "entangled" in regimes.refused


def test_one_power_law_has_no_crossover(rng):
    fit = piecewise_power_law(pp.msd(rng.normal(size=(1000, 40, 3)).cumsum(axis=0), 1.0))
    assert len(fit.pieces) == 1
    assert abs(fit.pieces[0].exponent - 1) < 4 * fit.pieces[0].error


def test_diffusion_coefficient_and_its_error():
    rng = np.random.default_rng(7)
    found = [
        diffusion_coefficient(pp.msd(rng.normal(size=(300, 16, 3)).cumsum(axis=0), 0.5), (0.5, 20.0)) for _ in range(40)
    ]
    values = np.array([one.coefficient for one in found])
    errors = np.array([one.error for one in found])
    assert abs(values.mean() - 1.0) < 4 * values.std() / 40**0.5 + 0.01
    assert 0.7 < errors.mean() / values.std() < 1.5
    assert 0.3 < np.mean([one.quality for one in found]) < 0.7
    assert found[0].cm2_per_s[0] == pytest.approx(1e-4 * found[0].coefficient)


def test_diffusion_is_refused_where_there_is_none(rng):
    with pytest.raises(InputError, match="not diffusive"):
        diffusion_coefficient(pp.msd(rng.normal(size=(500, 30, 3)), 1.0))


def test_covariance_of_overlapping_windows():
    rng = np.random.default_rng(5)
    noise, step, lags = 0.7, 1.3, np.array([1, 3, 7])
    walks = np.sqrt(step) * rng.normal(size=(40, 20000)).cumsum(axis=0)
    walks += np.sqrt(noise / 2) * rng.normal(size=walks.shape)
    values = np.array([((walks[i:] - walks[:-i]) ** 2).mean(axis=0) for i in lags])
    np.testing.assert_allclose(values.mean(axis=1), noise + step * lags, rtol=0.02)
    np.testing.assert_allclose(np.cov(values), brownian_covariance(lags, 40, noise, step), rtol=0.08)


def test_yeh_hummer_of_hexadecane():
    # C16 in a box of 4 nm at 298 K, viscosity 3.03 mPa s: + 0.5e-6 cm²/s = 0.005 Å²/ps.
    assert yeh_hummer(0.0, 298.0, 3.03e-3, 40.0) == pytest.approx(0.0051, rel=0.02)


def test_ratio_of_two_runs(rng):
    slow = pp.msd(rng.normal(size=(600, 40, 3)).cumsum(axis=0), 1.0)
    fast = pp.msd(1.2 * rng.normal(size=(900, 40, 3)).cumsum(axis=0), 1.0)
    ratio = compare_msd(slow, fast)
    assert np.abs((ratio.ratio - 1.44) / ratio.error).max() < 4.5
    assert ratio.largest_deviation[1] > 20
    with pytest.raises(InputError, match="no lags in common"):
        compare_msd(slow, pp.msd(rng.normal(size=(5, 10, 3)), 1e4))
