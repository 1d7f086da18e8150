"""Blockwise QR and the solvers on it against closed forms and against what synthetic data were made with."""

from __future__ import annotations

import numpy as np
import pytest

from polypace.ace.row_compression import RowCompressor, damped_rows, stack_rows
from polypace.ace.solvers import ARD, BayesianRegression, Ridge
from polypace.errors import InputError


def compress(rows, targets, piece=50, **options):
    compressor = RowCompressor(rows.shape[1], **options)
    for start in range(0, len(rows), piece):
        compressor.add(rows[start : start + piece], targets[start : start + piece])
    return compressor.finish()


@pytest.fixture
def problem(rng):
    rows = rng.normal(size=(400, 15)) * np.logspace(-3, 2, 15)
    return rows, rows @ (rng.normal(size=15) / np.logspace(-3, 2, 15)) + 0.1 * rng.normal(size=400)


@pytest.mark.parametrize(("piece", "block_rows"), [(1, 7), (50, 37), (400, 1000), (33, 16)])
def test_streamed_equals_one_shot(problem, piece, block_rows):
    rows, targets = problem
    packed = compress(rows, targets, piece, block_rows=block_rows)
    best = np.linalg.lstsq(rows, targets, rcond=None)[0]
    np.testing.assert_allclose(np.linalg.solve(packed.factor, packed.target), best, rtol=1e-10)
    for coefficients in (best, best + 1):
        assert packed.loss(coefficients) == pytest.approx(np.sum((rows @ coefficients - targets) ** 2), rel=1e-12)
    assert packed.n_rows == 400
    np.testing.assert_allclose(packed.column_norms(), np.linalg.norm(rows, axis=0), rtol=1e-12)


def test_keeps_what_normal_equations_lose(rng):
    # Condition number 1e10: AᵀA has 1e20, beyond double precision.
    u, _ = np.linalg.qr(rng.normal(size=(500, 12)))
    v, _ = np.linalg.qr(rng.normal(size=(12, 12)))
    rows = u @ np.diag(np.logspace(0, -10, 12)) @ v.T
    truth = rng.normal(size=12)
    packed = compress(rows, rows @ truth, piece=60, block_rows=64)
    np.testing.assert_allclose(np.linalg.solve(packed.factor, packed.target), truth, atol=1e-4)
    assert np.abs(np.linalg.solve(rows.T @ rows, rows.T @ (rows @ truth)) - truth).max() > 1e-2


def test_fewer_rows_than_columns_and_none(rng):
    rows, targets = rng.normal(size=(4, 9)), rng.normal(size=4)
    packed = compress(rows, targets)
    np.testing.assert_allclose(packed.factor.T @ packed.factor, rows.T @ rows, atol=1e-12)
    assert RowCompressor(3).finish().n_rows == 0


def test_stacking_selecting_and_damping(rng):
    a, b = rng.normal(size=(30, 6)), rng.normal(size=(50, 6))
    y, z = rng.normal(size=30), rng.normal(size=50)
    both = stack_rows([(2.0, compress(a, y)), (0.5, compress(b, z))])
    rows, targets = np.vstack([2 * a, 0.5 * b]), np.concatenate([2 * y, 0.5 * z])
    probe = rng.normal(size=6)
    assert both.loss(probe) == pytest.approx(np.sum((rows @ probe - targets) ** 2))
    some = both.select(np.array([4, 1]))
    assert some.loss(probe[:2]) == pytest.approx(np.sum((rows[:, [4, 1]] @ probe[:2] - targets) ** 2))
    damping = np.arange(1.0, 7.0)
    expected = np.sum((rows @ probe - targets) ** 2) + np.sum((damping * probe) ** 2)
    assert damped_rows(both, damping).loss(probe) == pytest.approx(expected)


def test_plain_ridge_is_the_closed_form(problem):
    rows, targets = problem
    solution = Ridge(alpha=0.3, scale_columns=False).solve({"energy": compress(rows, targets)}, np.ones(15))
    closed = np.linalg.solve(rows.T @ rows + 0.3 * np.eye(15), rows.T @ targets)
    np.testing.assert_allclose(solution.coefficients, closed, rtol=1e-9)


