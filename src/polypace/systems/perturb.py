"""Melts away from equilibrium, by geometry alone: what a potential must have seen not to fall into holes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

import ase
import numpy as np
import numpy.typing as npt

from polypace.errors import InputError
from polypace.melt import Melt
from polypace.systems.overlaps import excluded_keys

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Molecules approach each other in steps of this length (Å), so that a contact is met to that accuracy.
_STEP = 0.02


def rattle(melt: Melt, amplitude: float, seed: int) -> Melt:
    """Every coordinate displaced by a normal deviate of standard deviation `amplitude` (Å)."""
    if not amplitude > 0:
        raise InputError(f"amplitude must be above 0 Å, got {amplitude}")
    noise = np.random.default_rng(seed).standard_normal((len(melt.atoms), 3))
    return moved(melt, melt.atoms.positions + amplitude * noise)


def strain(melt: Melt, strain: npt.ArrayLike, rigid_molecules: bool = False) -> Melt:
    """The box deformed by h' = h (1 + ε): every atom affinely, or whole molecules by their centres.

    Parameters
    ----------
    strain : float, (3,) or (3, 3)
        ε: isotropic, along x, y, z, or lower triangular (LAMMPS keeps its box lower triangular).
    rigid_molecules : bool
        Keep molecules as they are and move their centres of geometry: changes contacts and no bond.

    Raises
    ------
    InputError
        for a strain of −1 or below, other shapes, or components above the diagonal.
    """
    values = np.asarray(strain, dtype=np.float64)
    if values.ndim < 2:
        values = np.diag(np.broadcast_to(values, 3)) if values.ndim == 0 or values.shape == (3,) else values
    if values.shape != (3, 3) or np.any(np.triu(values, 1)) or np.any(np.diag(values) <= -1):
        raise InputError(
            f"strain must be a number, three numbers or a lower triangular 3 x 3 matrix, each above -1, got {strain!r}"
        )
    deformation = np.eye(3) + values
    positions = np.array(melt.atoms.positions)
    if rigid_molecules:
        counts = np.bincount(melt.molecules)
        sums = np.column_stack([np.bincount(melt.molecules, weights=positions[:, d]) for d in range(3)])
        centers = sums / counts[:, None]
        positions += (centers @ deformation - centers)[melt.molecules]
    else:
        positions = positions @ deformation
    strained = moved(melt, positions)
    strained.atoms.set_cell(melt.atoms.cell.array @ deformation)
    return strained


def press_contacts(melt: Melt, n_molecules: int, distances: tuple[float, float], seed: int) -> Melt:
    """Molecules pushed rigidly into a neighbour until their closest contact is a random one of `distances`
    (Å).

    `n_molecules` different molecules are moved, each along the line of one of its ten closest contacts with
    others.

    Raises
    ------
    InputError
        where the melt has fewer molecules than that, or only one, or the distances are not 0 < low < high.
    """
    low, high = _check_range(distances)
    n_all = int(melt.molecules.max()) + 1
    if not 0 < n_molecules <= n_all or n_all < 2:
        raise InputError(f"n_molecules must be 1…{n_all} of at least two molecules, got {n_molecules}")
    rng = np.random.default_rng(seed)
    positions = np.array(melt.atoms.positions)
    cell = melt.atoms.cell.array
    for molecule in rng.permutation(n_all)[:n_molecules].tolist():
        own = np.flatnonzero(melt.molecules == molecule)
        others = np.flatnonzero(melt.molecules != molecule)
        apart = minimum_image(positions[others][None] - positions[own][:, None], cell, melt.atoms.pbc)
        apart = apart.reshape(-1, 3)
        length = np.linalg.norm(apart, axis=1)
        choice = int(rng.choice(np.argsort(length)[:10]))
        toward, target = apart[choice] / length[choice], float(rng.uniform(low, high))
        near = apart[length < length[choice] + target + 1.0]
        path = partial(_slide, near, toward)
        shift = _first_contact(path, np.arange(0.0, length[choice], _STEP), target)
        positions[own] += shift * toward
    return moved(melt, positions)


def twist_chains(melt: Melt, n_molecules: int, distances: tuple[float, float], seed: int) -> Melt:
    """Chains turned about one of their inner bonds until a contact is a random one of `distances` (Å).

    Contacts are those of atoms more than three bonds apart, in the same chain or another. `n_molecules`
    different molecules are turned; those that meet nothing on a whole turn, or have no inner bond, stay as
    they are.

    Raises
    ------
    InputError
        where the melt has fewer molecules than that, or the distances are not 0 < low < high.
    """
    low, high = _check_range(distances)
    n_all = int(melt.molecules.max()) + 1
    if not 0 < n_molecules <= n_all:
        raise InputError(f"n_molecules must be 1…{n_all}, got {n_molecules}")
    rng = np.random.default_rng(seed)
    positions = np.array(melt.atoms.positions)
    neighbors, excluded = melt.neighbors(), excluded_keys(melt)
    inner = [pair for pair in melt.bonds.tolist() if min(len(neighbors[pair[0]]), len(neighbors[pair[1]])) > 1]
    for molecule in rng.permutation(n_all)[:n_molecules].tolist():
        own = [pair for pair in inner if melt.molecules[pair[0]] == molecule]
        if own:
            fixed, pivot = own[int(rng.integers(len(own)))]
            arm = _arm(neighbors, fixed, pivot)
            _turn(melt, positions, excluded, (fixed, pivot), arm, float(rng.uniform(low, high)))
    return moved(melt, positions)


def perturbed_frames(melt: Melt, counts: Mapping[str, int], seed: int) -> list[ase.Atoms]:
    """Frames of the kinds that `counts` names, `info["config_type"]` saying which; unlabelled.

    Kinds: "rattled" (0.05 to 0.15 Å), "compressed" and "stretched" (molecules by their centres, up to 6 %
    and 10 % a side), "sheared" (affine, up to 4 % a component), "contacts" (a fifth of the molecules
    pressed to 2.2…3.4 Å), "twisted" (a fifth of the chains turned to contacts of 2.2…3.4 Å).

    Raises
    ------
    InputError
        for a kind that is not one of these.
    """
    n_moved = max(1, (int(melt.molecules.max()) + 1) // 5)
    near = (2.2, 3.4)
    kinds: dict[str, Callable[[np.random.Generator, int], Melt]] = {
        "rattled": lambda rng, s: rattle(melt, float(rng.uniform(0.05, 0.15)), s),
        "compressed": lambda rng, s: strain(melt, -float(rng.uniform(0.01, 0.06)), rigid_molecules=True),
        "stretched": lambda rng, s: strain(melt, float(rng.uniform(0.01, 0.10)), rigid_molecules=True),
        "sheared": lambda rng, s: strain(melt, np.tril(rng.uniform(-0.04, 0.04, (3, 3)))),
        "contacts": lambda rng, s: press_contacts(melt, n_moved, near, s),
        "twisted": lambda rng, s: twist_chains(melt, n_moved, near, s),
    }
    unknown = sorted(set(counts) - set(kinds))
    if unknown:
        raise InputError(f"unknown kinds of frames: {', '.join(unknown)}; there are: {', '.join(kinds)}")
    frames = []
    for kind, count in counts.items():
        for number in range(count):
            rng = np.random.default_rng([seed, list(kinds).index(kind), number])
            atoms = kinds[kind](rng, int(rng.integers(2**31))).atoms
            atoms.info["config_type"] = kind
            frames.append(atoms)
    return frames


def moved(melt: Melt, positions: Floats) -> Melt:
    """The same melt with other positions (Å)."""
    atoms = melt.atoms.copy()
    atoms.positions[:] = positions
    return replace(melt, atoms=atoms)


def _check_range(distances: tuple[float, float]) -> tuple[float, float]:
    low, high = distances
    if not 0 < low < high:
        raise InputError(f"distances must be 0 < low < high (Å), got {distances}")
    return low, high


def minimum_image(steps: Floats, cell: Floats, pbc: npt.ArrayLike) -> Floats:
    """Steps (…, 3) between images that are nearest in fractions of the cell: the shortest ones where these are shorter
    than half of its heights.
    """
    fractions = steps @ np.linalg.inv(cell)
    wrapped: Floats = steps - np.where(pbc, np.round(fractions), 0.0) @ cell
    return wrapped


def _slide(steps: Floats, toward: Floats, distance: float) -> Floats:
    return steps - distance * toward


def _first_contact(path: Callable[[float], Floats], places: Iterable[float], target: float) -> float:
    """First place on the path at which a pair is closer than `target`; 0 where there is none."""
    for place in places:
        if np.linalg.norm(path(float(place)), axis=1).min() <= target:
            return float(place)
    return 0.0


def _arm(neighbors: list[list[int]], fixed: int, pivot: int) -> Integers:
    """Atoms on the pivot's side of the bond, without the pivot; empty in a ring."""
    found, todo = {pivot}, [pivot]
    while todo:
        atom = todo.pop()
        for other in neighbors[atom]:
            if other == fixed and atom != pivot:
                return np.empty(0, np.int64)
            if other not in found and other != fixed:
                found.add(other)
                todo.append(other)
    return np.array(sorted(found - {pivot}), dtype=np.int64)


