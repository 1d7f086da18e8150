"""Derivatives of the embedding, which full active sets weigh projections with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from polypace._core import formats

SHARPNESS = 1e6  # W of the Finnis-Sinclair embedding: where the power law is replaced by a line


def embedding_derivatives(embedding: Any, densities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return w_p f'(ρ_p; m_p) for densities ρ, (n_atoms, n_densities) → (n_atoms, n_densities)."""
    derivative = _finnis_sinclair
    if embedding.kind == formats.EmbeddingKind.FinnisSinclairShiftedScaled:
        derivative = _shifted_scaled
    weights, exponents = embedding.parameters[0::2], embedding.parameters[1::2]
    columns = [w * derivative(densities[:, p], m) for p, (w, m) in enumerate(zip(weights, exponents, strict=True))]
    return np.column_stack(columns)


def _finnis_sinclair(rho: npt.NDArray[np.float64], m: float) -> npt.NDArray[np.float64]:
    """f = σ[(1 − g)|ρ|^m + Λ g |ρ|], g = exp(−(W|ρ|)³), Λ = W^(1−m)."""
    slope = SHARPNESS ** (1 - m)
    a = np.abs(rho)
    cubed = (SHARPNESS * a) ** 3
    g = np.where(cubed > 30, 0.0, np.exp(-np.minimum(cubed, 30.0)))
    dg = -3 * SHARPNESS**3 * a**2 * g
    safe = np.maximum(a, 1e-10)
    full = m * safe ** (m - 1) * (1 - g) - safe**m * dg + slope * a * dg + slope * g
    return np.asarray(np.where(a > 1e-10, full, slope))


def _shifted_scaled(rho: npt.NDArray[np.float64], m: float) -> npt.NDArray[np.float64]:
    """f = σ[(X + |ρ|)^m − Y], X = ν^(ν/(1−ν)) e^(−|ρ|), Y = ν^(1/(1−ν)) e^(−|ρ|), ν = 1/m."""
    if abs(m - 1) < 1e-10:
        return np.ones_like(rho)
    nu, a = 1 / m, np.abs(rho)
    x = nu ** (nu / (1 - nu)) * np.exp(-a)
    y = nu ** (1 / (1 - nu)) * np.exp(-a)
    return np.asarray(y + m * (1 - x) * (x + a) ** (m - 1))
