"""Bead-spring conformations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from polypace.forcefields import ForceField
from polypace.systems.conformations import place_chains

Floats = npt.NDArray[np.float64]

#: Mean Kremer-Grest bond (σ) at kT = ε, and its spread.
BOND, _BOND_SPREAD = 0.965, 0.03
#: Characteristic ratio of Kremer-Grest melts against kθ: R. Auhl et al., J. Chem. Phys. 119, 12718 (2003); R.
#: Everaers et al., Science 303, 823 (2004); R. S. Hoy et al., Phys. Rev. E 80, 031803 (2009).
_STIFFNESS, _RATIO = (0.0, 0.75, 1.5, 2.0), (1.88, 2.25, 2.88, 3.35)


def bending_stiffness(force_field: ForceField) -> float:
    """kθ (ε) of bead-spring chains; 0 where they bend freely."""
    return float(force_field.angles[0].coefficients[0]) if force_field.angles else 0.0


def mean_bend_cosine(stiffness: float) -> float:
    """a = (C − 1)/(C + 1): mean cosine between bonds of the freely rotating chain with the melt's published
    C∞.
    """
    ratio = float(np.interp(stiffness, _STIFFNESS, _RATIO))
    return (ratio - 1) / (ratio + 1)


def sample_beads(
    lengths: npt.NDArray[np.int64], force_field: ForceField, temperature: float, rng: np.random.Generator
) -> list[Floats]:
    """Backbones (σ) of bead-spring chains, torsions free, `temperature` in ε/k.

    Bond angles have the weight exp{−[kθ(1 + cos θ) + U_WCA(r_13)]/kT + λ cos θ}, with λ such that the chain
    has the published C∞ of melts: what beads further along the chain add to the stiffness is in λ.
    """
    longest, n_chains = int(lengths.max()), len(lengths)
    bonds = BOND + _BOND_SPREAD * rng.standard_normal((n_chains, max(longest - 1, 0)))
    angles = np.linspace(0.0, np.pi, 2001)[1:]
    stiffness = bending_stiffness(force_field)
    weights = _tilted(angles, bend_weights(angles, stiffness, temperature), mean_bend_cosine(stiffness))
    draws = rng.random((n_chains, max(longest - 2, 0))) * weights.sum()
    bends = angles[np.minimum(np.searchsorted(np.cumsum(weights), draws), len(angles) - 1)]
    torsions = rng.uniform(-np.pi, np.pi, (n_chains, max(longest - 3, 0)))
    chains = place_chains(bonds, np.clip(bends, 0.05, np.pi - 0.01), torsions)
    return [chain[:length] for chain, length in zip(chains, lengths.tolist(), strict=True)]


def _tilted(angles: Floats, weights: Floats, cosine: float) -> Floats:
    """The weights times exp(λ cos θ), with λ such that the mean of −cos θ is `cosine`."""

    def excess(tilt: float) -> float:
        tilted = weights * np.exp(tilt * np.cos(angles))
        return float(np.sum(-np.cos(angles) * tilted) / tilted.sum() - cosine)

    best: Floats = weights * np.exp(brentq(excess, -20.0, 20.0) * np.cos(angles))
    return best


def bend_weights(angles: Floats, stiffness: float, temperature: float) -> Floats:
    """Weight of bond angles θ (rad, π straight), with the solid angle sin θ."""
    distance = 2 * BOND * np.sin(angles / 2)
    six = np.maximum(distance, 0.6) ** -6
    repulsion = np.where(distance < 2 ** (1 / 6), 4 * (six**2 - six) + 1, 0.0)
    energy = stiffness * (1 + np.cos(angles)) + repulsion
    weights: Floats = np.sin(angles) * np.exp(-np.minimum(energy / temperature, 200.0))
    return weights