def _turn(
    melt: Melt, positions: Floats, excluded: Integers, bond: tuple[int, int], arm: Integers, target: float
) -> None:
    """Rotate `arm` about `bond` in steps of 2° until a contact of `target`; nothing where there is none."""
    n = len(positions)
    others = np.setdiff1d(np.arange(n), [*arm.tolist(), *bond])
    if not len(arm) or not len(others):
        return
    pivot, axis = positions[bond[1]], positions[bond[1]] - positions[bond[0]]
    axis = axis / np.linalg.norm(axis)
    spokes = positions[arm] - pivot
    keys = np.minimum(arm[:, None], others) * n + np.maximum(arm[:, None], others)
    allowed = ~np.isin(keys, excluded)

    def turned(angle: float) -> Floats:
        along = np.outer(spokes @ axis, axis)
        arm_now: Floats = pivot + along + np.cos(angle) * (spokes - along) + np.sin(angle) * np.cross(axis, spokes)
        return arm_now

    def contacts(angle: float) -> Floats:
        steps = positions[others][None] - turned(angle)[:, None]
        return minimum_image(steps, melt.atoms.cell.array, melt.atoms.pbc)[allowed]

    if allowed.any():
        angle = _first_contact(contacts, np.deg2rad(np.arange(0, 360, 2.0)), target)
        positions[arm] = turned(angle)
