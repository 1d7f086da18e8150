"""Carving: requests in, clusters out. The work is done in the compiled core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from polypace._core import carve as core
from polypace.arrays import as_array
from polypace.carve.assembly import assemble_clusters
from polypace.carve.cluster import Cluster
from polypace.carve.descriptors import Descriptor, compare_descriptors
from polypace.carve.settings import CUT_DEPTH, Labels, Mode, OnExcess, check_one_of, check_settings
from polypace.errors import InputError
from polypace.melt import Melt

Centers = Sequence[int] | Sequence[Sequence[int]] | npt.NDArray[np.integer]

#: C–H lengths by the number of neighbours of the carbon: sp³, sp², sp (Å).
CAP_LENGTHS = {4: 1.09, 3: 1.08, 2: 1.06}
#: Contact radii for packing clusters periodically (Å): images stay 2.3 (H–H) to 3.7 (united atoms) apart.
CONTACT_RADII = {"hydrogen": 1.15, "heavy": 1.65, "united": 1.85}


def carve_clusters(
    melt: Melt,
    centers: Centers,
    core_radius: float,
    buffer_radius: float,
    *,
    mode: Mode = "capped",
    cutoff: float | None = None,
    labels: Labels = "cluster",
    reference_cutoff: float | None = None,
    merge: bool = True,
    max_atoms: int | None = None,
    on_excess: OnExcess = "shrink",
    core_bonds: int = 3,
    bridge_length: int = 2,
    max_ring_size: int = 20,
    bond_orders: npt.ArrayLike | None = None,
    cap_length: float | None = None,
    end_types: Mapping[str, str] | None = None,
    vacuum: float = 10.0,
    source: str | None = None,
    descriptor: Descriptor | None = None,
    n_threads: int = 0,
) -> list[Cluster]:
    """Carve a cluster around each of `centers` out of a periodic melt, without breaking its chemistry.

    Kept are the carbons (with their hydrogens) within `buffer_radius` of a seed, everything within
    `core_bonds` bonds of the core (the atoms within `core_radius` of a seed), and whatever hangs on these by
    bonds that must not be cut. Cut are only single C–C bonds outside of the core, never in a ring. Gaps of up
    to `bridge_length` carbons between kept pieces are filled, a missing end group is kept, and no carbon is
    left alone. With explicit hydrogens every cut is capped by one,

        r_cap = r_C + l_CH (r_removed − r_C) / |r_removed − r_C|   (shortest image),

    with united atoms CH2 becomes CH3.

    Parameters
    ----------
    centers : sequence of int, or of sequences of int
        Atoms (0-based): each one, or each group, asks for a cluster.
    core_radius, buffer_radius : float
        Å, both measured from the seeds.
    mode : {"capped", "whole-molecules", "periodic"}
        "whole-molecules" cuts nothing and keeps every molecule that reaches into the buffer. "periodic" puts
        the capped cluster into the smallest face-centred cubic cell in which images do not touch.
    cutoff : float, optional
        Å, the cutoff of the potential that will be fitted: a force counts only where this sphere is whole.
        Default: buffer_radius − core_radius − 1.6 Å, for which every core atom counts. Needed for inherited
        labels.
    labels : {"cluster", "inherited"}
        "cluster": forces will be computed on the cluster; core atoms count. "inherited": forces are those of
        the frame (`melt.atoms.calc`), and count wherever 2·cutoff, `reference_cutoff` and all atoms within
        three bonds are whole; the energy never counts.
    reference_cutoff : float
        Å, how far the reference method of the frame's forces reaches; for inherited labels.
    merge : bool
        A request with a seed inside the core of an earlier one joins its cluster.
    max_atoms : int, optional
        Limit, caps included. A merged cluster beyond it is taken apart; then `on_excess` says whether the
        buffer shrinks in steps of 0.25 Å as long as a seed's cutoff sphere stays whole ("shrink"), or not
        ("error").
    bond_orders : (n_bonds,), optional
        Only bonds of order 1 are cut. Default: bonds between two carbons of fewer than four neighbours are
        multiple where hydrogens are explicit; all bonds between united atoms are single.
    max_ring_size : int
        Bonds in rings of up to so many atoms are never cut; larger rings are cut like chains.
    cap_length : float, optional
        Å, of C–H; default 1.09, 1.08 or 1.06 for a carbon with 4, 3 or 2 neighbours.
    end_types : mapping, optional
        Force-field type → type after one cut, where the melt's own chain ends do not show it.
    vacuum : float
        Å on each side; at least the cutoffs of potential and reference together.
    source : str, optional
        Name of the frame; default `melt.atoms.info["source"]`.
    descriptor : callable, optional
        Checked by `compare_descriptors` on every cluster.
    n_threads : int
        0: OMP_NUM_THREADS, else all cores. The result does not depend on it.

    Returns
    -------
    list of Cluster
        In the order of their first request.

    Raises
    ------
    InputError
        for atoms that are not there, radii that contradict each other, a cluster beyond `max_atoms`, or one
        in which no force would count.
    """
    if not isinstance(melt, Melt):
        raise InputError(
            f"melt must be a Melt (atoms with bonds: build_melt, read_lammps_data), got {type(melt).__name__}"
        )
    united = not bool(np.any(melt.atoms.numbers == 1))
    settings = check_settings(melt, core_radius, buffer_radius, mode, cutoff, labels, reference_cutoff, source, united)
    requests = _requests(centers)
    _check_counts(
        core_bonds=(core_bonds, 1),
        bridge_length=(bridge_length, 0),
        max_atoms=(1 if max_atoms is None else max_atoms, 1),
    )
    check_one_of("on_excess", on_excess, OnExcess)
    if not 0 <= vacuum < np.inf:
        raise InputError(f"vacuum must be 0 Å or more, got {vacuum}")
    orders = np.zeros(0) if bond_orders is None else as_array(bond_orders, "bond_orders", shape=(len(melt.bonds),))
    options = core.CarveOptions(
        core_radius=core_radius,
        buffer_radius=buffer_radius,
        core_bonds=core_bonds,
        bridge_length=bridge_length,
        cut_bonds=mode != "whole-molecules",
        intact_radius=settings.intact_radius,
        only_core=labels == "cluster",
        whole_bonds=0 if labels == "cluster" else 3,
        merge=merge,
        periodic=mode == "periodic",
        vacuum=float(vacuum),
        hydrogen_contact=CONTACT_RADII["hydrogen"],
        other_contact=CONTACT_RADII["united" if united else "heavy"],
        max_atoms=max_atoms or 0,
        shrink=on_excess == "shrink",
        smallest_buffer=min(buffer_radius, max(core_radius, settings.intact_radius + CUT_DEPTH)),
    )
    system = _system(melt, orders, cap_length, united, max_ring_size, buffer_radius, n_threads)
    tables = core.carve_clusters(system, requests, options, n_threads)
    clusters = assemble_clusters(melt, tables, settings, end_types)
    if descriptor is not None:
        compare_descriptors(melt, clusters, descriptor)
    return clusters


def _system(
    melt: Melt,
    bond_orders: npt.NDArray[np.float64],
    cap_length: float | None,
    united: bool,
    max_ring_size: int,
    buffer_radius: float,
    n_threads: int,
) -> core.System:
    n_atoms = len(melt.atoms)
    if cap_length is None:
        n_neighbors = np.bincount(melt.bonds.ravel(), minlength=n_atoms)
        table = [CAP_LENGTHS.get(n, CAP_LENGTHS[4]) for n in range(n_neighbors.max(initial=0) + 1)]
        lengths = np.array(table)[n_neighbors]
    elif cap_length > 0:
        lengths = np.full(n_atoms, float(cap_length))
    else:
        raise InputError(f"cap_length must be positive (Å), got {cap_length}")
    return core.System(
        positions=as_array(melt.atoms.positions, "positions", shape=(n_atoms, 3)),
        cell=as_array(melt.atoms.cell.complete(), "cell", shape=(3, 3)),
        pbc=[bool(flag) for flag in melt.atoms.pbc],
        numbers=as_array(melt.atoms.numbers, "numbers", shape=(n_atoms,), dtype=np.int64),
        bonds=melt.bonds,
        bond_orders=bond_orders,
        cap_lengths=as_array(lengths, "cap_lengths", shape=(n_atoms,)),
        united=united,
        max_ring_size=max_ring_size,
        typical_radius=buffer_radius,
        n_threads=n_threads,
    )


def _requests(centers: Centers) -> list[list[int]]:
    requests = []
    for index, center in enumerate(centers):
        group = np.atleast_1d(np.asarray(center))
        if group.ndim != 1 or (group.size and not np.issubdtype(group.dtype, np.integer)):
            raise InputError(f"centers[{index}] must be an atom index or a list of such, got {center!r}")
        requests.append(group.tolist())
    return requests


def _check_counts(**bounds: tuple[int, int]) -> None:
    for name, (value, least) in bounds.items():
        if value < least:
            raise InputError(f"{name} must be at least {least}, got {value}")
