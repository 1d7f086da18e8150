"""PolyPACE: Atomic Cluster Expansion potentials for polymers, from oligomers to entangled melts.

The public names, in the order of the data flow. They are imported on first use, so that `import polypace` is fast
and does nothing visible.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version as _version
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
    "projections": "polypace.ace",
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
__version__ = _version("polypace")


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'polypace' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
