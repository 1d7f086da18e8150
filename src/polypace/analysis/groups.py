"""Groups of independent molecules: their scatter is the error of an average over all of them.

Time origins overlap and neighbouring ones say the same, so the number of displacements in an average says little about
its error. Molecules are independent but for the melt around them; splitting them into groups and comparing the groups
(delete-a-group jackknife) needs no model of the correlations in time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MAX_GROUPS = 32
SMALLEST_GROUP = 8  # particles: smaller groups leave vector lanes idle and need many sums at once
FEWEST_GROUPS = 8
CHUNK = 1 << 13  # points of a curve


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


@dataclass
class GroupMoments:
    """Weighted mean over groups and the standard error of it, for curves that come a few groups at a time.

    Kept are Σ wc, Σ w·wc and Σ (wc)² over groups, of weight w and curve c.
    """

    weighted: Floats
    weighted_twice: Floats
    squared: Floats
    weight: float = 0.0
    weight_squared: float = 0.0
    n_groups: int = 0

    @classmethod
    def zeros(cls, shape: tuple[int, ...]) -> GroupMoments:
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(shape))

    def add(self, totals: Floats, weights: Floats) -> None:
        """Add `totals` (n_groups, *shape), each the curve of a group times its weight."""
        flat = totals.reshape(len(weights), -1)
        sums = [one.reshape(-1) for one in (self.weighted, self.weighted_twice, self.squared)]
        for begin in range(0, flat.shape[1], CHUNK):  # so that a chunk of all groups stays in the cache
            part = flat[:, begin : begin + CHUNK]
            for target, value in zip(
                sums, (part.sum(axis=0), weights @ part, np.einsum("gk,gk->k", part, part)), strict=True
            ):
                target[begin : begin + CHUNK] += value
        self.weight += float(weights.sum())
        self.weight_squared += float(weights @ weights)
        self.n_groups += len(weights)

    @property
    def mean(self) -> Floats:
        return self.weighted / self.weight

    @property
    def error(self) -> Floats:
        """Standard error of the mean, n/(n−1) Σ w²(c − mean)² / (Σw)²; NaN for a single group."""
        if self.n_groups < 2:
            return np.full_like(self.weighted, np.nan)
        mean = self.mean
        scatter = self.squared - 2 * mean * self.weighted_twice + mean**2 * self.weight_squared
        factor = self.n_groups / (self.n_groups - 1)
        return np.asarray(np.sqrt(factor * np.maximum(scatter, 0)) / self.weight)
