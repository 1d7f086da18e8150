"""Rouse chains by their normal modes: exact trajectories and the exact displacements that belong to them."""

from __future__ import annotations

import numpy as np


def mode_strengths(n_beads):
    """Eigenvalues 4 sin²(pπ/2N) of the chain, p = 1 … N−1."""
    return 4 * np.sin(np.arange(1, n_beads) * np.pi / (2 * n_beads)) ** 2


def mode_shapes(n_beads):
    """(N, N): orthonormal cosine modes, row p."""
    i, p = np.arange(n_beads) + 0.5, np.arange(n_beads)[:, None]
    shapes = np.sqrt(2 / n_beads) * np.cos(p * np.pi * i / n_beads)
    shapes[0] = np.sqrt(1 / n_beads)
    return shapes


def rouse_trajectory(rng, n_frames, n_chains, n_beads, dt, rate=1.0, bond=1.0):
    """(n_frames, n_chains·n_beads, 3) with bond² = ⟨|r_{i+1} − r_i|²⟩ and rate W = 3kT/(ζ b²)."""
    variance = bond**2 / (3 * mode_strengths(n_beads))
    decay = np.exp(-rate * mode_strengths(n_beads) * dt)
    modes = np.empty((n_frames, n_chains, n_beads, 3))
    modes[0, :, 1:] = rng.normal(size=(n_chains, n_beads - 1, 3)) * np.sqrt(variance)[:, None]
    modes[:, :, 0] = np.sqrt(2 * rate * bond**2 / 3 * dt) * rng.normal(size=(n_frames, n_chains, 3)).cumsum(axis=0)
    kick = np.sqrt(variance * (1 - decay**2))[:, None]
    for frame in range(1, n_frames):
        noise = kick * rng.normal(size=(n_chains, n_beads - 1, 3))
        modes[frame, :, 1:] = decay[:, None] * modes[frame - 1, :, 1:] + noise
    positions = np.einsum("fcpd,pi->fcid", modes, mode_shapes(n_beads))
    return positions.reshape(n_frames, n_chains * n_beads, 3)


def rouse_g1(lag, n_beads, rate=1.0, bond=1.0):
    """Mean over all beads, without removal of drift."""
    strengths = mode_strengths(n_beads)
    internal = (2 * bond**2 / strengths * (1 - np.exp(-rate * strengths * lag[:, None]))).sum(axis=1)
    return (internal + 2 * rate * bond**2 * lag) / n_beads


def rouse_g3(lag, n_beads, rate=1.0, bond=1.0):
    return 2 * rate * bond**2 * lag / n_beads
