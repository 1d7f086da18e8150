"""A repulsive core below the distances that the training frames contain."""

from __future__ import annotations

from dataclasses import dataclass

import ase
import numpy as np

from polypace import _core
from polypace.ace.labels import Frames, iterate_frames
from polypace.ace.potential import Potential
from polypace.errors import InputError


@dataclass(frozen=True)
class CoreRepulsion:
    """Ziegler-Biersack-Littmark repulsion that replaces the expansion of an atom with a too near neighbour,

        E_i = F s + E_ZBL (1 − s),  s = 1 for r ≥ r_in, s = 0 for r ≤ r_in − delta_in, r the shortest distance.

    Parameters
    ----------
    r_in : float or None
        Å. None: `margin` times the shortest distance of each pair of elements in the training frames, so that the
        expansion alone describes all of them and the fit stays linear. Shortest distances of two thermal samples differ
        by up to a tenth: a core that begins nearer would meet frames that are no collisions, with forces of 100 eV/Å.
    delta_in : float > 0
        Å, width of the transition.
    margin : float in (0, 1]

    References
    ----------
    Ziegler, Biersack, Littmark, The Stopping and Range of Ions in Matter (1985), eq. 2.60 f.
    """

    r_in: float | None = None
    delta_in: float = 0.1
    margin: float = 0.85

    def __post_init__(self) -> None:
        if self.r_in is not None and not self.r_in > 0:
            raise InputError(f"core_repulsion: r_in must be positive, got {self.r_in} Å")
        if not self.delta_in > 0 or (self.r_in is not None and self.delta_in >= self.r_in):
            raise InputError(f"core_repulsion: delta_in must be positive and below r_in, got {self.delta_in} Å")
        if not 0 < self.margin <= 1:
            raise InputError(f"core_repulsion: margin must be in (0, 1], got {self.margin}")


def shortest_distances(
    frames: Frames, elements: tuple[str, ...], *, reach: float = 3.0, n_threads: int = 0
) -> dict[tuple[str, str], float]:
    """Shortest distance (Å) of every pair of elements that comes closer than `reach` somewhere; both orders."""
    shortest: dict[tuple[str, str], float] = {}
    for atoms in iterate_frames(frames):
        _shorten(shortest, atoms, reach, n_threads)
    return {pair: shortest[pair] for pair in shortest if pair[0] in elements and pair[1] in elements}


def with_core_repulsion(
    potential: Potential, core: CoreRepulsion, distances: dict[tuple[str, str], float]
) -> Potential:
    """Return the potential with the core switched on for every defined bond.

    Raises
    ------
    InputError
        where a given r_in lies above a distance of the training frames: there the fit would not be linear.
    """
    radii = {pair: _inner_radius(core, pair, distances) for pair in potential.cutoffs}
    return potential.with_core_repulsion(radii, switch_width=core.delta_in)


def _inner_radius(core: CoreRepulsion, pair: tuple[str, str], distances: dict[tuple[str, str], float]) -> float:
    r_in = core.r_in
    if r_in is None:
        r_in = core.margin * distances.get(pair, _covalent_distance(pair))
    elif r_in > distances.get(pair, np.inf):
        raise InputError(
            f"core_repulsion: r_in = {r_in} Å is above the shortest {pair[0]}-{pair[1]} distance of the training "
            f"frames, {distances[pair]:.4f} Å, where the potential would no longer be linear in its coefficients: "
            "choose a smaller r_in, or leave it out"
        )
    if r_in <= core.delta_in:
        raise InputError(
            f"core_repulsion: the shortest {pair[0]}-{pair[1]} distance of the training frames leaves r_in = "
            f"{r_in:.4f} Å and no room for delta_in = {core.delta_in} Å: remove frames with overlapping atoms"
        )
    return r_in


def _shorten(shortest: dict[tuple[str, str], float], atoms: ase.Atoms, reach: float, n_threads: int) -> None:
    cell = np.ascontiguousarray(atoms.cell.complete(), dtype=float)
    offsets, neighbors, _, displacements = _core.neighbors.neighbor_list(
        np.ascontiguousarray(atoms.positions), cell, tuple(bool(p) for p in atoms.pbc), reach, n_threads
    )
    distances = np.linalg.norm(displacements, axis=1)
    symbols = np.array(atoms.get_chemical_symbols())
    of_center = np.repeat(symbols, np.diff(offsets))
    of_neighbor = symbols[neighbors]
    for a in np.unique(symbols):
        for b in np.unique(symbols):
            found = distances[(of_center == a) & (of_neighbor == b)]
            if len(found):
                pair = (str(a), str(b))
                shortest[pair] = min(shortest.get(pair, np.inf), float(found.min()))


def _covalent_distance(pair: tuple[str, str]) -> float:
    from ase.data import atomic_numbers, covalent_radii

    return float(sum(covalent_radii[atomic_numbers[el]] for el in pair))
