"""Static structure factor on the reciprocal lattice of the cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polypace import _core
from polypace.analysis.blocks import N_BLOCKS, BlockSums
from polypace.errors import InputError
from polypace.trajectory import Trajectory
from polypace.trajectory.source import Float, Int

ALL = "all"


@dataclass(frozen=True)
class StructureFactor:
    """Static structure factor averaged over shells of |q|.

    Parameters
    ----------
    q : (n_shells,)
        Mean |q| of the vectors in each shell, Å⁻¹.
    pairs : tuple of (str, str)
        Pairs of type names; the first is ("all", "all").
    values, error : (n_pairs, n_shells)
        S_ab(q) = ⟨ρ_a(q) ρ_b(−q)⟩/√(N_a N_b), real part; standard errors from blocks of frames.
    n_vectors : (n_shells,) int64
        Reciprocal vectors in each shell (q and −q are one).
    n_frames : int
        Frames that were averaged.
    """

    q: Float
    pairs: tuple[tuple[str, str], ...]
    values: Float
    error: Float
    n_vectors: Int
    n_frames: int


def structure_factor(
    trajectory: Trajectory,
    q_max: float,
    bin_width: float = 0.05,
    *,
    vectors_per_shell: int = 200,
    n_blocks: int = N_BLOCKS,
    n_threads: int = 0,
) -> StructureFactor:
    """Static structure factor, summed directly over the atoms at vectors of the reciprocal lattice.

    S_ab(q) = ⟨Σ_{j∈a} e^{iq·r_j} Σ_{k∈b} e^{−iq·r_k}⟩ / √(N_a N_b), q = 2π(n₁b₁ + n₂b₂ + n₃b₃): exact for the
    periodic system, with no cut at half the box as in the transform of g(r). The smallest q is 2π over the
    cell.

    Parameters
    ----------
    trajectory : Trajectory
        Periodic in all directions. In a fluctuating cell each integer triple keeps its shell of the first
        frame.
    q_max, bin_width : float
        Å⁻¹.
    vectors_per_shell : int
        At most so many vectors, evenly picked, stand for a shell.

    Raises
    ------
    InputError
        where the cell is not periodic, or no vector is below q_max.

    Source: Hansen & McDonald, Theory of Simple Liquids (2013), eq. 4.1.1.
    """
    if not all(trajectory.pbc):
        raise InputError(f"{trajectory.name}: S(q) on the reciprocal lattice needs a cell periodic in all directions")
    if not (0 < bin_width <= q_max and np.isfinite(q_max) and vectors_per_shell > 0):
        raise InputError(
            f"q_max, bin_width and vectors_per_shell must be positive, got {q_max}, {bin_width}, {vectors_per_shell}"
        )
    names, codes = np.unique(trajectory.types, return_inverse=True)
    types = codes.reshape(-1).astype(np.int32)
    counts = np.bincount(types).astype(float)
    cells = trajectory.cells
    vectors, shells, n_vectors = _vectors(cells.mean(axis=0), q_max, bin_width, vectors_per_shell)
    first, second = np.triu_indices(len(names))
    sums = BlockSums(trajectory.n_frames, (len(first) + 1, len(n_vectors)), n_blocks)
    q = BlockSums(trajectory.n_frames, (len(n_vectors),), n_blocks)
    per_shell = np.bincount(shells, minlength=len(n_vectors))
    for frames, positions in trajectory.blocks():
        for k, frame in enumerate(frames):
            modes = _core.structure.density_modes(positions[k], types, cells[frame], vectors, len(names), n_threads)
            rho = modes[..., 0] + 1j * modes[..., 1]
            products = (rho[first] * rho[second].conj()).real / np.sqrt(counts[first] * counts[second])[:, None]
            total = np.abs(rho.sum(axis=0)) ** 2 / counts.sum()
            curves = [np.bincount(shells, row, len(n_vectors)) / per_shell for row in (total, *products)]
            sums.add(frames[k : k + 1], np.array(curves)[None])
            lengths = np.linalg.norm(2 * np.pi * vectors @ np.linalg.inv(cells[frame]).T, axis=1)
            q.add(frames[k : k + 1], (np.bincount(shells, lengths, len(n_vectors)) / per_shell)[None])
    pairs = ((ALL, ALL), *((str(names[a]), str(names[b])) for a, b in zip(first, second, strict=True)))
    return StructureFactor(q.mean, pairs, sums.mean, sums.error, per_shell, trajectory.n_frames)


def _vectors(cell: Float, q_max: float, bin_width: float, most: int) -> tuple[Int, Int, Int]:
    """Integer triples of one half space below q_max, their shells (numbered without gaps), vectors per
    shell.
    """
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T  # rows
    # |n_d| ≤ q_max |a_d| / 2π
    reach = np.floor(q_max * np.linalg.norm(cell, axis=1) / (2 * np.pi)).astype(int)
    axes = [np.arange(-n, n + 1) for n in reach]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[len(grid) // 2 + 1 :]  # behind the origin in lexicographic order: one of q and −q
    lengths = np.linalg.norm(grid @ reciprocal, axis=1)
    inside = lengths < q_max
    grid, lengths = grid[inside], lengths[inside]
    if len(grid) == 0:
        raise InputError(f"no reciprocal vector is shorter than q_max = {q_max}; the shortest of the cell is longer")
    shell = (lengths / bin_width).astype(int)
    chosen = []
    for number in np.unique(shell):
        members = np.flatnonzero(shell == number)
        if len(members) > most:
            members = members[np.linspace(0, len(members) - 1, most).round().astype(int)]
        chosen.append(members)
    kept = np.concatenate(chosen)
    shells = np.repeat(np.arange(len(chosen)), [len(members) for members in chosen])
    return grid[kept].astype(np.int64), shells, np.array([len(members) for members in chosen])
