"""Size and stiffness of linear chains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polypace import _core
from polypace.analysis.blocks import N_BLOCKS, BlockSums, standard_error
from polypace.errors import InputError
from polypace.trajectory import Topology, Trajectory
from polypace.trajectory.source import Float, Int

# Below this mass (amu) an atom is hydrogen and not part of a backbone.
HYDROGEN_MASS = 3.5


@dataclass(frozen=True)
class Backbones:
    """Beads of linear chains from end to end: chain c is beads[offsets[c]:offsets[c+1]] (0-based atoms)."""

    offsets: Int
    beads: Int

    @property
    def n_chains(self) -> int:
        """Number of chains."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Int:
        """(n_chains,) beads of each chain."""
        return np.diff(self.offsets)


@dataclass(frozen=True)
class ChainDimensions:
    """Dimensions of linear chains; errors are the larger of those from blocks of frames and from chain to
    chain.

    Parameters
    ----------
    n_bonds : (n_chains,) int64
        Backbone bonds of each chain.
    end_to_end_squared, end_to_end_squared_error : float
        ⟨R²⟩, Å².
    gyration_squared, gyration_squared_error : float
        ⟨R_g²⟩ of the backbone beads with equal weights, Å².
    end_to_end_squared_per_chain, gyration_squared_per_chain : (n_chains,)
        Averages over time, Å².
    separations : (n,) int64
        s = 1…: bonds between two beads of a chain.
    internal, internal_error : (n,)
        Mean square internal distance ⟨R²(s)⟩, Å², over all pairs s bonds apart.
    bond_length : float
        l = √⟨R²(1)⟩, Å.
    characteristic_ratio : (n,)
        C_s = ⟨R²(s)⟩/(s l²).
    c_infinity, c_infinity_error : float
        Limit of C_s = C_∞ (1 − α/s), fitted to the longer half of the separations; an extrapolation, the
        better the longer the chains.
    kuhn_length, kuhn_length_error : float
        C_∞ l, Å: ⟨R²⟩ over the contour length n l, as for bead-spring chains.
    kuhn_length_extended : float
        C_∞ l²/l_p, Å: ⟨R²⟩ over the length of the straightened chain, with l_p = √⟨R²(2)⟩/2 the mean advance
        per bond.
    n_frames : int
        Frames that were averaged.
    """

    n_bonds: Int
    end_to_end_squared: float
    end_to_end_squared_error: float
    gyration_squared: float
    gyration_squared_error: float
    end_to_end_squared_per_chain: Float
    gyration_squared_per_chain: Float
    separations: Int
    internal: Float
    internal_error: Float
    bond_length: float
    characteristic_ratio: Float
    c_infinity: float
    c_infinity_error: float
    kuhn_length: float
    kuhn_length_error: float
    kuhn_length_extended: float
    n_frames: int


def find_backbones(topology: Topology) -> Backbones:
    """Linear chains of a topology: heavy atoms from end to end, the longest path where side groups branch
    off.

    Raises
    ------
    InputError
        where there are no bonds, or a molecule is a ring.
    """
    if not len(topology.bonds):
        raise InputError("chains need bonds: open the trajectory with topology=…")
    heavy = np.ones(len(topology.ids), dtype=bool)
    if topology.masses is not None and (topology.masses >= HYDROGEN_MASS).any():
        heavy = topology.masses >= HYDROGEN_MASS
    neighbors: list[list[int]] = [[] for _ in range(len(topology.ids))]
    for a, b in topology.bonds[heavy[topology.bonds].all(axis=1)].tolist():
        neighbors[a].append(b)
        neighbors[b].append(a)
    seen = np.zeros(len(topology.ids), dtype=bool)
    chains = []
    for atom in np.flatnonzero(heavy).tolist():
        if seen[atom] or not neighbors[atom]:
            continue
        path, members, n_bonds = _longest_path(atom, neighbors)
        seen[members] = True
        if n_bonds >= len(members):
            raise InputError(
                f"the molecule of atom {topology.ids[atom]} has a ring in its backbone; chain dimensions are "
                f"for linear "
                "chains (give backbones=… yourself)"
            )
        # One direction, whatever the order of the bonds in the file.
        chains.append(path if path[0] < path[-1] else path[::-1])
    if not chains:
        raise InputError("no two heavy atoms are bonded, so there are no chains")
    offsets = np.concatenate([[0], np.cumsum([len(chain) for chain in chains])])
    return Backbones(offsets.astype(np.int64), np.concatenate(chains).astype(np.int64))


def _longest_path(start: int, neighbors: list[list[int]]) -> tuple[list[int], list[int], int]:
    """Path between the two atoms of a molecule that are farthest apart, its atoms, and its number of
    bonds.
    """
    order, _ = _walk(start, neighbors)
    _, parents = _walk(order[-1], neighbors)
    end = next(reversed(parents))
    path = [end]
    while parents[path[-1]] >= 0:
        path.append(parents[path[-1]])
    return path, order, sum(len(neighbors[atom]) for atom in order) // 2


