"""The transfer templates at a size that takes seconds: every part is the real one, the numbers are not good."""

from __future__ import annotations

from importlib.resources import files

import pytest
import yaml

from polypace.errors import InputError
from polypace.study.schema import read_study
from polypace.study.transfer import cells
from tests.helpers.small_study import write_small_study
from tests.helpers.transfer_study import reduced_transfer, run_transfer

pytestmark = [pytest.mark.program, pytest.mark.slow]

TEMPLATES = ("transfer_ua", "transfer_aa", "transfer_xtb")


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_are_studies(name, tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(files("polypace.study").joinpath("templates", f"{name}.yaml").read_text(encoding="utf-8"))
    spec = read_study(path)
    assert spec.transfer is not None and len(list(cells(spec.transfer))) >= 3


def test_united_atoms(tmp_path):
    collections = ["random", "d-optimal", "clusters", "d-optimal-clusters"]
    study = reduced_transfer("transfer_ua", collections=collections, cluster_radii=[6], atoms=[200], repeats=2)
    grid, folder = run_transfer(study, tmp_path)
    assert {(tuple(cell["train"]), cell["collection"]) for cell in grid["cells"]} == {
        (train, collection) for train in ((4,), (4, 8)) for collection in collections
    }
    for cell in grid["cells"]:
        assert 0 < cell["labelled_atoms"]["mean"] <= 200 or cell["structures"]["mean"] == 1
        assert cell["tests"]["C16"]["force_rmse_relative"]["mean"] > 0
        assert cell["error"]["error"] is not None, "two repeats have a standard error"
        places = cell["tests"]["C16"]["force_rmse_by_position_eV_per_A"]
        assert list(places) == [str(k) for k in range(1, 9)], "from the ends of C16 to its middle"
        assert 0 <= cell["tests"]["C8"]["share_covered"]["mean"] <= 1
    # Cells of one budget cost the same: the front is what no other beats in error and ratio.
    assert {cell["cost"] for cell in grid["cells"]} == {200.0}
    best = min(grid["cells"], key=lambda cell: cell["error"]["mean"])
    assert set(grid["front"]) <= {cell["name"] for cell in grid["cells"]} and best["name"] in grid["front"]
    assert grid["recommendation"].startswith("Train on C4")
    assert (folder / "transfer.png").stat().st_size > 10_000
    assert "<svg" in (folder / "transfer.html").read_text() and "C16" in (folder / "transfer.md").read_text()
    again, _ = run_transfer(study, tmp_path)
    assert again == grid


def test_learning_and_md_beside_the_grid(tmp_path):
    path = write_small_study(tmp_path / "study.yaml", {"kind": "threads", "workers": 2})
    study = yaml.safe_load(path.read_text())
    length = study["systems"]["train"][0]["chain_length"]
    study["transfer"] = {
        "train": [[length]], "collections": ["random", "active-learning"], "atoms": [600], "repeats": 1,
        "pool": 4, "test_frames": 2, "entangled": [400], "entangled_time": "1 us",
    }  # fmt: skip
    grid, folder = run_transfer(study, tmp_path)
    assert [cell["collection"] for cell in grid["cells"]] == ["random", "active-learning"]
    (found,) = grid["diffusion"].values()
    assert found["ace"]["mean"] > 0 and found["reference"]["mean"] > 0 and found["lag_ps"] > 0
    price, (run,) = grid["price"], grid["price"]["runs"]
    assert 1e-7 < price["core_seconds_per_atom_step"] < 1e-3
    assert run["atoms"] == 40_000 and run["steps"] == 1e9
    assert run["core_hours"] == pytest.approx(4e13 * price["core_seconds_per_atom_step"] / 3600)
    page = (folder / "transfer.html").read_text()
    assert "Entangled chains" in page and "Diffusion" in page
    report = (folder / "report.html").read_text()
    assert "Chain dimensions" in report and "Dynamics, ACE over reference" in report


def test_what_cannot_be_done_is_refused(tmp_path):
    for change, said in (
        (lambda s: s["transfer"].update(train=[[5]]), "systems.train does not build"),
        (lambda s: s["transfer"].update(collections=["active-learning"]), "active-learning needs"),
        (lambda s: s["reference"].update(labels="gfn2-xtb"), "labels clusters"),
        (lambda s: s["reference"].update(label_settings={"xc": "pbe"}), "label_settings belong"),
        (lambda s: s["transfer"].update(only=False) or s["systems"].update(force_field="l-opls"), "transfer.only"),
        (lambda s: s["systems"].update(force_field="amber"), "systems.force_field"),
        (lambda s: s["transfer"].update(cluster_radii=[2]), "cluster_radii"),
        (lambda s: s["systems"]["train"][0].update(density=1.5), r"train.0.density: .* 1.2"),
        (lambda s: s["systems"]["train"][0].update(density="nan"), "train.0.density"),
    ):
        study = reduced_transfer("transfer_ua", collections=["random"])
        change(study)
        path = tmp_path / "bad.yaml"
        path.write_text(yaml.safe_dump(study))
        with pytest.raises(InputError, match=said):
            read_study(path)
