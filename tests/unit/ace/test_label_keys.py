"""Labels of other programs: virials, names of their own; what is told before a fit and not after it."""

from __future__ import annotations

import json

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from polypace.ace import BasisSpec, CoreRepulsion, Potential, Ridge, fit, measure_errors
from polypace.ace.labels import read_labels
from polypace.errors import InputError
from polypace.select import ActiveSet
from tests.helpers.commands import BASIS, run


@pytest.fixture(scope="module")
def frames():
    rng, made = np.random.default_rng(2), []
    for _ in range(8):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.1, rng=rng)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.normal(0, 0.02, (3, 3))), scale_atoms=True)
        atoms.calc = EMT()
        energy, forces, stress = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces, stress=stress)
        made.append(atoms)
    return made


def renamed(atoms):
    """As QUIP and others write it."""
    copy = atoms.copy()
    copy.info["dft_energy"] = atoms.get_potential_energy()
    copy.info["dft_virial"] = -atoms.get_stress(voigt=False) * atoms.get_volume()
    copy.arrays["dft_forces"] = atoms.get_forces()
    return copy


@pytest.fixture
def basis():
    return BasisSpec.simple(["Cu"], cutoff=5.0, nradmax=[4, 2], lmax=[0, 2])


def test_a_virial_is_minus_stress_times_volume(frames, tmp_path):
    atoms = frames[0].copy()
    atoms.info["virial"] = -frames[0].get_stress(voigt=False) * frames[0].get_volume()
    wanted = read_labels(frames[0], "it").virial
    np.testing.assert_allclose(read_labels(atoms, "it").virial, wanted, rtol=1e-12)
    atoms.info["virial"] = atoms.info["virial"].ravel()
    ase.io.write(tmp_path / "it.extxyz", atoms)
    np.testing.assert_allclose(read_labels(ase.io.read(tmp_path / "it.extxyz"), "it").virial, wanted, rtol=1e-6)
    atoms.info["virial"] = [1.0, 2.0]
    with pytest.raises(InputError, match=r"it: virial must have shape \(6,\), got \(2,\)"):
        read_labels(atoms, "it")


def test_names_of_ones_own(frames, tmp_path, capsys):
    ase.io.write(tmp_path / "ours.extxyz", frames)
    ase.io.write(tmp_path / "theirs.extxyz", [renamed(atoms) for atoms in frames])
    assert run("fit", tmp_path / "theirs.extxyz", "-o", tmp_path / "none.yaml") == 1
    assert "--energy-key dft_energy --forces-key dft_forces?" in capsys.readouterr().err
    keys = ["--energy-key", "dft_energy", "--forces-key", "dft_forces", "--virial-key", "dft_virial"]
    metrics = []
    for name, options in (("ours", []), ("theirs", keys)):
        assert run("fit", tmp_path / f"{name}.extxyz", "-o", tmp_path / "new" / f"{name}.yaml", *options) == 0
        metrics.append(json.loads((tmp_path / "new" / f"{name}.metrics.json").read_text()))
    assert metrics[0]["rows"] == metrics[1]["rows"] == {"energy": 8, "forces": 96, "virial": 48}
    for quantity in ("energy", "forces", "virial"):
        rms = [found["train"]["quantities"][quantity]["reference_rms"] for found in metrics]
        assert rms[0] == pytest.approx(rms[1], rel=1e-5)
    assert run("fit", tmp_path / "theirs.extxyz", *keys[:3], "dft_force", "-o", tmp_path / "none.yaml") == 1
    assert "no frame has labels under dft_force: correct" in capsys.readouterr().err


def test_what_would_be_told_after_a_long_fit_is_told_before(frames, basis, tmp_path, capsys):
    made_with = []
    other = bulk("Al", cubic=True)
    other.calc = SinglePointCalculator(other, energy=1.0)
    with pytest.raises(InputError, match=r"frame 1 contains Al, but the basis knows Cu only"):
        fit(frames, basis, test_frames=[frames[0], other], progress=made_with.append)
    assert not made_with
    ase.io.write(tmp_path / "few.extxyz", frames)
    command = (
        "fit",
        tmp_path / "few.extxyz",
        "-o",
        tmp_path / "a" / "pot.yaml",
        "--active-set",
        "--report",
        tmp_path / "plots",
    )
    assert run(*command) == 1
    said = capsys.readouterr()
    assert "cannot determine" in said.err and "rows: 8 energy" in said.out, "the fit itself is not lost"
    assert (tmp_path / "a" / "pot.yaml").is_file() and (tmp_path / "plots" / "parity_forces.png").is_file()
    assert run("fit", tmp_path / "few.extxyz", "-o", tmp_path / "plots") == 1
    assert run("select", tmp_path / "few.extxyz", "-p", tmp_path / "a" / "pot.yaml", "-o", tmp_path / "chosen.foo") == 1
    assert "must end in .extxyz" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"smoothness": -1.0}, "smoothness must be a number from 0 on, got -1"),
        ({"e0": {"Cu": 1.0, "Zz": 2.0}}, "e0 names Zz"),
        ({"e0": float("nan")}, "e0 must be finite"),
        ({"core_repulsion": "lj"}, "core_repulsion must be None, 'zbl'"),
    ],
)
def test_settings_of_a_fit_are_named(frames, basis, settings, message):
    with pytest.raises(InputError, match=message):
        fit(frames, basis, **settings)


def test_ridge_is_a_number_from_0_on():
    for alpha in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="alpha must be a number from 0 on"):
            Ridge(alpha)
    with pytest.raises(InputError, match="needs alpha"):
        Ridge(None, scale_columns=False)


def test_a_result_prints_in_one_line(frames, basis):
    text = repr(fit(frames, basis, core_repulsion=CoreRepulsion()))
    assert "\n" not in text and "forces" in text and len(text) < 300


def test_what_ard_switches_off_is_not_written(frames, tmp_path, capsys):
    ase.io.write(tmp_path / "train.extxyz", frames)
    basis = tmp_path / "basis.yaml"
    basis.write_text(BASIS.replace("[C]", "[Cu]").replace("4.5", "6.0").replace("[4, 2]", "[8, 3]"))
    pot = tmp_path / "pot.yaml"
    assert run("fit", tmp_path / "train.extxyz", "--basis", basis, "--solver", "ard", "-o", pot, "--active-set") == 0
    told = json.loads((tmp_path / "pot.metrics.json").read_text())
    potential = Potential.read(pot)
    (n_kept,) = potential.n_functions.values()
    assert n_kept == told["kept_functions"] < told["n_functions"]["Cu"]
    assert f"pot.yaml: {n_kept} functions" in capsys.readouterr().out
    rmse = measure_errors(frames, potential).quantities["forces"].rmse
    assert rmse == pytest.approx(told["train"]["quantities"]["forces"]["rmse"], rel=1e-4)
    assert len(ActiveSet.read(tmp_path / "pot.asi").inverses["Cu"]) == n_kept
    nothing = potential.with_coefficients(np.zeros(n_kept)).without_zeros()
    assert nothing.n_functions == {"Cu": 1}, "an element without functions has no active set"
