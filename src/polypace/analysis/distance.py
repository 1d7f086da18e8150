"""How far two distributions are apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polypace.analysis.distributions import ALL, Distribution
from polypace.analysis.radial import RDF
from polypace.errors import InputError
from polypace.trajectory.source import Float


@dataclass(frozen=True)
class DistributionDistance:
    """Measures of the difference of two distributions p and q.

    Parameters
    ----------
    wasserstein : float
        W₁ = ∫|P − Q| dx of the cumulative distributions (on the circle for dihedrals), in `unit`: by how far
        the mass has to move on average.
    integrated : float
        ½∫|p − q| dx: 0 for equal, 1 for disjoint distributions.
    noise : float
        What `integrated` would be on average from the statistical errors alone; NaN where these are not
        known.
    largest : float
        max |p − q| of the curves as they are plotted (probability density, or g(r)).
    unit : str
        Unit of the abscissa.
    """

    wasserstein: float
    integrated: float
    noise: float
    largest: float
    unit: str


def distribution_distance(
    reference: Distribution | RDF,
    other: Distribution | RDF,
    label: str | tuple[str, str] = ALL,
    part: str = "inter",
) -> DistributionDistance:
    """Distance of two distributions of the same quantity.

    For an RDF p is the share of the pairs up to r_max that lie at r, p(r) ∝ r² g(r).

    Parameters
    ----------
    reference, other : Distribution or RDF
        Of two runs, with the same bin width.
    label : str or (str, str)
        Kind of bond, angle, dihedral, or pair of types.
    part : "inter", "intra" or "total"
        Part of an RDF; "total" is used where molecules are not known.

    Raises
    ------
    InputError
        where the two are not of the same quantity, or their bins do not match.

    Source: Villani, Optimal Transport (2009), remark 6.5; on the circle Delon, Salomon & Sobolevski, SIAM J.
    Appl. Math. 70, 2239 (2010).
    """
    if isinstance(reference, RDF) and isinstance(other, RDF):
        pair = (ALL, ALL) if label == ALL else label
        if isinstance(pair, str):
            raise InputError(f"label of an RDF must be a pair of types, got {label!r}")
        return _rdf_distance(reference, other, pair, part)
    if isinstance(reference, Distribution) and isinstance(other, Distribution):
        if reference.quantity != other.quantity:
            raise InputError(f"cannot compare {reference.quantity} with {other.quantity}")
        if not isinstance(label, str):
            raise InputError(f"label must be a text such as 'CH2-CH2', got {label!r}")
        return _density_distance(reference, other, label)
    raise InputError(f"cannot compare {type(reference).__name__} with {type(other).__name__}")


def _density_distance(reference: Distribution, other: Distribution, label: str) -> DistributionDistance:
    edges, (p, q, p_error, q_error) = _common_bins(
        reference.edges,
        other.edges,
        (reference.density[reference.index(label)], reference.density_error[reference.index(label)]),
        (other.density[other.index(label)], other.density_error[other.index(label)]),
    )
    width = np.diff(edges)
    return _measure(
        p * width, q * width, p_error * width, q_error * width, p - q, edges, reference.period, reference.unit
    )


def _rdf_distance(reference: RDF, other: RDF, pair: tuple[str, str], part: str) -> DistributionDistance:
    if part not in ("inter", "intra", "total"):
        raise InputError(f"part must be 'inter', 'intra' or 'total', got {part!r}")
    if np.isnan(reference.inter_fraction[0]) or np.isnan(other.inter_fraction[0]):
        part = "total"
    a, b = reference.index(*pair), other.index(*pair)
    n = min(len(reference.r), len(other.r))
    edges = reference.edges[: n + 1]
    if not np.allclose(edges, other.edges[: n + 1], rtol=0, atol=1e-9):
        raise InputError("the two g(r) have different bins; compute both with the same bin_width")
    g, h = getattr(reference, part)[a, :n], getattr(other, part)[b, :n]
    shells = np.diff(edges**3)
    p, q = g * shells, h * shells
    errors = [getattr(run, part + "_error")[row, :n] * shells for run, row in ((reference, a), (other, b))]
    return _measure(p / p.sum(), q / q.sum(), errors[0] / p.sum(), errors[1] / q.sum(), g - h, edges, None, "Å")


def _common_bins(
    edges: Float, other: Float, mine: tuple[Float, ...], theirs: tuple[Float, ...]
) -> tuple[Float, tuple[Float, Float, Float, Float]]:
    """Both on the union of the two ranges; bins lie at multiples of the same width."""
    width = edges[1] - edges[0]
    shift = (other[0] - edges[0]) / width
    if abs(other[1] - other[0] - width) > 1e-9 * width or abs(shift - round(shift)) > 1e-6:
        raise InputError("the two distributions have different bins; compute both with the same bin_width")
    first = min(0, round(shift))
    last = max(len(edges) - 1, round(shift) + len(other) - 1)

    def padded(values: Float, begin: int) -> Float:
        return np.pad(values, (begin - first, last - begin - len(values)))

    (p, p_error), (q, q_error) = mine, theirs
    start = round(shift)
    union = edges[0] + width * np.arange(first, last + 1)
    return union, (padded(p, 0), padded(q, start), padded(p_error, 0), padded(q_error, start))


def _measure(
    p: Float,
    q: Float,
    p_error: Float,
    q_error: Float,
    difference: Float,
    edges: Float,
    period: float | None,
    unit: str,
) -> DistributionDistance:
    """Of probabilities p and q per bin."""
    cumulative = np.cumsum(p - q)
    width = np.diff(edges)
    if period is not None:
        # On a circle mass may go either way round: the best cut shifts the difference by its median.
        cumulative = cumulative - np.median(cumulative)
    noise = 0.5 * np.sqrt(2 / np.pi) * np.sqrt(p_error**2 + q_error**2).sum()
    return DistributionDistance(
        wasserstein=float(np.sum(np.abs(cumulative) * width)),
        integrated=float(0.5 * np.abs(p - q).sum()),
        noise=float(noise),
        largest=float(np.abs(difference).max()),
        unit=unit,
    )
