"""Frames at any times, frames that do not fit into memory, frames in files."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest

import polypace as pp
from polypace.analysis import chain_msd
from polypace.errors import InputError
from tests.oracle.msd import msd_at_times, msd_directions


def walk(rng, n_frames, n_particles):
    return rng.normal(size=(n_frames, n_particles, 3)).cumsum(axis=0)


def test_log_spaced_blocks(rng):
    ladder = np.array([0, 1, 2, 3, 5, 8])
    times = 0.1 * np.concatenate([ladder + 20 * block for block in range(6)])
    positions = walk(rng, len(times), 9)
    result = pp.msd(positions, times=times)
    assert np.isclose(result.lag, 0.1).any() and np.isclose(result.lag, 2.0).any()
    assert result.msd[0] == 0
    for lag, value in zip(result.lag[1:], result.msd[1:], strict=True):
        np.testing.assert_allclose(value, msd_at_times(positions, times, lag), rtol=1e-12)
    np.testing.assert_allclose(result.directions.sum(axis=1), result.msd, rtol=1e-12)


def test_times_of_equal_steps_take_the_fast_way(rng):
    positions = walk(rng, 40, 3)
    times = 5.0 + 0.25 * np.arange(40)
    np.testing.assert_allclose(pp.msd(positions, times=times).msd, pp.msd(positions, 0.25).msd, rtol=1e-13)


def test_chains_at_log_spaced_times(rng):
    times = np.array([0.0, 1, 2, 4, 8, 9, 10, 12, 16, 17, 18, 20])
    positions = walk(rng, 12, 12)
    molecules = np.repeat(np.arange(3), 4)
    result = chain_msd(positions, times=times, molecules=molecules)
    drift = positions.mean(axis=1, keepdims=True)
    for lag, value in zip(result.g1.lag[1:], result.g1.msd[1:], strict=True):
        np.testing.assert_allclose(value, msd_at_times(positions - drift, times, lag), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_maps_larger_than_memory_are_transposed(dtype, rng, tmp_path):
    positions = walk(rng, 300, 25).astype(dtype)
    mapped = np.memmap(tmp_path / "positions.bin", dtype=dtype, mode="w+", shape=positions.shape)
    mapped[:] = positions
    told = []
    result = pp.msd(mapped, 1.0, max_memory=60_000, progress=lambda what, part: told.append((what, part)))
    np.testing.assert_allclose(result.msd, msd_directions(positions).sum(axis=1), rtol=1e-11, atol=1e-9)
    assert told[-1] == ("transposing", 1.0)
    molecules = np.repeat(np.arange(5), 5)
    little = chain_msd(mapped, 1.0, molecules=molecules, central=3, max_memory=60_000)
    whole = chain_msd(positions, 1.0, molecules=molecules, central=3)
    for name in ("g1", "g2", "g3"):
        np.testing.assert_allclose(getattr(little, name).msd, getattr(whole, name).msd, rtol=1e-9, atol=1e-9)


class Interrupted(Exception):
    pass


def test_transposition_goes_on_after_an_interruption(rng, tmp_path):
    positions = walk(rng, 200, 20)
    trajectory = pp.open_trajectory(positions, timestep=0.5, coordinates="unwrapped")

    def stop_halfway(_, part):
        if part > 0.4:
            raise Interrupted

    with pytest.raises(Interrupted):
        pp.msd(trajectory, scratch=tmp_path, max_memory=100_000, progress=stop_halfway)
    done = json.loads((tmp_path / "transposed.json").read_text())["frames_done"]
    assert 0 < done < 200
    parts = []
    result = pp.msd(trajectory, scratch=tmp_path, max_memory=100_000, progress=lambda _, part: parts.append(part))
    assert parts[0] > done / 200
    np.testing.assert_allclose(result.msd, msd_directions(positions).sum(axis=1), rtol=1e-11, atol=1e-9)
    with pytest.raises(InputError, match=r"scratch folder .* holds n_frames = 200, not 100"):
        pp.msd(trajectory[:100], scratch=tmp_path, max_memory=100_000)


def test_trajectory_brings_times(rng):
    positions = walk(rng, 60, 7)
    trajectory = pp.open_trajectory(positions, timestep=0.5, coordinates="unwrapped")
    result = pp.msd(trajectory)
    np.testing.assert_allclose(result.lag, 0.5 * np.arange(60))
    np.testing.assert_allclose(result.msd, pp.msd(positions, 0.5).msd, rtol=1e-13)
    with pytest.raises(InputError, match="at least 2"):
        pp.msd(trajectory[:1])


def test_bad_times_are_named(rng):
    positions = walk(rng, 4, 2)
    with pytest.raises(InputError, match=r"times must increase, got 2\.0 then 1\.0 ps at frame 2"):
        pp.msd(positions, times=[0.0, 2.0, 1.0, 3.0])
    with pytest.raises(InputError, match="one time for each of the 4 frames"):
        pp.msd(positions, times=[0.0, 2.0])


def test_chains_keep_the_memory_limit(rng, tmp_path):
    n_frames, n_chains = 20000, 60
    path, limit = tmp_path / "frames.bin", 24 << 20
    frames = np.memmap(path, dtype=np.float32, mode="w+", shape=(n_frames, 2 * n_chains, 3))
    frames[:] = rng.normal(size=frames.shape).cumsum(axis=0)
    molecules = np.arange(2 * n_chains) // 2
    expected = chain_msd(np.array(frames), 1.0, molecules=molecules)
    tracemalloc.start()
    found = chain_msd(frames, 1.0, molecules=molecules, max_memory=limit)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < limit < 24 * n_frames * n_chains  # the centres of all chains alone would not fit
    for name in ("g1", "g2", "g3"):
        np.testing.assert_allclose(getattr(found, name).msd, getattr(expected, name).msd, rtol=1e-9, atol=1e-9)
