"""Distributions of bond lengths, angles and dihedrals."""

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
class Distribution:
    """Probability densities of one quantity, one row per kind ("CH2-CH2", …).

    Parameters
    ----------
    quantity, unit : str
        What it is, and its unit ("bond length", "Å").
    labels : tuple of str
        Type names along the bonds, in the direction that sorts first; the first label is "all".
    edges : (n_bins + 1,)
        Edges of the bins, in `unit`.
    density, density_error : (n_labels, n_bins)
        Probability density (1/`unit`) and its standard error from blocks of frames.
    mean, mean_error, deviation : (n_labels,)
        Mean, its standard error, and standard deviation of the values themselves, not of the bins.
    outside : (n_labels,)
        Share of the values outside of the bins.
    counts : (n_labels,) int64
        Number of these bonds, angles or dihedrals in a frame.
    period : float or None
        Period of the quantity (360 degrees for dihedrals).
    """

    quantity: str
    unit: str
    labels: tuple[str, ...]
    edges: Float
    density: Float
    density_error: Float
    mean: Float
    mean_error: Float
    deviation: Float
    outside: Float
    counts: Int
    period: float | None = None

    @property
    def centers(self) -> Float:
        """(n_bins,) centres of the bins."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    def index(self, label: str = ALL) -> int:
        """Row of a label, in either direction.

        Raises
        ------
        InputError
            where there is no such label.
        """
        backward = "-".join(reversed(label.split("-")))
        for wanted in (label, backward):
            if wanted in self.labels:
                return self.labels.index(wanted)
        raise InputError(f"there is no {self.quantity} {label!r}; there are {', '.join(self.labels)}")


@dataclass(frozen=True)
class DihedralDistribution(Distribution):
    """Dihedral angles in degrees, −180…180; trans is |φ| > 120, gauche± the thirds around ±60.

    trans, trans_error, gauche_plus, gauche_minus : (n_labels,)
        Shares of the conformers and the standard error of the first from blocks of frames.
    """

    trans: Float = None  # type: ignore[assignment]
    trans_error: Float = None  # type: ignore[assignment]
    gauche_plus: Float = None  # type: ignore[assignment]
    gauche_minus: Float = None  # type: ignore[assignment]


def bond_distribution(
    trajectory: Trajectory, bin_width: float = 0.01, *, n_blocks: int = N_BLOCKS, n_threads: int = 0
) -> Distribution:
    """Bond lengths |r_j − r_i| (Å, nearest image) of all bonds of the topology, by the types of their atoms.

    Raises
    ------
    InputError
        where the trajectory has no bonds, or bin_width is not positive.
    """
    bonds = trajectory.bonds
    _check_width(bin_width)
    ends = trajectory.read_block(sorted({0, trajectory.n_frames // 2, trajectory.n_frames - 1}))
    frames = sorted({0, trajectory.n_frames // 2, trajectory.n_frames - 1})
    values = _core.structure.internal_coordinates(
        ends, np.ascontiguousarray(trajectory.cells[frames]), trajectory.pbc, bonds, n_threads
    )
    # Bins lie at multiples of their width, so that distributions of different runs share their edges.
    low = np.floor(0.7 * values.min() / bin_width)
    n_bins = int(np.ceil(1.3 * values.max() / bin_width) - low) + 1
    edges = bin_width * (low + np.arange(n_bins + 1))
    return _gather(trajectory, bonds, edges, n_blocks, n_threads).distribution("bond length", "Å", None)


def angle_distribution(
    trajectory: Trajectory, bin_width: float = 1.0, *, n_blocks: int = N_BLOCKS, n_threads: int = 0
) -> Distribution:
    """Angles (degrees, 0…180) of every pair of bonds that share an atom; densities without a 1/sin θ factor.

    Raises
    ------
    InputError
        where the trajectory has no bonds, or bin_width does not divide 180.
    """
    edges = _angular_edges(0.0, 180.0, bin_width)
    _ = trajectory.bonds
    return _gather(trajectory, trajectory.topology.angles, edges, n_blocks, n_threads).distribution(
        "angle", "degrees", None
    )


def dihedral_distribution(
    trajectory: Trajectory, bin_width: float = 2.0, *, n_blocks: int = N_BLOCKS, n_threads: int = 0
) -> DihedralDistribution:
    """Dihedral angles (degrees, −180…180, 180 for trans; IUPAC sign) of every chain of three bonds, and
    conformers.

    Raises
    ------
    InputError
        where the trajectory has no bonds, or bin_width does not divide 60.
    """
    edges = _angular_edges(-180.0, 180.0, bin_width, divides=60.0)
    _ = trajectory.bonds
    gathered = _gather(trajectory, trajectory.topology.dihedrals, edges, n_blocks, n_threads)
    basic = gathered.distribution("dihedral angle", "degrees", 360.0)
    centers = basic.centers
    shares = [gathered.share((low < centers) & (centers < high)) for low, high in ((0, 120), (-120, 0))]
    trans, trans_error = gathered.share(np.abs(centers) > 120)
    return DihedralDistribution(
        **vars(basic),
        trans=trans,
        trans_error=trans_error,
        gauche_plus=shares[0][0],
        gauche_minus=shares[1][0],
    )


def _check_width(bin_width: float) -> None:
    if not (np.isfinite(bin_width) and bin_width > 0):
        raise InputError(f"bin_width must be positive, got {bin_width}")


def _angular_edges(low: float, high: float, bin_width: float, divides: float | None = None) -> Float:
    _check_width(bin_width)
    span = high - low if divides is None else divides
    if abs(span / bin_width - round(span / bin_width)) > 1e-9:
        raise InputError(f"bin_width must divide {span:g} degrees, got {bin_width}")
    return np.linspace(low, high, round((high - low) / bin_width) + 1)


@dataclass(frozen=True)
class _Gathered:
    """Sums over the frames; row 0 is "all"."""

    labels: tuple[str, ...]
    edges: Float
    counts: Int  # (n_labels,) per frame
    histogram: BlockSums  # (n_labels, n_bins) per frame
    moments: BlockSums  # (n_labels, 2) per frame

    def distribution(self, quantity: str, unit: str, period: float | None) -> Distribution:
        number = np.maximum(self.counts, 1)
        scale = number[:, None] * np.diff(self.edges)
        block_means = self.moments.means[..., 0] / number
        mean = self.moments.mean[:, 0] / number
        variance = np.maximum(self.moments.mean[:, 1] / number - mean**2, 0)
        return Distribution(
            quantity,
            unit,
            self.labels,
            self.edges,
            self.histogram.mean / scale,
            self.histogram.error / scale,
            mean,
            standard_error(block_means),
            np.sqrt(variance),
            np.maximum(1 - self.histogram.mean.sum(axis=1) / number, 0),
            self.counts,
            period,
        )

    def share(self, bins: npt.NDArray[np.bool_]) -> tuple[Float, Float]:
        """Share of the values in `bins` (mask), and its error."""
        blocks = self.histogram.means[..., bins].sum(axis=-1) / np.maximum(self.counts, 1)
        return np.tensordot(self.histogram.weights, blocks, axes=1), standard_error(blocks)


def kinds(types: npt.NDArray[np.str_], tuples: Int) -> tuple[tuple[str, ...], Int]:
    """Labels ("CH2-CH3") of tuples of bonded atoms, and the label of every tuple; both directions are one
    kind.
    """
    names, codes = np.unique(types, return_inverse=True)
    rows = codes.reshape(-1)[tuples]
    backward = rows[:, ::-1]
    # Compare as numbers in base n_types: the smaller of both directions names the kind.
    weights = len(names) ** np.arange(rows.shape[1])[::-1]
    keys = np.minimum(rows @ weights, backward @ weights)
    distinct, groups = np.unique(keys, return_inverse=True)
    labels = tuple("-".join(names[(key // weights) % len(names)]) for key in distinct)
    return labels, groups.reshape(-1).astype(np.int64)


def _gather(trajectory: Trajectory, tuples: Int, edges: Float, n_blocks: int, n_threads: int) -> _Gathered:
    if len(tuples) == 0:
        raise InputError(f"{trajectory.name}: the bonds form no chains long enough for this distribution")
    labels, groups = kinds(trajectory.types, tuples)
    n_groups, n_bins = len(labels), len(edges) - 1
    histogram = BlockSums(trajectory.n_frames, (n_groups + 1, n_bins), n_blocks)
    moments = BlockSums(trajectory.n_frames, (n_groups + 1, 2), n_blocks)
    cells = trajectory.cells
    for frames, positions in trajectory.blocks():
        counts, sums = _core.structure.internal_coordinate_histograms(
            positions, np.ascontiguousarray(cells[frames]), trajectory.pbc, tuples, groups, n_groups,
            edges[0], edges[1] - edges[0], n_bins, n_threads,
        )  # fmt: skip
        histogram.add(frames, _with_all(counts.astype(np.float64)))
        moments.add(frames, _with_all(sums))
    numbers = np.bincount(groups, minlength=n_groups)
    return _Gathered((ALL, *labels), edges, np.concatenate([[numbers.sum()], numbers]), histogram, moments)


def _with_all(values: Float) -> Float:
    return np.concatenate([values.sum(axis=1, keepdims=True), values], axis=1)