def _walk(start: int, neighbors: list[list[int]]) -> tuple[list[int], dict[int, int]]:
    """Atoms in the order of their distance from `start`, and the atom that each was reached from."""
    parents = {start: -1}
    order = [start]
    for atom in order:
        for other in neighbors[atom]:
            if other not in parents:
                parents[other] = atom
                order.append(other)
    return order, parents


def chain_dimensions(
    trajectory: Trajectory,
    backbones: Backbones | None = None,
    *,
    n_blocks: int = N_BLOCKS,
    n_threads: int = 0,
) -> ChainDimensions:
    """End-to-end distance, radius of gyration, mean square internal distances, C_∞ and Kuhn length of linear
    chains.

    R² = |r_n − r_0|², R_g² = (1/n)Σ|r_i − r_cm|², ⟨R²(s)⟩ = ⟨|r_{i+s} − r_i|²⟩ over i, chains and frames.

    Parameters
    ----------
    trajectory : Trajectory
        With bonds; wrapped or not: neighbours along a chain are joined by the shortest image.
    backbones : Backbones, optional
        Default: `find_backbones(trajectory.topology)`.

    Raises
    ------
    InputError
        where there are no linear chains.

    Source: Rubinstein & Colby, Polymer Physics (2003), eqs. 2.7, 2.15 and 2.44; Auhl et al., J. Chem. Phys.
    119, 12718 (2003), for the internal distances.
    """
    backbones = find_backbones(trajectory.topology) if backbones is None else backbones
    n, n_chains = trajectory.n_frames, backbones.n_chains
    n_separations = int(backbones.lengths.max()) - 1
    if n_separations < 1:
        raise InputError("chains need at least two beads")
    squares = BlockSums(n, (2, n_chains), n_blocks)
    internal = BlockSums(n, (n_separations,), n_blocks)
    cells = trajectory.cells
    for frames, positions in trajectory.blocks():
        end_to_end, gyration, sums = _core.structure.chain_statistics(
            positions, np.ascontiguousarray(cells[frames]), trajectory.pbc, backbones.offsets,
            backbones.beads, n_separations, n_threads,
        )  # fmt: skip
        squares.add(frames, np.stack([end_to_end, gyration], axis=1))
        internal.add(frames, sums)
    return _dimensions(backbones, squares, internal, n)


def _dimensions(backbones: Backbones, squares: BlockSums, internal: BlockSums, n_frames: int) -> ChainDimensions:
    separations = np.arange(1, internal.mean.shape[0] + 1)
    pairs = np.maximum(backbones.lengths[:, None] - separations, 0).sum(axis=0)
    block_internal = internal.means / pairs
    mean_internal = internal.mean / pairs
    per_chain = squares.mean
    means = per_chain.mean(axis=1)
    errors = np.fmax(standard_error(squares.means.mean(axis=2)), standard_error(per_chain.T))
    c_infinity = _c_infinity(separations, mean_internal)
    c_error = float(standard_error(np.array([_c_infinity(separations, block) for block in block_internal])))
    length = float(np.sqrt(mean_internal[0]))
    advance = float(np.sqrt(mean_internal[1])) / 2 if len(separations) > 1 else length
    return ChainDimensions(
        n_bonds=backbones.lengths - 1,
        end_to_end_squared=float(means[0]),
        end_to_end_squared_error=float(errors[0]),
        gyration_squared=float(means[1]),
        gyration_squared_error=float(errors[1]),
        end_to_end_squared_per_chain=per_chain[0],
        gyration_squared_per_chain=per_chain[1],
        separations=separations,
        internal=mean_internal,
        internal_error=standard_error(block_internal),
        bond_length=length,
        characteristic_ratio=mean_internal / (separations * length**2),
        c_infinity=c_infinity,
        c_infinity_error=c_error,
        kuhn_length=c_infinity * length,
        kuhn_length_error=c_error * length,
        kuhn_length_extended=c_infinity * length**2 / advance,
        n_frames=n_frames,
    )


def _c_infinity(separations: Int, internal: Float) -> float:
    """C_∞ of C_s = C_∞ (1 − α/s) through the longer half of the separations; NaN for fewer than four
    bonds.
    """
    if len(separations) < 4:
        return float("nan")
    half = slice(len(separations) // 2 - 1, None)
    ratio = (internal / (separations * internal[0]))[half]
    # Long separations have few pairs: their weight is the number of independent segments, about 1/s.
    weights = 1 / np.sqrt(separations[half])
    return float(np.polyfit(1 / separations[half], ratio, 1, w=weights)[1])
