"""The core's selection, caps and weights against plain Python, in a skewed cell with scattered images."""

from __future__ import annotations

import numpy as np
import pytest

from polypace.carve import carve_clusters
from tests.helpers.polyethylene import polyethylene
from tests.oracle import carve as oracle_carve

ORIGIN = (0, 0, 0)


@pytest.fixture(scope="module", params=["all-atom", "united-atom"])
def melt(request):
    if request.param == "all-atom":
        return polyethylene(4, 24)
    return polyethylene(12, 30, explicit_hydrogens=False)


@pytest.fixture(scope="module")
def oracle(melt):
    return oracle_carve.Oracle(melt)


def kept_nodes(cluster):
    provenance = cluster.provenance
    return {(a, tuple(cell)) for a, cell in zip(provenance["kept"], provenance["cells"], strict=True)}


def offset_of(oracle, cluster):
    """Translation from the frame to the cluster's box."""
    provenance = cluster.provenance
    first = (provenance["kept"][0], tuple(provenance["cells"][0]))
    return cluster.atoms.positions[0] - oracle.position(first)


def moved_to(nodes, seed, cluster):
    """Oracle nodes in the cells in which the cluster counts its seed."""
    row = [i for i, atom in enumerate(cluster.provenance["kept"]) if atom == seed]
    home = min((cluster.provenance["cells"][i] for i in row), key=lambda cell: np.abs(cell).sum())
    return {(a, oracle_carve.plus(cell, home)) for a, cell in nodes}


@pytest.mark.parametrize(("core_radius", "buffer_radius"), [(0.0, 4.5), (2.0, 6.0), (3.0, 6.5)])
@pytest.mark.parametrize("cut", [True, False])
def test_selection_caps_and_weights(melt, oracle, core_radius, buffer_radius, cut):
    mode = "capped" if cut else "whole-molecules"
    cutoff = max(1.8, buffer_radius - core_radius - 1.6)
    for seed in (3, 50, len(melt.atoms) - 1):
        (cluster,) = carve_clusters(melt, [seed], core_radius, buffer_radius, mode=mode, cutoff=cutoff)
        kept, core, cuts = oracle_carve.select(oracle, [(seed, ORIGIN)], core_radius, buffer_radius, cut=cut)
        whole = oracle_carve.intact(oracle, core, kept, cuts, 1.09, cutoff)

        assert kept_nodes(cluster) == kept
        assert len(cluster.provenance["cut_bonds"]) == len(cuts)
        assert sorted(map(tuple, cluster.provenance["cut_bonds"])) == sorted((a[0], b[0]) for a, b in cuts)
        n_kept = len(kept)
        nodes = [(a, tuple(c)) for a, c in zip(cluster.provenance["kept"], cluster.provenance["cells"], strict=True)]
        weights = cluster.force_weight
        assert {node for node, w in zip(nodes, weights, strict=False) if w} == whole
        assert not weights[n_kept:].any()
        assert {node for node, c in zip(nodes, cluster.atoms.arrays["core"], strict=False) if c} == core

        expected = np.array([oracle.position(node) for node in nodes]) + offset_of(oracle, cluster)
        np.testing.assert_allclose(cluster.atoms.positions[:n_kept], expected, atol=1e-10)
        caps = [] if oracle.united else oracle_carve.cap_positions(oracle, cuts, 1.09)
        caps = np.array(caps).reshape(-1, 3) + offset_of(oracle, cluster)
        order = np.lexsort(np.round(caps, 6).T)
        found = cluster.atoms.positions[n_kept:]
        np.testing.assert_allclose(found[np.lexsort(np.round(found, 6).T)], caps[order], atol=1e-10)


def test_images_in_a_cell_smaller_than_the_cluster():
    """A cluster wider than the box holds atoms more than once, each in its own cell."""
    melt = polyethylene(1, 18, explicit_hydrogens=False)
    oracle = oracle_carve.Oracle(melt)
    (cluster,) = carve_clusters(melt, [4], 2.0, 6.5)
    kept, _, cuts = oracle_carve.select(oracle, [(4, ORIGIN)], 2.0, 6.5)
    assert kept_nodes(cluster) == kept
    assert len(kept) > len({atom for atom, _ in kept})
    assert len(cluster.provenance["cut_bonds"]) == len(cuts)
    distances = cluster.atoms.get_all_distances()[np.triu_indices(len(cluster.atoms), 1)]
    assert distances.min() > 1.4


def test_groups_and_merged_requests(melt, oracle):
    """Two near seeds give one cluster around both; the same as asking for the group."""
    a = 10
    b, shift, _ = oracle.ends[a][0]
    (merged,) = carve_clusters(melt, [a, b], 2.0, 5.0)
    (group,) = carve_clusters(melt, [[a, b]], 2.0, 5.0)
    kept, _, _ = oracle_carve.select(oracle, [(a, ORIGIN), (b, shift)], 2.0, 5.0)
    assert kept_nodes(merged) == kept_nodes(group) == kept
    assert merged.provenance["requests"] == [0, 1]
    assert sorted(merged.provenance["seeds"]) == sorted([a, b])
    apart = carve_clusters(melt, [a, b], 2.0, 5.0, merge=False)
    assert [cluster.provenance["requests"] for cluster in apart] == [[0], [1]]
