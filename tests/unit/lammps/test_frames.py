"""Which steps become frames: blocks, unions, seams; what is refused."""

from __future__ import annotations

from itertools import chain, pairwise

import numpy as np
import pytest

from polypace.errors import InputError
from polypace.lammps import Dump, LogBlocks


def test_offsets_of_a_block_are_logarithmic():
    assert LogBlocks(100, per_decade=1).offsets().tolist() == [0, 1, 10]
    assert LogBlocks(1000, first=3, per_decade=2).offsets().tolist() == [0, 3, 9, 30, 95, 300, 949]
    offsets = LogBlocks(10**6, per_decade=10).offsets()
    assert (np.diff(offsets) > 0).all() and offsets[-1] < 10**6
    ratios = offsets[-20:] / offsets[-21:-1]
    np.testing.assert_allclose(ratios, 10**0.1, rtol=1e-4)


@pytest.mark.parametrize(
    "dump",
    [
        Dump("a", 30),
        Dump("a", None, blocks=LogBlocks(70, per_decade=4)),
        Dump("a", 25, blocks=LogBlocks(64, first=2, per_decade=5)),
    ],
)
@pytest.mark.parametrize("segment", [7, 64, 100, 501])
def test_segments_have_the_frames_of_the_whole(dump, segment):
    whole = dump.steps(0, 500).tolist()
    slow = {step for step in range(501) if dump.every is not None and step % dump.every == 0}
    if dump.blocks is not None:
        slow |= {step for step in range(501) if step % dump.blocks.length in dump.blocks.offsets()}
    assert whole == sorted(slow)
    edges = [*range(0, 500, segment), 500]
    pieces = [dump.steps(a, b).tolist() for a, b in pairwise(edges)]
    assert list(chain(*pieces)) == whole


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": None}, "needs every=, blocks= or both"),
        ({"every": 0}, "at least 1 step, got 0"),
        ({"every": 5, "digits": 18}, "digits must be 1…17, got 18"),
        ({"every": 5, "compression": "bzip2"}, "one of '', 'gzip', 'zstd', got 'bzip2'"),
    ],
)
def test_impossible_dumps_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Dump("t.dump", **arguments)


def test_impossible_blocks_are_refused():
    with pytest.raises(InputError, match="length=10, first=10"):
        LogBlocks(10, first=10)
