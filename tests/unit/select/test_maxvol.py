"""MaxVol against a NumPy twin and against recorded row lists."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.linalg import lu

from polypace import _core
from polypace.errors import InputError
from polypace.select import maxvol
from tests.oracle.maxvol import maxvol as slow_maxvol


@pytest.mark.parametrize(("n", "r"), [(30, 3), (700, 33), (1500, 64), (2100, 5), (70, 69), (700, 300)])
@pytest.mark.parametrize("max_iterations", [0, 3, 1000])
@pytest.mark.parametrize("given_start", [False, True])
def test_equals_numpy(n, r, max_iterations, given_start, rng):
    matrix = rng.normal(size=(n, r)) ** 3
    start = np.arange(r) if given_start else None  # a poor one, so that many exchanges are needed
    result = maxvol(matrix, tolerance=1.0001, max_iterations=max_iterations, start=start)
    rows, largest = slow_maxvol(matrix, 1.0001, max_iterations, start)
    assert result.rows.tolist() == rows.tolist()
    assert result.largest_grade == pytest.approx(largest, rel=1e-9)
    assert result.n_swaps <= max_iterations
    assert result.converged == (result.largest_grade <= 1.0001)


@pytest.mark.parametrize(("n", "r"), [(1, 1), (40, 32), (300, 33), (97, 96), (150, 150), (1500, 213)])
def test_starts_from_the_pivot_rows_of_lapack(n, r, rng):
    matrix = rng.normal(size=(n, r)) ** 3
    one, four = matrix.copy(), matrix.copy()
    selection = _core.select.pivot_rows(one, 1)
    assert selection.tolist() == np.argmax(lu(matrix)[0], axis=0)[:r].tolist()
    np.testing.assert_allclose(one @ matrix[selection], matrix, atol=1e-11 * np.abs(matrix).max())
    assert (one[selection] == np.eye(r)).all()
    assert (_core.select.pivot_rows(four, 4) == selection).all() and (four == one).all()


def test_recorded_row_lists(shared):
    for case in json.loads((shared / "spec/vectors/maxvol_vectors.json").read_text()):
        if "zero_column" in case:
            continue  # regularised by select_active_set, see test_active_set.py
        result = maxvol(case["A"], tolerance=case["tol"], max_iterations=case["max_iters"])
        assert result.rows.tolist() == case["rows"]
        if "max_abs_C" in case:
            assert result.largest_grade == pytest.approx(case["max_abs_C"], rel=1e-12)


def test_same_rows_and_bits_for_any_number_of_threads(rng):
    matrix = rng.normal(size=(4000, 40)) ** 3
    one, four = (maxvol(matrix, start=np.arange(40), n_threads=n) for n in (1, 4))
    assert one.rows.tolist() == four.rows.tolist()
    assert one.largest_grade == four.largest_grade
    assert one.n_swaps == four.n_swaps > 40


def test_duplicate_rows_are_selected_once(rng):
    matrix = np.repeat(rng.normal(size=(200, 10)), 3, axis=0)
    result = maxvol(matrix)
    assert len(set(result.rows // 3)) == 10


def test_volume_grows_from_a_given_start(rng):
    matrix = rng.normal(size=(300, 12))
    start = np.arange(12)
    result = maxvol(matrix, start=start)
    coefficients = matrix @ np.linalg.inv(matrix[result.rows])
    assert result.converged and np.abs(coefficients).max() == pytest.approx(result.largest_grade, rel=1e-9)
    assert np.linalg.slogdet(matrix[result.rows])[1] > np.linalg.slogdet(matrix[start])[1]
    again = maxvol(matrix, start=result.rows)
    assert again.n_swaps == 0 and again.rows.tolist() == result.rows.tolist()


def test_all_rows_when_there_are_not_more_than_columns(rng):
    assert maxvol(rng.normal(size=(3, 5))).rows.tolist() == [0, 1, 2]


def test_bad_input_is_named(rng):
    matrix = rng.normal(size=(20, 3))
    with pytest.raises(InputError, match="matrix must be finite"):
        maxvol(np.full((5, 2), np.nan))
    with pytest.raises(InputError, match="linearly independent columns"):
        maxvol(np.zeros((5, 2)))
    wide = rng.integers(-5, 5, size=(200, 64)).astype(float)
    wide[:, 39] = 0
    with pytest.raises(InputError, match="pivot 40 of 64 vanishes"):
        maxvol(wide)
    with pytest.raises(InputError, match="start must name 3 different rows"):
        maxvol(matrix, start=[0, 0, 1])
    with pytest.raises(InputError, match="linearly dependent"):
        maxvol(np.vstack([matrix[:1], 2 * matrix[:1], matrix]), start=[0, 1, 2])
