"""Transfer studies with other references than united atoms, at a size that takes seconds; and what goes wrong there."""

from __future__ import annotations

import importlib
import importlib.util
import json

import ase.io
import pytest

from polypace.ace import Potential, measure_errors
from polypace.errors import MissingProgramError, ProgramError
from polypace.reference import LOPLS, CombinedBaseline, CoulombTail, DispersionTail
from tests.helpers.transfer_study import reduced_transfer, run_transfer

pytestmark = [pytest.mark.program, pytest.mark.slow]

needs_xtb = pytest.mark.skipif(not importlib.util.find_spec("tblite"), reason="needs pip install 'polypace[xtb]'")
needs_dft = pytest.mark.skipif(not importlib.util.find_spec("pyscf"), reason="needs pip install 'polypace[dft]'")


def butane(name, **transfer):
    """A template trained on butane, tested on octane."""
    study = reduced_transfer(name, **{"train": [[4]], "pool": 2, **transfer})
    study["systems"]["train"] = study["systems"]["train"][:1]
    study["systems"]["test"] = study["systems"]["test"][:1]
    return study


def quantum(labels, atoms, **settings):
    """One fit to carved clusters."""
    study = butane("transfer_xtb", collections=["clusters"], cluster_radii=[4], atoms=[atoms])
    study["reference"] |= {"labels": labels, "label_settings": settings}
    return study


def test_all_atoms(tmp_path):
    study = butane("transfer_aa", collections=["random", "clusters"], cluster_radii=[4.5], atoms=[100, 400])
    grid, folder = run_transfer(study, tmp_path)
    cells = {cell["name"]: cell for cell in grid["cells"]}
    assert len(cells) == 4 and "One repeat only" in grid["recommendation"]
    rich = cells["C4-clusters-4.5A-400"]
    assert rich["no_active_set"] is None and 0 <= rich["tests"]["C8"]["share_covered"]["mean"] <= 1
    assert 0.01 < rich["tests"]["C8"]["force_rmse_relative"]["mean"] < 0.7
    # 100 atoms have fewer carbons than there are functions: forces make the fit, but nothing says what it covers.
    poor = cells["C4-clusters-4.5A-100"]
    assert poor["tests"]["C8"]["share_covered"]["mean"] is None and poor["error"]["mean"] > rich["error"]["mean"]
    assert f"{poor['name']} ({poor['no_active_set']})" in (folder / "transfer.md").read_text()
    assert "environments of C for 36 functions" in poor["no_active_set"]


@needs_xtb
def test_xtb_on_carved_clusters(tmp_path):
    grid, folder = run_transfer(quantum("gfn2-xtb", 150), tmp_path)
    (cell,) = grid["cells"]
    assert grid["labels"] == "gfn2-xtb" and cell["failed"] == 0 and cell["label_seconds"]["mean"] > 0
    assert cell["tests"]["C8"]["frames"]["mean"] == 2 and 0 < cell["tests"]["C8"]["force_rmse_relative"]["mean"] < 1
    labels = [json.loads(path.read_text())["label"] for path in (folder / "labels").glob("*/*.json")]
    assert {label["method"]["name"] for label in labels} >= {"gfn2-xtb"}
    # What is paid is the time of the labels, and the page says so.
    assert cell["cost"] == cell["label_seconds"]["mean"] and grid["units"]["cost"] == "seconds of labelling"
    assert f"labelled atoms in {cell['cost']:.3g} s" in grid["recommendation"]
    assert "| labels (s) |" in (folder / "transfer.md").read_text()


@needs_xtb
def test_a_tail_that_is_named_is_taken_out_of_quantum_labels(tmp_path):
    """The fit has learned the labels without it, and the study says so."""
    study = quantum("gfn2-xtb", 60)
    study["reference"] |= {"cutoff": [8.0, 10.0], "tail": [4.0, 5.0]}
    folder = run_transfer(study, tmp_path)[1]
    (cell,) = (path.parent for path in (folder / "steps").glob("*/cell.json"))
    labelled = ase.io.read(cell / "train.extxyz", ":")
    potential = Potential.read(cell / "potential.yaml")
    tail = CombinedBaseline(
        (DispersionTail(4, 5, 8, 10, LOPLS.mdf(8, 10)), CoulombTail(4, 5, 10, force_field=LOPLS.mdf(8, 10)))
    )
    reported = json.loads((cell / "cell.json").read_text())["train_force_rmse_eV_per_A"]
    learned, whole = (
        measure_errors(frames, potential).quantities["forces"] for frames in (tail.subtract(labelled), labelled)
    )
    assert learned.rmse == pytest.approx(reported, rel=1e-6) and abs(whole.rmse - reported) > 1e-4
    assert "switched on from 4 to 5 Å" in json.loads((folder / "results.json").read_text())["study"]["reference"]


@needs_dft
def test_dft_on_a_handful_of_clusters(tmp_path):
    study = quantum("pyscf-dft", 40, xc="pbe", basis="sto-3g", grid_level=0)
    for system in (*study["systems"]["train"], *study["systems"]["test"]):
        system["density"] = 0.1  # pieces of single chains
    grid, _ = run_transfer(study, tmp_path)
    (cell,) = grid["cells"]
    assert grid["labels"] == "pyscf-dft" and cell["failed"] == 0
    assert cell["tests"]["C8"]["force_rmse_eV_per_A"]["mean"] > 0


@needs_xtb
def test_labels_that_do_not_converge_are_recorded(tmp_path):
    study = quantum("gfn2-xtb", 60, max_iterations=1)
    with pytest.raises(ProgramError, match=r"step test/C8: none of the 2 structures has a finite label") as failure:
        run_transfer(study, tmp_path)
    assert "'failed'" in str(failure.value)
    labels = [json.loads(path.read_text())["label"] for path in (tmp_path / "results" / "labels").glob("*/*.json")]
    assert len(labels) >= 2 and all(label["status"] == "failed" and label["reason"] for label in labels)


def test_a_missing_extra_is_told_before_anything_runs(tmp_path, monkeypatch):
    there = importlib.import_module

    def without_tblite(name, package=None):
        if name.startswith("tblite"):
            raise ImportError(name)
        return there(name, package)

    monkeypatch.setattr(importlib, "import_module", without_tblite)
    with pytest.raises(MissingProgramError, match=r"polypace\[xtb\]"):
        run_transfer(quantum("gfn2-xtb", 60), tmp_path)
    assert not (tmp_path / "results").exists()
