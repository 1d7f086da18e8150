"""Kremer-Grest melts in LAMMPS: push-off, bond swaps, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from polypace.errors import InputError
from polypace.reference import (
    bead_dynamics_script,
    bead_equilibration_script,
    force_field_interactions,
    kremer_grest,
    read_thermo,
)
from polypace.systems import (
    backbones,
    build_melt,
    internal_distances,
    molecules_by_bonds,
    numbered_for_bond_swaps,
    read_lammps_data,
    whole_molecules,
    write_lammps_data,
)
from tests.helpers.lmp import run_script


@pytest.mark.program
def test_push_off_swaps_and_dynamics(tmp_path):
    field = kremer_grest(0.0)
    melt = numbered_for_bond_swaps(build_melt(50, 20, 0.85, field, seed=1))
    write_lammps_data(melt, tmp_path / "a.data", field)
    interactions = force_field_interactions(field, melt.type_names)
    script = bead_equilibration_script(interactions, "a.data", "b.data", steps=2000, push_off_steps=2000, swap_every=1)
    log = run_script(script, tmp_path)
    thermo = read_thermo(log)
    assert thermo["Temp"][-1] == pytest.approx(1.0, abs=0.1) and thermo["f_swap[1]"][-1] > 0
    swapped = whole_molecules(molecules_by_bonds(read_lammps_data(tmp_path / "b.data")))
    chains = backbones(swapped)
    assert [len(chain) for chain in chains] == [50] * 20
    assert 0.92 < np.sqrt(internal_distances(swapped).squared[0]) < 1.0
    write_lammps_data(swapped, tmp_path / "c.data", field)
    run_script(bead_dynamics_script(interactions, "c.data", "d.dump", steps=20, dump_every=10), tmp_path, "go")
    assert (tmp_path / "d.dump").read_text().count("ITEM: TIMESTEP") == 3


def test_no_swaps_with_dihedrals():
    interactions = force_field_interactions("trappe-ua", ("CH2", "CH3"))
    with pytest.raises(InputError, match="not possible with dihedrals"):
        bead_equilibration_script(interactions, "a", "b", steps=10, swap_every=10)
