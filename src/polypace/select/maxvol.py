"""MaxVol on matrices: which rows span the largest volume."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgWarning, lapack

from polypace import _core
from polypace.arrays import as_array
from polypace.blas_threads import single_threaded_blas
from polypace.errors import InputError

Rows = npt.NDArray[np.float64]
BLOCK_ROWS, BLOCK_COLUMNS = 512, 64  # solved together


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
        selection, coefficients = _start_of_pivot_rows(rows, n_threads)
    else:
        selection = _checked_start(start, n, r)
        coefficients = _coefficients(rows, rows[selection])
    largest, n_swaps, converged = _core.select.exchange_rows(
        coefficients, selection, max(1.0, tolerance), max_iterations, n_threads
    )
    return MaxVolResult(selection, largest, n_swaps, converged)


def _start_of_pivot_rows(matrix: Rows, n_threads: int) -> tuple[npt.NDArray[np.int64], Rows]:
    """The pivot rows of P·A = [L₁; L₂]·U and C = A·A_selected⁻¹, whose other rows are those of L₂·L₁⁻¹: U is not needed.

    One thread factorises and blocks of rows of a fixed size are solved apart, so the bits do not depend on `n_threads`.
    """
    n, r = matrix.shape
    coefficients = np.empty((n, r))
    with single_threaded_blas(), ThreadPoolExecutor(_core.resolve_n_threads(n_threads)) as threads:
        factors, swaps, info = lapack.dgetrf(_in_columns(matrix, threads), overwrite_a=1)
        if info > 0:
            raise InputError(
                f"matrix must have linearly independent columns, but pivot {info} of {r} vanishes: remove columns that "
                "are zero or copies of others, or add rows"
            )
        order = _order_of_swaps(swaps, n)
        lower = np.ascontiguousarray(factors[:r])
        inverses = [_unit_lower_inverse(lower[k : k + BLOCK_COLUMNS, k : k + BLOCK_COLUMNS]) for k in _column_blocks(r)]

        def solve(begin: int) -> None:
            rows = np.ascontiguousarray(factors[begin : begin + BLOCK_ROWS])
            _divide_by_unit_lower(rows, lower, inverses)
            coefficients[order[begin : begin + BLOCK_ROWS]] = rows

        list(threads.map(solve, range(r, n, BLOCK_ROWS)))
    coefficients[order[:r]] = np.eye(r)
    return order[:r].copy(), coefficients


def _in_columns(matrix: Rows, threads: ThreadPoolExecutor) -> Rows:
    """A copy with the memory order of LAPACK; by blocks, which stay in the cache while they are turned."""
    columns = np.empty(matrix.shape[::-1]).T

    def turn(begin: int) -> None:
        columns[begin : begin + BLOCK_ROWS] = matrix[begin : begin + BLOCK_ROWS]

    list(threads.map(turn, range(0, len(matrix), BLOCK_ROWS)))
    return columns


def _divide_by_unit_lower(rows: Rows, lower: Rows, inverses: list[Rows]) -> None:
    """rows ← rows · L⁻¹ in place, L the unit lower triangle of `lower`, `inverses` those of its diagonal blocks.

    In NumPy's products, during which other threads run; LAPACK's solvers hold them up.
    """
    for begin in reversed(_column_blocks(len(lower))):
        end = min(begin + BLOCK_COLUMNS, len(lower))
        left = rows[:, begin:end] - rows[:, end:] @ lower[end:, begin:end]
        np.matmul(left, inverses[begin // BLOCK_COLUMNS], out=rows[:, begin:end])


def _column_blocks(n_columns: int) -> range:
    return range(0, n_columns, BLOCK_COLUMNS)


def _unit_lower_inverse(block: Rows) -> Rows:
    inverse, info = lapack.dtrtri(np.tril(block, -1) + np.eye(len(block)), lower=1, unitdiag=1)
    assert info == 0, info
    return np.ascontiguousarray(inverse)


def _order_of_swaps(swaps: npt.NDArray[np.int32], n: int) -> npt.NDArray[np.int64]:
    """Rows of the matrix in the order that LAPACK's successive exchanges leave them in."""
    order = np.arange(n, dtype=np.int64)
    for place, other in enumerate(swaps.tolist()):
        order[place], order[other] = order[other], order[place]
    return order


def _checked_start(start: npt.ArrayLike, n: int, r: int) -> npt.NDArray[np.int64]:
    selection = as_array(start, "start", shape=(r,), dtype=np.int64).copy()
    if selection.min() < 0 or selection.max() >= n or len(np.unique(selection)) != r:
        raise InputError(f"start must name {r} different rows 0…{n - 1}, got {selection.tolist()}")
    return selection


def _coefficients(matrix: Rows, selected: Rows) -> Rows:
    """C with C · selected = matrix."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        factors, swaps, info = lapack.dgetrf(selected.T)
    if info > 0:
        raise InputError("the rows named by start are linearly dependent: leave start out, or name others")
    solution, _ = lapack.dgetrs(factors, swaps, matrix.T)
    return np.ascontiguousarray(solution.T)
