"""Radial distribution functions, split into what is within and what is between molecules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace import _core
from polypace.analysis.blocks import N_BLOCKS, BlockSums, standard_error
from polypace.errors import InputError
from polypace.trajectory import Trajectory
from polypace.trajectory.source import Float, Int

ALL = "all"


@dataclass(frozen=True)
class RDF:
    """Radial distribution functions g(r) of pairs of types.

    Parameters
    ----------
    r, edges : (n_bins,), (n_bins + 1,)
        Centres and edges of the bins, Å.
    pairs : tuple of (str, str)
        Pairs of type names; the first is ("all", "all"), all atoms whatever their type.
    total, total_error : (n_pairs, n_bins)
        g(r) of all pairs: 1 for an ideal gas.
    inter, inter_error : (n_pairs, n_bins)
        g(r) of pairs in different molecules, normalised by the number of such pairs, so that it tends to 1
        also for few molecules; NaN where molecules are unknown.
    intra, intra_error : (n_pairs, n_bins)
        Pairs within a molecule, normalised as `total`: total = intra + inter_fraction·inter; NaN where
        unknown.
    inter_fraction : (n_pairs,)
        Share of the pairs that are in different molecules.
    number_density : (n_pairs,)
        Mean density of the second type, Å⁻³: 4π∫ρ g r² dr counts neighbours.
    n_frames : int
        Frames that were averaged; errors are those of block means.
    """

    r: Float
    edges: Float
    pairs: tuple[tuple[str, str], ...]
    total: Float
    total_error: Float
    inter: Float
    inter_error: Float
    intra: Float
    intra_error: Float
    inter_fraction: Float
    number_density: Float
    n_frames: int

    def index(self, first: str = ALL, second: str = ALL) -> int:
        """Row of a pair of type names, in either order.

        Raises
        ------
        InputError
            where there is no such pair.
        """
        for k, pair in enumerate(self.pairs):
            if pair in ((first, second), (second, first)):
                return k
        raise InputError(f"there is no pair {first}-{second}; there are {', '.join('-'.join(p) for p in self.pairs)}")


def rdf(
    trajectory: Trajectory,
    r_max: float,
    bin_width: float = 0.05,
    *,
    n_blocks: int = N_BLOCKS,
    n_threads: int = 0,
) -> RDF:
    """Radial distribution functions of all pairs of types, within and between molecules.

    g_ab(r) = V · n_ab(r) / (P_ab · 4π/3 [(r+Δ/2)³ − (r−Δ/2)³]), with n_ab(r) the number of pairs in the bin
    and P_ab the number of pairs there are (N_a N_b, or N_a (N_a−1)/2), averaged over frames. Molecules are
    made whole first: a pair of a chain with its own periodic image is between molecules, not within.

    Parameters
    ----------
    trajectory : Trajectory
        Periodic; with bonds, or molecules and image flags, for the split.
    r_max, bin_width : float
        Å; r_max at most half the smallest height of the cell. r_max is rounded to whole bins.

    Raises
    ------
    InputError
        where there is no cell, or r_max does not fit.

    Source: Allen & Tildesley, Computer Simulation of Liquids (2017), section 8.2.
    """
    n_bins = _check(trajectory, r_max, bin_width)
    names, codes = np.unique(trajectory.types, return_inverse=True)
    types = codes.reshape(-1).astype(np.int32)
    n_types = len(names)
    members = _Members.of(trajectory)
    reader = trajectory if members is None else trajectory.whole()
    rows = n_types * (n_types + 1) // 2
    sums = BlockSums(trajectory.n_frames, (2, rows, n_bins), n_blocks)
    cells, volumes = trajectory.cells, trajectory.volumes
    for frames, positions in reader.blocks():
        for k, frame in enumerate(frames):
            values = np.zeros((1, 2, rows, n_bins))
            counts = _core.structure.count_pairs(
                positions[k],
                types,
                cells[frame],
                trajectory.pbc,
                n_bins * bin_width,
                n_bins,
                n_types,
                n_threads,
            )
            values[0, 0] = volumes[frame] * counts
            if members is not None:
                own = _core.structure.count_molecule_pairs(
                    positions[k],
                    types,
                    members.offsets,
                    members.atoms,
                    n_bins * bin_width,
                    n_bins,
                    n_types,
                    n_threads,
                )
                values[0, 1] = volumes[frame] * own
            sums.add(frames[k : k + 1], values)
    return _normalised(trajectory, names.tolist(), types, members, sums, bin_width)


@dataclass(frozen=True)
class _Members:
    """Atoms of each molecule, one molecule behind the other."""

    offsets: Int
    atoms: Int
    molecules: Int

    @classmethod
    def of(cls, trajectory: Trajectory) -> _Members | None:
        molecules = trajectory.topology.molecules
        if molecules is None or not trajectory.can_be_whole:
            return None
        sizes = np.bincount(molecules)
        return cls(np.concatenate([[0], np.cumsum(sizes)]), np.argsort(molecules, kind="stable"), molecules)


def _check(trajectory: Trajectory, r_max: float, bin_width: float) -> int:
    if not (0 < bin_width <= r_max and np.isfinite(r_max)):
        raise InputError(f"r_max and bin_width must be positive and finite, got {r_max} and {bin_width}")
    if not any(trajectory.pbc):
        raise InputError(f"{trajectory.name}: g(r) needs a density, but there is no periodic cell")
    heights = 1 / np.linalg.norm(np.linalg.inv(trajectory.cells), axis=1)
    smallest = float(heights[:, list(trajectory.pbc)].min())
    n_bins = max(1, round(r_max / bin_width))
    if n_bins * bin_width > smallest / 2:
        raise InputError(
            f"r_max must be at most half the smallest height of the cell, {smallest / 2:.4g} Å, "
            f"got {n_bins * bin_width:.4g}"
        )
    return n_bins


def _pair_numbers(types: npt.NDArray[np.int32], n_types: int, members: _Members | None) -> tuple[Float, Float]:
    """Number of pairs of each pair of types, and of those within molecules."""
    first, second = np.triu_indices(n_types)

    def pairs(counts: Float) -> Float:
        a, b = counts[..., first], counts[..., second]
        return np.where(first == second, a * (a - 1) / 2, a * b)

    total = pairs(np.bincount(types, minlength=n_types).astype(float))
    if members is None:
        return total, np.zeros_like(total)
    table = np.zeros((int(members.molecules.max()) + 1, n_types))
    np.add.at(table, (members.molecules, types), 1)
    return total, pairs(table).sum(axis=0)


def _normalised(
    trajectory: Trajectory,
    names: list[str],
    types: npt.NDArray[np.int32],
    members: _Members | None,
    sums: BlockSums,
    width: float,
) -> RDF:
    n_types = len(names)
    first, second = np.triu_indices(n_types)
    pairs = ((ALL, ALL), *((names[a], names[b]) for a, b in zip(first, second, strict=True)))
    total_pairs, own_pairs = _with_all(np.stack(_pair_numbers(types, n_types, members))[..., None])[..., 0]
    means = _with_all(sums.means)  # (n_blocks, 2, n_pairs, n_bins)
    n_bins = means.shape[-1]
    edges = width * np.arange(n_bins + 1)
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = means[:, 0] / (total_pairs[:, None] * shells)
        intra = means[:, 1] / (total_pairs[:, None] * shells)
        inter = (means[:, 0] - means[:, 1]) / ((total_pairs - own_pairs)[:, None] * shells)
        fraction = 1 - own_pairs / total_pairs
    if members is None:
        intra, inter, fraction = (np.full_like(values, np.nan) for values in (intra, inter, fraction))
    weights = sums.weights
    counts = np.bincount(types, minlength=n_types)
    numbers = np.concatenate([[counts.sum()], counts[second]])
    (total, total_error), (inter, inter_error), (intra, intra_error) = (
        _mean_and_error(values, weights) for values in (total, inter, intra)
    )
    inverse_volume = float(np.mean(1 / trajectory.volumes))
    return RDF(
        r=(edges[1:] + edges[:-1]) / 2,
        edges=edges,
        pairs=pairs,
        total=total,
        total_error=total_error,
        inter=inter,
        inter_error=inter_error,
        intra=intra,
        intra_error=intra_error,
        inter_fraction=fraction,
        number_density=numbers * inverse_volume,
        n_frames=trajectory.n_frames,
    )


def _with_all(values: Float) -> Float:
    """Put the sum over all pairs of types before them, along the last axis but one."""
    return np.concatenate([values.sum(axis=-2, keepdims=True), values], axis=-2)


def _mean_and_error(block_means: Float, weights: Float) -> tuple[Float, Float]:
    return np.tensordot(weights, block_means, axes=1), standard_error(block_means)
