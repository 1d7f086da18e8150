"""Neighbours by trying every image: slow and obvious."""

from __future__ import annotations

import itertools

import numpy as np


def neighbor_pairs(positions, cell, pbc, cutoff):
    """Set of (i, j, S) with |r_j − r_i + S·h| < cutoff."""
    positions, cell = np.asarray(positions), np.asarray(cell)
    inverse = np.linalg.inv(cell)
    heights = 1 / np.linalg.norm(inverse, axis=0)
    spread = np.ptp(positions @ inverse, axis=0) if len(positions) else np.zeros(3)
    reach = [int(np.ceil(cutoff / h + s)) if p else 0 for h, s, p in zip(heights, spread, pbc, strict=True)]
    pairs = set()
    for shift in itertools.product(*(range(-n, n + 1) for n in reach)):
        for i, j in itertools.product(range(len(positions)), repeat=2):
            if i == j and shift == (0, 0, 0):
                continue
            if np.linalg.norm(positions[j] - positions[i] + np.array(shift) @ cell) < cutoff:
                pairs.add((i, j, shift))
    return pairs
