"""Active learning on real parts at the smallest size: converged, killed and resumed, exploding replicas, clusters."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import ase.io
import numpy as np
import pytest
import yaml

import polypace as pp
from polypace.errors import ProgramError
from polypace.select import ActiveSet
from polypace.study.plan import plan_contacts
from polypace.study.schema import read_study
from polypace.study.step import Step, StepContext
from polypace.study.tasks.common import read_frames, read_melt
from polypace.study.tasks.exploring import explore
from polypace.study.tasks.labelling import label, label_what_can_be
from polypace.study.tasks.selecting import select
from tests.helpers.studies import results_of

pytestmark = [pytest.mark.program, pytest.mark.slow]
POLYPACE = Path(sys.executable).parent / "polypace"

STUDY = {
    "name": "smallest loop",
    "seed": 11,
    "engine": {"kind": "threads", "workers": 2},
    "systems": {
        "temperature": 350,
        "equilibration": 1.0,
        "train": [{"chain_length": 4, "n_chains": 24, "density": 0.55, "hold_density": True}],
        "test": [{"chain_length": 6, "n_chains": 16, "density": 0.6, "hold_density": True}],
    },
    "reference": {"cutoff": [7, 8], "tail": [4.6, 6]},
    "training_data": {
        "thermal": 3, "hot": 0, "pinched": 0, "pairs": 4,  # little, so that there is something to learn
        "perturbed": {"rattled": 1, "compressed": 1, "contacts": 2, "twisted": 2},
    },
    "ace": {
        "basis": {
            "elements": ["C"],
            "bonds": {"ALL": {"radbase": "ChebExpCos", "radparameters": [5.25], "rcut": 6.0, "dcut": 0.01}},
            "functions": {"ALL": {"nradmax_by_orders": [10, 4, 2], "lmax_by_orders": [0, 2, 1]}},
        },
        "smoothness": 0,
    },
    "learning": {
        "iterations": 6, "chain_lengths": [6], "temperatures": [350, 450], "time": 0.2, "gamma_select": 1.5,
        "watch_every": 10, "max_frames": 4, "validation_frames": 2,
    },
}  # fmt: skip


def write_study(folder: Path, **learning) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump({**STUDY, "learning": {**STUDY["learning"], **learning}}))
    return path


def learn(study: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [POLYPACE, "learn", study, "-d", folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def learned(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("learn")
    result = learn(write_study(place), place / "study")
    assert result.returncode == 0, result.stderr
    assert "round 1: gamma up to" in result.stdout and "learning: converged" in result.stdout
    return place / "study"


def test_it_converges_on_a_chain_that_was_not_trained_on(learned):
    results = results_of(learned)
    rounds = results["learning"]["rounds"]
    assert results["learning"]["verdict"].startswith("converged") and results["chains"] == {}
    assert rounds[0]["gamma_max"] > 1.5 >= rounds[-1]["gamma_max"]
    assert rounds[0]["labelled_frames"] > 0 == rounds[-1]["labelled_frames"]
    first, last = (record["validation"]["force_rmse_relative"] for record in (rounds[0], rounds[-1]))
    assert last < 0.8 * first and last < 0.3
    assert json.loads((learned / "learning.json").read_text())[-1]["verdict"] == rounds[-1]["verdict"]
    assert not {step["name"].split("/")[0] for step in results["steps"]} & {"reference", "ace", "compare"}


def test_the_potential_lies_in_the_folder_and_knows_what_it_learned(learned):
    potential, active_set = pp.Potential.read(learned / "potential.yaml"), ActiveSet.read(learned / "potential.asi")
    assert (learned / "potential.yace").is_file()
    (folder,) = learned.glob("steps/label-round-1-*")
    for grades in pp.extrapolation_grade(ase.io.read(folder / "new.extxyz", ":"), potential, active_set):
        assert grades.max() < 1.02


def test_validation_frames_are_never_trained_on(learned):
    (folder,) = learned.glob("steps/validation-C6-*")
    held_out = {atoms.positions.tobytes() for atoms in ase.io.read(folder / "validation.extxyz", ":")}
    trained = [path for name in ("train.extxyz", "new.extxyz") for path in learned.glob(f"steps/*/{name}")]
    assert len(trained) >= 2 and len(held_out) == 2
    assert not any(a.positions.tobytes() in held_out for path in trained for a in ase.io.read(path, ":"))


def test_contact_frames_for_a_potential_with_holes(learned, tmp_path):
    """The step that such a fit asks for, made for real out of the melt that was explored."""
    (melt,) = learned.glob("steps/melt-C6-*")
    step = plan_contacts(read_study(learned / "study.yaml"), 6, Step("melt/C6", print, {}), attempt=1)
    step.function(StepContext(tmp_path, tmp_path / "partial", step.params, {"melt": melt}, learned, 1))
    frames = ase.io.read(tmp_path / "new.extxyz", ":")
    assert len(frames) == json.loads((tmp_path / "frames.json").read_text())["pairs"] > 16
    assert {(atoms.info["config_type"], atoms.info["chain_length"], len(atoms)) for atoms in frames} == {
        ("pairs", 6, 12)
    }
    assert all(np.isfinite(atoms.get_forces()).all() for atoms in frames)


def test_kill_9_at_any_time_changes_nothing(learned, tmp_path):
    study, folder = write_study(tmp_path), tmp_path / "study"
    rng = np.random.default_rng(5)
    total = sum(step["wall_seconds"] for step in json.loads((learned / "results.json").read_text())["steps"])
    kills = 0
    for share in rng.uniform(0.1, 0.4, size=4):
        process = subprocess.Popen(
            [POLYPACE, "learn", study, "-d", folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(timeout=3 + share * total / 2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    assert kills
    stamps = {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("steps/[a-z]*/manifest.json")}
    result = learn(study, folder)
    assert result.returncode == 0, result.stderr
    for name, stamp in stamps.items():
        assert (folder / "steps" / name / "manifest.json").stat().st_mtime_ns == stamp, f"{name} was made again"
    assert results_of(folder) == results_of(learned)
    for name in ("potential.yaml", "potential.yace", "potential.asi"):
        assert (folder / name).read_bytes() == (learned / name).read_bytes()


def test_an_added_budget_goes_on_from_the_old_loop(learned, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(learned, folder)
    labelled = results_of(learned)["learning"]["rounds"][0]["labelled_atoms"]
    result = learn(write_study(tmp_path, budget={"atoms": labelled - 1}), folder)
    assert result.returncode == 0, result.stderr
    assert "done in" not in result.stdout  # what it needs was there, less than before
    verdict = results_of(folder)["learning"]["verdict"]
    assert verdict == f"budget used: 0 atoms are labelled, {labelled} more would be above {labelled - 1}"
    result = learn(write_study(tmp_path, budget={"hours": 10}), folder)
    assert result.returncode == 0 and "done in" not in result.stdout
    assert results_of(folder) == results_of(learned)


@pytest.mark.parametrize("harvest", ["clusters", "molecules"])
def test_clusters_are_labelled_and_learned_from(learned, tmp_path, harvest):
    folder = tmp_path / "study"
    shutil.copytree(learned, folder)
    changes = {"harvest": harvest, "iterations": 1, "max_frames": 2, "max_atoms": 300}
    result = learn(write_study(tmp_path, **changes), folder)
    assert result.returncode == 0, result.stderr
    results = results_of(folder)
    (record,) = results["learning"]["rounds"]
    assert 0 < record["labelled_frames"] <= 2 and record["labelled_atoms"] <= 300
    # Periodic frame and cluster, each with its own tail taken off, agree where the force counts.
    assert record["labels"]["core_force_difference_eV_per_A"] < 1e-5
    assert results["training"]["frames_by_kind"]["cluster"] == record["labelled_frames"]
    before, after = (record["validation"], results["potential"]["validation"])
    assert after["force_rmse_relative"] < before["force_rmse_relative"]


def explored(learned: Path, tmp_path: Path, changes: dict) -> tuple[Path, dict[str, Path], dict]:
    """An exploration as that of round 1, with other parameters: its folder, inputs and parameters."""
    (step,) = learned.glob("steps/explore-round-1-C6-350K-*")
    params = json.loads((step / "manifest.json").read_text())["params"] | {"watch_every": 2} | changes
    params["time"] = 2000 * params["timestep"]
    inputs = {"melt": next(learned.glob("steps/melt-C6-*")), "fit": next(learned.glob("steps/fit-round-1-*"))}
    place = tmp_path / "explore"
    place.mkdir()
    explore(StepContext(place, tmp_path / "partial", params, inputs, tmp_path, 1))
    return place, inputs, params


def test_an_exploration_ends_when_it_has_kept_enough(learned, tmp_path, monkeypatch):
    monkeypatch.setattr("polypace.study.tasks.exploring.ENOUGH", 5)
    place, _, _ = explored(learned, tmp_path, {"gamma_select": 0.01, "gamma_break": 1e6})
    found = json.loads((place / "explore.json").read_text())
    assert found["status"] == "enough" and found["first_above_ps"] == 0
    assert (place / "extrapolating.dump").read_text().count("ITEM: TIMESTEP") == 5


@pytest.mark.parametrize(
    ("changes", "statuses"),
    [
        ({"timestep": 0.1}, {"lost atoms", "temperature", "gamma"}),
        ({"gamma_break": 0.1}, {"gamma"}),
        ({"pressure": -2e4, "gamma_break": 1e6}, {"density"}),
    ],
)
def test_an_exploding_replica_is_data(learned, tmp_path, changes, statuses):
    """A timestep far too long, a limit of gamma, a tension that tears the liquid: a run that ends, and a whole melt."""
    place, inputs, params = explored(learned, tmp_path, changes)
    found = json.loads((place / "explore.json").read_text())
    assert found["status"] in statuses and found["time_ps"] < params["time"]
    assert (place / "melt.data").read_bytes() == (inputs["melt"] / "melt.data").read_bytes()
    # What it leaves can be selected from: the frames before the end, or the first of those beyond it.
    chosen = tmp_path / "select"
    chosen.mkdir()
    (selection,) = learned.glob("steps/select-round-1-*")
    rules = json.loads((selection / "manifest.json").read_text())["params"] | {"max_frames": 2}
    sources = {"round-1-C6-350K": place, "fit": inputs["fit"]}
    select(StepContext(chosen, tmp_path / "partial", rules, sources, tmp_path, 1))
    for atoms in read_frames(chosen / "selected.extxyz"):
        assert np.isfinite(atoms.positions).all()


def test_overlapping_atoms_have_no_label(learned, tmp_path):
    """What has no finite label is left out where that is allowed, and an error that says where to look elsewhere."""
    source = next(learned.glob("steps/melt-C6-*"))
    melt = read_melt(source)
    good = melt.atoms.copy()
    good.set_array("type_name", np.array(melt.types))
    bad = good.copy()
    bad.positions[5] = bad.positions[50]
    params = json.loads((source / "manifest.json").read_text())["params"]
    context = StepContext(tmp_path / "label", tmp_path / "partial", params, {}, tmp_path, 1)
    (labelled,) = label_what_can_be([good, bad], melt, params, context, "some")
    assert np.isfinite(labelled.get_forces()).all()
    with pytest.raises(ProgramError, match=r"1 of 2 structures .* have no finite label"):
        label([good, bad], melt, params, context, "all")


def test_learning_without_iterations_is_refused(tmp_path):
    result = learn(write_study(tmp_path, iterations=0), tmp_path / "study")
    assert result.returncode == 1 and "learning.iterations is 0" in result.stderr
