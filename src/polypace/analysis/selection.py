"""Particles and molecules as users name them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.analysis.chains import find_backbones
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def selected_particles(particles: npt.ArrayLike | None, n_particles: int) -> Integers:
    """Particle numbers from a list of numbers, one bool for each particle, or None (all)."""
    if particles is None:
        return np.arange(n_particles, dtype=np.int64)
    chosen = np.asarray(particles)
    if chosen.dtype == bool and chosen.shape == (n_particles,):
        chosen = np.flatnonzero(chosen)
    if chosen.ndim != 1 or chosen.size == 0 or not np.issubdtype(chosen.dtype, np.integer):
        raise InputError("particles must be a list of one or more particle numbers, or one bool for each particle")
    if chosen.min() < 0 or chosen.max() >= n_particles:
        raise InputError(f"particles must be 0…{n_particles - 1}, got {chosen.min()}…{chosen.max()}")
    return np.ascontiguousarray(chosen, dtype=np.int64)


def molecule_numbers(molecules: npt.ArrayLike, n_particles: int) -> Integers:
    """(n_particles,) numbers 0, 1, … of the molecules, in the order in which they first occur."""
    units = np.asarray(molecules)
    if units.shape != (n_particles,) or not np.issubdtype(units.dtype, np.integer):
        raise InputError(f"molecules must hold one integer for each of the {n_particles} particles")
    _, first, inverse = np.unique(units, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse])


def chain_numbers(molecules: npt.ArrayLike | None, trajectory: Any, n_particles: int) -> Integers:
    """Chain of every particle, given or known to the trajectory.

    Raises
    ------
    InputError
        where neither is.
    """
    if molecules is None:
        molecules = getattr(getattr(trajectory, "topology", None), "molecules", None)
    if molecules is None:
        raise InputError("molecules is needed: the chain of every particle, for example molecules=np.arange(n) // N")
    return molecule_numbers(molecules, n_particles)


def particle_masses(masses: npt.ArrayLike | None, n_particles: int) -> Floats:
    """(n_particles,) positive masses; all one where None."""
    if masses is None:
        return np.ones(n_particles)
    values = np.asarray(masses, dtype=np.float64)
    if values.shape != (n_particles,):
        raise InputError(f"masses must hold one mass for each of the {n_particles} particles, got {values.shape}")
    if not (values > 0).all():
        raise InputError(f"masses must be positive, got {values.min()}")
    return values


def chain_order(molecules: npt.ArrayLike | None, trajectory: Any, chains: Integers) -> Integers:
    """Particles chain by chain, each from end to end: along the bonds where the trajectory has them (its backbones
    then, without hydrogens and side groups), else in the order of their numbers.
    """
    topology = getattr(trajectory, "topology", None)
    if molecules is not None or topology is None or not len(topology.bonds):
        return np.argsort(chains, kind="stable")
    beads = find_backbones(topology).beads
    return np.asarray(beads[np.argsort(chains[beads], kind="stable")])


def central_particles(chains: Integers, order: Integers, n_central: int) -> Integers:
    """The `n_central` middle particles of every chain; `order` names the particles chain by chain."""
    if n_central < 1:
        raise InputError(f"the number of central beads must be positive, got {n_central}")
    counts = np.bincount(chains[order])
    if n_central > counts.min():
        raise InputError(f"the shortest molecule has {counts.min()} beads, fewer than the {n_central} central ones")
    starts = np.cumsum(counts) - counts + (counts - n_central) // 2
    return np.sort(order[(starts[:, None] + np.arange(n_central)).ravel()])
