"""The transfer templates cut to a size that takes seconds: every part is the real one, the numbers are not good."""

from __future__ import annotations

import json
from importlib.resources import files

import yaml

from polypace.study import run_study


def reduced_transfer(name, **transfer):
    """A template with few, small melts, one fit per place of the grid, and a small basis."""
    text = files("polypace.study").joinpath("templates", f"{name}.yaml").read_text(encoding="utf-8")
    study = yaml.safe_load(text)
    study.pop("learning", None)
    study["systems"]["equilibration"] = 0.2
    for role in ("train", "test"):
        study["systems"][role] = study["systems"][role][:2]
        for system in study["systems"][role]:
            carbons = 60 if name == "transfer_ua" else 20
            system |= {"n_chains": carbons // system["chain_length"] + 2, "hold_density": True, "density": 0.5}
    study["reference"]["timestep"] = 0.001
    sizes = ([6, 3], [0, 2]) if name == "transfer_ua" else ([8, 2], [0, 1])
    study["ace"]["basis"]["functions"] = {"ALL": {"nradmax_by_orders": sizes[0], "lmax_by_orders": sizes[1]}}
    study["transfer"] |= {"only": True, "train": [[4], [4, 8]], "repeats": 1, "pool": 3, "test_frames": 2, **transfer}
    return study


def run_transfer(study, folder):
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study))
    outcome = run_study(path, folder / "results")
    return json.loads(outcome.results_file.read_text())["transfer"], folder / "results"
