"""Scripts run in LAMMPS; labels agree with a second evaluation and with derivatives."""

from __future__ import annotations

import numpy as np
import pytest

from polypace.errors import FileFormatError, InputError
from polypace.reference import (
    TraPPEUA,
    equilibration_script,
    force_field_interactions,
    label_script,
    npt_script,
    nvt_script,
    read_dump,
    read_labels,
    read_thermo,
    write_dump,
)
from polypace.systems import build_melt, read_lammps_data, write_lammps_data
from tests.helpers.lmp import run_script

pytestmark = pytest.mark.program


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short run of octane: folder, melt, interactions, labelled frames."""
    folder = tmp_path_factory.mktemp("octane")
    melt = build_melt(8, 45, 0.68, seed=1)
    write_lammps_data(melt, folder / "start.data", "trappe-ua")
    interactions = force_field_interactions("trappe-ua", melt.type_names)
    script = equilibration_script(
        interactions, "start.data", "eq.data", temperature=310.0,
        push_off_steps=600, langevin_steps=1500, npt_steps=500,
    )  # fmt: skip
    run_script(script, folder, "equilibrate")
    melt = read_lammps_data(folder / "eq.data")
    run_script(npt_script(interactions, "eq.data", "npt.data", temperature=310.0, steps=300), folder, "npt")
    script = nvt_script(
        interactions, "npt.data", "nvt.dump", temperature=310.0, steps=100, dump_every=50, density=0.69,
        equilibration_steps=50,
    )  # fmt: skip
    log = run_script(script, folder, "nvt")
    return folder, melt, interactions, read_labels(folder / "nvt.dump", log, melt)


def test_melt_is_a_liquid(run):
    folder, _, _, frames = run
    thermo = read_thermo(folder / "npt.log")
    assert 0.55 < thermo["Density"].mean() < 0.8 and 270 < thermo["Temp"].mean() < 350
    assert [atoms.info["step"] for atoms in frames] == [0, 50, 100]
    mass = frames[0].get_masses().sum()
    assert mass / frames[0].get_volume() / 0.6022140762 == pytest.approx(0.69, rel=1e-3)
    bonds = np.linalg.norm(np.diff(frames[-1].positions.reshape(45, 8, 3), axis=1), axis=2)
    assert bonds.min() > 1.35 and bonds.max() < 1.75


@pytest.mark.parametrize("source", ["dump of the run", "dump of ours"])
def test_second_evaluation_gives_the_same_labels(run, source):
    folder, melt, interactions, frames = run
    name = "nvt.dump"
    if source == "dump of ours":
        name = "ours.dump"
        write_dump(frames, folder / name)
    log = run_script(label_script(interactions, "start.data", name, "again.dump"), folder, "label")
    for first, second in zip(frames, read_labels(folder / "again.dump", log, melt), strict=True):
        assert second.get_potential_energy() == pytest.approx(first.get_potential_energy(), abs=1e-10)
        assert np.allclose(second.get_forces(), first.get_forces(), rtol=0, atol=1e-10)
        assert np.allclose(second.get_stress(), first.get_stress(), rtol=0, atol=1e-13)


def test_random_forces_of_a_thermostat_are_no_labels(run):
    folder, melt, interactions, _ = run
    conditions = {"temperature": 310.0, "steps": 20, "dump_every": 10, "thermostat": "langevin"}
    log = run_script(nvt_script(interactions, "npt.data", "heat.dump", **conditions), folder, "langevin")
    first = read_labels(folder / "heat.dump", log, melt)
    log = run_script(label_script(interactions, "start.data", "heat.dump", "again.dump"), folder, "label")
    for frame, again in zip(first, read_labels(folder / "again.dump", log, melt), strict=True):
        assert np.allclose(frame.get_forces(), again.get_forces(), rtol=0, atol=1e-10)


def test_labels_are_derivatives(run):
    """Forces and stress against differences of labelled energies, in one LAMMPS call."""
    folder, melt, interactions, frames = run
    base, h = frames[0], 1e-4
    moved = []
    for sign in (1, -1):
        atoms = base.copy()
        atoms.positions[17, 1] += sign * h
        moved.append(atoms)
    for a, b in [(0, 0), (2, 2), (0, 1)]:
        for sign in (1, -1):
            strain = np.eye(3)
            strain[max(a, b), min(a, b)] += sign * h
            atoms = base.copy()
            atoms.set_cell(base.cell.array @ strain, scale_atoms=True)
            moved.append(atoms)
    write_dump(moved, folder / "moved.dump")
    log = run_script(
        label_script(interactions, "start.data", "moved.dump", "moved.out", triclinic=True), folder, "moved"
    )
    energy = [atoms.get_potential_energy() for atoms in read_labels(folder / "moved.out", log, melt)]
    assert -(energy[0] - energy[1]) / (2 * h) == pytest.approx(base.get_forces()[17, 1], rel=1e-5, abs=1e-5)
    for place, voigt in enumerate((0, 2, 5)):
        slope = (energy[2 + 2 * place] - energy[3 + 2 * place]) / (2 * h) / base.get_volume()
        assert slope == pytest.approx(base.get_stress()[voigt], rel=1e-4, abs=1e-7)


def test_original_form_differs_by_the_tail(run):
    folder, melt, _, frames = run
    write_dump(frames[:1], folder / "one.dump")
    original = force_field_interactions(TraPPEUA.original(), melt.type_names)
    log = run_script(label_script(original, "start.data", "one.dump", "one.out"), folder, "one")
    frame = read_labels(folder / "one.out", log, melt)[0]
    pressure = (-frame.get_stress()[:3].mean() + frames[0].get_stress()[:3].mean()) / 6.241509074e-6
    assert -40 < pressure < -5  # MPa: the part beyond the taper pulls
    assert np.sqrt(np.mean((frame.get_forces() - frames[0].get_forces()) ** 2)) < 1.5e-3


def test_unlabelled_frames_and_refusals(run, tmp_path):
    folder, melt, interactions, frames = run
    assert np.array_equal(read_dump(folder / "nvt.dump", melt)[1].positions, frames[1].positions)
    text = (folder / "nvt.dump").read_text()
    (tmp_path / "cut.dump").write_text(text[: len(text) // 2])
    with pytest.raises(FileFormatError, match=r"cut\.dump: a snapshot is cut off"):
        read_dump(tmp_path / "cut.dump", melt)
    with pytest.raises(InputError, match="360 atoms"):
        read_dump(folder / "nvt.dump", build_melt(4, 3, 0.1))
    (tmp_path / "bad.log").write_text("LAMMPS\nERROR: Lost atoms: original 360 current 359\n")
    with pytest.raises(FileFormatError, match="Lost atoms"):
        read_thermo(tmp_path / "bad.log")
    with pytest.raises(InputError, match="temperature"):
        npt_script(interactions, "a", "b", temperature=-3, steps=5)
    with pytest.raises(InputError, match="seed must be 1"):
        npt_script(interactions, "a", "b", temperature=300, steps=5, seed=0)
    with pytest.raises(InputError, match="no atom type 'CX'"):
        force_field_interactions("trappe-ua", ("CX",))


def test_warnings_between_the_rows_of_a_log(tmp_path):
    """LAMMPS adds a line of its own to a warning, saying where to read about it."""
    (tmp_path / "log.lammps").write_text(
        "   Step         PotEng\n         0  -1.5\nWARNING: Inconsistent image flags\n"
        "For more information see https://docs.lammps.org/err0027 (src/domain.cpp:1052)\n"
        "         1  inf\nLoop time of 0.04 on 1 procs for 2 steps with 160 atoms\n 2 0.5\n"
    )
    np.testing.assert_array_equal(read_thermo(tmp_path / "log.lammps")["PotEng"], [-1.5, np.inf])
