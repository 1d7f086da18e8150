"""Taking overlaps out of a freshly packed melt, by geometry alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from polypace._core.neighbors import neighbor_list
from polypace.melt import Melt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Pairs are searched this much beyond the widest wanted distance, and atoms move at most this much in a
#: sweep.
_SKIN, _LARGEST_MOVE = 0.2, 0.08
#: The last percents take as many sweeps as all before them, and MD does not need them.
_ENOUGH = 0.93
#: Less than this fraction of the wanted distances is an overlap: then the sweeps go on, up to three times
#: as long.
ACCEPTED = 0.75


@dataclass(frozen=True)
class Relief:
    """Positions (Å) after the relief, the smallest distance as a fraction of the wanted one, the number of
    sweeps.
    """

    positions: Floats
    reached: float
    sweeps: int


@dataclass(frozen=True)
class Pairs:
    """Non-bonded pairs i < j with r_j − r_i (Å)."""

    first: Integers
    second: Integers
    steps: Floats


def nonbonded_pairs(melt: Melt, positions: Floats, cutoff: float, excluded: Integers) -> Pairs:
    """Pairs closer than `cutoff` (Å) that are not `excluded` (sorted keys i·n + j), in the box of `melt`."""
    n = len(positions)
    pbc = tuple(bool(p) for p in melt.atoms.pbc)
    cell = np.ascontiguousarray(melt.atoms.cell.array)
    offsets, neighbors, _, steps = neighbor_list(np.ascontiguousarray(positions), cell, pbc, cutoff)
    first = np.repeat(np.arange(n), np.diff(offsets))
    keep = np.flatnonzero(first < neighbors)
    first, second = first[keep], neighbors[keep].astype(np.int64)
    if len(excluded):
        keys = first * n + second
        place = np.minimum(np.searchsorted(excluded, keys), len(excluded) - 1)
        free = excluded[place] != keys
        first, second, keep = first[free], second[free], keep[free]
    return Pairs(first, second, steps[keep])


def excluded_keys(melt: Melt, bonds_apart: int = 3) -> Integers:
    """Sorted keys i·n + j (i < j) of the pairs at most `bonds_apart` bonds apart."""
    n = len(melt.atoms)
    reached = adjacency = _adjacency(melt)
    for _ in range(bonds_apart - 1):
        reached = reached + reached @ adjacency
    upper = sparse.triu(reached, 1).tocoo()
    return np.unique(upper.row.astype(np.int64) * n + upper.col)


def closest_contact(melt: Melt, cutoff: float = 4.0) -> float:
    """Shortest distance (Å) between atoms more than three bonds apart; `cutoff` where none is closer."""
    steps = nonbonded_pairs(melt, melt.atoms.positions, cutoff, excluded_keys(melt)).steps
    return float(np.linalg.norm(steps, axis=1).min()) if len(steps) else cutoff


def relieve_overlaps(
    melt: Melt, distances: Floats, bonds_apart: int = 3, max_sweeps: int = 320, rebuild: int = 8
) -> Relief:
    """Push atoms more than `bonds_apart` bonds apart to the distance of their types, keeping bonds and
    angles.

    Sweeps of constraint projection (M. Müller et al., J. Vis. Commun. Image Represent. 18, 109 (2007)):
    overlapping pairs are moved apart and 1-2 and 1-3 distances are moved back to where they were, both
    damped. The best positions that were found are returned; sweeps end where every pair has 0.93 of its
    distance.

    Parameters
    ----------
    distances : (n_types, n_types)
        Wanted distances (Å), in the order of `melt.type_names`.
    """
    kinds = np.searchsorted(melt.type_names, melt.types)
    widest = float(distances.max())
    positions = np.array(melt.atoms.positions)
    excluded = excluded_keys(melt, bonds_apart)
    held = _held_pairs(melt)
    rest = np.linalg.norm(positions[held[:, 1]] - positions[held[:, 0]], axis=1)
    best, reached, sweep = positions.copy(), 0.0, 0
    while sweep <= 3 * max_sweeps:
        pairs = nonbonded_pairs(melt, positions, (1 + _SKIN) * widest, excluded)
        wanted = distances[kinds[pairs.first], kinds[pairs.second]]
        length = np.linalg.norm(pairs.steps, axis=1)
        now = float((length / wanted).min()) if len(length) else 1.0
        if now > reached:
            best, reached = positions.copy(), now
        if reached >= _ENOUGH or (sweep >= max_sweeps and reached >= ACCEPTED):
            break
        near = length < wanted * (1 + _SKIN)
        images = pairs.steps - (positions[pairs.second] - positions[pairs.first])
        pairs = Pairs(pairs.first[near], pairs.second[near], images[near])
        for _ in range(rebuild):
            # Aiming a little beyond the wanted distance makes the sweeps end.
            move = _push(positions, pairs, wanted[near] * 1.02) + _restore(positions, held, rest)
            size = np.linalg.norm(move, axis=1, keepdims=True)
            positions += move * np.minimum(1.0, _LARGEST_MOVE * widest / np.maximum(size, 1e-12))
            sweep += 1
    return Relief(best, reached, sweep)


def _adjacency(melt: Melt) -> sparse.csr_matrix:
    n = len(melt.atoms)
    ones = np.ones(len(melt.bonds), dtype=np.int64)
    half = sparse.coo_matrix((ones, (melt.bonds[:, 0], melt.bonds[:, 1])), shape=(n, n))
    return (half + half.T).tocsr()


def _held_pairs(melt: Melt) -> Integers:
    """Pairs one or two bonds apart."""
    n = len(melt.atoms)
    keys = excluded_keys(melt, 2)
    return np.column_stack([keys // n, keys % n])


def _push(positions: Floats, pairs: Pairs, wanted: Floats) -> Floats:
    """Moves of overlapping pairs; `steps` of the pairs hold the shifts between periodic images."""
    apart = positions[pairs.second] - positions[pairs.first] + pairs.steps
    length = np.maximum(np.linalg.norm(apart, axis=1), 1e-6)
    close = length < wanted
    push = apart[close] * (0.4 * (wanted[close] / length[close] - 1))[:, None]
    return _scatter(pairs.first[close], pairs.second[close], push, len(positions))


def _restore(positions: Floats, held: Integers, rest: Floats) -> Floats:
    apart = positions[held[:, 1]] - positions[held[:, 0]]
    length = np.maximum(np.linalg.norm(apart, axis=1), 1e-6)
    push = apart * (0.2 * (rest / length - 1))[:, None]
    return _scatter(held[:, 0], held[:, 1], push, len(positions))


def _scatter(first: Integers, second: Integers, push: Floats, n: int) -> Floats:
    """Sum of `push` on the second atoms minus that on the first."""
    columns = []
    for d in range(3):
        forward = np.bincount(second, weights=push[:, d], minlength=n)
        columns.append(forward - np.bincount(first, weights=push[:, d], minlength=n))
    return np.column_stack(columns)