def test_ridge_penalises_contributions_in_proportion_to_roughness(problem):
    rows, targets = problem
    penalties = np.linspace(1, 5, 15)
    solution = Ridge(alpha=1e-2).solve({"energy": compress(rows, targets)}, penalties)
    damping = 1e-2 * np.diag(penalties**2 * np.sum(rows**2, axis=0))
    closed = np.linalg.solve(rows.T @ rows + damping, rows.T @ targets)
    np.testing.assert_allclose(solution.coefficients, closed, rtol=1e-9)
    scaled = rows / np.linalg.norm(rows, axis=0)
    assert solution.condition_number == pytest.approx(np.linalg.cond(scaled), rel=1e-8)


def test_cross_validated_ridge_minimises_the_score(problem):
    rows, targets = problem
    groups = {"energy": compress(rows, targets)}
    scales = np.sqrt(np.mean(rows**2, axis=0))

    def score(alpha):
        damping = 400 * alpha * np.diag(scales**2)
        hat = rows @ np.linalg.solve(rows.T @ rows + damping, rows.T)
        return np.sum((hat @ targets - targets) ** 2) / (400 - np.trace(hat)) ** 2

    alpha = Ridge(alpha=None).solve(groups, np.ones(15)).damping
    assert score(alpha) <= min(score(3 * alpha), score(alpha / 3), score(1.0))


def test_evidence_finds_the_noise_of_every_group(rng):
    truth = rng.normal(size=20)
    noise = {"energy": 0.003, "forces": 0.05}
    groups = {}
    for name, n in (("energy", 300), ("forces", 3000)):
        rows = rng.normal(size=(n, 20))
        groups[name] = compress(rows, rows @ truth + noise[name] * rng.normal(size=n))
    solution = BayesianRegression().solve(groups, np.ones(20))
    assert solution.noise["energy"] == pytest.approx(0.003, rel=0.1)
    assert solution.noise["forces"] == pytest.approx(0.05, rel=0.05)
    assert 1 / np.sqrt(solution.damping) == pytest.approx(1.0, rel=0.4)
    deviation = solution.posterior.standard_deviation(np.eye(20))
    assert 0.5 < np.mean(((solution.coefficients - truth) / deviation) ** 2) < 2
    np.testing.assert_allclose(deviation**2, np.diag(solution.posterior.covariance()), rtol=1e-10)


def test_relevance_determination_keeps_the_relevant(rng):
    rows = rng.normal(size=(500, 60))
    truth = np.zeros(60)
    truth[[3, 17, 40]] = [1.0, -0.5, 0.25]
    groups = {"forces": compress(rows, rows @ truth + 0.01 * rng.normal(size=500))}
    solution = ARD().solve(groups, np.ones(60))
    assert solution.kept[[3, 17, 40]].all() and solution.kept.sum() < 30
    np.testing.assert_allclose(solution.coefficients, truth, atol=0.005)
    assert (solution.coefficients[~solution.kept] == 0).all()
    plain = BayesianRegression().solve(groups, np.ones(60))
    assert np.abs(solution.coefficients - truth).max() < np.abs(plain.coefficients - truth).max()
    assert solution.log_evidence > plain.log_evidence


def test_a_free_column_is_not_shrunk(rng):
    rows = np.column_stack([rng.normal(size=(200, 3)), np.ones(200)])
    groups = {"energy": compress(rows, rows @ [0.1, 0.2, 0.3, 1000.0])}
    for solver in (Ridge(alpha=0.5), BayesianRegression()):
        solution = solver.solve(groups, np.array([1.0, 1.0, 1.0, 0.0]))
        assert solution.coefficients[3] == pytest.approx(1000.0, abs=0.2)


def test_bad_input_is_named():
    with pytest.raises(InputError, match="rows must have shape"):
        RowCompressor(3).add(np.zeros((2, 4)), np.zeros(2))
    with pytest.raises(InputError, match="targets must be finite"):
        RowCompressor(2).add(np.zeros((1, 2)), [np.nan])
    with pytest.raises(InputError, match="penalties must be finite and not negative"):
        Ridge().solve({"energy": compress(np.eye(2), np.ones(2))}, np.array([1.0, -1.0]))
    with pytest.raises(InputError, match="use a positive alpha"):
        Ridge(alpha=0.0).solve({"energy": compress(np.ones((1, 2)), np.ones(1))}, np.ones(2))
