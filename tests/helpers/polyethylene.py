"""Small polyethylene melts at melt density in skewed cells, with or without explicit hydrogens."""

from __future__ import annotations

import ase
import numpy as np

from polypace.melt import Melt
from polypace.systems import build_melt

CH = 1.09  # Å
#: The same lattice as the cubic cell, by vectors whose nearest images are not found by rounding alone.
SKEW = np.array([[1, 0, 0], [1, 1, 0], [-1, 1, 1]])


def polyethylene(
    n_chains: int, n_carbons: int, seed: int = 0, *, explicit_hydrogens: bool = True, density: float = 0.6
) -> Melt:
    """A melt of C_n chains; every atom is given in a random periodic image."""
    rng = np.random.default_rng(seed)
    melt = build_melt(n_carbons, n_chains, density=density, seed=seed)
    if explicit_hydrogens:
        melt = with_hydrogens(melt)
    return skewed(melt, rng)


def skewed(melt: Melt, rng: np.random.Generator) -> Melt:
    """The same periodic system in a skewed cell, its atoms scattered over images."""
    cell = SKEW @ melt.atoms.cell.array
    atoms = melt.atoms.copy()
    atoms.set_cell(cell)
    atoms.positions += rng.integers(-2, 3, atoms.positions.shape) @ cell
    return Melt(atoms, melt.bonds, melt.molecules, melt.types)


def with_hydrogens(melt: Melt) -> Melt:
    """Explicit hydrogens on the carbons of unwrapped united-atom chains; types CT3, CT2, HC3, HC2."""
    positions, types, bonds, molecules = [*melt.atoms.positions], [], melt.bonds.tolist(), [*melt.molecules]
    for neighbors in melt.neighbors():
        types.append("CT3" if len(neighbors) == 1 else "CT2")
    for carbon, neighbors in enumerate(melt.neighbors()):
        directions = [positions[j] - positions[carbon] for j in neighbors]
        for free in _free_directions([v / np.linalg.norm(v) for v in directions]):
            bonds.append([carbon, len(positions)])
            positions.append(positions[carbon] + CH * free)
            types.append(types[carbon].replace("CT", "HC"))
            molecules.append(melt.molecules[carbon])
    numbers = [6] * len(melt.atoms) + [1] * (len(positions) - len(melt.atoms))
    atoms = ase.Atoms(numbers, np.array(positions), cell=melt.atoms.cell, pbc=True)
    return Melt(atoms, np.array(bonds), np.array(molecules), tuple(types))


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
