"""Small polyethylene melts in any periodic cell: random torsions, placed one by one without overlaps."""

from __future__ import annotations

import itertools

import ase
import numpy as np
from scipy.spatial.transform import Rotation

from polypace.melt import Melt

BOND, ANGLE, CH = 1.54, np.radians(112.7), 1.09
#: A skewed cell whose nearest images are not found by rounding alone.
SKEWED = np.array([[19.0, 0.0, 0.0], [8.5, 18.0, 0.0], [-7.0, 6.5, 20.0]])


def backbone(n_carbons: int, rng: np.random.Generator) -> np.ndarray:
    """(n, 3) Å: fixed bonds and angles, torsions trans or gauche, no carbon nearer than 3.6 Å beyond 1-4."""
    for _ in range(10000):
        points = [np.zeros(3), np.array([BOND, 0, 0]), np.array([BOND * (1 - np.cos(ANGLE)), BOND * np.sin(ANGLE), 0])]
        while len(points) < n_carbons:
            torsion = np.radians(rng.choice([180.0, 65.0, -65.0], p=[0.6, 0.2, 0.2]))
            b, c = points[-1] - points[-2], points[-2] - points[-3]
            axis = b / np.linalg.norm(b)
            normal = np.cross(c, b) / np.linalg.norm(np.cross(c, b))
            side = np.cross(normal, axis)
            direction = -np.cos(ANGLE) * axis + np.sin(ANGLE) * (-np.cos(torsion) * side + np.sin(torsion) * normal)
            points.append(points[-1] + BOND * direction)
        chain = np.array(points[:n_carbons])
        distances = np.linalg.norm(chain[:, None] - chain[None], axis=-1)
        far = np.abs(np.subtract.outer(np.arange(n_carbons), np.arange(n_carbons))) > 3
        if not far.any() or distances[far].min() > 3.6:
            return chain
    raise RuntimeError("no self-avoiding chain found")


def with_hydrogens(chain: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Hydrogens (n_h, 3) of a backbone and the bonds (carbon, hydrogen), hydrogens counted from 0."""
    hydrogens, bonds = [], []
    for i, carbon in enumerate(chain):
        neighbors = [chain[j] - carbon for j in (i - 1, i + 1) if 0 <= j < len(chain)]
        for direction in _free_directions([v / np.linalg.norm(v) for v in neighbors]):
            bonds.append((i, len(hydrogens)))
            hydrogens.append(carbon + CH * direction)
    return np.array(hydrogens), bonds


def _free_directions(taken: list[np.ndarray]) -> list[np.ndarray]:
    if len(taken) == 2:
        middle = -(taken[0] + taken[1]) / np.linalg.norm(taken[0] + taken[1])
        normal = np.cross(*taken) / np.linalg.norm(np.cross(*taken))
        half = np.radians(54.0)
        return [np.cos(half) * middle + sign * np.sin(half) * normal for sign in (1, -1)]
    axis = taken[0]
    normal = np.cross(axis, [0.3, 0.5, -0.8])
    normal /= np.linalg.norm(normal)
    side = np.cross(axis, normal)
    return [
        -axis / 3 + np.sqrt(8 / 9) * (np.cos(phi) * normal + np.sin(phi) * side)
        for phi in np.radians([60.0, 180.0, 300.0])
    ]


def polyethylene(
    n_chains: int,
    n_carbons: int,
    rng: np.random.Generator,
    cell: np.ndarray = SKEWED,
    explicit_hydrogens: bool = True,
    scatter_images: bool = True,
) -> Melt:
    """A melt of C_n chains; with `scatter_images`, every atom is given in a random periodic image."""
    placed, numbers, types, bonds, molecules = np.zeros((0, 3)), [], [], [], []
    for molecule in range(n_chains):
        chain, chain_numbers, chain_types, chain_bonds = _chain(n_carbons, rng, explicit_hydrogens)
        chain = _insert(chain, chain_numbers, placed, numbers, cell, rng)
        bonds += [(a + len(placed), b + len(placed)) for a, b in chain_bonds]
        placed = np.concatenate([placed, chain])
        numbers += chain_numbers
        types += chain_types
        molecules += [molecule] * len(chain)
    if scatter_images:
        placed = placed + rng.integers(-2, 3, placed.shape) @ cell
    atoms = ase.Atoms(numbers, placed, cell=cell, pbc=True)
    if not explicit_hydrogens:
        atoms.set_masses([15.035 if name == "CH3" else 14.027 for name in types])
    return Melt(atoms, np.array(bonds), np.array(molecules), tuple(types))


def _chain(n_carbons: int, rng: np.random.Generator, explicit_hydrogens: bool) -> tuple:
    chain = backbone(n_carbons, rng)
    bonds = [(i, i + 1) for i in range(n_carbons - 1)]
    if not explicit_hydrogens:
        types = ["CH3" if i in (0, n_carbons - 1) else "CH2" for i in range(n_carbons)]
        return chain, [6] * n_carbons, types, bonds
    hydrogens, on = with_hydrogens(chain)
    ends = (0, n_carbons - 1)
    types = ["CT3" if i in ends else "CT2" for i in range(n_carbons)] + ["HC3" if c in ends else "HC2" for c, _ in on]
    bonds += [(carbon, n_carbons + hydrogen) for carbon, hydrogen in on]
    return np.concatenate([chain, hydrogens]), [6] * n_carbons + [1] * len(hydrogens), types, bonds


def _insert(chain, chain_numbers, placed, numbers, cell, rng):
    """Random place and orientation where nothing, images of the chain included, is too near."""
    shifts = np.array(list(itertools.product((-1, 0, 1), repeat=3))) @ cell
    images = shifts[np.any(shifts != 0, axis=1)]
    explicit = 1 in chain_numbers
    reach = np.where(np.array(chain_numbers) == 1, 1.05, 1.5 if explicit else 1.75)
    placed_reach = np.where(np.array(numbers, dtype=int) == 1, 1.05, 1.5 if explicit else 1.75)
    inverse = np.linalg.inv(cell)
    for _ in range(20000):
        turned = Rotation.random(random_state=rng).apply(chain - chain.mean(axis=0))
        own = np.linalg.norm(turned[None, :, None] - turned[None, None] + images[:, None, None], axis=-1)
        if (own < reach[:, None] + reach[None]).any():
            continue
        moved = turned + rng.random(3) @ cell
        if not len(placed):
            return moved
        raw = moved[:, None] - placed[None]
        near = raw - np.round(raw @ inverse) @ cell
        distances = np.linalg.norm(near[None] + shifts[:, None, None], axis=-1).min(axis=0)
        if not (distances < reach[:, None] + placed_reach[None]).any():
            return moved
    raise RuntimeError("the chain does not fit; lower the density")
