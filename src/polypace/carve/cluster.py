"""What carving gives: atoms with weights, bonds, and where everything came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ase
import numpy as np
import numpy.typing as npt

from polypace.melt import Melt


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
    provenance : dict
        JSON-able: frame, mode, radii, seeds, kept atoms with their cells, cut bonds, caps, bridged gaps,
        promoted ends, largest difference of the checked environments (`environment_error`, Å).
    """

    atoms: ase.Atoms
    bonds: npt.NDArray[np.int64]
    provenance: dict[str, Any]

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
