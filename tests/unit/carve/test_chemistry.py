"""Where bonds may be cut, what caps look like, what cut ends are called."""

from __future__ import annotations

import ase
import numpy as np
import pytest

from polypace.carve import carve_clusters
from polypace.errors import InputError
from polypace.melt import Melt
from tests.helpers.polyethylene import polyethylene


def spread_out(numbers, bonds, types=None, edge=100.0):
    """Atoms along a helix in a large box: only the bonds matter."""
    t = np.arange(len(numbers))
    positions = np.column_stack([3 * np.cos(t), 3 * np.sin(t), 0.9 * t])
    types = types or tuple({1: "H", 6: "C", 8: "O"}[z] for z in numbers)
    atoms = ase.Atoms(numbers, positions, cell=[edge] * 3, pbc=True)
    return Melt(atoms, np.array(bonds), np.zeros(len(numbers), dtype=int), types)


def chain_bonds(n):
    return [(i, i + 1) for i in range(n - 1)]


def carve_one(melt, seed, **options):
    settings = {"core_radius": 0.1, "buffer_radius": 2.0, "cutoff": 0.5, "core_bonds": 1} | options
    (cluster,) = carve_clusters(melt, [seed], **settings)
    return cluster


def test_rings_are_never_cut_and_what_follows_them_is():
    """…–C–ring of six–C–…: a ring that is touched is kept whole."""
    ring = [(10, 11), (11, 12), (12, 13), (13, 14), (14, 15), (10, 15)]
    bonds = [*chain_bonds(10), (9, 10), *ring, (13, 16), *[(i, i + 1) for i in range(16, 29)]]
    melt = spread_out([6] * 30, bonds, ("CH2",) * 30)
    cluster = carve_one(melt, 9, end_types={"CH2": "CH3"})
    assert {10, 11, 12, 13, 14, 15} <= set(cluster.provenance["kept"])
    in_ring = set(range(10, 16))
    assert cluster.provenance["cut_bonds"]
    assert not any({a, b} <= in_ring for a, b in cluster.provenance["cut_bonds"])


def test_a_macrocycle_is_cut_like_a_chain():
    melt = spread_out([6] * 40, [*chain_bonds(40), (0, 39)], ("CH2",) * 40)
    assert len(carve_one(melt, 20, end_types={"CH2": "CH3"}).atoms) < 12
    whole = carve_one(melt, 20, end_types={"CH2": "CH3"}, max_ring_size=40)
    assert len(whole.atoms) == 40 and not whole.provenance["cut_bonds"]


def test_a_chain_bonded_to_its_own_image_is_a_chain():
    """An endless chain of a crystal closes on itself in the bond graph, but it is no ring."""
    atoms = ase.Atoms(
        "C12", [[5, 5 + 0.4 * (-1) ** i, 1.27 * i] for i in range(12)], cell=[60, 60, 12 * 1.27], pbc=True
    )
    melt = Melt(atoms, np.array([*chain_bonds(12), (0, 11)]), np.zeros(12, dtype=int), ("CH2",) * 12)
    cluster = carve_one(melt, 0, buffer_radius=20.0, core_radius=2.0)
    assert len(cluster.provenance["cut_bonds"]) == 2
    ends = cluster.atoms.arrays["type_name"] == "CH3"
    assert ends.sum() == 2 and np.ptp(cluster.atoms.positions[:, 2]) > 38
    with pytest.raises(InputError, match="for ever"):
        carve_one(melt, 0, mode="whole-molecules")


def test_only_single_carbon_carbon_bonds_are_cut():
    """C–C–C–O–C–C=C–C–C…: with hydrogens left out of the model, bond orders say which bond is double."""
    numbers = [6] * 6 + [8] + [6] * 13
    orders = np.ones(19)
    orders[9] = 2
    melt = spread_out(numbers, chain_bonds(20), ("C",) * 20)
    cluster = carve_one(melt, 4, bond_orders=orders, end_types={"C": "C"}, core_bonds=4, buffer_radius=0.5)
    assert sorted(cluster.provenance["kept"]) == list(range(0, 9)) or 9 in cluster.provenance["kept"]
    for a, b in cluster.provenance["cut_bonds"]:
        assert {numbers[a], numbers[b]} == {6}
        assert orders[min(a, b)] == 1


def test_double_bonds_are_seen_by_missing_hydrogens():
    """CH3–(CH2)6–CH=CH–(CH2)6–CH3 with explicit hydrogens and no bond orders."""
    n_hydrogens = [3, *[2] * 6, 1, 1, *[2] * 6, 3]
    numbers, bonds = [6] * 16, chain_bonds(16)
    for carbon, count in enumerate(n_hydrogens):
        for _ in range(count):
            bonds.append((carbon, len(numbers)))
            numbers.append(1)
    melt = spread_out(numbers, bonds)
    for seed in range(16):
        cluster = carve_one(melt, seed, end_types={"C": "C", "H": "H"})
        assert [7, 8] not in cluster.provenance["cut_bonds"] and [8, 7] not in cluster.provenance["cut_bonds"]
        lengths = [cluster.atoms.get_distance(cap, parent) for cap, parent in cluster.provenance["caps"]]
        degree = np.bincount(cluster.bonds.ravel())
        parents = [parent for _, parent in cluster.provenance["caps"]]
        np.testing.assert_allclose(lengths, np.where(degree[parents] == 3, 1.08, 1.09), atol=1e-12)


