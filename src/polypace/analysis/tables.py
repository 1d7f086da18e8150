"""Results of dynamics as CSV tables and JSON summaries."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from polypace.analysis.diffusion import diffusion_coefficient
from polypace.analysis.msd import MSD
from polypace.analysis.regimes import Regimes
from polypace.analysis.scaling import local_exponent
from polypace.errors import InputError


def write_msd_table(path: Path, curves: dict[str, MSD], *, reduced: bool = False) -> None:
    """One row for each logarithmic lag; of every curve the value, its error, the number of independent displacements
    that the error amounts to, and the parts along x, y, z. With `reduced` the units are called σ and τ."""
    first = next(iter(curves.values()))
    rows = np.searchsorted(first.lag, first.groups.lag * (1 - 1e-9))
    time, area = ("tau", "sigma^2") if reduced else ("ps", "A^2")
    header = [f"lag/{time}"]
    columns = [first.lag[rows]]
    for name, curve in curves.items():
        header += [f"{name}/{area}", f"{name}_error/{area}", f"{name}_effective_samples"]
        header += [f"{name}_{axis}/{area}" for axis in "xyz"]
        columns += [curve.msd[rows], curve.error[rows], curve.effective_samples[rows], *curve.directions[rows].T]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([f"{value:.9g}" for value in row] for row in zip(*columns, strict=True))


def msd_summary(curves: dict[str, MSD], regimes: Regimes | str | None = None) -> dict[str, Any]:
    """What one wants to know of the curves, or why it cannot be known."""
    summary: dict[str, Any] = {}
    for name, curve in curves.items():
        summary[name] = {
            "n_particles": curve.n_particles,
            "n_frames": int(curve.n_origins[0]),
            "longest_lag_ps": float(curve.lag[-1]),
            "exponent": _or_reason(lambda c=curve: _exponent(c)),
        }
    slow = "g3" if "g3" in curves else next(iter(curves))
    summary[slow]["diffusion"] = _or_reason(lambda: _diffusion(curves[slow]))
    if isinstance(regimes, Regimes):
        summary["regimes"] = {
            "named": {
                name: {"exponent": law.exponent, "error": law.error, "begin_ps": law.begin, "end_ps": law.end}
                for name, law in regimes.named.items()
            },
            "refused": regimes.refused,
            "crossovers": [vars(crossover) for crossover in regimes.fit.crossovers],
        }
    elif regimes is not None:
        summary["regimes"] = {"refused": regimes}
    return summary


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _or_reason(compute: Any) -> Any:
    try:
        return compute()
    except InputError as error:
        return {"refused": str(error)}


def _exponent(curve: MSD) -> dict[str, float]:
    exponent = local_exponent(curve)
    lowest, error, lag = exponent.minimum
    return {
        "lowest": lowest,
        "error": error,
        "at_ps": lag,
        "decades_below_0.35": exponent.decades_below(0.35),
    }


def _diffusion(curve: MSD) -> dict[str, Any]:
    result = diffusion_coefficient(curve)
    return {
        "coefficient_A2_per_ps": result.coefficient,
        "error_A2_per_ps": result.error,
        "fit_range_ps": [float(f"{bound:.9g}") for bound in result.fit_range],
        "quality": result.quality,
    }
