"""The dispersion tail: derivatives, LAMMPS, a slow twin, exact removal."""

from __future__ import annotations

import ase
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.stress import voigt_6_to_full_3x3_stress

from polypace.ace.labels import read_labels as labels_of
from polypace.errors import InputError
from polypace.reference import (
    CombinedBaseline,
    CoulombTail,
    DispersionTail,
    Interactions,
    TraPPEUA,
    force_field_interactions,
    label_script,
    read_labels,
    write_dump,
)
from polypace.systems import build_melt, write_lammps_data
from tests.helpers.lmp import run_script
from tests.oracle.neighbors import neighbor_pairs

TAIL = DispersionTail(s_in=2.5, s_out=4.0, r_in=4.5, r_out=6.0)


@pytest.fixture
def skewed(rng):
    cell = np.array([[7.0, 0, 0], [1.5, 6.0, 0], [-1.0, 2.0, 6.5]])
    atoms = ase.Atoms("C10", rng.random((10, 3)) @ cell, cell=cell, pbc=True)
    atoms.set_array("type_name", np.array(["CH2", "CH3"] * 5))
    return atoms


def test_virials_lose_what_stresses_lose(skewed):
    """A virial in the header (QUIP) and a stress are two ways to say one label."""
    stress = np.array([0.1, -0.2, 0.3, 0.04, 0.05, -0.06])
    with_virial = skewed.copy()
    with_virial.info["virial"] = -voigt_6_to_full_3x3_stress(stress) * skewed.get_volume()
    for atoms, results in ((skewed, {"stress": stress}), (with_virial, {})):
        atoms.calc = SinglePointCalculator(atoms, energy=1.0, **results)
    ours, theirs = (label.virial for label in map(labels_of, TAIL.subtract([skewed, with_virial]), "ab"))
    np.testing.assert_allclose(theirs, ours, rtol=1e-12)
    assert np.abs(ours - labels_of(skewed, "a").virial).min() > 1e-6
    np.testing.assert_allclose(
        labels_of(TAIL.add(TAIL.subtract([with_virial]))[0], "b").virial, labels_of(skewed, "a").virial, rtol=1e-12
    )


def test_pair_energy_is_the_formula():
    tail = DispersionTail()
    epsilon, sigma = 46 * 8.617333262e-5, 3.95
    lj = lambda r: 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6)  # noqa: E731
    assert tail.pair_energy(4.6, "CH2", "CH2") == 0 and tail.pair_energy(12.0, "CH2", "CH2") == 0
    assert tail.pair_energy(8.0, "CH2", "CH2") == pytest.approx(lj(8.0), rel=1e-12)
    assert tail.pair_energy(5.8, "CH2", "CH2") == pytest.approx(lj(5.8) / 2, rel=1e-12)
    assert tail.pair_energy(11.0, "CH2", "CH2") == pytest.approx(lj(11.0) / 2, rel=1e-12)


def test_energy_is_the_sum_over_every_image(skewed):
    names = skewed.arrays["type_name"]
    pairs = neighbor_pairs(skewed.positions, skewed.cell.array, (True,) * 3, 6.0)
    total = 0.0
    for i, j, shift in pairs:
        r = np.linalg.norm(skewed.positions[j] - skewed.positions[i] + np.array(shift) @ skewed.cell.array)
        total += TAIL.pair_energy(r, str(names[i]), str(names[j])) / 2
    found = TAIL.evaluate(skewed)
    assert found.energy == pytest.approx(total, rel=1e-12)
    assert found.energies.sum() == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("charged", [False, True])
