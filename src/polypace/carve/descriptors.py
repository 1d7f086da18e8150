"""Do descriptors (or extrapolation grades) of the core survive carving?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ase
import numpy as np
import numpy.typing as npt

from polypace.carve.cluster import Cluster
from polypace.errors import InputError, UnstableRunError
from polypace.melt import Melt

#: Atoms → one row (or number) per atom; the same function sees the melt and the clusters.
Descriptor = Callable[[ase.Atoms], npt.ArrayLike]


def compare_descriptors(
    melt: Melt, clusters: Sequence[Cluster], descriptor: Descriptor, tolerance: float = 1e-10
) -> npt.NDArray[np.float64]:
    """Largest difference of a descriptor between melt and cluster, over the atoms whose force counts.

    d_c = max |B_i(cluster) − B_s(i)(melt)| / max(1, max |B_s(i)(melt)|), i with force weight 1, s(i) its atom
    in the melt. Zero to rounding wherever the sphere of the descriptor's cutoff is whole.

    Parameters
    ----------
    descriptor : callable
        Maps ase.Atoms (with the array `type_name`) to an array with one row per atom, for example
        ``lambda atoms: projections([atoms], potential)[0]`` or γ.

    Returns
    -------
    (n_clusters,) float64

    Raises
    ------
    UnstableRunError
        where a difference exceeds `tolerance`: then the clusters were carved with a `cutoff` smaller than the
        descriptor's.
    """
    before = _rows(descriptor, _with_types(melt.atoms, melt.types), "the melt")
    differences = np.zeros(len(clusters))
    for index, cluster in enumerate(clusters):
        after = _rows(descriptor, cluster.atoms, f"cluster {index}")
        counts = np.flatnonzero(cluster.force_weight)
        wanted = before[cluster.source[counts]]
        scale = max(1.0, float(np.abs(wanted).max(initial=0.0)))
        differences[index] = np.abs(after[counts] - wanted).max(initial=0.0) / scale
        if not differences[index] <= tolerance:
            raise UnstableRunError(
                f"descriptors of cluster {index} (seeds {cluster.provenance['seeds']}) differ from the "
                f"melt's by {differences[index]:.3g}, more than {tolerance:g}: carve with cutoff= at least "
                f"the descriptor's cutoff (it was {cluster.provenance['cutoff']} Å)"
            )
    return differences


def _with_types(atoms: ase.Atoms, types: Sequence[str]) -> ase.Atoms:
    named: ase.Atoms = atoms.copy()
    named.arrays["type_name"] = np.array(types)
    return named


def _rows(descriptor: Descriptor, atoms: ase.Atoms, where: str) -> npt.NDArray[np.float64]:
    rows = np.asarray(descriptor(atoms), dtype=np.float64)
    if rows.ndim == 0 or len(rows) != len(atoms):
        raise InputError(
            f"descriptor must return one row for each of the {len(atoms)} atoms of {where}, got shape {rows.shape}"
        )
    return rows.reshape(len(atoms), -1)
