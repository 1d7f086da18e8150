"""Figures of the learning rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polypace.report.figures import draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEGEND_ENTRIES = 8  # replicas beyond have no name in the figure; the table has them


def learning(results: Mapping[str, Any]) -> str:
    """Three panels: gamma of the frames of every round, its maximum by replica, validation errors by labelled atoms."""
    rounds, chosen = results["learning"]["rounds"], results["learning"]["gamma_select"]

    def body(figure: Figure, axes: Sequence[Axes]) -> None:
        _histograms(axes[0], rounds, chosen)
        _maxima(axes[1], rounds, chosen)
        _errors(axes[2], results)

    return draw(3, body, width=3.6, height=2.9)


def _histograms(ax: Axes, rounds: Sequence[Mapping[str, Any]], chosen: float) -> None:
    colours = _colours(len(rounds))
    for record, colour in zip(rounds, colours, strict=True):
        edges, shares = _together([run["gamma_histogram"] for run in record["runs"]])
        named = record["round"] in (1, len(rounds)) or len(rounds) <= LEGEND_ENTRIES
        label = f"round {record['round']}" if named else None
        ax.stairs(shares, edges, color=colour, label=label, lw=1.3)
    ax.axvline(chosen, color="#999999", lw=0.8, ls=":")
    ax.set_xscale("log")
    plain_numbers(ax.xaxis)
    ax.set_xlabel("largest γ of a frame")
    ax.set_ylabel("share of frames")
    ax.legend(fontsize=7)


def _together(histograms: Sequence[Mapping[str, Any]]) -> tuple[Any, Any]:
    """Edges and shares of the sum of histograms whose bins lie on one logarithmic grid."""
    per_decade = 10
    first = [round(per_decade * np.log10(h["edges"][0])) for h in histograms]
    last = [round(per_decade * np.log10(h["edges"][-1])) for h in histograms]
    low, high = min(first), max(last)
    counts = np.zeros(high - low)
    for start, histogram in zip(first, histograms, strict=True):
        counts[start - low : start - low + len(histogram["counts"])] += histogram["counts"]
    return 10 ** (np.arange(low, high + 1) / per_decade), counts / counts.sum()


def _maxima(ax: Axes, rounds: Sequence[Mapping[str, Any]], chosen: float) -> None:
    names = list(dict.fromkeys(run["replica"] for record in rounds for run in record["runs"]))
    for number, (name, colour) in enumerate(zip(names, _colours(len(names)), strict=True)):
        points = [(r["round"], run["gamma_max"]) for r in rounds for run in r["runs"] if run["replica"] == name]
        label = name if number < LEGEND_ENTRIES else None
        ax.plot(*zip(*points, strict=True), "o-", ms=3, lw=1, color=colour, label=label)
    ax.axhline(chosen, color="#999999", lw=0.8, ls=":")
    ax.set_yscale("log")
    plain_numbers(ax.yaxis)
    ax.set_xticks([record["round"] for record in rounds])
    ax.set_xlabel("round")
    ax.set_ylabel("largest γ")
    ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _errors(ax: Axes, results: Mapping[str, Any]) -> None:
    """Errors of the potential that each round explored with, and of the last one, over what they were fitted to."""
    points = learning_curve(results)
    atoms = [point["atoms"] for point in points]
    by_length = points[0]["validation"]["by_chain_length"]
    ax.plot(
        atoms, [100 * p["validation"]["force_rmse_relative"] for p in points], "o-", ms=3, color="#222222", label="all"
    )
    names = sorted(by_length, key=lambda name: int(name[1:]))  # JSON orders as text
    for name, colour in zip(names, _colours(len(names)), strict=True):
        errors = [100 * p["validation"]["by_chain_length"][name]["force_rmse_relative"] for p in points]
        ax.plot(atoms, errors, "o--", ms=2, lw=0.8, color=colour, label=name)
    ax.set_yscale("log")
    plain_numbers(ax.yaxis)
    ax.set_xlabel("labelled atoms that the loop added")
    ax.set_ylabel("force error, validation (%)")
    ax.legend(fontsize=7)


def learning_curve(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Atoms that the loop had labelled, and validation errors, of every potential that it made."""
    points, atoms = [], 0
    seen = set()
    for record in results["learning"]["rounds"]:
        if record["potential"] not in seen:
            points.append({"atoms": atoms, "validation": record["validation"]})
        seen.add(record["potential"])
        atoms = record["labelled_atoms_total"]
    if results["learning"]["potential"] not in seen:
        points.append({"atoms": atoms, "validation": results["potential"]["validation"]})
    return points


def plain_numbers(axis: Any) -> None:
    """1, 2, 5 of every decade, even steps where less is shown; as they are written, not as powers of ten."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    low, high = axis.get_view_interval()
    axis.set_major_locator(MaxNLocator(5) if high < 4 * low else LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter("{x:g}")


def _colours(n: int) -> list[Any]:
    from matplotlib import colormaps

    return [colormaps["viridis"](0.9 * k / max(1, n - 1)) for k in range(n)]