def test_forces_and_stress_are_derivatives(skewed, charged):
    tail = TAIL
    if charged:
        tail = CoulombTail(s_in=2.5, s_out=4.0, r_out=6.0)
        skewed.set_array("type_name", np.array(["CT3", "HC3"] * 5))
    found, h = tail.evaluate(skewed), 1e-5
    numeric = np.zeros((10, 3))
    for i, d in np.ndindex(10, 3):
        ends = []
        for sign in (1, -1):
            moved = skewed.copy()
            moved.positions[i, d] += sign * h
            ends.append(tail.evaluate(moved).energy)
        numeric[i, d] = -(ends[0] - ends[1]) / (2 * h)
    assert np.allclose(found.forces, numeric, rtol=1e-6, atol=1e-8)
    for place, (a, b) in enumerate([(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]):
        ends = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[a, b] += sign * h / 2
            strain[b, a] += sign * h / 2
            moved = skewed.copy()
            moved.set_cell(skewed.cell.array @ strain, scale_atoms=True)
            ends.append(tail.evaluate(moved).energy)
        numeric_stress = (ends[0] - ends[1]) / (2 * h) / skewed.get_volume()
        assert found.stress[place] == pytest.approx(numeric_stress, rel=1e-6, abs=1e-9)


def test_subtract_and_add_undo_each_other(skewed, rng):
    skewed.calc = SinglePointCalculator(
        skewed, energy=-12.3, forces=rng.standard_normal((10, 3)), stress=rng.standard_normal(6)
    )
    learned = TAIL.subtract([skewed])[0]
    back = TAIL.add([learned])[0]
    assert abs(learned.get_potential_energy() + 12.3) > 1e-3
    assert back.get_potential_energy() == pytest.approx(-12.3, rel=4e-16)
    assert np.allclose(back.get_forces(), skewed.get_forces(), rtol=0, atol=1e-15)
    assert np.allclose(back.get_stress(), skewed.get_stress(), rtol=0, atol=1e-15)
    assert list(back.arrays["type_name"]) == list(skewed.arrays["type_name"])


@pytest.mark.program
def test_beyond_the_switch_it_is_lj_mdf_of_lammps(tmp_path):
    """Switched on at once, without bonds and exclusions, the tail is the whole `lj/mdf` of LAMMPS."""
    melt = build_melt(6, 40, 0.65, seed=4)
    melt.atoms.set_cell(melt.atoms.cell.array + np.array([[0, 0, 0], [2.0, 0, 0], [1.0, -1.5, 0]]))
    write_lammps_data(melt, tmp_path / "a.data", "trappe-ua", bonded=False)
    write_dump([melt.atoms], tmp_path / "a.dump")
    lines = [line for line in force_field_interactions(TraPPEUA.mdf(6, 8), melt.type_names).lines if "pair" in line]
    interactions = force_field_interactions(TraPPEUA.mdf(6, 8), melt.type_names)
    interactions = type(interactions)("metal", "molecular", tuple(lines))
    log = run_script(label_script(interactions, "a.data", "a.dump", "out.dump"), tmp_path)
    frame = read_labels(tmp_path / "out.dump", log, melt)[0]
    found = DispersionTail(s_in=0.01, s_out=0.02, r_in=6, r_out=8).evaluate(melt.atoms)
    scale = np.abs(frame.get_forces()).max()
    assert found.energy == pytest.approx(frame.get_potential_energy(), rel=1e-10)
    assert np.abs(found.forces - frame.get_forces()).max() < 1e-10 * scale
    assert np.allclose(found.stress, frame.get_stress(), rtol=1e-9, atol=1e-10 * np.abs(found.stress).max())


@pytest.mark.program
@pytest.mark.parametrize("name", ["dispersion", "charges", "both"])
def test_lammps_adds_it_back(tmp_path, name):
    """The plugin's `lj/mdf/tail` and the formula of `lepton/coul` are what is subtracted from labels."""
    melt = build_melt(4, 30, 0.6, "l-opls", seed=4)
    write_lammps_data(melt, tmp_path / "a.data", "l-opls", bonded=False)
    write_dump([melt.atoms], tmp_path / "a.dump")
    parts = (DispersionTail(force_field="l-opls"), CoulombTail(force_field="l-opls"))
    tail = {"dispersion": parts[0], "charges": parts[1], "both": CombinedBaseline(parts)}[name]
    lines = (f"pair_style hybrid/overlay {tail.lammps_pair_style}", *tail.lammps_pair_coeffs(melt.type_names))
    script = label_script(Interactions("metal", "full", lines), "a.data", "a.dump", "out.dump")
    frame = read_labels(tmp_path / "out.dump", run_script(script, tmp_path), melt)[0]
    found = tail.evaluate(melt.atoms)
    assert found.energy == pytest.approx(frame.get_potential_energy(), rel=1e-9)
    assert np.abs(found.forces - frame.get_forces()).max() < 1e-10
    assert np.allclose(found.stress, frame.get_stress(), rtol=1e-8, atol=1e-11)


def test_refuses():
    with pytest.raises(InputError, match="s_out=11"):
        DispersionTail(s_out=11.0)
    with pytest.raises(InputError, match="has no charges"):
        CoulombTail(force_field="trappe-ua")
    with pytest.raises(InputError, match="type_name"):
        TAIL.evaluate(ase.Atoms("C2", [[0, 0, 0], [3, 0, 0]], cell=[20, 20, 20], pbc=True))
    with pytest.raises(InputError, match="labels"):
        TAIL.subtract([ase.Atoms("C")])


def test_lammps_lines_name_every_pair():
    lines = DispersionTail().lammps_pair_coeffs(("CH2", "CH3"))
    assert [line.split()[:4] for line in lines] == [
        ["pair_coeff", "1", "1", "lj/mdf/tail"],
        ["pair_coeff", "1", "2", "lj/mdf/tail"],
        ["pair_coeff", "2", "2", "lj/mdf/tail"],
    ]
    assert DispersionTail().lammps_pair_style == "lj/mdf/tail 4.6 7.0 10.0 12.0"
