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


def chain_displacements(positions, molecules, masses, beads):
    """g1, g2, g3 (n_frames,) by their definition; displacements relative to the drift of the whole system."""
    r = np.asarray(positions, dtype=np.float64)
    masses = np.asarray(masses, dtype=np.float64)
    r = r - np.average(r, axis=1, weights=masses)[:, None]
    chains = np.unique(molecules)
    centers = np.stack(
        [np.average(r[:, molecules == c], axis=1, weights=masses[molecules == c]) for c in chains], axis=1
    )
    own = centers[:, np.searchsorted(chains, np.asarray(molecules)[beads])]
    series = (r[:, beads], r[:, beads] - own, centers)
    return tuple(msd_directions(one).sum(axis=1) for one in series)


def msd_at_times(positions, times, lag):
    """Mean square displacement of all pairs of frames a time `lag` apart."""
    r = np.asarray(positions, dtype=np.float64)
    pairs = [(i, j) for i in range(len(r)) for j in range(i, len(r)) if abs(times[j] - times[i] - lag) < 1e-9]
    return np.mean([((r[j] - r[i]) ** 2).sum(axis=1).mean() for i, j in pairs])
