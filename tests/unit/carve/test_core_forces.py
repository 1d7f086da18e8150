"""Clusters labelled by a classical force field in LAMMPS, new end groups included, against the melt."""

from __future__ import annotations

import numpy as np
import pytest

from polypace.carve import carve_clusters
from polypace.lammps import run_lammps
from polypace.reference import force_field_interactions, label_script, read_labels, write_dump
from polypace.systems import build_melt, write_lammps_data

pytestmark = pytest.mark.program
REACH = 10.0  # Å, where both force fields end


def forces(melt, force_field, folder):
    folder.mkdir()
    write_lammps_data(melt, folder / "melt.data", force_field)
    write_dump([melt.atoms], folder / "frame.dump")
    interactions = force_field_interactions(force_field, melt.type_names)
    run_lammps(label_script(interactions, "melt.data", "frame.dump", "labels.dump"), folder)
    (frame,) = read_labels(folder / "labels.dump", folder / "log.lammps", melt)
    return frame.get_forces()


@pytest.mark.parametrize(("force_field", "length", "n_chains"), [("trappe-ua", 24, 40), ("l-opls", 16, 20)])
def test_core_forces_converge_to_those_of_the_melt(force_field, length, n_chains, tmp_path):
    """The seed's force: nearer with a larger buffer, and exact once the force field's sphere is whole."""
    melt = build_melt(length, n_chains, density=0.7, force_field=force_field, seed=3)
    reference = forces(melt, force_field, tmp_path / "melt")
    scale = np.sqrt((reference**2).sum(axis=1).mean())
    seed = 5
    errors = []
    for radius in (5.0, 7.0, 9.0):
        (cluster,) = carve_clusters(melt, [seed], 0.5, radius, cutoff=1.0)
        found = forces(cluster.melt, force_field, tmp_path / f"{radius}")
        place = np.flatnonzero(cluster.source == seed)[0]
        errors.append(np.linalg.norm(found[place] - reference[seed]))
    assert errors[2] < errors[0]
    assert errors[2] < 0.01 * scale

    (cluster,) = carve_clusters(melt, [seed], 1.0, REACH + 4, cutoff=REACH)
    counts = cluster.force_weight > 0
    found = forces(cluster.melt, force_field, tmp_path / "whole")
    assert counts.any()
    np.testing.assert_allclose(found[counts], reference[cluster.source[counts]], atol=1e-8 * scale)
