"""All-atom references: L-OPLS in LAMMPS, short-ranged and original form, against derivatives and published
numbers.
"""

from __future__ import annotations

import numpy as np
import pytest

from polypace.errors import InputError
from polypace.reference import (
    LOPLS,
    equilibration_script,
    force_field_interactions,
    label_script,
    npt_script,
    nvt_script,
    read_labels,
    read_thermo,
    write_dump,
)
from polypace.systems import build_melt, read_lammps_data, write_lammps_data
from tests.helpers.lmp import run_script

MEGAPASCAL = 6.241509074e-6


@pytest.fixture(scope="module")
def octane(tmp_path_factory):
    folder = tmp_path_factory.mktemp("octane")
    melt = build_melt(8, 24, 0.69, "l-opls", seed=2)
    write_lammps_data(melt, folder / "start.data", "l-opls")
    interactions = force_field_interactions("l-opls", melt.type_names)
    assert (interactions.atom_style, interactions.timestep) == ("full", 0.0005)
    script = equilibration_script(
        interactions,
        "start.data",
        "eq.data",
        temperature=300.0,
        push_off_steps=200,
        langevin_steps=400,
        npt_steps=10,
    )
    run_script(script, folder)
    return folder, read_lammps_data(folder / "eq.data"), interactions


def _labels(folder, melt, force_field, frames, name):
    interactions = force_field_interactions(force_field, melt.type_names)
    write_dump(frames, folder / f"{name}.in.dump")
    log = run_script(label_script(interactions, "start.data", f"{name}.in.dump", f"{name}.dump"), folder, name)
    return read_labels(folder / f"{name}.dump", log, melt)


@pytest.mark.program
def test_types_charges_and_elements(octane):
    folder, melt, _ = octane
    assert melt.type_names == ("CT2", "CT3", "HC2", "HC3")
    assert melt.atoms.symbols.formula.count() == {"C": 192, "H": 432}
    charges = [LOPLS.atom_type(name).charge for name in melt.types]
    assert sum(charges) == pytest.approx(0, abs=1e-9)
    assert "Atoms # full" in (folder / "eq.data").read_text()


@pytest.mark.program
def test_short_range_form_is_close_to_the_original(octane):
    """Forces to 0.002 eV/Å; the pressure lacks the attraction of the tail, about 20 to 30 MPa at liquid
    density.
    """
    folder, melt, _ = octane
    moved = melt.atoms.copy()
    moved.positions[100, 0] += 1e-4
    back = melt.atoms.copy()
    back.positions[100, 0] -= 1e-4
    short = _labels(folder, melt, LOPLS.mdf(8, 10), [melt.atoms, moved, back], "short")
    original = _labels(folder, melt, LOPLS.original(), [melt.atoms], "original")[0]
    difference = short[0].get_forces() - original.get_forces()
    assert np.sqrt(np.mean(difference**2)) < 0.002
    assert np.sqrt(np.mean(original.get_forces() ** 2)) > 0.3
    pressure = -(short[0].get_stress()[:3].mean() - original.get_stress()[:3].mean()) / MEGAPASCAL
    assert 10 < pressure < 45
    slope = -(short[1].get_potential_energy() - short[2].get_potential_energy()) / 2e-4
    assert slope == pytest.approx(short[0].get_forces()[100, 0], rel=1e-5, abs=1e-5)


@pytest.mark.program
def test_constrained_hydrogens_keep_their_distance_and_are_no_labels(octane):
    """SHAKE at 2 fs: bonds of hydrogens stay, those of carbons vibrate; labels are those of the force field but for what
    SHAKE's tolerance of 1e-5 in a bond of 29 eV/Å² makes.
    """
    folder, melt, _ = octane
    interactions = force_field_interactions("l-opls", melt.type_names, constrain_hydrogens=True)
    assert interactions.timestep == 0.002
    script = equilibration_script(
        interactions, "start.data", "stiff.data", temperature=300.0,
        push_off_steps=200, langevin_steps=400, npt_steps=50,
    )  # fmt: skip
    run_script(script, folder, "stiff")
    run_script(npt_script(interactions, "stiff.data", "npt.data", temperature=300.0, steps=100), folder, "stiff-npt")
    temperature = read_thermo(folder / "stiff-npt.log")["Temp"]
    assert 250 < temperature.mean() < 350
    script = nvt_script(
        interactions, "npt.data", "stiff.dump", temperature=300.0, steps=40, dump_every=20, density=0.69,
        equilibration_steps=20,
    )  # fmt: skip
    frames = read_labels(folder / "stiff.dump", run_script(script, folder, "stiff-nvt"), melt)
    hydrogens = melt.atoms.numbers == 1
    to_hydrogen = hydrogens[melt.bonds].any(axis=1)
    for frame in frames[1:]:
        lengths = np.linalg.norm(frame.positions[melt.bonds[:, 0]] - frame.positions[melt.bonds[:, 1]], axis=1)
        assert np.abs(lengths[to_hydrogen] - 1.09).max() < 1e-4
        assert lengths[~to_hydrogen].std() > 0.015
    again = _labels(folder, melt, "l-opls", frames, "stiff-again")
    for frame, other in zip(frames, again, strict=True):
        assert frame.get_potential_energy() == pytest.approx(other.get_potential_energy(), abs=1e-6)
        assert np.allclose(frame.get_forces(), other.get_forces(), rtol=0, atol=5e-4)
        assert np.allclose(frame.get_stress(), other.get_stress(), rtol=0, atol=1e-6)


def test_united_atoms_have_no_hydrogens_to_constrain():
    with pytest.raises(InputError, match="'trappe-ua' has no hydrogens; leave it out"):
        force_field_interactions("trappe-ua", ("CH3", "CH2"), constrain_hydrogens=True)


def test_long_chains_have_no_methane():
    with pytest.raises(InputError, match="has no methane: chain_length must be at least 2"):
        build_melt(1, 3, 0.1, "l-opls")
    with pytest.raises(InputError, match="no attraction"):
        from polypace.reference import KremerGrest

        KremerGrest.mdf()
