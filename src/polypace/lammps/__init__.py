"""LAMMPS: finding it, the plugin, run scripts, runs, logs.

Names are imported on first use: LAMMPS's launcher imports this package only to ask where the plugin is.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "LammpsProgram": "program",
    "find_lammps": "find",
    "LammpsRun": "run",
    "run_lammps": "run",
    "read_log": "log",
    "MolecularDynamics": "protocols",
    "GammaWatch": "protocols",
    "RunningMSD": "protocols",
    "label_dump": "protocols",
    "Dump": "frames",
    "LogBlocks": "frames",
    "LongRun": "long_run_results",
    "run_long": "long_run",
    "read_long_run": "long_run_results",
    "ace_pair_lines": "pair_styles",
    "mliap_pair_lines": "pair_styles",
    "Preflight": "short_run",
    "preflight": "short_run",
}
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'polypace.lammps' has no attribute {name!r}")
    return getattr(importlib.import_module(f"polypace.lammps.{_HOMES[name]}"), name)
