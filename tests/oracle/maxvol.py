"""MaxVol with whole-matrix updates: slow and obvious."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lu


def maxvol(matrix, tolerance=1.001, max_iterations=300, start=None):
    """(rows, max |C|) by full scans and full rank-1 updates."""
    matrix = np.asarray(matrix, dtype=float)
    n, r = matrix.shape
    if n <= r:
        return np.arange(n), 1.0
    permutation, _, _ = lu(matrix)
    rows = np.array(start) if start is not None else np.argmax(permutation, axis=0)[:r].copy()
    c = matrix @ np.linalg.inv(matrix[rows])
    for _ in range(max_iterations):
        j, i = np.unravel_index(np.argmax(np.abs(c)), c.shape)
        if abs(c[j, i]) <= tolerance:
            break
        rows[i] = j
        unit = np.zeros(r)
        unit[i] = 1
        c = c - np.outer(c[:, i], c[j] - unit) / c[j, i]
    return rows, np.abs(c).max()
