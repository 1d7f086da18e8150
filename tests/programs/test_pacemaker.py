"""The pacemaker backend: its log as text, and real runs where it is installed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from polypace.ace import BasisSpec, Potential, evaluate, measure_errors
from polypace.ace.pacemaker import fit_with_pacemaker, parse_log, write_dataset
from polypace.cli.app import main
from polypace.errors import InputError, ProgramError
from polypace.select import ActiveSet, extrapolation_grade, select_active_set

needs_pacemaker = pytest.mark.skipif(
    importlib.util.find_spec("pyace") is None,
    reason="needs the real pacemaker: pip install --pre 'polypace[pacemaker]'",
)

SPEC = BasisSpec(
    ["Al"],
    bonds={"ALL": {"radbase": "ChebExpCos", "radparameters": [4.0], "rcut": 4.5, "dcut": 0.1}},
    functions={"ALL": {"nradmax_by_orders": [3, 1], "lmax_by_orders": [0, 1]}},
)


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(3)
    basis = SPEC.build()
    truth = basis.with_coefficients(rng.normal(size=len(basis.coefficients)))
    grid = np.array(np.meshgrid(*[range(2)] * 3)).reshape(3, 8).T
    made = [
        Atoms("Al8", positions=(grid + rng.uniform(-0.15, 0.15, grid.shape)) * 2.7, cell=[5.4] * 3, pbc=True)
        for _ in range(6)
    ]
    for atoms, prediction in zip(made, evaluate(made, truth), strict=True):
        atoms.calc = SinglePointCalculator(atoms, energy=prediction.energy, forces=prediction.forces)
    return made


def test_log_of_a_finished_and_of_a_failed_run():
    finished = (
        "Iteration:  #12   Loss:    Total:  5.0e-01 (100%)\n"
        "Iteration:  #13   Loss:    Total:  1.25e-03 (100%)\n"
        "2026-11-22 11:38:18,028 I - Fitting done\n"
    )
    progress = parse_log(finished)
    assert (progress.iterations, progress.loss, progress.finished) == (13, 1.25e-3, True)
    failed = parse_log("Iteration:  #3   Loss:    Total:  nan (100%)\nTraceback (most recent call last):\n")
    assert not failed.finished and failed.iterations == 3
    assert parse_log("").loss is None


@needs_pacemaker
@pytest.mark.program
def test_fits_and_upfits(frames, tmp_path):
    seen = []
    result = fit_with_pacemaker(frames, SPEC, tmp_path, max_iterations=15, test_frames=frames[:2], progress=seen.append)
    assert seen[-1].iterations == 15 and seen[-1].finished
    assert result.progress.iterations == 15
    assert result.progress.finished
    assert result.metrics["rmse_f_comp"] > 0
    # The pyace evaluator measures test sets at display steps only, of which a short fit may have none.
    assert set(result.test_metrics) <= set(result.metrics)
    measured = measure_errors(frames, result.potential).quantities
    assert measured["forces"].rmse == pytest.approx(result.metrics["rmse_f_comp"], rel=1e-3)
    again = fit_with_pacemaker(frames, result.potential, tmp_path / "upfit", max_iterations=10)
    assert again.metrics["loss"] <= result.metrics["loss"]


@needs_pacemaker
@pytest.mark.program
def test_ladder_fits_grow_the_basis(frames, tmp_path):
    result = fit_with_pacemaker(frames, SPEC, tmp_path, max_iterations=4, ladder_step=3)
    assert result.progress.finished and result.potential.n_functions == SPEC.build().n_functions
    steps = sorted(tmp_path.glob("interim_potential_ladder*.yaml")) or sorted(tmp_path.glob("*ladder*"))
    assert steps or (tmp_path / "log.txt").read_text().lower().count("ladder") > 1


@needs_pacemaker
@pytest.mark.program
def test_the_verb_fit_with_pacemaker(frames, tmp_path, capsys):
    ase.io.write(tmp_path / "data.extxyz", frames)
    SPEC.build().write(tmp_path / "basis.yaml")
    with pytest.raises(SystemExit) as end:
        main(["fit", str(tmp_path / "data.extxyz"), "--basis", str(tmp_path / "basis.yaml"), "--backend", "pacemaker",
              "--max-iterations", "3", "-o", str(tmp_path / "pot.yaml"), "--yace", "--active-set"])  # fmt: skip
    assert end.value.code == 0 and "by pacemaker" in capsys.readouterr().out
    summary = json.loads((tmp_path / "pot.metrics.json").read_text())
    assert summary["pacemaker"]["iterations"] == 3
    assert summary["train"]["quantities"]["forces"]["rmse"] == pytest.approx(
        summary["pacemaker_metrics"]["rmse_f_comp"], rel=1e-3
    )
    potential = Potential.read(tmp_path / "pot.yaml")
    assert ActiveSet.read(tmp_path / "pot.asi").kind(potential) == "linear" and (tmp_path / "pot.yace").is_file()


@needs_pacemaker
@pytest.mark.program
def test_a_run_that_takes_too_long_is_ended(frames, tmp_path):
    with pytest.raises(ProgramError, match=r"took longer than 0\.5 s"):
        fit_with_pacemaker(frames, SPEC, tmp_path, timeout=0.5)


@needs_pacemaker
@pytest.mark.program
def test_failure_carries_what_was_printed(frames, tmp_path):
    with pytest.raises(ProgramError, match="failed with exit code") as failure:
        fit_with_pacemaker(frames, SPEC, tmp_path, options={"optimizer": "no-such-optimizer"})
    assert "no-such-optimizer" in str(failure.value).lower()


@needs_pacemaker
@pytest.mark.program
def test_active_sets_are_those_of_pace_activeset(frames, tmp_path):
    rng = np.random.default_rng(0)
    basis = SPEC.build()
    potential = basis.with_coefficients(rng.normal(size=len(basis.coefficients)))
    potential.write(tmp_path / "pot.yaml")
    write_dataset(frames, tmp_path / "data.pckl.gzip")
    program = Path(sys.executable).parent / "pace_activeset"
    command = [sys.executable, str(program), "-a", "-d", "data.pckl.gzip", "pot.yaml"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    theirs, ours = ActiveSet.read(tmp_path / "pot.asi"), select_active_set(frames, potential)
    a, b = (np.concatenate(extrapolation_grade(frames, potential, active)) for active in (theirs, ours))
    np.testing.assert_allclose(a, b, rtol=1e-6)
    ours.write(tmp_path / "ours.asi")
    code = (
        "from pyace import PyACECalculator; import pickle, numpy as np\n"
        "calc = PyACECalculator('pot.yaml'); calc.set_active_set('ours.asi'); grades = []\n"
        "for atoms in pickle.load(open('frames.pkl', 'rb')):\n"
        "    atoms.calc = calc; atoms.get_potential_energy(); grades.append(calc.results['gamma'])\n"
        "np.save('gamma.npy', np.concatenate(grades))\n"
    )
    import pickle

    bare = [atoms.copy() for atoms in frames]
    (tmp_path / "frames.pkl").write_bytes(pickle.dumps(bare))
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "gamma.npy"), b, rtol=1e-6)


@needs_pacemaker
def test_frames_without_forces_are_named(tmp_path):
    atoms = Atoms("Al")
    atoms.calc = SinglePointCalculator(atoms, energy=1.0)
    with pytest.raises(InputError, match="frame 0 lacks energy or forces"):
        write_dataset([atoms], tmp_path / "x.pckl.gzip")
    with pytest.raises(InputError, match="no frames"):
        write_dataset([], tmp_path / "x.pckl.gzip")
