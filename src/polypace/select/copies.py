"""Equal environments: rows that agree to 1e-9 of the columns' ranges."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from polypace.select.projection_rows import Rows

TOLERANCE = 1e-9


def distinct_rows(rows: Rows) -> npt.NDArray[np.int64]:
    """Numbers of the rows that are not equal to an earlier one, ascending."""
    scaled = rows / _ranges(rows)
    marks = scaled @ _direction(rows.shape[1])
    order = np.argsort(marks, kind="stable")
    close = np.diff(marks[order]) <= TOLERANCE
    copies = np.zeros(len(rows), dtype=bool)
    begin = 0
    for end in [*(np.flatnonzero(~close) + 1).tolist(), len(rows)]:
        if end - begin > 1:
            _mark_copies(scaled, np.sort(order[begin:end]), copies)
        begin = end
    return np.flatnonzero(~copies)


def occurs_in(rows: Rows, others: Rows) -> npt.NDArray[np.bool_]:
    """(n,) whether each row is equal to one of `others`."""
    found = np.zeros(len(rows), dtype=bool)
    if not len(rows) or not len(others):
        return found
    scale = _ranges(np.concatenate([rows, others]))
    direction = _direction(rows.shape[1])
    marks, other_marks = rows / scale @ direction, others / scale @ direction
    order = np.argsort(other_marks)
    first = np.searchsorted(other_marks[order], marks - TOLERANCE)
    behind = np.searchsorted(other_marks[order], marks + TOLERANCE, side="right")
    for row in np.flatnonzero(behind > first):
        candidates = others[order[first[row] : behind[row]]]
        found[row] = (np.abs(candidates - rows[row]) <= TOLERANCE * scale).all(axis=1).any()
    return found


def _mark_copies(scaled: Rows, group: npt.NDArray[np.int64], copies: npt.NDArray[np.bool_]) -> None:
    """Among rows whose marks agree, mark those that are equal to an earlier one."""
    while len(group) > 1:
        equal = (np.abs(scaled[group[1:]] - scaled[group[0]]) <= TOLERANCE).all(axis=1)
        copies[group[1:][equal]] = True
        group = group[1:][~equal]


def _ranges(rows: Rows) -> Rows:
    ranges = np.ptp(rows, axis=0) if len(rows) else np.zeros(rows.shape[1])
    return np.asarray(np.where(ranges > 0, ranges, 1.0))


def _direction(n: int) -> Rows:
    """Equal rows have equal products with it, to at most the tolerance; others hardly ever."""
    direction = np.random.default_rng(0).normal(size=n)
    return np.asarray(direction / np.abs(direction).sum())
