"""Taking overlaps out of a freshly packed melt, by geometry alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace._core.neighbors import neighbor_list
from polypace.melt import Melt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Pairs are searched this far (Å) beyond the wanted distance, so that one list serves several moves.
_SKIN = 0.6


@dataclass(frozen=True)
class Relief:
    """Positions (Å) after the relief, the closest contact left (Å) and the number of sweeps."""

    positions: Floats
    closest: float
    sweeps: int


def nonbonded_pairs(
    positions: Floats, cell: Floats, pbc: tuple[bool, bool, bool], cutoff: float, excluded: Integers
) -> tuple[Integers, Integers, Floats]:
    """Pairs i < j closer than `cutoff` that are not `excluded` (sorted keys i·n + j), with r_j − r_i (Å)."""
    n = len(positions)
    offsets, neighbors, _, displacements = neighbor_list(
        np.ascontiguousarray(positions), np.ascontiguousarray(cell), pbc, cutoff
    )
    first = np.repeat(np.arange(n), np.diff(offsets))
    keep = np.flatnonzero(first < neighbors)
    first, second = first[keep], neighbors[keep].astype(np.int64)
    if len(excluded):
        keys = first * n + second
        place = np.minimum(np.searchsorted(excluded, keys), len(excluded) - 1)
        free = excluded[place] != keys
        first, second, keep = first[free], second[free], keep[free]
    return first, second, displacements[keep]


def excluded_keys(melt: Melt, bonds_apart: int = 3) -> Integers:
    """Sorted keys i·n + j (i < j) of the pairs at most `bonds_apart` bonds apart."""
    n = len(melt.atoms)
    pairs = [melt.bonds]
    if bonds_apart > 1:
        pairs.append(melt.angles()[:, [0, 2]])
    if bonds_apart > 2:
        pairs.append(melt.dihedrals()[:, [0, 3]])
    ends = np.sort(np.concatenate(pairs), axis=1)
    return np.unique(ends[:, 0] * n + ends[:, 1])


def closest_contact(melt: Melt, cutoff: float = 4.0) -> float:
    """Shortest distance (Å) between atoms more than three bonds apart; `cutoff` where none is closer."""
    atoms = melt.atoms
    pbc = tuple(bool(p) for p in atoms.pbc)
    _, _, steps = nonbonded_pairs(atoms.positions, atoms.cell.array, pbc, cutoff, excluded_keys(melt))
    return float(np.linalg.norm(steps, axis=1).min()) if len(steps) else cutoff


def relieve_overlaps(melt: Melt, distance: float, max_sweeps: int = 400, rebuild: int = 8) -> Relief:
    """Push atoms more than three bonds apart to at least `distance` (Å), keeping bond lengths and bond
    angles.

    Sweeps of constraint projection (M. Müller et al., J. Vis. Commun. Image Represent. 18, 109 (2007)):
    overlapping pairs are moved apart and 1-2 and 1-3 distances are moved back to where they were, damped;
    at most 0.25 Å a sweep. The best positions found are returned; `closest` says whether `distance` was
    reached.
    """
    atoms = melt.atoms
    cell = np.ascontiguousarray(atoms.cell.array)
    pbc = tuple(bool(p) for p in atoms.pbc)
    positions = np.array(atoms.positions)
    excluded = excluded_keys(melt)
    held = np.concatenate([melt.bonds, melt.angles()[:, [0, 2]]])
    rest = np.linalg.norm(positions[held[:, 1]] - positions[held[:, 0]], axis=1)
    best, closest, sweep = positions.copy(), 0.0, 0
    while sweep < max_sweeps:
        first, second, steps = nonbonded_pairs(positions, cell, pbc, distance + _SKIN, excluded)
        shortest = float(np.linalg.norm(steps, axis=1).min()) if len(steps) else distance
        if shortest > closest:
            best, closest = positions.copy(), shortest
        if closest >= distance:
            break
        images = steps - (positions[second] - positions[first])
        for _ in range(rebuild):
            apart = positions[second] - positions[first] + images
            # Aiming a little beyond the wanted distance makes the sweeps end.
            move = _pull(first, second, apart, distance * 1.02, len(positions))
            move += _restore(positions, held, rest)
            size = np.linalg.norm(move, axis=1, keepdims=True)
            positions += move * np.minimum(1.0, 0.25 / np.maximum(size, 1e-12))
            sweep += 1
    return Relief(best, closest, sweep)


def _pull(first: Integers, second: Integers, apart: Floats, distance: float, n: int) -> Floats:
    length = np.maximum(np.linalg.norm(apart, axis=1), 1e-6)
    close = length < distance
    push = apart[close] * (0.4 * (distance / length[close] - 1))[:, None]
    return _scatter(first[close], second[close], push, n)


def _restore(positions: Floats, held: Integers, rest: Floats) -> Floats:
    apart = positions[held[:, 1]] - positions[held[:, 0]]
    length = np.maximum(np.linalg.norm(apart, axis=1), 1e-6)
    push = apart * (0.2 * (rest / length - 1))[:, None]
    return _scatter(held[:, 0], held[:, 1], push, len(positions))


def _scatter(first: Integers, second: Integers, push: Floats, n: int) -> Floats:
    """Sum of `push` on the second atoms minus that on the first."""
    return np.column_stack(
        [
            np.bincount(second, weights=push[:, d], minlength=n)
            - np.bincount(first, weights=push[:, d], minlength=n)
            for d in range(3)
        ]
    )