@pytest.mark.parametrize(
    "shift", [(0, 0, 0), (0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5), (0.31, 0.77, 0.93), (0.9, 0.1, 0.4)]
)
def test_caps_across_every_face(shift):
    """The cluster does not depend on where the cell's faces lie, and caps point along the shortest image."""
    melt = polyethylene(6, 24, seed=3)
    moved = Melt(melt.atoms.copy(), melt.bonds, melt.molecules, melt.types)
    moved.atoms.positions += np.array(shift) @ melt.atoms.cell.array
    moved.atoms.wrap()
    for seed in range(0, 144, 13):
        (here,) = carve_clusters(melt, [seed], 2.0, 5.5)
        (there,) = carve_clusters(moved, [seed], 2.0, 5.5)
        assert here.provenance["cut_bonds"] == there.provenance["cut_bonds"]
        order = [sort_by_source(c) for c in (here, there)]
        a, b = (
            c.atoms.positions[o] - c.atoms.positions[o].mean(axis=0) for c, o in zip((here, there), order, strict=True)
        )
        np.testing.assert_allclose(a, b, atol=1e-9)
        for (cap, parent), (kept, removed) in zip(there.provenance["caps"], there.provenance["cut_bonds"], strict=True):
            bond = moved.atoms.get_distance(kept, removed, mic=True, vector=True)
            expected = 1.09 * bond / np.linalg.norm(bond)
            np.testing.assert_allclose(there.atoms.positions[cap] - there.atoms.positions[parent], expected, atol=1e-10)


def sort_by_source(cluster):
    """Kept atoms by source, caps by the atoms of their bonds."""
    n_kept = len(cluster.provenance["kept"])
    key = [*cluster.provenance["kept"], *[10**6 + 10**3 * a + b for a, b in cluster.provenance["cut_bonds"]]]
    assert len(set(key[:n_kept])) == n_kept
    return np.argsort(key, kind="stable")


def test_no_caps_of_a_chain_collide():
    """Without bridges the caps on either side of one missing carbon sit 0.7 Å apart."""
    melt = polyethylene(10, 40, seed=5)
    bridged = carve_clusters(melt, range(0, 400, 5), 2.0, 6.0, merge=False)
    assert sum(len(cluster.provenance["bridged"]) for cluster in bridged) > 20
    assert min(closest_caps(melt, cluster) for cluster in bridged) > 1.9
    open_gaps = carve_clusters(melt, range(0, 400, 5), 2.0, 6.0, merge=False, bridge_length=0)
    assert min(closest_caps(melt, cluster) for cluster in open_gaps) < 1.0


def closest_caps(melt, cluster):
    """Smallest distance between caps on different carbons of one chain of the melt."""
    caps, parents = np.array(cluster.provenance["caps"]).reshape(-1, 2).T
    chain = melt.molecules[cluster.source[parents]]
    apart = np.equal.outer(chain, chain) & ~np.equal.outer(parents, parents)
    return np.where(apart, cluster.atoms.get_all_distances()[np.ix_(caps, caps)], np.inf).min(initial=np.inf)


def test_ends_are_promoted_and_no_carbon_is_left_alone():
    melt = polyethylene(10, 40, seed=5, explicit_hydrogens=False)
    degree = np.bincount(melt.bonds.ravel())
    clusters = carve_clusters(melt, range(0, 400, 7), 2.0, 6.0, merge=False)
    assert sum(len(cluster.provenance["promoted"]) for cluster in clusters) > 5
    for cluster in clusters:
        assert all(degree[removed] == 2 for _, removed in cluster.provenance["cut_bonds"])
        assert np.bincount(cluster.bonds.ravel(), minlength=len(cluster.atoms)).min() >= 1
        types = cluster.atoms.arrays["type_name"]
        assert ((types == "CH3") == (np.bincount(cluster.bonds.ravel()) == 1)).all()
        np.testing.assert_allclose(cluster.atoms.get_masses(), np.where(types == "CH3", 15.035, 14.027), atol=1e-9)


def test_all_atom_end_groups_are_named_as_the_melt_names_them():
    melt = polyethylene(10, 40, seed=5)
    for cluster in carve_clusters(melt, range(0, 400, 60), 2.0, 6.0, merge=False):
        view = cluster.melt
        n_hydrogens = [sum(view.atoms.numbers[j] == 1 for j in ends) for ends in view.neighbors()]
        for atom, ends in enumerate(view.neighbors()):
            expected = f"CT{n_hydrogens[atom]}" if view.atoms.numbers[atom] == 6 else f"HC{n_hydrogens[ends[0]]}"
            assert view.types[atom] == expected
        assert set(n_hydrogens) <= {0, 2, 3}


def test_unknown_end_groups_are_an_error_with_a_remedy():
    melt = spread_out([6] * 30, chain_bonds(30), tuple("X" if i in (0, 29) else "B" for i in range(30)))
    assert "X" in carve_one(melt, 15).atoms.arrays["type_name"]
    odd = spread_out([6] * 30, [*chain_bonds(30), (0, 29)], ("B",) * 30)
    with pytest.raises(InputError, match="end_types"):
        carve_one(odd, 15)
    assert "E" in carve_one(odd, 15, end_types={"B": "E"}).atoms.arrays["type_name"]
