"""The gate before any MD: scans that find a hole behind the repulsion.

A small force error on thermal frames says nothing about two chains pushed together. A scan walks a contact from far
to near; where the energy falls again, MD that got there would not come back. The barrier in front of the first such
fall must be too high to cross.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import ase
import numpy as np
import numpy.typing as npt

from polypace.units import BOLTZMANN

Floats = npt.NDArray[np.float64]
Energies = Callable[[Sequence[ase.Atoms]], Floats]

#: In k_B T: a fall behind a barrier that counts as a hole, a well in front of it that does not yet, and a barrier
#: that is not crossed.
FALL, WELL, BARRIER = 3.0, 10.0, 25.0
#: Å by which other beads stay behind the chosen contact, and how often to look for such a pair.
CLEARANCE, TRIALS = 0.3, 40
#: Edge (Å) of the empty, open box around a scan.
BOX = 200.0


@dataclass(frozen=True)
class ContactScan:
    """Energies (eV) over the closest distance (Å, descending) of two rigid bodies, zero where they are far apart."""

    name: str
    distance: Floats
    energy: Floats

    def barrier(self, temperature: float) -> float:
        """Height (eV) in front of the first fall on the way in; infinite where the energy never falls.

        Attraction before the wall is no hole unless it is deeper than any van der Waals well.
        """
        highest = 0.0
        for energy in self.energy:
            fall = (FALL if highest > 0 else WELL) * BOLTZMANN * temperature
            if energy < highest - fall:
                return highest
            highest = max(highest, float(energy))
        return np.inf

    def passes(self, temperature: float) -> bool:
        return self.barrier(temperature) >= BARRIER * BOLTZMANN * temperature


def contact_structures(melt: ase.Atoms, n_scans: int, distances: Floats, seed: int) -> list[list[ase.Atoms]]:
    """Pairs of molecules of the melt, one moved rigidly so that two chosen beads come as close as `distances` (Å).

    `melt` holds whole molecules, named by `arrays["mol_id"]`. Beads and directions are drawn until the chosen contact
    stays the closest one on the whole way.
    """
    rng = np.random.default_rng(seed)
    scans = []
    for _ in range(n_scans):
        a, b, i, j, direction = _approach(melt, rng)
        scans.append([_placed(a, b, i, j, direction * d) for d in distances])
    return scans


def dimer_structures(types: Mapping[str, str], distances: Floats) -> tuple[list[str], list[list[ase.Atoms]]]:
    """Two atoms of each pair of `types` (type name → element) alone, as close as `distances` (Å); names, structures."""
    names, scans = [], []
    for first, second in combinations_with_replacement(sorted(types), 2):
        frames = []
        for d in distances:
            atoms = ase.Atoms([types[first], types[second]], positions=[[0, 0, 0], [d, 0, 0]], cell=np.eye(3) * BOX)
            atoms.set_array("type_name", np.array([first, second]))
            atoms.info["contact"] = float(d)
            frames.append(atoms)
        names.append(f"{first}-{second}")
        scans.append(frames)
    return names, scans


def run_scans(structures: Sequence[Sequence[ase.Atoms]], names: Sequence[str], energies: Energies) -> list[ContactScan]:
    """Energies of every scan relative to its first (furthest) structure."""
    flat = energies([atoms for frames in structures for atoms in frames])
    scans, start = [], 0
    for name, frames in zip(names, structures, strict=True):
        values = flat[start : start + len(frames)]
        distance = np.array([atoms.info["contact"] for atoms in frames])
        scans.append(ContactScan(name, distance, values - values[0]))
        start += len(frames)
    return scans


def _approach(melt: ase.Atoms, rng: np.random.Generator) -> tuple[ase.Atoms, ase.Atoms, int, int, Floats]:
    """Two molecules, a bead of each and a direction along which those two stay the closest contact."""
    molecules = np.unique(melt.arrays["mol_id"])
    best, clearance = None, -np.inf
    for _ in range(TRIALS):
        first, second = rng.choice(molecules, 2, replace=len(molecules) < 2)
        a, b = (melt[melt.arrays["mol_id"] == molecule] for molecule in (first, second))
        i, j = int(rng.integers(len(a))), int(rng.integers(len(b)))
        direction, clear = _free_direction(a.positions - a.positions[i], b.positions - b.positions[j], rng)
        if clear > clearance:
            best, clearance = (a, b, i, j, direction), clear
        if clearance > CLEARANCE:
            break
    assert best is not None
    return best


def _free_direction(a: Floats, b: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """The direction that keeps other beads furthest behind the chosen contact on the whole way, and by how much (Å)."""
    directions = rng.normal(size=(100, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    way = (1.5, 2.5, 3.5, 5.0)
    margins = [min(_second_contact(a, b + d * u) - d for d in way) for u in directions]
    k = int(np.argmax(margins))
    direction: Floats = directions[k]
    return direction, margins[k]


def _second_contact(a: Floats, b: Floats) -> float:
    distances = np.sort(np.linalg.norm(a[:, None] - b[None], axis=2).ravel())
    return float(distances[1]) if len(distances) > 1 else np.inf


def _placed(a: ase.Atoms, b: ase.Atoms, i: int, j: int, offset: Floats) -> ase.Atoms:
    moved = b.copy()
    moved.translate(a.positions[i] + offset - b.positions[j])
    pair: ase.Atoms = a + moved
    pair.set_cell(np.eye(3) * BOX)
    pair.set_pbc(False)
    pair.info["contact"] = float(np.linalg.norm(offset))
    return pair
