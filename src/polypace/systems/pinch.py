"""Chains folded back onto themselves: what a topology-free potential must see to know that a ring is no bond.

Atoms three bonds apart come within 2.5 Å in cis. A potential that has never seen them closer takes a distance of 1.5 Å
for a bond and closes four-membered rings, where a force field only bends angles.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from polypace.errors import InputError
from polypace.melt import Melt
from polypace.systems.perturb import minimum_image, moved

Floats = npt.NDArray[np.float64]

#: Å between 1-4 neighbours, and the largest deviation from cis (radian).
CLOSED, OPEN, TWIST = 1.4, 2.8, 0.7
#: Å to which atoms without a bond may come: nearer they say nothing of a potential and everything of its core. Draws
#: before an end is left as it is.
NEAREST, DRAWS = 1.3, 20
#: Angles (radian) to which ends are bent, and the step and limit of bending towards a ring.
SHARP, BLUNT, STEP, MOST = np.deg2rad(60.0), np.deg2rad(105.0), np.deg2rad(1.0), np.deg2rad(65.0)


def pinch_chain(positions: npt.ArrayLike, place: int, distance: float, twist: float) -> Floats:
    """A linear chain with the bond `place`–`place + 1` in cis and both its angles bent until 1-4 is `distance` apart.

    Parameters
    ----------
    positions : (n, 3)
        Å, in the order of the chain, n ≥ 4.
    place : int
        1 ≤ place ≤ n − 3, the second of the four atoms.
    distance : float
        Å between the outer two of the four, met to what one degree of bending makes.
    twist : float
        Dihedral angle, radian, 0 for cis.

    Raises
    ------
    InputError
        for a chain of fewer than four atoms or a place outside.
    """
    x = np.array(positions, dtype=np.float64)
    if not 1 <= place <= len(x) - 3:
        raise InputError(f"place must be 1…{len(x) - 3} in a chain of {len(x)} atoms, got {place}")
    a, b, c, d = range(place - 1, place + 3)
    axis = _unit(x[c] - x[b])
    turn = Rotation.from_rotvec(axis * (twist - _dihedral(*x[a : d + 1])))
    x[d:] = turn.apply(x[d:] - x[c]) + x[c]
    left = Rotation.from_rotvec(_unit(np.cross(x[a] - x[b], x[c] - x[b])) * STEP)
    right = Rotation.from_rotvec(_unit(np.cross(x[d] - x[c], x[b] - x[c])) * STEP)
    for _ in range(round(MOST / STEP)):
        if np.linalg.norm(x[d] - x[a]) <= distance:
            break
        x[: a + 1] = left.apply(x[: a + 1] - x[b]) + x[b]
        x[d:] = right.apply(x[d:] - x[c]) + x[c]
    return x


def pinch_ends(melt: Melt, seed: int) -> Melt:
    """Both ends of every chain bent sharply or towards a four-membered ring; only the end atoms move.

    Chains are linear, their atoms in order; shorter ones than four atoms stay as they are, and so does an end that
    finds no place at least 1.3 Å from all atoms that it is not bonded to.
    """
    rng = np.random.default_rng(seed)
    x = np.array(melt.atoms.positions)
    for molecule in range(int(melt.molecules.max()) + 1):
        index = np.flatnonzero(melt.molecules == molecule)
        if len(index) < 4:
            continue
        for chain in (index, index[::-1]):
            d, c, b, a = chain[:4]
            others = np.delete(x, [d, c], axis=0)
            for _ in range(DRAWS):
                end = _bent_end(x[a], x[b], x[c], x[d], rng)
                steps = minimum_image(others - end, melt.atoms.cell.array, melt.atoms.pbc)
                if np.linalg.norm(steps, axis=1).min() >= NEAREST:
                    x[d] = end
                    break
    return moved(melt, x)


def pinched_chain_melt(melt: Melt, molecule: int, seed: int) -> Melt:
    """One chain of the melt alone in an open box (Å around it: 20), pinched at a random place; as it was where every fold
    brings atoms nearer than 1.3 Å.
    """
    rng = np.random.default_rng(seed)
    index = np.flatnonzero(melt.molecules == molecule)
    atoms = melt.atoms[index]
    place = int(rng.integers(1, len(index) - 2))
    for _ in range(DRAWS):
        folded = pinch_chain(
            atoms.positions, place, float(rng.uniform(CLOSED, OPEN)), float(rng.uniform(-TWIST, TWIST))
        )
        if _clearance(folded) >= NEAREST:
            atoms.set_positions(folded)
            break
    atoms.set_array("mol_id", np.zeros(len(index), dtype=np.int64))
    atoms.set_cell(np.eye(3) * (float(np.ptp(atoms.positions, axis=0).max()) + 40))
    atoms.center()
    bonds = melt.bonds[np.isin(melt.bonds, index).all(axis=1)] - index[0]
    types = tuple(melt.types[k] for k in index)
    return replace(melt, atoms=atoms, bonds=bonds, molecules=np.zeros(len(index), dtype=np.int64), types=types)


def _clearance(chain: Floats) -> float:
    """Smallest distance (Å) of atoms of a linear chain that are not bonded."""
    apart = np.linalg.norm(chain[:, None] - chain[None, :], axis=2)
    return float(apart[np.triu_indices(len(chain), k=2)].min())


def _bent_end(a: Floats, b: Floats, c: Floats, d: Floats, rng: np.random.Generator) -> Floats:
    axis = _unit(c - b)
    arm = d - c
    if rng.random() < 0.6:
        wanted = float(rng.uniform(-TWIST, TWIST))
        arm = Rotation.from_rotvec(axis * (wanted - _dihedral(a, b, c, d))).apply(arm)
    angle = np.arccos(np.clip(np.dot(_unit(arm), -axis), -1, 1))
    bend = Rotation.from_rotvec(_unit(np.cross(arm, b - c)) * (angle - rng.uniform(SHARP, BLUNT)))
    result: Floats = c + bend.apply(arm)
    return result


def _unit(vector: Floats) -> Floats:
    result: Floats = vector / np.linalg.norm(vector)
    return result


def _dihedral(a: Floats, b: Floats, c: Floats, d: Floats) -> float:
    """Signed dihedral a-b-c-d about b→c, radian, 0 for cis."""
    axis = _unit(c - b)
    first = a - b - np.dot(a - b, axis) * axis
    last = d - c - np.dot(d - c, axis) * axis
    return float(np.arctan2(np.dot(np.cross(first, last), axis), np.dot(first, last)))
