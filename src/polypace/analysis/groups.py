"""Groups of independent molecules: their scatter is the error of an average over all of them.

Time origins overlap and neighbouring ones say the same, so the number of displacements in an average says little about
its error. Molecules are independent but for the melt around them; splitting them into groups and comparing the groups
(delete-a-group jackknife) needs no model of the correlations in time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from polypace import _core

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MAX_GROUPS = 32
SMALLEST_GROUP = 8  # particles: smaller groups leave vector lanes idle and need many sums at once
FEWEST_GROUPS = 8


def assign_groups(units: Integers, n_groups: int | None = None) -> Integers:
    """Group of every particle: whole units (molecules, or the particles themselves), in order, groups of like size.

    Parameters
    ----------
    units : (n_particles,) int64
        Independent unit of every particle.
    n_groups : int, optional
        Default: at most 32, fewer where groups would become smaller than 8 particles, but 8 where there are 8 units.
    """
    _, first, inverse, counts = np.unique(units, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    n_units = len(order)
    if n_groups is None:
        n_groups = int(np.clip(len(units) // SMALLEST_GROUP, FEWEST_GROUPS, MAX_GROUPS))
    n_groups = max(1, min(n_groups, n_units))
    group_of_unit = np.empty(n_units, dtype=np.int64)
    if n_groups == n_units:
        group_of_unit[order] = np.arange(n_units)
    else:
        middle = np.cumsum(counts[order]) - counts[order] / 2
        group_of_unit[order] = np.minimum((middle * n_groups / len(units)).astype(np.int64), n_groups - 1)
        group_of_unit = np.unique(group_of_unit, return_inverse=True)[1].astype(np.int64)
    return group_of_unit[inverse]


class GroupMoments:
    """Weighted mean over groups and the standard error of it, for curves that come a few groups at a time.

    Kept are Σ wc, Σ w·wc and Σ (wc)² over groups, of weight w and curve c.

    Parameters
    ----------
    n_lags : int
    crew : polypace._core.dynamics.Crew
    """

    def __init__(self, n_lags: int, crew: Any) -> None:
        self._sums = crew.zeros(3, n_lags)
        self._crew = crew
        self._weight = self._weight_squared = 0.0
        self._n_groups = 0

    def add(self, totals: Floats, weights: Floats) -> None:
        """Add `totals` (n_groups, n_lags), each the curve of a group times its weight."""
        _core.dynamics.add_group_totals(totals, weights, *self._sums, self._crew)
        self._weight += float(weights.sum())
        self._weight_squared += float(weights @ weights)
        self._n_groups += len(weights)

    def mean_and_error(self) -> tuple[Floats, Floats]:
        """Mean curve and its standard error, n/(n−1) Σ w²(c − mean)² / (Σw)²; NaN for a single group. Once, at the end:
        they take the place of the sums."""
        _core.dynamics.mean_and_error(*self._sums, self._weight, self._weight_squared, self._n_groups, self._crew)
        mean, _, error = self._sums
        return mean, error
