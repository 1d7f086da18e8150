"""The native reader against LAMMPS itself, MDAnalysis, and its own other formats."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import polypace as pp
from polypace.errors import InputError, PolypaceError
from polypace.trajectory import Coordinates, dump_index
from tests.helpers.dumps import FORMATS

pytestmark = pytest.mark.program


@pytest.fixture(scope="module")
def exact(dumps):
    return pp.open_trajectory(dumps / "exact.dump", timestep=0.002)


@pytest.mark.parametrize("name", FORMATS)
def test_formats_agree(dumps, exact, name):
    trajectory = pp.open_trajectory(dumps / name, timestep=0.002)
    assert trajectory.steps.tolist() == list(range(0, 201, 10))
    np.testing.assert_allclose(trajectory.times, 0.002 * trajectory.steps)
    np.testing.assert_allclose(trajectory.cells, exact.cells, rtol=1e-14)
    want = exact.unwrapped().read_block()
    path = trajectory.unwrapped().read_block()
    shift = path - want
    # Without image flags the first frame says only where the atom is modulo the cell.
    images = shift[0] @ np.linalg.inv(exact.cells[0])
    np.testing.assert_allclose(images, images.round(), atol=1e-5)
    np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=2e-3)


def test_cells_are_those_of_the_run(exact):
    first = exact.cells[0]
    np.testing.assert_allclose(first, [[10, 0, 0], [2, 9, 0], [1.5, -1, 8]], rtol=1e-14)
    assert np.ptp(exact.volumes) > 1  # the box did fluctuate
    assert exact.pbc == (True, True, True)


def test_equals_mdanalysis(dumps):
    import MDAnalysis

    ours = pp.open_trajectory(dumps / "images.dump", timestep=0.002)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = MDAnalysis.Universe(
            str(dumps / "images.dump"),
            format="LAMMPSDUMP",
            topology_format="LAMMPSDUMP",
            lammps_coordinate_convention="unscaled",
        )
        theirs = np.array([frame.positions.copy() for frame in universe.trajectory])
        volumes = [frame.volume for frame in universe.trajectory]
    np.testing.assert_allclose(ours.volumes, volumes, rtol=1e-5)
    # MDAnalysis puts the corner of the box at the origin.
    difference = ours.read_block() - theirs
    np.testing.assert_allclose(difference, np.broadcast_to(difference[:, :1], difference.shape), atol=2e-5)


def test_any_column_order_and_header_extras(dumps):
    plain = pp.open_trajectory(dumps / "images.dump", timestep=0.002)
    scaled = pp.open_trajectory(dumps / "scaled.dump")
    np.testing.assert_allclose(scaled.times, 0.02 * np.arange(21))  # from ITEM: TIME in fs
    np.testing.assert_allclose(scaled.read_block(), plain.read_block(), atol=1e-4)
    assert set(scaled.types) == {"C", "H"}
    assert (scaled.types == "C").sum() == (plain.types == "1").sum()
    assert plain.molecules.tolist() == list(range(120))
    assert scaled.coordinates is Coordinates.IMAGES


def test_blocks_of_frames_and_atoms(dumps):
    trajectory = pp.open_trajectory(dumps / "images.bin", timestep=0.002)
    everything = trajectory.read_block()
    np.testing.assert_array_equal(trajectory.read_block([7, 3, 3], [5, 2]), everything[[7, 3, 3]][:, [5, 2]])
    np.testing.assert_array_equal(trajectory[2::5].read_block(slice(1, 3), range(4)), everything[[7, 12], :4])
    np.testing.assert_array_equal(trajectory.read_block(-1), everything[-1:])
    mask = np.arange(120) % 2 == 0
    np.testing.assert_array_equal(trajectory.read_block(0, mask)[0], everything[0, mask])
    np.testing.assert_array_equal(np.concatenate([r for _, r in trajectory.blocks(50_000)]), everything)
    assert [frame.step for frame in trajectory] == trajectory.steps.tolist()
    with pytest.raises(InputError, match="frames must lie in"):
        trajectory.read_block(21)


@pytest.mark.parametrize("name", ["images.dump", "unwrapped.dump.gz", "images.bin", "scaled.dump.zst"])
def test_chunks_and_threads_do_not_matter(dumps, name, monkeypatch):
    want = pp.open_trajectory(dumps / name, n_threads=1)
    monkeypatch.setattr(dump_index, "CHUNK", 97)
    small = pp.open_trajectory(dumps / name, n_threads=2)
    np.testing.assert_array_equal(want.steps, small.steps)
    np.testing.assert_array_equal(want.read_block(), small.read_block())


def test_needs_a_timestep_for_times(dumps):
    trajectory = pp.open_trajectory(dumps / "images.dump")
    assert not trajectory.has_times
    with pytest.raises(InputError, match="timestep"):
        _ = trajectory.times


@pytest.mark.parametrize("name", ["images.dump", "scaled.dump", "images.bin", "unwrapped.bin"])
@pytest.mark.filterwarnings("ignore::polypace.trajectory.TrajectoryWarning")
def test_damaged_files_are_read_or_named(dumps, tmp_path, rng, name):
    """Bytes changed, lost or added anywhere: numbers or our own error, never another one or a crash."""
    whole = (dumps / name).read_bytes()
    whole = whole[: len(whole) // 4]
    path = tmp_path / "damaged.dump"
    n_named = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(0, rng.choice([300, len(whole)]), rng.integers(1, 5)):
            kind = rng.integers(3)
            if kind == 0:
                damaged[place] = rng.integers(256)
            elif kind == 1:
                del damaged[place : place + rng.integers(1, 40)]
            else:
                damaged[place:place] = rng.bytes(rng.integers(1, 9))
        path.write_bytes(damaged)
        try:
            assert np.isfinite(pp.open_trajectory(path).read_block()).all()
        except PolypaceError:
            n_named += 1
    assert n_named > 0
