"""What carving gives: atoms with weights, bonds, and where everything came from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ase
import numpy as np
import numpy.typing as npt

from polypace.carve.settings import CarveSettings
from polypace.melt import Melt


@dataclass(frozen=True)
class Record:
    """Rows of the core's tables that belong to one cluster; made a dictionary only when asked for."""

    settings: CarveSettings
    atoms: npt.NDArray[np.int64]
    cuts: npt.NDArray[np.int64]
    cap_parents: npt.NDArray[np.int64]
    seeds: npt.NDArray[np.int64]
    requests: npt.NDArray[np.int64]
    bridged: npt.NDArray[np.int64]
    promoted: npt.NDArray[np.int64]
    scalars: npt.NDArray[np.float64]

    def as_dictionary(self) -> dict[str, Any]:
        settings, source = self.settings, self.atoms[:, 0]
        n_kept = len(source) - len(self.cap_parents)
        buffer_radius, contact, error = self.scalars[0].tolist()
        return {
            "source": settings.source,
            "mode": settings.mode,
            "labels": settings.labels,
            "requests": self.requests[:, 0].tolist(),
            "seeds": source[self.seeds[:, 0]].tolist(),
            "core_radius": settings.core_radius,
            "buffer_radius": buffer_radius,
            "requested_buffer_radius": settings.buffer_radius,
            "cutoff": settings.cutoff,
            "reference_cutoff": settings.reference_cutoff,
            "intact_radius": settings.intact_radius,
            "kept": source[:n_kept].tolist(),
            "cells": self.atoms[:n_kept, 1:4].tolist(),
            "cut_bonds": np.column_stack([source[self.cuts[:, 0]], self.cuts[:, 1]]).tolist(),
            "retyped": self.cuts[:, 0].tolist() if settings.united else [],
            "caps": [[n_kept + cap, parent] for cap, parent in enumerate(self.cap_parents[:, 0].tolist())],
            "bridged": source[self.bridged[:, 0]].tolist(),
            "promoted": source[self.promoted[:, 0]].tolist(),
            "closest_cap_contact": contact if len(self.cap_parents) else None,
            "environment_error": error,
        }


@dataclass(frozen=True)
class Cluster:
    """A cluster carved out of a melt.

    Parameters
    ----------
    atoms : ase.Atoms
        Å; without images in a box of vacuum, or in a small periodic cell. Arrays, one entry per atom:
        `force_weight` (1 where the force counts, else 0), `type_name` (with the new end groups), `mol_id`
        (bonded piece of the cluster, 0-based), `source` (atom of the melt, −1 for a cap), `core` (within the
        core radius of a seed). `info["energy_weight"]` is 0 for inherited labels.
    bonds : (n_bonds, 2) int64
        Bonded pairs of the cluster, caps included, each once.
    record : Record
        Where everything came from, as arrays; `provenance` has it as a dictionary.
    """

    atoms: ase.Atoms
    bonds: npt.NDArray[np.int64]
    record: Record

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """JSON-able: frame, mode, radii, seeds, kept atoms with their cells, cut bonds, caps, bridged gaps,
        promoted ends, largest difference of the checked environments (`environment_error`, Å).
        """
        return self.record.as_dictionary()

    @property
    def melt(self) -> Melt:
        """The cluster with its bonds, pieces and types: what a classical force field needs to label it."""
        types = tuple(str(name) for name in self.atoms.arrays["type_name"])
        return Melt(self.atoms, self.bonds, self.atoms.arrays["mol_id"], types)

    @property
    def source(self) -> npt.NDArray[np.int64]:
        """(n_atoms,): atom of the melt that each atom was, −1 for caps."""
        return np.asarray(self.atoms.arrays["source"], dtype=np.int64)

    @property
    def force_weight(self) -> npt.NDArray[np.float64]:
        """(n_atoms,): 1 where the force counts, else 0."""
        return np.asarray(self.atoms.arrays["force_weight"], dtype=np.float64)
