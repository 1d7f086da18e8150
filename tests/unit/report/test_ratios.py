"""Ratios of measured numbers, against a sample of many."""

from __future__ import annotations

import numpy as np
import pytest

from polypace.report.ratios import ratio_with_error


def test_the_error_is_the_scatter_of_ratios():
    rng = np.random.default_rng(3)
    ours, theirs = rng.normal(8.0, 0.16, 200_000), rng.normal(2.0, 0.06, 200_000)
    ratio, error = ratio_with_error(8.0, 0.16, 2.0, 0.06)
    assert ratio == pytest.approx(4.0)
    assert error == pytest.approx(np.std(ours / theirs), rel=0.02)


def test_curves_are_taken_point_by_point():
    ratio, error = ratio_with_error([1.0, 4.0], [0.1, 0.0], [2.0, 2.0], [0.0, 0.2])
    np.testing.assert_allclose(ratio, [0.5, 2.0])
    np.testing.assert_allclose(error, [0.05, 0.2])
