"""Windowed averages by their definition: slow and obvious."""

from __future__ import annotations

import numpy as np


def msd_directions(positions):
    """(n_frames, 3): mean square displacement along x, y, z at every lag, over all particles and time origins."""
    r = np.asarray(positions, dtype=np.float64)
    return np.array([((r[m:] - r[: len(r) - m]) ** 2).mean(axis=(0, 1)) for m in range(len(r))])


def autocorrelation(series):
    """(n_frames,): ⟨x(t₀)·x(t₀+m)⟩ over the particles and directions of (n_frames, n_particles, n_directions)."""
    x = np.asarray(series, dtype=np.float64)
    return np.array([(x[m:] * x[: len(x) - m]).sum(axis=2).mean() for m in range(len(x))])
