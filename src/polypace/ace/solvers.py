"""Solvers of the linear fit: ridge, Bayesian linear regression, automatic relevance determination.

All work on compressed rows (row_compression.py), on columns scaled to unit root mean square x̂_f = x_f / s_f with
coefficients ĉ_f = s_f c_f, so that a penalty weighs what a function contributes to the data and not its unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack, solve_triangular, svdvals

from polypace.ace.row_compression import CompressedRows, Matrix, damped_rows, weighted_stack
from polypace.errors import InputError


@dataclass(frozen=True)
class Posterior:
    """Normal distribution of the coefficients, covariance R⁻¹ R⁻ᵀ.

    factor : (n_columns, n_columns), R, upper triangular
    """

    factor: Matrix

    def covariance(self) -> Matrix:
        """(n_columns, n_columns)."""
        inverse = _inverse(self.factor)
        return inverse @ inverse.T

    def standard_deviation(self, rows: Matrix) -> Matrix:
        """Uncertainty ‖R⁻ᵀ x‖ of x·c for every row x: (m, n_columns) → (m,)."""
        solved = solve_triangular(self.factor, rows.T, trans="T", check_finite=False)
        return np.asarray(np.linalg.norm(solved, axis=0))


@dataclass(frozen=True)
class Solution:
    """What a solver found.

    coefficients : (n_columns,)
    posterior : their distribution
    noise : per group of rows, standard deviation of one row of weight 1, in the unit of its targets
    damping : strength of the prior, in units where columns and targets have unit root mean square
    effective_parameters : Σ_f of the share of coefficient f that the data and not the prior decided
    condition_number : of the scaled columns, without the prior
    kept : (n_columns,) bool, False where a coefficient was set to zero
    n_iterations : of the search for noise and prior
    log_evidence : of the data, natural logarithm; None where the solver does not ask for it
    """

    coefficients: Matrix
    posterior: Posterior
    noise: Mapping[str, float]
    damping: float
    effective_parameters: float
    condition_number: float
    kept: npt.NDArray[np.bool_]
    n_iterations: int = 0
    log_evidence: float | None = None


class Solver(Protocol):
    """Finds coefficients for groups of rows; penalties are relative, one per column, larger for rougher functions."""

    def solve(self, groups: Mapping[str, CompressedRows], penalties: Matrix) -> Solution:
        """Return the coefficients that balance all groups."""


@dataclass(frozen=True)
class Ridge:
    """Minimise ‖A c − y‖² / n + α Σ_f (γ_f ĉ_f)², n the number of rows, γ the penalties; α has no unit.

    Parameters
    ----------
    alpha : float or None
        None: the value with the smallest generalised cross-validation error
        (Golub, Heath, Wahba, Technometrics 21, 215 (1979), eq. 1.4).
    scale_columns : bool
        False: plain ridge regression, ‖A c − y‖² + α ‖c‖².
    """

    alpha: float | None = 1e-12
    scale_columns: bool = True

    def __post_init__(self) -> None:
        if self.alpha is not None and not 0 <= self.alpha < np.inf:
            raise InputError(f"alpha must be a number from 0 on, or None for cross-validation, got {self.alpha}")
        if self.alpha is None and not self.scale_columns:
            raise InputError("scale_columns=False needs alpha: cross-validation works on scaled columns")

    def solve(self, groups: Mapping[str, CompressedRows], penalties: Matrix) -> Solution:
        rows = weighted_stack(groups, dict.fromkeys(groups, 1.0))
        scales = _column_scales(rows)
        alpha = self.alpha
        if alpha is None:
            alpha = _cross_validated_alpha(rows, _prior(penalties, scales))
        damping = np.sqrt(alpha * rows.n_rows) * _prior(penalties, scales)
        if not self.scale_columns:
            damping = np.full(len(scales), np.sqrt(alpha))
        return _regularised(groups, rows, damping, alpha)


@dataclass(frozen=True)
class BayesianRegression:
    """Noise of every group of rows and strength of the prior by maximal evidence.

    p(y_q | c) = N(A_q c, σ_q²), p(c) = N(0, 1 / (α γ_f² s_f²)); α and all σ_q follow MacKay's fixed-point updates
    σ_q² = ‖A_q c − y_q‖² / (n_q − N_q), 1/α = Σ_f (γ_f ĉ_f)² / N, with N (N_q) the effective number of parameters
    (that group q determines).

    Parameters
    ----------
    max_iterations, tolerance : stop after so many updates, or when no logarithm changes by more than the tolerance.

    References
    ----------
    MacKay, Neural Comput. 4, 415 (1992), eqs. 4.8-4.10; Bishop, Pattern Recognition and Machine Learning (2006),
    section 3.5.
    """

    max_iterations: int = 60
    tolerance: float = 1e-2

    def solve(self, groups: Mapping[str, CompressedRows], penalties: Matrix) -> Solution:
        scales = _column_scales(weighted_stack(groups, dict.fromkeys(groups, 1.0)))
        search = _EvidenceSearch(groups, _prior(penalties, scales), penalties == 0, self)
        return search.run(shared=True)


@dataclass(frozen=True)
class ARD:
    """Bayesian regression with a prior strength of its own for every function: most are switched off.

    Parameters
    ----------
    threshold : float
        A function is dropped when its prior's standard deviation falls below this share of the targets' root mean
        square per column scale.
    max_iterations, tolerance : as for BayesianRegression.

    References
    ----------
    MacKay (1994) "Bayesian nonlinear modeling for the prediction competition"; Tipping, J. Mach. Learn. Res. 1, 211
    (2001), eqs. 16-18.
    """

    threshold: float = 1e-3
    max_iterations: int = 60
    tolerance: float = 1e-2

    def solve(self, groups: Mapping[str, CompressedRows], penalties: Matrix) -> Solution:
        rows = weighted_stack(groups, dict.fromkeys(groups, 1.0))
        search = _EvidenceSearch(groups, _prior(penalties, _column_scales(rows)), penalties == 0, self)
        search.run(shared=True)
        target = np.sqrt((rows.target @ rows.target + rows.residual**2) / max(rows.n_rows, 1))
        return search.run(shared=False, narrowest_prior=float(self.threshold * target))


class _EvidenceSearch:
    """MacKay's fixed-point search: noise precision per group of rows, prior precision per column.

    prior : damping per column at prior precision 1
    free : columns without a prior worth the name (reference energies); they do not count in the evidence
    """

    def __init__(
        self,
        groups: Mapping[str, CompressedRows],
        prior: Matrix,
        free: npt.NDArray[np.bool_],
        options: BayesianRegression | ARD,
    ) -> None:
        self._groups, self._prior, self._free, self._options = groups, prior, free, options
        self._kept = np.arange(len(prior))
        # A tenth of each group's targets is taken for noise at first, and a prior as wide as the targets.
        squares = {name: group.target_square() / max(group.n_rows, 1) for name, group in groups.items()}
        self._precision = {name: 100 / square if square > 0 else 1.0 for name, square in squares.items()}
        self._strength = np.full(len(prior), 1 / (max(squares.values()) or 1.0))

    def run(self, *, shared: bool, narrowest_prior: float = 0.0) -> Solution:
        """One prior strength for all columns (shared) or one each, columns with too narrow a prior dropped."""
        for iteration in range(1, self._options.max_iterations + 1):
            groups = self._groups
            if len(self._kept) < len(self._prior):
                groups = {name: group.select(self._kept) for name, group in groups.items()}
            rows = weighted_stack(groups, self._precision)
            prior, strength = self._prior[self._kept], self._strength[self._kept]
            damped = damped_rows(rows, np.sqrt(strength) * prior)
            coefficients = solve_triangular(damped.factor, damped.target)
            inverse = _inverse(damped.factor)
            determined = np.clip(1 - strength * prior**2 * np.sum(inverse**2, axis=1), 1e-12, 1.0)
            solution = self._solution(groups, rows, damped, coefficients, determined, iteration)
            change = self._update_noise(groups, coefficients, inverse)
            change = max(change, self._update_prior(coefficients, determined, shared))
            narrow = ~self._free[self._kept] & (self._strength[self._kept] * narrowest_prior**2 > 1)
            self._kept = self._kept[~narrow]
            if change < self._options.tolerance and not narrow.any():
                break
        return solution

    def _update_noise(self, groups: Mapping[str, CompressedRows], coefficients: Matrix, inverse: Matrix) -> float:
        change = 0.0
        for name, group in groups.items():
            if group.n_rows == 0:
                continue
            determined = self._precision[name] * np.sum((group.factor @ inverse) ** 2)
            freedom = max(group.n_rows - determined, 1e-3 * group.n_rows)
            # A group that is reproduced to rounding has no noise to measure: at least 1e-6 of its targets.
            least = 1e-12 * group.target_square() / group.n_rows * freedom
            # And it cannot have more noise than targets: without this bound a small group is given up early on.
            most = group.target_square() / group.n_rows * freedom
            precision = freedom / max(min(group.loss(coefficients), most), least, 1e-300)
            change = max(change, abs(np.log(precision / self._precision[name])))
            self._precision[name] = float(precision)
        return change

    def _update_prior(self, coefficients: Matrix, determined: Matrix, shared: bool) -> float:
        ruled = ~self._free[self._kept]
        if not ruled.any():
            return 0.0
        columns, determined = self._kept[ruled], determined[ruled]
        squares = np.maximum((self._prior[columns] * coefficients[ruled]) ** 2, 1e-300)
        before = self._strength[columns]
        after = np.full(len(columns), determined.sum() / squares.sum()) if shared else determined / squares
        self._strength[columns] = after
        # Strengths of irrelevant columns grow without end: a change counts as far as the data determine the column.
        return float(np.max(np.abs(np.log(after / before)) * (1.0 if shared else determined)))

    def _solution(
        self,
        groups: Mapping[str, CompressedRows],
        rows: CompressedRows,
        damped: CompressedRows,
        coefficients: Matrix,
        determined: Matrix,
        iteration: int,
    ) -> Solution:
        n = len(self._prior)
        full, kept, factor = np.zeros(n), np.zeros(n, dtype=bool), 1e150 * np.eye(n)  # dropped: no variance
        full[self._kept] = coefficients
        kept[self._kept] = True
        factor[np.ix_(self._kept, self._kept)] = damped.factor
        return Solution(
            coefficients=full,
            posterior=Posterior(factor),
            noise={name: float(value**-0.5) for name, value in self._precision.items()},
            damping=float(np.median(self._strength[self._kept])),
            effective_parameters=float(determined.sum()),
            condition_number=_condition_number(rows),
            kept=kept,
            n_iterations=iteration,
            log_evidence=self._log_evidence(groups, damped),
        )

    def _log_evidence(self, groups: Mapping[str, CompressedRows], damped: CompressedRows) -> float:
        """log p(y) (Bishop 2006, eq. 3.86), free columns left out of its normalisation."""
        ruled = self._kept[~self._free[self._kept]]
        value = -0.5 * damped.residual**2 - np.sum(np.log(np.abs(np.diag(damped.factor))))
        value += np.sum(np.log(np.sqrt(self._strength[ruled]) * self._prior[ruled]))
        for name, group in groups.items():
            value += 0.5 * group.n_rows * np.log(self._precision[name] / (2 * np.pi))
        return float(value)


def _regularised(groups: Mapping[str, CompressedRows], rows: CompressedRows, damping: Matrix, alpha: float) -> Solution:
    damped = damped_rows(rows, damping)
    diagonal = np.abs(np.diag(damped.factor))
    if not diagonal.all() or diagonal.min() < 1e-300:
        raise InputError(
            f"the rows do not determine column {int(np.argmin(diagonal))} and alpha = {alpha} does not either: "
            "use a positive alpha"
        )
    coefficients = solve_triangular(damped.factor, damped.target)
    inverse = _inverse(damped.factor)
    determined = np.sum((rows.factor @ inverse) ** 2)
    variance = rows.loss(coefficients) / max(rows.n_rows - determined, 1.0)
    deviation = max(np.sqrt(variance), 1e-150)
    return Solution(
        coefficients=coefficients,
        posterior=Posterior(damped.factor / deviation),
        noise=dict.fromkeys(groups, float(deviation)),
        damping=float(alpha),
        effective_parameters=float(determined),
        condition_number=_condition_number(rows),
        kept=np.ones(len(coefficients), dtype=bool),
    )


def _cross_validated_alpha(rows: CompressedRows, prior: Matrix) -> float:
    """α with the smallest n RSS(α) / (n − N(α))², on a grid of three values per decade."""
    u, sigma, _ = np.linalg.svd(rows.factor / prior)
    target = (u.T @ rows.target) ** 2
    outside = rows.residual**2
    grid = rows.n_rows * np.logspace(-14, 2, 49)
    damped = grid[:, None] / (sigma**2 + grid[:, None])
    loss = outside + (damped**2) @ target
    freedom = rows.n_rows - (1 - damped).sum(axis=1)
    return float(grid[np.argmin(loss / np.maximum(freedom, 1e-9) ** 2)] / rows.n_rows)


def _prior(penalties: Matrix, scales: Matrix) -> Matrix:
    """Damping per column at strength 1; where the penalty is 0, just enough to settle what the data leave open."""
    if np.any(penalties < 0) or not np.isfinite(penalties).all():
        raise InputError(f"penalties must be finite and not negative, got {penalties.min()}…{penalties.max()}")
    return np.where(penalties > 0, penalties, 1e-6) * scales


def _column_scales(rows: CompressedRows) -> Matrix:
    """Root mean square of every column; 1 for columns of zeros, which the prior sets to zero."""
    scales = rows.column_norms() / np.sqrt(max(rows.n_rows, 1))
    return np.where(scales > 0, scales, 1.0)


def _condition_number(rows: CompressedRows) -> float:
    """Ratio of the singular values of the columns, scaled to equal norms; columns of zeros do not count."""
    norms = rows.column_norms()
    values = svdvals(rows.factor[:, norms > 0] / norms[norms > 0])
    return float(values[0] / values[-1]) if values[-1] > 0 else float("inf")


def _inverse(triangle: Matrix) -> Matrix:
    inverse, info = lapack.dtrtri(np.asfortranarray(triangle))
    assert info == 0, info
    return np.asarray(inverse)
