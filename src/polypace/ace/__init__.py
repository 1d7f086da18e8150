"""The Atomic Cluster Expansion: potentials, calculators, bases, fits."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "ACECalculator": "polypace.ace.calculator",
    "DesignRows": "polypace.ace.design",
    "design_rows": "polypace.ace.design",
    "iterate_design_rows": "polypace.ace.design",
    "Prediction": "polypace.ace.prediction",
    "evaluate": "polypace.ace.prediction",
    "projections": "polypace.ace.prediction",
    "BasisSpec": "polypace.ace.basis",
    "Potential": "polypace.ace.potential",
    "ARD": "polypace.ace.solvers",
    "BayesianRegression": "polypace.ace.solvers",
    "CoreRepulsion": "polypace.ace.core_repulsion",
    "FitResult": "polypace.ace.fitting",
    "Metrics": "polypace.ace.fit_metrics",
    "Ridge": "polypace.ace.solvers",
    "Weights": "polypace.ace.weights",
    "fit": "polypace.ace.fitting",
    "prune_functions": "polypace.ace.pruning",
    "measure_errors": "polypace.ace.fit_metrics",
    "MLIAPModel": "polypace.ace.mliap",
    "write_mliap_model": "polypace.ace.mliap",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'polypace.ace' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
