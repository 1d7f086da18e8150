"""MaxVol on matrices: which rows span the largest volume."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace import _core
from polypace.arrays import as_array
from polypace.errors import InputError

Rows = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MaxVolResult:
    """Rows of (locally) largest volume.

    rows : (r,) int64, in slot order
    largest_grade : max |A A_rows⁻¹| over all rows of A
    n_swaps : exchanges made
    converged : largest_grade ≤ tolerance
    """

    rows: npt.NDArray[np.int64]
    largest_grade: float
    n_swaps: int
    converged: bool


def maxvol(
    matrix: npt.ArrayLike,
    *,
    tolerance: float = 1.001,
    max_iterations: int = 300,
    start: npt.ArrayLike | None = None,
    n_threads: int = 0,
) -> MaxVolResult:
    """Return the rows of a tall matrix that span the (locally) largest volume.

    Starting from the pivot rows of an LU factorisation with partial pivoting, the row j and the slot i of the largest
    entry of C = A A_rows⁻¹ are exchanged until max |C| ≤ tolerance.

    Parameters
    ----------
    matrix : (n, r) float64
        With n ≤ r all rows are returned in order.
    tolerance : float ≥ 1
        Smaller values are raised to 1.
    max_iterations : int
        Largest number of exchanges.
    start : (r,) int, optional
        Rows to start from instead of those of the LU factorisation.
    n_threads : int
        0: OMP_NUM_THREADS, else all cores. The rows do not depend on it.

    Raises
    ------
    InputError
        for values that are not finite, or columns that are linearly dependent.

    References
    ----------
    Goreinov, Oseledets, Savostyanov, Tyrtyshnikov, Zamarashkin, "How to find a good submatrix", in Matrix Methods:
    Theory, Algorithms and Applications (2010) 247-256, algorithm 1.
    """
    rows = as_array(matrix, "matrix", shape=(None, None))
    n, r = rows.shape
    if n <= r:
        return MaxVolResult(np.arange(n, dtype=np.int64), 1.0, 0, True)
    if start is None:
        coefficients = rows.copy()
        selection = _core.select.pivot_rows(coefficients, n_threads)
    else:
        selection = _checked_start(start, n, r)
        coefficients = _coefficients(rows, rows[selection])
    largest, n_swaps, converged = _core.select.exchange_rows(
        coefficients, selection, max(1.0, tolerance), max_iterations, n_threads
    )
    return MaxVolResult(selection, largest, n_swaps, converged)


def _checked_start(start: npt.ArrayLike, n: int, r: int) -> npt.NDArray[np.int64]:
    selection = as_array(start, "start", shape=(r,), dtype=np.int64).copy()
    if selection.min() < 0 or selection.max() >= n or len(np.unique(selection)) != r:
        raise InputError(f"start must name {r} different rows 0…{n - 1}, got {selection.tolist()}")
    return selection


def _coefficients(matrix: Rows, selected: Rows) -> Rows:
    """C with C · selected = matrix."""
    from scipy.linalg import LinAlgWarning, lapack

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        factors, swaps, info = lapack.dgetrf(selected.T)
    if info > 0:
        raise InputError("the rows named by start are linearly dependent: leave start out, or name others")
    solution, _ = lapack.dgetrs(factors, swaps, matrix.T)
    return np.ascontiguousarray(solution.T)
