"""Structure by loops over everything: slow and obvious."""

from __future__ import annotations

import itertools

import numpy as np


def pair_counts(positions, types, cell, pbc, r_max, n_bins, n_types):
    """(n_type_pairs, n_bins): unordered pairs at distance r, all images."""
    inverse = np.linalg.inv(cell)
    heights = 1 / np.linalg.norm(inverse, axis=0)
    spread = np.ptp(positions @ inverse, axis=0)
    reach = [int(np.ceil(r_max / h + s)) if p else 0 for h, s, p in zip(heights, spread, pbc, strict=True)]
    rows = {pair: k for k, pair in enumerate(itertools.combinations_with_replacement(range(n_types), 2))}
    counts = np.zeros((len(rows), n_bins))
    for shift in itertools.product(*(range(-n, n + 1) for n in reach)):
        for i, j in itertools.product(range(len(positions)), repeat=2):
            if i == j and shift == (0, 0, 0):
                continue
            r = np.linalg.norm(positions[j] - positions[i] + np.array(shift) @ cell)
            if r < r_max:
                counts[rows[tuple(sorted((types[i], types[j])))], int(r / r_max * n_bins)] += 0.5
    return counts


def nearest_image(vector, cell, pbc):
    """The shortest of all images of `vector`."""
    images = itertools.product(*(range(-5, 6) if p else (0,) for p in pbc))
    return min((vector + np.array(n) @ cell for n in images), key=np.linalg.norm)


def angle(positions, cell, pbc, atoms):
    """Degrees at the middle atom."""
    a, b = (nearest_image(positions[end] - positions[atoms[1]], cell, pbc) for end in (atoms[0], atoms[2]))
    return np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b)))


def dihedral(positions, cell, pbc, atoms):
    """Degrees: how far the last bond turns clockwise from the first, seen along the middle one."""
    b1, b2, b3 = (nearest_image(positions[q] - positions[p], cell, pbc) for p, q in itertools.pairwise(atoms))
    axis = b2 / np.linalg.norm(b2)
    v = -b1 + (b1 @ axis) * axis
    w = b3 - (b3 @ axis) * axis
    return np.degrees(np.arctan2(np.cross(axis, v) @ w, v @ w))


def structure_factor(positions, cell, vectors):
    """|Σ exp(iq·r)|² / N at q = 2π n·h⁻ᵀ."""
    q = 2 * np.pi * vectors @ np.linalg.inv(cell).T
    return np.abs(np.exp(1j * positions @ q.T).sum(axis=0)) ** 2 / len(positions)


def toroidal_walk(wrapped, cells):
    """Unwrapped path of points (n_frames, n, 3) wrapped into cells with a corner at the origin."""
    path = [wrapped[0]]
    for k in range(1, len(wrapped)):
        step = (wrapped[k] - wrapped[k - 1]) @ np.linalg.inv(cells[k])
        path.append(path[-1] + (step - np.round(step)) @ cells[k])
    return np.array(path)
