"""Dumps that are broken, cut, or written twice: handled and said, or refused by file, frame and line."""

from __future__ import annotations

import gzip
import os

import numpy as np
import pytest

import polypace as pp
from polypace.errors import FileFormatError, InputError
from polypace.trajectory import TrajectoryWarning
from tests.helpers.dumps import text_dump

ROWS = [[2, 1, 1.0, 2.0, 3.0], [1, 1, 4.0, 5.0, 6.0], [3, 2, 7.0, 8.0, 9.0]]


@pytest.fixture
def write(tmp_path):
    def write(text, name="a.dump"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def moved(rows, by):
    return [[i, t, x + by, y, z] for i, t, x, y, z in rows]


def test_sorted_by_id(write):
    trajectory = pp.open_trajectory(write(text_dump([ROWS])))
    np.testing.assert_array_equal(trajectory.read_block()[0], [[4, 5, 6], [1, 2, 3], [7, 8, 9]])
    assert trajectory.types.tolist() == ["1", "1", "2"]


@pytest.mark.parametrize("cut", range(1, 60))
def test_every_cut_of_the_last_frame_is_dropped(write, cut):
    whole = text_dump([ROWS, moved(ROWS, 1), moved(ROWS, 2)])
    with pytest.warns(TrajectoryWarning, match="step 2 .*breaks off"):
        trajectory = pp.open_trajectory(write(whole[:-cut]))
    assert trajectory.steps.tolist() == [0, 1]
    assert any("breaks off" in note for note in trajectory.notes)


@pytest.mark.parametrize("cut", [1, 5, 30, 80, 100, 120])
def test_restart_behind_a_broken_frame(write, cut):
    first = text_dump([moved(ROWS, k) for k in range(3)], steps=[0, 10, 20])
    second = text_dump([moved(ROWS, 0.5 + k) for k in (1, 2, 3)], steps=[10, 20, 30])
    with pytest.warns(TrajectoryWarning) as warned:
        trajectory = pp.open_trajectory(write(first[:-cut] + second))
    assert any("written again" in str(w.message) for w in warned)
    assert trajectory.steps.tolist() == [0, 10, 20, 30]
    np.testing.assert_array_equal(trajectory.read_block()[:, 0, 0], [4, 5.5, 6.5, 7.5])


def test_restart_in_another_file(write):
    first = write(text_dump([ROWS] * 3, steps=[0, 10, 20]), "1.dump")
    second = write(text_dump([moved(ROWS, 1)] * 2, steps=[20, 30]), "2.dump")
    with pytest.warns(TrajectoryWarning, match=r"steps 20…20"):
        trajectory = pp.open_trajectory([first, second])
    assert trajectory.steps.tolist() == [0, 10, 20, 30]
    assert trajectory.read_block()[2, 0, 0] == 5
    with pytest.raises(InputError, match="start over"):
        pp.open_trajectory([second, first])


def test_one_file_per_frame(write, tmp_path):
    """More files than a process may open, in the order of their steps."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open(os.devnull) as probe:
        resource.setrlimit(resource.RLIMIT_NOFILE, (probe.fileno() + 40, limits[1]))
    try:
        for step in range(0, 1500, 10):
            write(text_dump([moved(ROWS, step)], steps=[step]), f"many.{step}.dump")
        trajectory = pp.open_trajectory(tmp_path / "many.*.dump")
        np.testing.assert_array_equal(trajectory.steps, np.arange(0, 1500, 10))
        np.testing.assert_array_equal(trajectory.read_block()[:, 0, 0], 4 + np.arange(0, 1500, 10))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    with pytest.raises(InputError, match="no file matches"):
        pp.open_trajectory(tmp_path / "none.*.dump")


def test_cut_gzip(tmp_path):
    data = gzip.compress(text_dump([moved(ROWS, k) for k in range(50)]).encode())
    path = tmp_path / "cut.dump.gz"
    path.write_bytes(data[:-40])
    with pytest.warns(TrajectoryWarning, match="breaks off"):
        trajectory = pp.open_trajectory(path)
    assert 1 < trajectory.n_frames < 50
    assert trajectory.read_block(-1)[0, 0, 0] == 4 + trajectory.steps[-1]


def test_log_spaced_steps_are_those_of_the_file(write):
    steps = [0, 1, 2, 4, 8, 16, 100, 101, 102, 104]
    trajectory = pp.open_trajectory(write(text_dump([ROWS] * len(steps), steps=steps)), timestep=0.5)
    assert trajectory.steps.tolist() == steps
    np.testing.assert_array_equal(trajectory.times, 0.5 * np.array(steps))


BAD = {
    "nan": ([ROWS, [[2, 1, 1, 2, 3], [1, 1, "nan", 5, 6], [3, 2, 7, 8, 9]]],
            r"frame 1 \(step 1\): line 23:.*not finite"),
    "infinite": ([ROWS, [[2, 1, 1, 2, 3], [1, 1, 1, "-inf", 6], [3, 2, 7, 8, 9]]], "line 23: .*not finite"),
    "word": ([ROWS, [[2, 1, 1, 2, 3], [1, 1, "oops", 5, 6], [3, 2, 7, 8, 9]]], "line 23: column 3 .*'oops'"),
    "short row": ([ROWS, [[2, 1, 1, 2, 3], [1, 1, 5, 6], [3, 2, 7, 8, 9]]], "line 23: column 5"),
    "twice": ([ROWS, [[2, 1, 1, 2, 3], [2, 1, 4, 5, 6], [3, 2, 7, 8, 9]]], "line 23: an atom appears twice"),
    "other id": ([ROWS, [[2, 1, 1, 2, 3], [9, 1, 4, 5, 6], [3, 2, 7, 8, 9]]], "line 23: atom id 9"),
    "twice in the first": ([[*ROWS[:2], [1, 1, 0, 0, 0]]], "atom id 1 appears twice"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_rows_are_named(write, name):
    frames, message = BAD[name]
    with pytest.raises(FileFormatError, match=message):
        pp.open_trajectory(write(text_dump(frames))).read_block()


def test_lost_atoms_end_what_can_be_read(write):
    path = write(text_dump([ROWS, moved(ROWS, 1), ROWS[:2], ROWS]))
    with pytest.warns(TrajectoryWarning, match=r"frame 2 \(step 2\) has 2 atoms, the first frame 3: atoms were lost"):
        trajectory = pp.open_trajectory(path)
    assert trajectory[:2].read_block().shape == (2, 3, 3)
    with pytest.raises(FileFormatError, match=r"frame 2 \(step 2\) has 2 atoms.*trajectory\[:2\]"):
        trajectory.read_block()


def test_more_rows_than_atoms(write):
    text = text_dump([ROWS]) + "4 1 0 0 0\n"
    with pytest.raises(FileFormatError, match=r"line 13: the frame of step 0 has more lines than its 3 atoms"):
        pp.open_trajectory(write(text))


def test_not_a_dump(write):
    with pytest.raises(FileFormatError, match="line 3: expected"):
        pp.open_trajectory(write("ITEM: TIMESTEP\n0\nhello\n"))
    with pytest.raises(FileFormatError, match="hold no positions"):
        pp.open_trajectory(write(text_dump([[[1, 0.5]]], columns="id vx")))
    with pytest.raises(InputError, match="does not exist"):
        pp.open_trajectory("nowhere.dump")
    with pytest.raises(FileFormatError, match="step after ITEM: TIMESTEP"):
        pp.open_trajectory(write("ITEM: TIMESTEP\nx\nITEM: NUMBER OF ATOMS\n"))

    with pytest.raises(FileFormatError, match=r"a\.dump: the file is empty"):
        pp.open_trajectory(write(""))
    with pytest.raises(FileFormatError, match=r"no LAMMPS dump .* no format has the ending '\.dump'"):
        pp.open_trajectory(write("hello\n" * 9))


def test_dumps_without_ids_are_warned_of(write):
    with pytest.warns(TrajectoryWarning, match="has no column id: atoms are taken to be in the same order"):
        assert pp.open_trajectory(write(text_dump([[row[1:] for row in ROWS]], columns="type x y z"))).n_atoms == 3


def test_arguments_are_checked(write):
    path = write(text_dump([ROWS]))
    with pytest.raises(InputError, match="timestep must be positive"):
        pp.open_trajectory(path, timestep=-1)
    with pytest.raises(InputError, match="units must be one of"):
        pp.open_trajectory(path, units="imperial")
    with pytest.raises(InputError, match="a dump says it by its columns"):
        pp.open_trajectory(path, coordinates="wrapped")


def test_units_become_angstrom(write):
    nano = pp.open_trajectory(write(text_dump([ROWS])), units="nano")
    np.testing.assert_allclose(nano.read_block()[0, 1], [10, 20, 30])
    np.testing.assert_allclose(nano.cells[0], 100 * np.eye(3))
