"""Modes, limits, merging, weights, labels, provenance, threads, errors."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase.calculators.lj import LennardJones
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from ase.neighborlist import neighbor_list

from polypace.carve import carve_clusters
from polypace.errors import InputError
from polypace.melt import Melt
from tests.helpers.polyethylene import polyethylene


@pytest.fixture(scope="module")
def melt():
    return polyethylene(10, 40, seed=5)


@pytest.fixture(scope="module")
def united():
    return polyethylene(20, 40, seed=6, explicit_hydrogens=False)


def test_forces_of_weighted_atoms_are_those_of_the_melt(united):
    """A pair potential cut at 5 Å: where the sphere is whole, the cluster feels the force of the melt."""
    calculator = LennardJones(sigma=3.95, epsilon=0.004, rc=5.0, ro=4.0, smooth=True)
    periodic = united.atoms.copy()
    periodic.calc = calculator
    forces = periodic.get_forces()
    scale = np.abs(forces).max()
    for mode in ("capped", "whole-molecules", "periodic"):
        for cluster in carve_clusters(united, [7, 333, 512], 2.5, 9.2, mode=mode, cutoff=5.0):
            atoms = cluster.atoms.copy()
            atoms.calc = calculator
            weighted = cluster.force_weight > 0
            assert weighted.any()
            difference = atoms.get_forces()[weighted] - forces[cluster.source[weighted]]
            assert np.abs(difference).max() < 1e-10 * scale
            assert (atoms.pbc == (mode == "periodic")).all()


def test_default_cutoff_makes_every_core_atom_count(melt, united):
    for system, cutoff in ((melt, 8.0 - 3.0 - 1.6), (united, 8.0 - 3.0 - 1.6)):
        for cluster in carve_clusters(system, range(0, 400, 37), 3.0, 8.0):
            assert cluster.provenance["cutoff"] == pytest.approx(cutoff)
            core = cluster.atoms.arrays["core"]
            np.testing.assert_array_equal(cluster.force_weight, core.astype(float))
            assert cluster.provenance["environment_error"] < 1e-10


def test_periodic_cell_keeps_images_apart(melt, united):
    for system, contact in ((melt, 2.3), (united, 3.7)):
        for cluster in carve_clusters(system, [100, 200], 2.0, 6.0, mode="periodic"):
            atoms = cluster.atoms
            shift, distance = neighbor_list("Sd", atoms, contact + 0.5)
            images = distance[(shift != 0).any(axis=1)]
            assert images.min() >= contact - 1e-9
            assert images.min() < contact + 0.5
            (vacuum,) = carve_clusters(system, [cluster.source[np.argmax(atoms.arrays["core"])]], 0.5, 6.0)
            assert atoms.get_volume() < vacuum.atoms.get_volume()


def test_max_atoms_shrinks_or_fails(melt):
    (free,) = carve_clusters(melt, [50], 2.0, 8.0, cutoff=2.5)
    (shrunk,) = carve_clusters(melt, [50], 2.0, 8.0, cutoff=2.5, max_atoms=len(free.atoms) - 40)
    assert len(shrunk.atoms) <= len(free.atoms) - 40
    assert shrunk.provenance["buffer_radius"] < 8.0 == shrunk.provenance["requested_buffer_radius"]
    (same,) = carve_clusters(melt, [50], 2.0, shrunk.provenance["buffer_radius"], cutoff=2.5)
    np.testing.assert_array_equal(same.source, shrunk.source)
    with pytest.raises(InputError, match=r"atom 50 .*max_atoms = 100: .*on_excess"):
        carve_clusters(melt, [50], 2.0, 8.0, cutoff=2.5, max_atoms=100, on_excess="error")
    with pytest.raises(InputError, match="max_atoms = 10: raise max_atoms"):
        carve_clusters(melt, [50], 2.0, 8.0, cutoff=2.5, max_atoms=10)


def test_merging_stops_at_the_leader_and_at_max_atoms(melt):
    """Neighbours along a chain: members join a leader within its core radius, and recruit nobody."""
    centers = list(range(0, 12))
    clusters = carve_clusters(melt, centers, 2.7, 6.0)
    assert 1 < len(clusters) < 12
    answered = [request for cluster in clusters for request in cluster.provenance["requests"]]
    assert sorted(answered) == centers
    for cluster in clusters:
        seeds = [centers[request] for request in cluster.provenance["requests"]]
        assert max(melt.atoms.get_distances(seeds[0], seeds, mic=True)) < 2.7
        assert cluster.provenance["seeds"] == sorted(seeds)
    largest = max(len(cluster.atoms) for cluster in clusters)
    apart = carve_clusters(melt, centers, 2.7, 6.0, max_atoms=largest - 1)
    assert len(apart) > len(clusters)
    assert max(len(cluster.atoms) for cluster in apart) < largest


def with_forces(melt):
    atoms = melt.atoms.copy()
    forces = np.random.default_rng(0).normal(size=(len(atoms), 3))
    atoms.calc = SinglePointCalculator(atoms, energy=-1.0, forces=forces)
    return Melt(atoms, melt.bonds, melt.molecules, melt.types), forces


def test_inherited_labels(united):
    """Forces of the frame where 2·cutoff and the reference's sphere are whole; never an energy."""
    labelled, forces = with_forces(united)
    options = {"labels": "inherited", "cutoff": 3.0, "reference_cutoff": 7.0}
    (cluster,) = carve_clusters(labelled, [321], 2.0, 11.0, **options)
    weighted = np.flatnonzero(cluster.force_weight)
    np.testing.assert_array_equal(cluster.atoms.get_forces()[weighted], forces[cluster.source[weighted]])
    assert "energy" not in cluster.atoms.calc.results
    assert cluster.atoms.info["energy_weight"] == 0.0
    assert cluster.provenance["intact_radius"] == 7.0
    i, j = neighbor_list("ij", united.atoms, 7.0)
    kept = set(cluster.source)
    unchanged = kept - {a for a, _ in cluster.provenance["cut_bonds"]}
    expected = {a for a in kept if {*j[i == a], a} <= unchanged}
    assert set(cluster.source[weighted]) == expected
    assert not cluster.atoms.arrays["core"][weighted].all()
    with pytest.raises(InputError, match="reference_cutoff"):
        carve_clusters(labelled, [321], 2.0, 11.0, labels="inherited", cutoff=3.0)
    with pytest.raises(InputError, match="no calculator"):
        carve_clusters(united, [321], 2.0, 11.0, **options)


