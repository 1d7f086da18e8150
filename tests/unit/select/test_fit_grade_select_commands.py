"""The verbs fit, select and grade, one after the other."""

from __future__ import annotations

import json

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from polypace.ace import BasisSpec, Potential, evaluate
from polypace.select import ActiveSet
from tests.helpers.commands import BASIS, run


def test_from_labelled_frames_to_grades(tmp_path, rng, capsys):
    (tmp_path / "basis.yaml").write_text(BASIS)
    basis = BasisSpec.read(tmp_path / "basis.yaml").build()
    truth = basis.with_coefficients(rng.normal(size=len(basis.coefficients)))
    grid = np.array(np.meshgrid(*[range(2)] * 3)).reshape(3, 8).T
    frames = []
    for _ in range(12):
        positions = (grid + rng.uniform(-0.15, 0.15, grid.shape)) * 2.6
        atoms = Atoms("C8", positions=positions, cell=[5.2] * 3, pbc=True, info={"chain_length": 4})
        atoms.arrays["mol_id"] = np.repeat([0, 1], 4)
        prediction = evaluate([atoms], truth)[0]
        atoms.calc = SinglePointCalculator(
            atoms, energy=prediction.energy, forces=prediction.forces, stress=prediction.stress
        )
        frames.append(atoms)
    data, pot = tmp_path / "train.extxyz", tmp_path / "pot.yaml"
    ase.io.write(data, frames)
    code = run("fit", data, "--basis", tmp_path / "basis.yaml", "-o", pot, "--test", data, "--yace", "--active-set",
               "--report", tmp_path / "report")  # fmt: skip
    assert code == 0 and "functions" in capsys.readouterr().out
    metrics = json.loads((tmp_path / "pot.metrics.json").read_text())
    assert metrics["test"]["quantities"]["forces"]["relative"] < 1e-3
    for name in ("pot.yaml", "pot.yace"):
        assert run("errors", tmp_path / name, data, "-o", tmp_path / "errors.json") == 0
        errors = json.loads((tmp_path / "errors.json").read_text())
        assert errors["n_frames"] == 12 and errors["by_chain_length"].keys() == {"4"}
        assert errors["quantities"]["forces"]["rmse"] == pytest.approx(
            metrics["test"]["quantities"]["forces"]["rmse"], rel=1e-6
        )
    assert "C4" in capsys.readouterr().out
    energies = [evaluate(frames, Potential.read(tmp_path / name))[0].energy for name in ("pot.yaml", "pot.yace")]
    assert energies[0] == pytest.approx(energies[1], rel=1e-10)
    assert {path.name for path in (tmp_path / "report").iterdir()} >= {"parity_forces.png", "force_error.png"}
    assert run("select", data, "-p", pot, "-o", tmp_path / "some.extxyz", "-n", 3) == 0
    assert len(ase.io.read(tmp_path / "some.extxyz", ":")) == 3
    assert run("grade", data, "-p", pot, "-a", tmp_path / "pot.asi", "-o", tmp_path / "grades.json") == 0
    full = tmp_path / "full.asi.nonlinear"  # with one density and a linear embedding the same as the linear set
    assert run("select", data, "-p", pot, "--full", "-o", full) == 0
    np.testing.assert_allclose(ActiveSet.read(full).inverses["C"], ActiveSet.read(tmp_path / "pot.asi").inverses["C"])
    grades = json.loads((tmp_path / "grades.json").read_text())
    assert grades["all"]["all"]["largest"] < 1.02 and set(grades["place"]) == {"end", "next"}


def test_bad_input_is_one_line(tmp_path, capsys):
    assert run("fit", tmp_path / "none.extxyz") == 1
    assert "does not exist" in capsys.readouterr().err
    (tmp_path / "empty.extxyz").write_text("")
    assert run("fit", tmp_path / "empty.extxyz") == 1
    assert "no frames" in capsys.readouterr().err


def test_several_files_are_named_in_messages(tmp_path, capsys):
    good, bad = Atoms("C2", positions=[[0, 0, 0], [0, 0, 1.5]]), Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.5]])
    for atoms in (good, bad):
        atoms.calc = SinglePointCalculator(atoms, energy=1.0, forces=np.zeros((2, 3)))
    unlabelled = Atoms("C2", positions=[[0, 0, 0], [0, 0, 1.5]])
    files = {"a": [good] * 3, "b": [good, unlabelled], "c": [good, good, bad]}
    for name, frames in files.items():
        ase.io.write(tmp_path / f"{name}.extxyz", frames)
    (tmp_path / "basis.yaml").write_text(BASIS)
    a, b, c = (tmp_path / f"{name}.extxyz" for name in files)
    assert run("fit", a, b, "--basis", tmp_path / "basis.yaml", "-o", tmp_path / "pot.yaml") == 1
    assert f"frame 1 of {b} has no energy" in " ".join(capsys.readouterr().err.split())
    assert run("fit", a, c, "--basis", tmp_path / "basis.yaml", "-o", tmp_path / "pot.yaml") == 1
    assert f"frame 2 of {c} contains Cu" in " ".join(capsys.readouterr().err.split())
    assert run("select", a, c, "--basis", tmp_path / "basis.yaml", "-o", tmp_path / "some.extxyz") == 1
    assert f"frame 2 of {c} contains Cu" in " ".join(capsys.readouterr().err.split())


def test_an_up_fit_and_its_report_from_the_shell(tmp_path, rng, capsys):
    basis = BasisSpec.simple(["C"], 4.0, nradmax=(4, 2), lmax=(0, 1)).build()
    truth = basis.with_coefficients(rng.normal(size=len(basis.coefficients)))
    frames = [Atoms("C4", positions=rng.uniform(0, 1, (4, 3)) + 1.7 * np.eye(4, 3)) for _ in range(6)]
    for atoms, prediction in zip(frames, evaluate(frames, truth), strict=True):
        atoms.calc = SinglePointCalculator(atoms, energy=prediction.energy, forces=prediction.forces)
    data, old, new = tmp_path / "train.extxyz", tmp_path / "old.yaml", tmp_path / "new.yaml"
    ase.io.write(data, frames)
    truth.with_core_repulsion({}).write(old)  # as every fit writes it
    code = run("fit", data, "--start", old, "--alpha", "1e3", "-o", new, "--report", tmp_path / "report")
    assert code == 0, capsys.readouterr().err
    assert Potential.read(new).coefficients == pytest.approx(truth.coefficients, rel=1e-6)
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "parity_energy.png", "parity_forces.png", "force_error.png",
    }  # fmt: skip


def test_molecules_get_a_prior_of_their_own(tmp_path, rng, capsys):
    """What decides between cross-validation and the prior of the default basis: hydrogen, no cell, no --alpha, no basis."""
    frames = [Atoms("CH4", positions=rng.normal(size=(5, 3)) * 0.05 + METHANE) for _ in range(4)]
    for atoms in frames:
        atoms.calc = SinglePointCalculator(atoms, energy=float(rng.normal()), forces=rng.normal(size=(5, 3)))
    ase.io.write(tmp_path / "ch4.extxyz", frames)
    for options, strength in (((), 1e-9), (("--alpha", "1e-6"), 1e-6)):
        assert run("fit", tmp_path / "ch4.extxyz", "-o", tmp_path / "pot.yaml", *options) == 0, capsys.readouterr().err
        assert json.loads((tmp_path / "pot.metrics.json").read_text())["prior_strength"] == strength


METHANE = np.array([[0, 0, 0], [0.63, 0.63, 0.63], [-0.63, -0.63, 0.63], [-0.63, 0.63, -0.63], [0.63, -0.63, -0.63]])
