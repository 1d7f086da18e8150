"""Parity and error plots of a fit, in memory that does not grow with the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.ace.fit_metrics import UNITS, Metrics, compare_frames
from polypace.ace.fitting import FitResult
from polypace.ace.labels import Frames

Array = npt.NDArray[np.float64]

MOST_CELLS = 100_000  # of a parity plot: points are rounded to what keeps fewer
CELLS_PER_ERROR = 20  # to begin with
FORCE_BINS, BINS_PER_RMS = 2000, 200  # up to ten times the root mean square force
FORCE_POINTS = 20  # drawn, of about equally many forces


def write_fit_report(
    folder: str | Path, result: FitResult, frames: Frames, test_frames: Frames | None = None
) -> list[Path]:
    """Write parity_<quantity>.png and force_error.png into the folder; return their paths.

    Frames are gone through once. Of every quantity the occupied cells of a grid are kept, of forces the squared errors in
    narrow bins: what a plot can show.
    """
    from matplotlib.figure import Figure

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sets: dict[str, tuple[Frames, Metrics]] = {"train": (frames, result.metrics)}
    if test_frames is not None and result.test_metrics is not None:
        sets["test"] = (test_frames, result.test_metrics)
    seen = {name: _seen(of_set, metrics, result) for name, (of_set, metrics) in sets.items()}
    written = []
    for quantity in [q for q in UNITS if any(q in of_name.points for of_name in seen.values())]:
        figure = Figure(figsize=(4.5, 4.5), layout="constrained")
        axes = figure.add_subplot()
        for name, of_name in seen.items():
            if quantity in of_name.points:
                axes.plot(*of_name.points[quantity].values().T, ".", markersize=2, label=name, rasterized=True)
        axes.axline((0, 0), slope=1, color="0.5", linewidth=0.8)
        axes.set_xlabel(f"reference {quantity} ({UNITS[quantity]})")
        axes.set_ylabel(f"fitted {quantity} ({UNITS[quantity]})")
        axes.legend()
        written.append(folder / f"parity_{quantity}.png")
        figure.savefig(written[-1], dpi=150)
    if any("forces" in of_name.points for of_name in seen.values()):
        written.append(folder / "force_error.png")
        _plot_error_by_force(written[-1], seen)
    return written


class _Points:
    """Pairs of numbers, rounded no more than keeps at most MOST_CELLS different ones."""

    def __init__(self, step: float) -> None:
        self._step = step
        self._cells = np.zeros((0, 2), dtype=np.int64)

    def add(self, pairs: Array) -> None:
        new = np.floor(pairs / self._step).astype(np.int64)
        self._cells = np.unique(np.concatenate([self._cells, new]), axis=0)
        while len(self._cells) > MOST_CELLS:
            self._step *= 2
            self._cells = np.unique(self._cells // 2, axis=0)

    def values(self) -> Array:
        """(n, 2) middles of the occupied cells."""
        return np.asarray((self._cells + 0.5) * self._step)


@dataclass
class _Seen:
    """What the plots need of one set of frames.

    points : reference and prediction per quantity
    bin_width : eV/Å
    force_bins : (FORCE_BINS, 3), number, summed size and summed squared error of the forces of every size
    """

    points: dict[str, _Points]
    bin_width: float
    force_bins: Array = field(default_factory=lambda: np.zeros((FORCE_BINS, 3)))

    def add(self, values: dict[str, tuple[Array, Array]]) -> None:
        for quantity, (reference, predicted) in values.items():
            self.points[quantity].add(np.stack([reference.ravel(), predicted.ravel()], axis=1))
        if "forces" in values:
            self._add_forces(*values["forces"])

    def _add_forces(self, reference: Array, predicted: Array) -> None:
        size = np.linalg.norm(reference, axis=1)
        places = np.minimum(size / self.bin_width, FORCE_BINS - 1).astype(np.int64)
        columns = (np.ones(len(size)), size, np.sum((predicted - reference) ** 2, axis=1))
        for column, weights in enumerate(columns):
            self.force_bins[:, column] += np.bincount(places, weights, FORCE_BINS)


def _seen(frames: Frames, metrics: Metrics, result: FitResult) -> _Seen:
    found = metrics.quantities
    # Nothing is finer than rounding, of which an exact fit has errors.
    points = {q: _Points(max(s.rmse, 1e-12 * s.reference_rms, 1e-15) / CELLS_PER_ERROR) for q, s in found.items()}
    rms = found["forces"].reference_rms if "forces" in found else 0.0
    seen = _Seen(points, (rms or 1.0) / BINS_PER_RMS)
    for comparison in compare_frames(frames, result.potential):
        seen.add(comparison.values)
    return seen


def _plot_error_by_force(path: Path, seen: dict[str, _Seen]) -> None:
    """Root mean square error of the force vector in bins of the reference force."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 3.5), layout="constrained")
    axes = figure.add_subplot()
    for name, of_name in seen.items():
        points = _equal_shares(of_name.force_bins)
        if len(points):
            axes.plot(points[:, 0], points[:, 1], "o-", markersize=3, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("reference force (eV/Å)")
    axes.set_ylabel("RMS error of the force (eV/Å)")
    axes.legend()
    figure.savefig(path, dpi=150)


def _equal_shares(bins: Array) -> Array:
    """(n, 2) mean size and root mean square error in up to FORCE_POINTS groups of about equally many forces."""
    counts: Any = np.cumsum(bins[:, 0])
    if counts[-1] == 0:
        return np.zeros((0, 2))
    shares = np.minimum(FORCE_POINTS * (counts - bins[:, 0] / 2) / counts[-1], FORCE_POINTS - 1).astype(np.int64)
    number, size, square = (np.bincount(shares, bins[:, column], FORCE_POINTS) for column in range(3))
    full = number > 0
    return np.stack([size[full] / number[full], np.sqrt(square[full] / number[full])], axis=1)
