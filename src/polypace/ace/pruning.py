"""Fewer functions after a fit, from its compressed rows alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polypace._core import formats
from polypace.ace.fitting import FitResult
from polypace.ace.potential import Potential
from polypace.ace.solvers import Ridge, Solution, Solver
from polypace.blas_threads import single_threaded_blas
from polypace.errors import InputError

SHARE_PER_ROUND = 0.1  # of the functions, removed before the others are fitted again


@dataclass(frozen=True)
class PrunedFit:
    """A smaller potential and what it cost.

    potential : with the kept functions only, fitted again
    solution : of the last fit, for the kept columns
    loss_ratio : weighted squared error on the training rows, relative to the full fit
    """

    potential: Potential
    solution: Solution
    loss_ratio: float


def prune_functions(result: FitResult, n_functions: int, *, solver: Solver | None = None) -> PrunedFit:
    """Remove the functions whose absence costs least, until `n_functions` are left.

    Removing column f alone raises the loss by c_f² / Σ_ff, with Σ the posterior covariance; in every round a tenth
    of the functions with the smallest such price go, and the others are fitted again. No frames are needed.

    Raises
    ------
    InputError
        where n_functions is not between 1 and the number of functions of the fit.

    References
    ----------
    Hassibi, Stork, Adv. Neural Inf. Process. Syst. 5, 164 (1993), eq. 5 (optimal brain surgeon).
    """
    total = sum(result.potential.n_functions.values())
    if not 1 <= n_functions <= total:
        raise InputError(f"n_functions must be from 1 to {total}, got {n_functions}")
    solver = solver or Ridge()
    kept = np.arange(len(result.penalties))
    with single_threaded_blas():
        solution = solver.solve(result.groups, result.penalties)
        full_loss = sum(group.loss(solution.coefficients) for group in result.groups.values())
        groups = result.groups
        while (left := int(np.count_nonzero(kept < total))) > n_functions:
            price = solution.coefficients**2 / np.diag(solution.posterior.covariance())
            price[kept >= total] = np.inf  # shifts of the reference energies stay
            n_removed = min(left - n_functions, max(1, int(SHARE_PER_ROUND * left)))
            kept = np.delete(kept, np.argsort(price, kind="stable")[:n_removed])
            groups = {name: group.select(kept) for name, group in result.groups.items()}
            solution = solver.solve(groups, result.penalties[kept])
    loss = sum(group.loss(solution.coefficients) for group in groups.values())
    potential = _with_functions(result, kept[kept < total], solution)
    return PrunedFit(potential, solution, loss / full_loss if full_loss > 0 else 1.0)


def _with_functions(result: FitResult, kept: np.ndarray, solution: Solution) -> Potential:
    data = result.potential.data.copy()
    assert isinstance(data, formats.BPotential)  # fits are made of functions
    wanted, functions, first = set(kept.tolist()), [], 0
    for of_element in data.functions:
        functions.append([f for number, f in enumerate(of_element, first) if number in wanted])
        first += len(of_element)
    data.functions = functions
    smaller = Potential(data).with_coefficients(solution.coefficients[: len(kept)])
    old_shifts, new_shifts = result.solution.coefficients[first:], solution.coefficients[len(kept) :]
    e0 = result.potential.e0
    if len(new_shifts):
        e0 = {el: value + new - old for (el, value), new, old in zip(e0.items(), new_shifts, old_shifts, strict=True)}
    return smaller.with_e0(e0)
