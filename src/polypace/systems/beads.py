"""Bead-spring conformations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from polypace.forcefields import ForceField
from polypace.systems.conformations import place_chains

Floats = npt.NDArray[np.float64]

#: Mean Kremer-Grest bond (σ) at kT = ε, and its spread.
BOND, _BOND_SPREAD = 0.965, 0.03


def bending_stiffness(force_field: ForceField) -> float:
    """kθ (ε) of bead-spring chains; 0 where they bend freely."""
    return float(force_field.angles[0].coefficients[0]) if force_field.angles else 0.0


def sample_beads(
    lengths: npt.NDArray[np.int64], force_field: ForceField, temperature: float, rng: np.random.Generator
) -> list[Floats]:
    """Backbones (σ) of bead-spring chains: bond angles with weight exp{−[kθ(1 + cos θ) + U_WCA(r_13)]/kT},
    free torsions.

    `temperature` in ε/k.
    """
    longest, n_chains = int(lengths.max()), len(lengths)
    bonds = BOND + _BOND_SPREAD * rng.standard_normal((n_chains, max(longest - 1, 0)))
    angles = np.linspace(0.0, np.pi, 2001)[1:]
    weights = np.cumsum(bend_weights(angles, bending_stiffness(force_field), temperature))
    draws = rng.random((n_chains, max(longest - 2, 0))) * weights[-1]
    bends = angles[np.minimum(np.searchsorted(weights, draws), len(angles) - 1)]
    torsions = rng.uniform(-np.pi, np.pi, (n_chains, max(longest - 3, 0)))
    chains = place_chains(bonds, np.clip(bends, 0.05, np.pi - 0.01), torsions)
    return [chain[:length] for chain, length in zip(chains, lengths.tolist(), strict=True)]


def bend_weights(angles: Floats, stiffness: float, temperature: float) -> Floats:
    """Weight of bond angles θ (rad, π straight), with the solid angle sin θ."""
    distance = 2 * BOND * np.sin(angles / 2)
    six = np.maximum(distance, 0.6) ** -6
    repulsion = np.where(distance < 2 ** (1 / 6), 4 * (six**2 - six) + 1, 0.0)
    energy = stiffness * (1 + np.cos(angles)) + repulsion
    weights: Floats = np.sin(angles) * np.exp(-np.minimum(energy / temperature, 200.0))
    return weights
