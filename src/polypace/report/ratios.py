"""Ratios of measured numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def ratio_with_error(
    ours: npt.ArrayLike, ours_error: npt.ArrayLike, theirs: npt.ArrayLike, theirs_error: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """q = a/b and its standard error q √((σ_a/a)² + (σ_b/b)²), element by element; a and b are independent."""
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    ratio = a / b
    return ratio, ratio * np.hypot(np.asarray(ours_error) / a, np.asarray(theirs_error) / b)
