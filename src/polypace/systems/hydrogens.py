"""Hydrogens on carbon backbones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Geometry of the OPLS-AA minimum: bond C-H (Å), angles H-C-H and H-C-C (rad).
_BOND, _HCH, _HCC = 1.09, np.deg2rad(107.8), np.deg2rad(110.7)


def add_hydrogens(backbones: Floats) -> Floats:
    """(n_chains, 3n + 2, 3) positions (Å) of n-alkanes on backbones (n_chains, n, 3): each carbon, then its
    hydrogens.

    Methylene hydrogens lie in the plane that halves the carbon angle; methyl groups are staggered.
    """
    n = backbones.shape[1]
    if n == 1:
        corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
        return np.concatenate([backbones, backbones + _BOND * corners], axis=1)
    groups = [_methyl(backbones, 0, 1)]
    for atom in range(1, n - 1):
        groups.append(_methylene(backbones, atom))
    groups.append(_methyl(backbones, n - 1, n - 2))
    return np.concatenate(groups, axis=1)


def _methylene(chains: Floats, atom: int) -> Floats:
    center = chains[:, atom]
    left, right = _unit(center - chains[:, atom - 1]), _unit(center - chains[:, atom + 1])
    outward, normal = _unit(left + right), _unit(np.cross(left, right))
    arms = [np.cos(_HCH / 2) * outward + sign * np.sin(_HCH / 2) * normal for sign in (1, -1)]
    return np.stack([center, *(center + _BOND * arm for arm in arms)], axis=1)


def _methyl(chains: Floats, atom: int, neighbor: int) -> Floats:
    center, inner = chains[:, atom], chains[:, neighbor]
    axis = _unit(center - inner)
    if chains.shape[1] > 2:
        beyond = chains[:, 2 * neighbor - atom] - inner
    else:
        # Ethane: the product turns over with the axis, which makes its two ends staggered.
        beyond = np.cross(axis, np.array([0.6, -0.8, 0.12]))
    # Trans to the next carbon and a third of a turn to both sides.
    trans = -_unit(beyond - np.sum(beyond * axis, axis=1, keepdims=True) * axis)
    side = np.cross(axis, trans)
    hydrogens = []
    for angle in (0.0, 2 * np.pi / 3, -2 * np.pi / 3):
        radial = np.cos(angle) * trans + np.sin(angle) * side
        hydrogens.append(center + _BOND * (-np.cos(_HCC) * axis + np.sin(_HCC) * radial))
    return np.stack([center, *hydrogens], axis=1)


def _unit(vectors: Floats) -> Floats:
    length: Floats = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / length
