"""What two runs of one study must have in common."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def results_of(folder: Path) -> dict[str, Any]:
    """results.json of a study without wall times."""
    results: dict[str, Any] = json.loads((folder / "results.json").read_text())
    for step in results["steps"]:
        del step["wall_seconds"]
    for record in results["learning"]["rounds"]:
        del record["seconds"], record["wall_seconds"]
    return results
