"""The one funnel through which arrays reach the compiled core."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.errors import InputError

LARGE = 10_000


def as_array(
    values: npt.ArrayLike, name: str, *, shape: tuple[int | None, ...], dtype: Any = np.float64, finite: bool = True
) -> npt.NDArray[Any]:
    """Return `values` as a C-contiguous array of `dtype` and `shape` (None: any extent).

    Raises
    ------
    InputError
        naming `name`, what it has and what it should have, also for NaN or infinite values where `finite`.
    """
    try:
        array = np.ascontiguousarray(values, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} cannot be read as numbers of type {np.dtype(dtype)}: {error}") from None
    fits = array.ndim == len(shape) and all(
        want is None or want == has for want, has in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = "(" + ", ".join("any" if extent is None else str(extent) for extent in shape) + ")"
        raise InputError(f"{name} must have shape {wanted}, got {array.shape}")
    if finite and np.issubdtype(array.dtype, np.floating) and not _is_finite(array):
        bad = np.argwhere(~np.isfinite(array))[0]
        raise InputError(f"{name} must be finite, got {array[tuple(bad)]} at index {tuple(int(i) for i in bad)}")
    return array


def _is_finite(array: npt.NDArray[Any]) -> bool:
    """Whether all values are; a finite sum says so for large arrays without another one of their size."""
    with np.errstate(over="ignore", invalid="ignore"):
        return (array.size > LARGE and bool(np.isfinite(array.sum()))) or bool(np.isfinite(array).all())
