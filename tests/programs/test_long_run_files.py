"""Every form in which `run_long` writes frames comes back through `open_trajectory`, joined and in parts."""

from __future__ import annotations

import numpy as np
import pytest

import polypace as pp
from polypace.lammps import Dump, LogBlocks, run_long
from polypace.lammps.frames import WITH_IMAGES
from tests.helpers.long_runs import protocol, write_inputs

pytestmark = pytest.mark.program
STEPS, SEGMENT = 120, 50
BLOCKS = LogBlocks(60, first=2, per_decade=3)


def positions_of(files):
    frames = pp.open_trajectory(files)
    assert not frames.notes
    return frames.steps, frames.times, frames.unwrapped().read_block()


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """Steps and positions with every digit."""
    folder = tmp_path_factory.mktemp("exact")
    steps, _, positions = positions_of(run(folder, Dump("all.dump", 1, digits=17)).trajectory)
    assert steps.tolist() == list(range(STEPS + 1))
    return positions


def run(folder, dump):
    small = protocol(STEPS, dump=dump, labels=None, gamma=None, msd=None)
    return run_long(small, folder / "run", write_inputs(folder), segment_steps=SEGMENT)


@pytest.mark.parametrize(
    ("dump", "name", "relative"),
    [
        (Dump("t.dump", 20, digits=9), "t.dump", 1e-8),
        (Dump("t.dump", 20, WITH_IMAGES, digits=9), "t.dump", 6e-8),
        (Dump("t.dump", None, blocks=BLOCKS, digits=17, compression="gzip"), "t.dump.gz", 0),
        (Dump("t.dump", 15, blocks=BLOCKS, digits=17, compression="zstd"), "t.dump.zst", 0),
        (Dump("t.bin", 20), "t.bin", 0),
        (Dump("t.bin", 50, WITH_IMAGES, blocks=BLOCKS, compression="zstd"), "t.bin.zst", 1e-14),
    ],
)
def test_round_trip(tmp_path, exact, dump, name, relative):
    result = run(tmp_path, dump)
    assert [path.name for path in result.trajectory] == 3 * [name]
    result.join("dump", tmp_path / name)
    for files in (result.trajectory, tmp_path / name):
        steps, times, positions = positions_of(files)
        assert steps.tolist() == dump.steps(0, STEPS).tolist()
        np.testing.assert_allclose(times, 0.0005 * steps, rtol=1e-9)
        np.testing.assert_allclose(positions, exact[steps], rtol=relative, atol=relative)


def test_equal_runs_leave_equal_bytes(tmp_path):
    dump = Dump("t.dump", 20, compression="gzip")
    first, second = (run(tmp_path / name, dump) for name in ("a", "b"))
    for one, other in zip(first.segments, second.segments, strict=True):
        assert one.files["t.dump.gz"] == other.files["t.dump.gz"]
        assert one.files["end.restart"] == other.files["end.restart"]
