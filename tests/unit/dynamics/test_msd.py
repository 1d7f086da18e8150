"""polypace.msd against its definition and against the programs that people use."""

from __future__ import annotations

import numpy as np
import pytest
import tidynamics

import polypace as pp
from polypace import _core
from polypace.analysis import msd_by_species
from polypace.errors import InputError
from tests.oracle.msd import msd_directions


def walk(rng, n_frames, n_particles, dtype=np.float64):
    return rng.normal(size=(n_frames, n_particles, 3)).cumsum(axis=0).astype(dtype)


@pytest.mark.parametrize("n_frames", [2, 3, 4, 5, 7, 16, 17, 31, 60, 97, 250, 1001])
@pytest.mark.parametrize("n_particles", [1, 5, 18])
def test_equals_definition(n_frames, n_particles, rng):
    positions = walk(rng, n_frames, n_particles)
    result = pp.msd(positions, 0.5)
    expected = msd_directions(positions)
    np.testing.assert_allclose(result.directions, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(result.msd, expected.sum(axis=1), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(result.lag, 0.5 * np.arange(n_frames))
    np.testing.assert_array_equal(result.n_origins, n_frames - np.arange(n_frames))


def test_far_off_the_origin(rng):
    positions = walk(rng, 5000, 2) * 0.05 + np.array([1e6, -1e6, 3e5])
    result = pp.msd(positions, 1.0)
    np.testing.assert_allclose(result.msd[1:], msd_directions(positions).sum(axis=1)[1:], rtol=1e-10)


def test_every_instruction_set(rng):
    positions = walk(rng, 300, 21)
    expected = msd_directions(positions).T
    for name in _core.dynamics.instruction_sets():
        for work_bytes in (1, 0):
            plan, crew = _core.dynamics.FftPlan(300), _core.dynamics.Crew(2)
            spectra, squares = np.zeros((3, plan.spectrum_size)), np.zeros((3, 300))
            segments = np.full((21, 3, 2), -1)
            segments[:, :, 0] = np.arange(3)
            _core.dynamics.add_power_spectra(
                plan, positions, np.arange(21), segments, None, True, spectra, squares, work_bytes, name, crew
            )
            _core.dynamics.correlate(plan, spectra, work_bytes, name, crew)
            _core.dynamics.displacement_sums(plan, spectra, squares, False, crew)
            np.testing.assert_allclose(squares / (21 * np.arange(300, 0, -1)), expected, rtol=1e-11, atol=1e-12)


def test_does_not_depend_on_threads_or_memory(rng):
    positions = walk(rng, 500, 40, np.float32)
    one = pp.msd(positions, 1.0, n_threads=1)
    for n_threads in (2, 5):
        many = pp.msd(positions, 1.0, n_threads=n_threads)
        np.testing.assert_array_equal(one.msd, many.msd)
        np.testing.assert_array_equal(one.error, many.error)
    little = pp.msd(positions, 1.0, max_memory=100_000)
    np.testing.assert_allclose(little.msd, one.msd, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(little.error, one.error, rtol=1e-9, atol=1e-12)


def test_layouts_are_read_where_they_are(rng):
    positions = walk(rng, 100, 12)
    expected = pp.msd(positions, 1.0).msd
    atom_major = np.ascontiguousarray(positions.transpose(1, 0, 2)).transpose(1, 0, 2)
    np.testing.assert_allclose(pp.msd(atom_major, 1.0).msd, expected, rtol=1e-14)
    columns = np.ascontiguousarray(positions.transpose(2, 1, 0)).transpose(2, 1, 0)
    np.testing.assert_allclose(pp.msd(columns, 1.0).msd, expected, rtol=1e-14)
    np.testing.assert_allclose(pp.msd(np.repeat(positions, 2, axis=1)[:, ::2], 1.0).msd, expected, rtol=1e-14)


def test_equals_tidynamics(rng):
    positions = walk(rng, 2000, 3)
    expected = np.mean([tidynamics.msd(positions[:, i]) for i in range(3)], axis=0)
    np.testing.assert_allclose(pp.msd(positions, 1.0).msd[1:], expected[1:], rtol=1e-6)


def test_equals_mdanalysis(rng):
    import MDAnalysis
    from MDAnalysis.analysis.msd import EinsteinMSD

    positions = walk(rng, 400, 6, np.float32)
    universe = MDAnalysis.Universe.empty(6, trajectory=True)
    universe.load_new(positions, order="fac")
    expected = EinsteinMSD(universe, select="all", msd_type="xyz", fft=True).run().results.timeseries
    np.testing.assert_allclose(pp.msd(positions, 1.0).msd[1:], expected[1:], rtol=1e-6)


def test_selection_of_particles(rng):
    positions = walk(rng, 50, 9)
    chosen = [7, 2, 3]
    expected = msd_directions(positions[:, chosen]).sum(axis=1)
    np.testing.assert_allclose(pp.msd(positions, 1.0, particles=chosen).msd, expected, atol=1e-12)
    mask = np.isin(np.arange(9), chosen)
    np.testing.assert_allclose(pp.msd(positions, 1.0, particles=mask).msd, expected, atol=1e-12)


def test_species(rng):
    positions = walk(rng, 50, 6)
    species = np.array(["C", "H", "H", "C", "H", "H"])
    found = msd_by_species(positions, 1.0, species=species)
    assert list(found) == ["C", "H"]
    np.testing.assert_array_equal(found["H"].msd, pp.msd(positions, 1.0, particles=[1, 2, 4, 5]).msd)
    with pytest.raises(InputError, match="species is needed"):
        msd_by_species(positions, 1.0)


def test_error_is_the_scatter_of_molecules(rng):
    positions = walk(rng, 60, 64)
    result = pp.msd(positions, 1.0, n_groups=64)
    each = np.array([msd_directions(positions[:, [i]]).sum(axis=1) for i in range(64)])
    np.testing.assert_allclose(result.error[1:], (each.std(axis=0, ddof=1) / 8)[1:], rtol=1e-8)
    # Four particles that move as one count once.
    clones = np.repeat(positions, 4, axis=1)
    together = pp.msd(clones, 1.0, molecules=np.repeat(np.arange(64), 4), n_groups=64)
    np.testing.assert_allclose(together.error, result.error, rtol=1e-8, atol=1e-12)


def test_errors_cover_the_truth():
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(40):
        result = pp.msd(rng.normal(size=(64, 60, 3)).cumsum(axis=0), 1.0, max_lag=16.0)
        inside += abs(result.msd[16] - 48) < 2 * result.error[16]
    assert 33 <= inside <= 40


@pytest.mark.parametrize(
    ("positions", "arguments", "message"),
    [
        (np.zeros((1, 2, 3)), {"dt": 1.0}, "at least 2 frames"),
        (np.zeros((5, 0, 3)), {"dt": 1.0}, "no particles"),
        (np.zeros((5, 2)), {"dt": 1.0}, "n_frames, n_particles, 3"),
        (np.zeros((5, 2, 3), dtype=int), {"dt": 1.0}, "float32 or float64"),
        (np.zeros((5, 2, 3)), {}, "dt or times is needed"),
        (np.zeros((5, 2, 3)), {"dt": -1.0}, "dt must be a positive time"),
        (np.zeros((5, 2, 3)), {"dt": 1.0, "particles": [2]}, r"particles must be 0…1, got 2"),
        (np.zeros((5, 2, 3)), {"dt": 1.0, "molecules": [0]}, "molecules must hold one integer"),
        (np.zeros((5, 2, 3)), {"dt": 1.0, "max_lag": 0.5}, "max_lag"),
    ],
)
def test_bad_input_is_named(positions, arguments, message):
    with pytest.raises(InputError, match=message):
        pp.msd(positions, **arguments)


def test_nan_is_found(rng):
    positions = walk(rng, 20, 4)
    positions[7, 2, 1] = np.nan
    with pytest.raises(InputError, match=r"nan.* at frame 7, particle 2"):
        pp.msd(positions, 1.0)
