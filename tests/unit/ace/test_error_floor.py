"""Error against cutoff, rank and size, for a reference whose answer is known."""

from __future__ import annotations

import json

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from polypace.ace import BasisSpec, Ridge, Weights, evaluate, fit
from polypace.ace.error_floor import error_floor
from polypace.cli.app import main
from polypace.errors import InputError


def frames_of(potential, n, seed, shift=0.0):
    """Disordered Al; `shift` (eV/Å) turns the forces of every second atom, which no potential can follow."""
    rng = np.random.default_rng(seed)
    grid = np.array(np.meshgrid(*[range(2)] * 3)).reshape(3, 8).T
    frames = [
        Atoms("Al8", (grid + rng.uniform(-0.12, 0.12, grid.shape)) * 2.6, cell=np.eye(3) * 5.2, pbc=True)
        for _ in range(n)
    ]
    for atoms, prediction in zip(frames, evaluate(frames, potential), strict=True):
        forces = prediction.forces + shift * np.array([1.0, -1.0] * 4)[:, None]
        atoms.calc = SinglePointCalculator(atoms, energy=prediction.energy, forces=forces)
    return frames


@pytest.fixture(scope="module")
def truth():
    basis = BasisSpec.simple(["Al"], 4.5, nradmax=(3, 2), lmax=(0, 1)).build()
    n = sum(basis.n_functions.values())
    return basis.with_coefficients(np.random.default_rng(5).normal(size=n))


@pytest.fixture(scope="module")
def scan(truth):
    return error_floor(
        frames_of(truth, 10, 1), frames_of(truth, 3, 2), cutoffs=(3.5, 4.5), ranks=(1, 2), sizes=(4, 16, 40),
        weights=Weights(1e4, 1e3, 0), solver=Ridge(1e-14), n_threads=1,
    )  # fmt: skip


def test_finds_the_form_that_made_the_labels(scan):
    assert (scan.best.cutoff, scan.best.rank) == (4.5, 2)
    assert scan.relative < 1e-4 and not scan.reached
    of_pairs = [p.test["forces"] for p in scan.points if p.rank == 1]
    assert min(of_pairs) > 0.01 * scan.reference_rms["forces"], "pairs cannot stand for triples"
    assert {p.n_functions for p in scan.points if p.rank == 2} == {4, 16, 40}


def test_numbers_are_those_of_a_fit(truth, scan):
    """The smaller bases come out of compressed rows; a fit to the frames knows nothing of that."""
    train, test = frames_of(truth, 10, 1), frames_of(truth, 3, 2)
    basis = BasisSpec.simple(["Al"], 3.5, nradmax=(16,), lmax=(0,), n_functions=4)
    result = fit(
        train, basis, weights=Weights(1e4, 1e3, 0), solver=Ridge(1e-14), test_frames=test, smoothness=2.0, n_threads=1
    )
    point = next(p for p in scan.points if (p.cutoff, p.rank, p.n_functions) == (3.5, 1, 4))
    for quantity in ("forces", "energy"):
        assert point.train[quantity] == pytest.approx(result.metrics.quantities[quantity].rmse, rel=1e-6)
        assert point.test[quantity] == pytest.approx(result.test_metrics.quantities[quantity].rmse, rel=1e-6)


def test_a_floor_is_said_to_be_one(truth):
    found = error_floor(
        frames_of(truth, 8, 1, shift=3.0), frames_of(truth, 3, 2, shift=3.0), cutoffs=(4.5,), ranks=(2,), sizes=(8, 30)
    )
    assert found.reached and "a floor" in found.verdict
    assert found.best.test["forces"] == pytest.approx(3.0, rel=0.15)


def test_refuses(truth):
    frames = frames_of(truth, 1, 1)
    for arguments, said in (({"cutoffs": ()}, "cutoffs"), ({"ranks": (0,)}, "ranks"), ({"sizes": (-1,)}, "sizes")):
        with pytest.raises(InputError, match=said):
            error_floor(frames, frames, **arguments)
    with pytest.raises(InputError, match="empty"):
        error_floor(frames, [])


def test_the_command(truth, tmp_path, capsys):
    for name, n in (("train", 6), ("test", 2)):
        ase.io.write(tmp_path / f"{name}.extxyz", frames_of(truth, n, n))
    with pytest.raises(SystemExit) as end:
        main(["fit", str(tmp_path / "train.extxyz"), "--scan", str(tmp_path)])
    assert end.value.code == 1 and "--test" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        main(["fit", *(str(tmp_path / f) for f in ("train.extxyz",)), "--test", str(tmp_path / "test.extxyz"),
              "--scan", str(tmp_path / "scan"), "--threads", "1"])  # fmt: skip
    assert end.value.code == 0
    found = json.loads((tmp_path / "scan" / "scan.json").read_text())
    assert found["best"]["test"]["forces"] == min(p["test"]["forces"] for p in found["points"])
    assert (tmp_path / "scan" / "scan.png").stat().st_size > 10_000
    assert "smallest error of forces" in capsys.readouterr().out
