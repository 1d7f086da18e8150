"""Chains as they are joined: order along the chain, whole molecules, numbering for bond swaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from polypace.errors import InputError
from polypace.melt import Melt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def backbones(melt: Melt) -> list[Integers]:
    """Main-chain atoms of every molecule from one end to the other, hydrogens left out; one array per
    molecule.

    Raises
    ------
    InputError
        where a molecule is a ring or has branches.
    """
    heavy = np.array([not name.startswith("H") for name in melt.types])
    kept = heavy[melt.bonds].all(axis=1)
    joined: dict[int, list[int]] = {int(atom): [] for atom in np.flatnonzero(heavy)}
    for a, b in melt.bonds[kept].tolist():
        joined[a].append(b)
        joined[b].append(a)
    chains, seen = [], set()
    branched = any(len(ends) > 2 for ends in joined.values())  # first: a walk into a ring with a tail has no end
    for start, ends in joined.items() if not branched else ():
        if len(ends) <= 1 and start not in seen:
            chain = _walk(start, joined)
            seen.update(chain)
            chains.append(np.array(chain, dtype=np.int64))
    if len(seen) != len(joined):
        raise InputError("molecules must be linear chains; this melt has rings or branches")
    return chains


def _walk(start: int, joined: dict[int, list[int]]) -> list[int]:
    chain, previous = [start], -1
    while True:
        onward = [atom for atom in joined[chain[-1]] if atom != previous]
        if not onward:
            return chain
        previous = chain[-1]
        chain.append(onward[0])


def molecules_by_bonds(melt: Melt) -> Melt:
    """The same melt with molecules numbered anew as what is joined by bonds, in the order of their first
    atoms.
    """
    n = len(melt.atoms)
    ones = np.ones(len(melt.bonds))
    graph = sparse.coo_matrix((ones, (melt.bonds[:, 0], melt.bonds[:, 1])), shape=(n, n))
    return _with_molecules(melt, connected_components(graph, directed=False)[1].astype(np.int64))


def numbered_for_bond_swaps(melt: Melt) -> Melt:
    """The same melt with "molecules" 1 … N/2, N/2 … 1 along each chain, as LAMMPS `fix bond/swap` wants them.

    With these numbers swaps keep the lengths of the chains. `molecules_by_bonds` gives molecules back
    afterwards.

    Raises
    ------
    InputError
        where the chains are not all of one, even length (or odd lengths would not be kept).
    """
    chains = backbones(melt)
    lengths = {len(chain) for chain in chains}
    if len(lengths) != 1:
        raise InputError(f"bond swaps keep chain lengths only where all are equal, got {sorted(lengths)}")
    numbers = np.zeros(len(melt.atoms), dtype=np.int64)
    for chain in chains:
        steps = np.arange(len(chain))
        numbers[chain] = np.minimum(steps, steps[::-1])
    return _with_molecules(melt, numbers)


def whole_molecules(melt: Melt) -> Melt:
    """The same melt with every molecule in one piece: bonded atoms at their nearest images.

    Needed after `fix bond/swap`, which leaves image flags that fit no molecule any more.
    """
    cell = melt.atoms.cell.array
    inverse = np.linalg.inv(cell)
    positions = np.array(melt.atoms.positions)
    neighbors = melt.neighbors()
    done = np.zeros(len(positions), dtype=bool)
    for start in range(len(positions)):
        todo = [] if done[start] else [start]
        done[start] = True
        while todo:
            atom = todo.pop()
            for other in neighbors[atom]:
                if not done[other]:
                    step = positions[other] - positions[atom]
                    positions[other] -= np.where(melt.atoms.pbc, np.round(step @ inverse), 0.0) @ cell
                    done[other] = True
                    todo.append(other)
    atoms = melt.atoms.copy()
    atoms.positions[:] = positions
    return replace(melt, atoms=atoms)


def schulz_zimm_lengths(mean: float, dispersity: float, n_chains: int, seed: int, shortest: int = 1) -> Sequence[int]:
    """Chain lengths of a Schulz-Zimm distribution: P(N) ∝ N^(k−1) exp(−k N/mean), k = 1/(dispersity − 1).

    `mean` is the number average, `dispersity` the ratio of weight to number average (2: most probable
    distribution). Lengths are rounded and at least `shortest`. G. V. Schulz, Z. Phys. Chem. B 43, 25 (1939);
    B. H. Zimm, J. Chem. Phys. 16, 1099 (1948).

    Raises
    ------
    InputError
        for a dispersity of 1 or less, a mean below `shortest`, or no chains.
    """
    if not dispersity > 1:
        raise InputError(f"dispersity must be above 1 (equal chains need no distribution), got {dispersity}")
    if not mean >= shortest or shortest < 1 or n_chains < 1:
        raise InputError(
            f"mean >= shortest >= 1 and n_chains >= 1 are needed, got mean={mean}, shortest={shortest}, "
            f"n_chains={n_chains}"
        )
    check_seed(seed)
    shape = 1 / (dispersity - 1)
    drawn = np.random.default_rng(seed).gamma(shape, mean / shape, n_chains)
    return [max(shortest, round(value)) for value in drawn.tolist()]


def check_seed(seed: int) -> None:
    """Raise InputError for anything but a whole number from 0 on."""
    if not (isinstance(seed, int | np.integer) and seed >= 0):
        raise InputError(f"seed must be a whole number from 0 on, got {seed!r}")


def _with_molecules(melt: Melt, molecules: Integers) -> Melt:
    atoms = melt.atoms.copy()
    atoms.arrays["mol_id"] = molecules.copy()
    return replace(melt, atoms=atoms, molecules=molecules)
