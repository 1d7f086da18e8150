"""Whether distances alone tell bonds from contacts: can a potential without topology represent a force
field?
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import ase
import numpy as np
import numpy.typing as npt

from polypace.errors import InputError
from polypace.melt import Melt
from polypace.systems.overlaps import excluded_keys, nonbonded_pairs

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """Shortest and longest distance (Å) of pairs of one kind; `kind` is "1-2", "1-3", "1-4" or "contact"."""

    elements: tuple[str, str]
    kind: str
    shortest: float
    longest: float


@dataclass(frozen=True)
class DistanceWindows:
    """Windows of all kinds of pairs, whether bonds and contacts never meet, and what follows in words.

    For contacts `longest` is the distance up to which they were looked for.
    """

    windows: tuple[Window, ...]
    separable: bool
    verdict: str


def distance_windows(melt: Melt, frames: Iterable[ase.Atoms], reach: float = 5.0) -> DistanceWindows:
    """Distances of bonded (1-2), 1-3, 1-4 and all further pairs (contacts) over `frames` of `melt`.

    A potential that knows positions only can represent a bonded force field where the longest 1-2 distance
    is shorter than the shortest contact of the same elements; else the same distance would have two
    energies.

    Raises
    ------
    InputError
        without frames, or where a frame has other atoms than the melt.
    """
    elements = np.array(melt.atoms.get_chemical_symbols())
    ends: dict[tuple[tuple[str, str], str], tuple[float, float]] = {}
    seen = False
    for atoms in frames:
        if len(atoms) != len(melt.atoms):
            raise InputError(f"a frame has {len(atoms)} atoms, the melt has {len(melt.atoms)}")
        seen = True
        for kind, distances, pairs in _kinds(replace(melt, atoms=atoms), reach):
            for name, values in _by_elements(elements, distances, pairs):
                low, high = ends.get((name, kind), (np.inf, 0.0))
                ends[name, kind] = (min(low, float(values.min())), max(high, float(values.max())))
    if not seen:
        raise InputError("at least one frame is needed, got none")
    windows = [Window(name, kind, low, high) for (name, kind), (low, high) in sorted(ends.items())]
    return _judged(windows)


def _kinds(melt: Melt, reach: float) -> Iterable[tuple[str, Floats, Integers]]:
    """Kind, distances and atoms (n, 2) of pairs one, two, three and more bonds apart."""
    n = len(melt.atoms)
    within = [excluded_keys(melt, bonds) for bonds in (1, 2, 3)]
    parts = [within[0], np.setdiff1d(within[1], within[0]), np.setdiff1d(within[2], within[1])]
    cell = melt.atoms.cell.array
    for kind, keys in zip(("1-2", "1-3", "1-4"), parts, strict=True):
        pairs = np.column_stack([keys // n, keys % n])
        steps = melt.atoms.positions[pairs[:, 1]] - melt.atoms.positions[pairs[:, 0]]
        if melt.atoms.pbc.any():
            steps = steps - np.where(melt.atoms.pbc, np.round(steps @ np.linalg.inv(cell)), 0.0) @ cell
        yield kind, np.linalg.norm(steps, axis=1), pairs
    far = nonbonded_pairs(melt, melt.atoms.positions, reach, within[2])
    yield "contact", np.linalg.norm(far.steps, axis=1), np.column_stack([far.first, far.second])


def _by_elements(
    elements: npt.NDArray[np.str_], distances: Floats, pairs: Integers
) -> Iterable[tuple[tuple[str, str], Floats]]:
    names = np.sort(elements[pairs], axis=1)
    for first, second in sorted(set(map(tuple, np.unique(names, axis=0).tolist()))):
        yield (first, second), distances[(names[:, 0] == first) & (names[:, 1] == second)]


def _judged(windows: list[Window]) -> DistanceWindows:
    bonds = {window.elements: window.longest for window in windows if window.kind == "1-2"}
    clashes = [
        f"{'-'.join(window.elements)} bonds reach {bonds[window.elements]:.2f} and contacts begin at "
        f"{window.shortest:.2f}"
        for window in windows
        if window.kind == "contact" and bonds.get(window.elements, 0.0) >= window.shortest
    ]
    if clashes:
        verdict = f"not representable without topology: {'; '.join(clashes)}"
    else:
        verdict = "representable: no bond is as long as the shortest contact of the same elements"
    return DistanceWindows(tuple(windows), not clashes, verdict)
