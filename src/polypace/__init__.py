"""PolyPACE: Atomic Cluster Expansion potentials for polymers, from oligomers to entangled melts.

The public names, in the order of the data flow. They are imported on first use, so that `import polypace` is fast
and does nothing visible.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    # melts
    "Melt": "polypace.melt",
    "build_melt": "polypace.systems",
    # potentials
    "BasisSpec": "polypace.ace",
    "Potential": "polypace.ace",
    "ACECalculator": "polypace.ace",
    "fit": "polypace.ace",
    "FitResult": "polypace.ace",
    "evaluate": "polypace.ace",
    "projections": "polypace.ace",
    "design_rows": "polypace.ace",
    # trust
    "ActiveSet": "polypace.select",
    "select_active_set": "polypace.select",
    "extrapolation_grade": "polypace.select",
    # clusters
    "carve_clusters": "polypace.carve",
    # trajectories and analysis
    "open_trajectory": "polypace.trajectory",
    "msd": "polypace.analysis",
    # the whole
    "run_study": "polypace.study",
    "PolypaceError": "polypace.errors",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value = importlib.import_module("importlib.metadata").version("polypace")
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'polypace' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
