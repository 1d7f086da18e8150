"""Parity and error plots of a fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from polypace.ace.fit_metrics import UNITS, compare_frames
from polypace.ace.fitting import FitResult
from polypace.ace.labels import Frames


def write_fit_report(
    folder: str | Path, result: FitResult, frames: Frames, test_frames: Frames | None = None
) -> list[Path]:
    """Write parity_<quantity>.png and force_error.png into the folder; return their paths."""
    from matplotlib.figure import Figure

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sets = {"train": frames} | ({"test": test_frames} if test_frames is not None else {})
    values = {name: _collect(of_set, result) for name, of_set in sets.items()}
    written = []
    for quantity in [q for q in UNITS if any(q in of_set for of_set in values.values())]:
        figure = Figure(figsize=(4.5, 4.5), layout="constrained")
        axes = figure.add_subplot()
        for name, of_set in values.items():
            if quantity in of_set:
                reference, predicted = of_set[quantity]
                axes.plot(reference, predicted, ".", markersize=2, label=name, rasterized=True)
        axes.axline((0, 0), slope=1, color="0.5", linewidth=0.8)
        axes.set_xlabel(f"reference {quantity} ({UNITS[quantity]})")
        axes.set_ylabel(f"fitted {quantity} ({UNITS[quantity]})")
        axes.legend()
        written.append(folder / f"parity_{quantity}.png")
        figure.savefig(written[-1], dpi=150)
    if any("forces" in of_set for of_set in values.values()):
        written.append(folder / "force_error.png")
        _plot_error_by_force(written[-1], values)
    return written


Values = dict[str, tuple[np.ndarray, np.ndarray]]


def _collect(frames: Frames, result: FitResult) -> Values:
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for comparison in compare_frames(frames, result.potential):
        for quantity, (reference, predicted) in comparison.values.items():
            parts.setdefault(quantity, []).append((reference.ravel(), predicted.ravel()))
    return {
        quantity: (np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs]))
        for quantity, pairs in parts.items()
    }


def _plot_error_by_force(path: Path, values: dict[str, Values]) -> None:
    """Root mean square error of the force vector in bins of the reference force."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 3.5), layout="constrained")
    axes = figure.add_subplot()
    for name, of_set in values.items():
        if "forces" not in of_set:
            continue
        reference, predicted = (vectors.reshape(-1, 3) for vectors in of_set["forces"])
        size, error = np.linalg.norm(reference, axis=1), np.sum((predicted - reference) ** 2, axis=1)
        order = np.argsort(size)
        bins = [part for part in np.array_split(order, 20) if len(part)]
        axes.plot(
            [size[b].mean() for b in bins],
            [error[b].mean() ** 0.5 for b in bins],
            "o-",
            markersize=3,
            label=name,
        )
    axes.set_yscale("log")
    axes.set_xlabel("reference force (eV/Å)")
    axes.set_ylabel("RMS error of the force (eV/Å)")
    axes.legend()
    figure.savefig(path, dpi=150)
