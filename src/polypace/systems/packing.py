"""Where chains go in the box: at random, then moved as wholes until the density is even."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Beads a cell of the density grid holds on average; trials a chain; atoms that all trials may move together.
_OCCUPANCY, _TRIALS, _MOVED_ATOMS = 4.0, 150, 15_000_000


def pack_chains(chains: list[Floats], edge: float, rng: np.random.Generator) -> list[Floats]:
    """Chains in a periodic cube of length `edge` (Å): random places and turns, then pre-packed.

    A chain is moved and turned as a whole at random; the move is kept where it lowers Σ n² over the cells
    of a grid, the fluctuation of the density. Even density is what lets overlaps be pushed off without
    stretching the chains: R. Auhl et al., J. Chem. Phys. 119, 12718 (2003), section III B.
    """
    centered = [chain - chain.mean(axis=0) for chain in chains]
    turns = Rotation.random(len(chains), random_state=rng)
    placed = [
        turn.apply(chain) + place
        for turn, chain, place in zip(turns, centered, rng.random((len(chains), 3)) * edge, strict=True)
    ]
    n_atoms = sum(len(chain) for chain in chains)
    n_cells = max(2, round((n_atoms / _OCCUPANCY) ** (1 / 3)))
    cells = [_cells(chain, edge, n_cells) for chain in placed]
    counts = np.bincount(np.concatenate(cells), minlength=n_cells**3)
    for _ in range(_n_trials(n_atoms, len(chains))):
        which = int(rng.integers(len(chains)))
        turn = Rotation.random(random_state=rng)
        trial = turn.apply(centered[which]) + rng.random(3) * edge
        target = _cells(trial, edge, n_cells)
        _add(counts, cells[which], -1)
        if _crowding(counts, target) <= _crowding(counts, cells[which]):
            placed[which], cells[which] = trial, target
        _add(counts, cells[which], 1)
    return placed


def _n_trials(n_atoms: int, n_chains: int) -> int:
    if n_chains < 2:
        return 0
    return int(min(_TRIALS * n_chains, _MOVED_ATOMS * n_chains / n_atoms))


def _cells(positions: Floats, edge: float, n_cells: int) -> Integers:
    """Number of the grid cell of every atom."""
    place = np.floor(positions * (n_cells / edge)).astype(np.int64) % n_cells
    return (place[:, 0] * n_cells + place[:, 1]) * n_cells + place[:, 2]


def _add(counts: Integers, cells: Integers, sign: int) -> None:
    np.add.at(counts, cells, sign)


def _crowding(counts: Integers, cells: Integers) -> int:
    """What a chain in `cells` adds to Σ n²: Σ (2 n m + m²) with m its own atoms in each cell."""
    own_cells, own = np.unique(cells, return_counts=True)
    return int(np.sum(own * (2 * counts[own_cells] + own)))
