"""The verbs fit, select and grade, one after the other."""

from __future__ import annotations

import json

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from polypace.ace import BasisSpec, Potential, evaluate
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
    energies = [evaluate(frames, Potential.read(tmp_path / name))[0].energy for name in ("pot.yaml", "pot.yace")]
    assert energies[0] == pytest.approx(energies[1], rel=1e-10)
    assert {path.name for path in (tmp_path / "report").iterdir()} >= {"parity_forces.png", "force_error.png"}
    assert run("select", data, "-p", pot, "-o", tmp_path / "some.extxyz", "-n", 3) == 0
    assert len(ase.io.read(tmp_path / "some.extxyz", ":")) == 3
    assert run("grade", data, "-p", pot, "-a", tmp_path / "pot.asi", "-o", tmp_path / "grades.json") == 0
    grades = json.loads((tmp_path / "grades.json").read_text())
    assert grades["all"]["all"]["largest"] < 1.02 and set(grades["place"]) == {"end", "next"}


def test_bad_input_is_one_line(tmp_path, capsys):
    assert run("fit", tmp_path / "none.extxyz") == 1
    assert "does not exist" in capsys.readouterr().err
    (tmp_path / "empty.extxyz").write_text("")
    assert run("fit", tmp_path / "empty.extxyz") == 1
    assert "no frames" in capsys.readouterr().err
