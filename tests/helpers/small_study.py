"""The reduced demo cut to a size at which a study's machinery can be tested in seconds."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml


def write_small_study(path: Path, engine: dict[str, Any]) -> Path:
    """Write a study file that runs on `engine`; every step is the real one, the numbers are useless."""
    study = yaml.safe_load(files("polypace.study").joinpath("templates/demo_reduced.yaml").read_text())
    study["engine"] = engine
    study["systems"]["equilibration"] = "0.4 ps"
    study["systems"]["train"] = study["systems"]["train"][:1]
    study["systems"]["test"] = study["systems"]["test"][:1]
    study["reference"] |= {"npt": "0.4 ps", "nvt": "0.4 ps"}
    study["ace"] |= {"smoothness": 2.0, "solver_options": {"alpha": 1e-10}}  # so few data leave holes otherwise
    study["learning"] |= {"time": "0.1 ps", "chain_lengths": [6]}
    study["production"] |= {"npt": "0.2 ps", "nvt": "0.2 ps"}
    path.write_text(yaml.safe_dump(study, allow_unicode=True))
    return path


def results_without_times(folder: Path) -> Any:
    """results.json of a study but for wall times, which differ from run to run."""
    return _without_times(json.loads((folder / "results.json").read_text()))


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(inner) for key, inner in value.items() if "seconds" not in key and key != "hours"}
    return [_without_times(inner) for inner in value] if isinstance(value, list) else value
