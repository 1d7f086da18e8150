"""Relaxation, displacement functions, streams and tasks against their definitions."""

from __future__ import annotations

import itertools
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from scipy import stats

import polypace as pp
from polypace.analysis import (
    MultipleTauMSD,
    end_to_end_autocorrelation,
    msd_by_tasks,
    non_gaussian_parameter,
    partial_spectra,
    rouse_modes,
    self_intermediate_scattering,
    van_hove_self,
)
from polypace.analysis.plots import msd_figure
from polypace.errors import InputError
from tests.helpers.rouse import mode_strengths, rouse_trajectory
from tests.oracle.msd import autocorrelation, msd_directions


def walk(rng, n_frames, n_particles):
    return rng.normal(size=(n_frames, n_particles, 3)).cumsum(axis=0)


def test_end_to_end_autocorrelation(rng):
    positions = walk(rng, 70, 12)
    molecules = np.repeat(np.arange(3), 4)
    vectors = positions[:, 3::4] - positions[:, ::4]
    result = end_to_end_autocorrelation(positions, 0.5, molecules=molecules)
    np.testing.assert_allclose(result.correlation, autocorrelation(vectors), rtol=1e-10, atol=1e-10)
    named = end_to_end_autocorrelation(positions, 0.5, ends=[[0, 3], [4, 7], [8, 11]])
    np.testing.assert_array_equal(named.correlation, result.correlation)
    assert result.normalised[0] == 1


def test_rouse_modes_of_rouse_chains(rng):
    n_beads, dt = 12, 0.4
    positions = rouse_trajectory(rng, 4000, 60, n_beads, dt)
    result = rouse_modes(positions, dt, modes=[1, 2, 5], molecules=np.repeat(np.arange(60), n_beads))
    strengths = mode_strengths(n_beads)[np.array([0, 1, 4])]
    errors = [one.error[0] for one in result.correlations]
    assert (np.abs(result.amplitudes - 1 / (2 * n_beads * strengths)) < 5 * np.array(errors)).all()
    np.testing.assert_allclose(result.relaxation_times, 1 / strengths, rtol=0.12)


def test_gaussian_motion_has_no_alpha2(rng):
    result = non_gaussian_parameter(walk(rng, 400, 80), 1.0, lag=[1.0, 10.0, 30.0])
    assert (np.abs(result.value) < 5 * result.error).all()
    fast = walk(rng, 300, 40) * np.where(np.arange(40) % 2, 3.0, 1.0)[:, None]
    mixed = non_gaussian_parameter(fast, 1.0, lag=[1.0])
    # Two kinds of walkers, variances 1 and 9: 2(1 + 81)/(1 + 9)² − 1.
    assert mixed.value[0, 0] == pytest.approx(2 * 82 / 100 - 1, abs=4 * mixed.error[0, 0])


def test_alpha2_by_definition(rng):
    positions = walk(rng, 40, 3)
    squares = ((positions[4:] - positions[:-4]) ** 2).sum(axis=2)
    expected = 0.6 * (squares**2).mean() / squares.mean() ** 2 - 1
    found = non_gaussian_parameter(positions, 0.5, lag=2.0)
    np.testing.assert_allclose(found.value[0, 0], expected, rtol=1e-10)


def test_scattering_and_van_hove_of_gaussian_walkers(rng):
    positions = walk(rng, 500, 60)
    q = np.array([0.3, 1.0])
    scattering = self_intermediate_scattering(positions, 1.0, wave_numbers=q, lag=[1.0, 5.0])
    exact = np.exp(-0.5 * q**2 * scattering.lag[:, None])
    assert (np.abs(scattering.value - exact) < 5 * scattering.error).all()
    edges = np.linspace(0, 12, 25)
    hove = van_hove_self(positions, 1.0, lag=[4.0], edges=edges)
    density = np.diff(stats.maxwell.cdf(edges, scale=2)) / np.diff(edges)
    assert (np.abs(hove.value[0] - density) < 5 * hove.error[0] + 1e-4).all()
    assert (hove.value[0] * np.diff(edges)).sum() == pytest.approx(1, abs=0.01)


def test_displacement_functions_name_what_is_wrong(rng):
    positions = walk(rng, 30, 4)
    with pytest.raises(InputError, match=r"no two frames are 0.7 ps apart"):
        self_intermediate_scattering(positions, 0.5, wave_numbers=1.0, lag=0.7)
    with pytest.raises(InputError, match="wave_numbers must be positive"):
        self_intermediate_scattering(positions, 0.5, wave_numbers=-1.0)
    with pytest.raises(InputError, match="edges must be"):
        van_hove_self(positions, 0.5, lag=1.0, edges=[1.0])


def test_multiple_tau_is_exact_where_it_has_origins(rng):
    positions = walk(rng, 200, 8)
    stream = MultipleTauMSD(0.5, points=8)
    for frame in positions:
        stream.add(frame)
    result = stream.result()
    lags = np.rint(result.lag / 0.5).astype(int)
    assert lags[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14]
    for lag, value, origins in zip(lags[1:], result.msd[1:], result.n_origins[1:], strict=True):
        stride = 1 if lag < 8 else 1 << int(np.log2(lag / 4))
        starts = np.arange(0, 200 - lag, stride)
        assert origins == len(starts)
        expected = ((positions[starts + lag] - positions[starts]) ** 2).sum(axis=2).mean()
        np.testing.assert_allclose(value, expected, rtol=1e-12)
    with pytest.raises(InputError, match="has 7 particles"):
        stream.add(positions[0, :7])


def test_partial_spectra_add_up(rng):
    positions = walk(rng, 100, 10)
    groups = np.arange(10) % 4
    parts = [partial_spectra(positions, 1.0, part, groups[part], 4) for part in np.array_split(np.arange(10), 3)]
    whole = partial_spectra(positions, 1.0, np.arange(10), groups, 4)
    total = parts[0] + parts[1] + parts[2]
    np.testing.assert_allclose(total.displacement_sums(), whole.displacement_sums(), rtol=1e-11, atol=1e-9)
    np.testing.assert_array_equal(whole.displacement_sums(), whole.displacement_sums())  # it is as it was
    assert total.n_series.tolist() == [10, 10, 10, 9, 9, 6, 6]
    with pytest.raises(InputError, match="cannot be added"):
        _ = parts[0] + partial_spectra(positions[:50], 1.0, [0], [0], 4)


def test_two_worker_processes(rng, tmp_path):
    positions = walk(rng, 300, 20)
    np.save(tmp_path / "positions.npy", positions)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        result = msd_by_tasks(tmp_path / "positions.npy", 0.5, executor=executor, n_tasks=4)
    alone = pp.msd(positions, 0.5)
    np.testing.assert_allclose(result.msd, msd_directions(positions).sum(axis=1), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(result.error, alone.error, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(result.directions, alone.directions, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("n_frames", "dt"), [(12, 0.3), (30, 0.25), (60, 0.25), (100, 0.25), (280, 0.3), (1000, 0.1)])
def test_numbers_on_the_time_axis_stand_apart(n_frames, dt, rng):
    figure = msd_figure({"g1": pp.msd(walk(rng, n_frames, 5), dt=dt)})
    figure.draw_without_rendering()
    axis = figure.axes[1]
    shown = [text for text in axis.get_xticklabels(which="both") if text.get_text()]
    first, last = axis.get_xlim()
    spans = sorted(
        text.get_window_extent().intervalx.tolist() for text in shown if first <= text.get_position()[0] <= last
    )
    assert len(spans) > 1 and all(left[1] < right[0] for left, right in itertools.pairwise(spans))