def test_provenance_and_files(melt, tmp_path):
    (cluster,) = carve_clusters(melt, [[17, 18]], 2.0, 6.0, source="run-3/frame-200")
    provenance = json.loads(json.dumps(cluster.provenance))
    assert provenance["source"] == cluster.atoms.info["source"] == "run-3/frame-200"
    assert provenance["seeds"] == [17, 18]
    assert len(provenance["kept"]) + len(provenance["caps"]) == len(cluster.atoms)
    assert len(provenance["caps"]) == len(provenance["cut_bonds"]) > 0
    home = melt.atoms.positions[provenance["kept"]] + np.array(provenance["cells"]) @ melt.atoms.cell.array
    offset = cluster.atoms.positions[: len(home)] - home
    np.testing.assert_allclose(offset, offset[:1].repeat(len(home), axis=0), atol=1e-10)
    write(tmp_path / "cluster.extxyz", cluster.atoms)
    back = read(tmp_path / "cluster.extxyz")
    np.testing.assert_array_equal(back.arrays["force_weight"], cluster.force_weight)
    np.testing.assert_array_equal(back.arrays["source"], cluster.source)
    assert cluster.melt.molecules.max() + 1 == len(set(cluster.melt.molecules))


def test_bonds_of_the_cluster_are_bonds_of_the_melt(melt):
    bonded = {frozenset(bond) for bond in melt.bonds.tolist()}
    (cluster,) = carve_clusters(melt, [222], 2.0, 6.5)
    source = cluster.source
    inner = [frozenset((source[a], source[b])) for a, b in cluster.bonds if source[a] >= 0 and source[b] >= 0]
    kept = set(source[source >= 0])
    assert set(inner) == {bond for bond in bonded if bond <= kept}
    assert len(cluster.bonds) - len(inner) == (source < 0).sum()
    lengths = [cluster.atoms.get_distance(a, b) for a, b in cluster.bonds]
    assert max(lengths) < 1.8


def test_threads_do_not_change_a_bit(melt):
    one, four = (carve_clusters(melt, range(0, 1200, 7), 2.0, 6.0, n_threads=n) for n in (1, 4))
    assert [c.provenance for c in one] == [c.provenance for c in four]
    for a, b in zip(one, four, strict=True):
        assert a.atoms.positions.tobytes() == b.atoms.positions.tobytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"centers": [99999]}, r"centers\[0\] names atom 99999"),
        ({"centers": [3, -1]}, r"centers\[1\] names atom -1"),
        ({"centers": [[]]}, r"centers\[0\] is empty"),
        ({"centers": [1.5]}, r"centers\[0\] must be an atom index"),
        ({"core_radius": 7.0}, "core_radius must lie between"),
        ({"core_radius": 5.0}, "raise buffer_radius or give cutoff="),
        ({"cutoff": 9.0}, "has a whole sphere of 9 Å: raise buffer_radius"),
        ({"mode": "sphere"}, "mode must be one of capped, whole-molecules, periodic"),
        ({"labels": "dft"}, "labels must be one of"),
        ({"bridge_length": -1}, "bridge_length must be at least 0"),
        ({"max_atoms": -5}, "max_atoms must be at least 1"),
        ({"max_atoms": 0}, "max_atoms must be at least 1"),
        ({"bond_orders": [1.0]}, "bond_orders"),
        ({"cap_length": -1.0}, "cap_length must be positive"),
        ({"vacuum": float("nan")}, "vacuum"),
    ],
)
def test_bad_input_is_named(melt, arguments, message):
    settings = {"centers": [5], "core_radius": 2.0, "buffer_radius": 6.0} | arguments
    with pytest.raises(InputError, match=message):
        carve_clusters(melt, **settings)


def test_atoms_without_bonds_are_no_melt(melt):
    with pytest.raises(InputError, match=r"melt must be a Melt .* got Atoms"):
        carve_clusters(melt.atoms, [5], 2.0, 6.0)


def test_nothing_asked_nothing_given(melt):
    assert carve_clusters(melt, [], 2.0, 6.0) == []
