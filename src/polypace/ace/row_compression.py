"""Least squares on rows that are seen once: a blockwise QR factorisation in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from polypace.arrays import as_array

Matrix = npt.NDArray[np.float64]

PANEL = 24  # columns of one LAPACK panel


@dataclass(frozen=True)
class CompressedRows:
    """What least squares needs to know of rows A c ≈ y: ‖A c − y‖² = ‖R c − z‖² + ρ² for every c.

    factor : (n_columns, n_columns), R, upper triangular
    target : (n_columns,), z = Qᵀ y
    residual : ρ ≥ 0, the part of y outside of the columns' span
    n_rows : rows of A
    """

    factor: Matrix
    target: Matrix
    residual: float
    n_rows: int

    def loss(self, coefficients: Matrix) -> float:
        """‖A c − y‖²."""
        return float(np.sum((self.factor @ coefficients - self.target) ** 2) + self.residual**2)

    def target_square(self) -> float:
        """‖y‖²."""
        return float(self.target @ self.target + self.residual**2)

    def column_norms(self) -> Matrix:
        """‖A e_f‖ of every column f."""
        return np.asarray(np.linalg.norm(self.factor, axis=0))

    def select(self, columns: npt.NDArray[np.intp]) -> CompressedRows:
        """The same rows with only these columns."""
        return stack_rows([(1.0, self)], columns=columns)


class RowCompressor:
    """Keeps the triangular factor of all rows it was given: [R z; 0 ρ] of the QR factorisation of [A y].

    Rows are collected in a block; a full block is annihilated against the factor with Householder reflections
    (LAPACK dtpqrt). Unlike the normal equations AᵀA, which square the condition number, this is backward stable.
    Memory: (n_columns + 1) · (n_columns + 1 + block_rows) numbers, whatever the number of rows. The result depends
    on the order of the rows only by rounding, and on the sizes of the pieces that arrive not at all.

    References
    ----------
    Golub, Van Loan, Matrix Computations (4th ed.), section 6.5.4 (updating by rows).
    """

    def __init__(self, n_columns: int, block_rows: int | None = None) -> None:
        width = n_columns + 1
        self._triangle = np.zeros((width, width), order="F")
        self._block = np.empty((block_rows or max(512, 2 * width), width), order="F")
        self._filled = 0
        self._n_rows = 0

    def add(self, rows: npt.ArrayLike, targets: npt.ArrayLike) -> None:
        """Add rows (m, n_columns) and their targets (m,); NaN and infinity are errors."""
        matrix = as_array(rows, "rows", shape=(None, self._triangle.shape[1] - 1))
        right = as_array(targets, "targets", shape=(len(matrix),))
        done = 0
        while done < len(matrix):
            n = min(len(matrix) - done, len(self._block) - self._filled)
            block = self._block[self._filled : self._filled + n]
            block[:, :-1] = matrix[done : done + n]
            block[:, -1] = right[done : done + n]
            self._filled += n
            done += n
            if self._filled == len(self._block):
                self._annihilate()
        self._n_rows += len(matrix)

    def finish(self) -> CompressedRows:
        """The factor of everything added so far; more may be added afterwards."""
        self._annihilate()
        triangle = self._triangle
        return CompressedRows(
            np.ascontiguousarray(triangle[:-1, :-1]),
            triangle[:-1, -1].copy(),
            abs(triangle[-1, -1]),
            self._n_rows,
        )

    def _annihilate(self) -> None:
        if self._filled:
            block = np.asfortranarray(self._block[: self._filled])
            self._triangle = _annihilated(self._triangle, block, n_triangular=0)
            self._filled = 0


def stack_rows(
    parts: list[tuple[float, CompressedRows]], *, columns: npt.NDArray[np.intp] | None = None
) -> CompressedRows:
    """One factor for several sets of rows, each multiplied by its own factor (the square root of a weight)."""
    n = len(parts[0][1].target) if columns is None else len(columns)
    triangle = np.zeros((n + 1, n + 1), order="F")
    residual = 0.0
    for scale, part in parts:
        chosen = part.factor if columns is None else part.factor[:, columns]
        block = np.asfortranarray(np.column_stack([scale * chosen, scale * part.target]))
        triangle = _annihilated(triangle, block, n_triangular=0 if columns is not None else n)
        residual = np.hypot(residual, scale * part.residual)
    residual = float(np.hypot(residual, triangle[-1, -1]))
    n_rows = sum(part.n_rows for _, part in parts)
    return CompressedRows(np.ascontiguousarray(triangle[:-1, :-1]), triangle[:-1, -1].copy(), residual, n_rows)


def damped_rows(rows: CompressedRows, damping: Matrix) -> CompressedRows:
    """The rows with one more for every column f: damping_f c_f ≈ 0."""
    n = len(damping)
    triangle = np.zeros((n + 1, n + 1), order="F")
    triangle[:-1, :-1] = rows.factor
    triangle[:-1, -1] = rows.target
    triangle[-1, -1] = rows.residual
    block = np.zeros((n, n + 1), order="F")
    block[:, :-1] = np.diag(damping)
    triangle = _annihilated(triangle, block, n_triangular=n)
    return CompressedRows(
        np.ascontiguousarray(triangle[:-1, :-1]), triangle[:-1, -1].copy(), abs(triangle[-1, -1]), rows.n_rows
    )


def weighted_stack(groups: Mapping[str, CompressedRows], weights: Mapping[str, float]) -> CompressedRows:
    """All groups in one factor, the rows of each multiplied by the square root of its weight."""
    return stack_rows([(np.sqrt(weights[name]), group) for name, group in groups.items()])


def _annihilated(triangle: Matrix, block: Matrix, n_triangular: int) -> Matrix:
    """R of [triangle; block]. The last `n_triangular` rows of the block are upper trapezoidal."""
    n_triangular = min(n_triangular, *block.shape)
    result, _, _, info = lapack.dtpqrt(
        n_triangular, min(PANEL, len(triangle)), triangle, block, overwrite_a=1, overwrite_b=1
    )
    assert info == 0, info
    return np.asarray(result)
