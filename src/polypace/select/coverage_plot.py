"""The coverage map as a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from polypace.select.places import PLACES

if TYPE_CHECKING:
    from polypace.select.coverage import Summaries

TITLES = {"all": "all", "species": "species", "type": "type", "place": "place", "chain_length": "chain length"}


def plot_coverage(path: str | Path, summaries: Summaries) -> None:
    """Draw the share of environments with γ > 1 and the largest γ per group, and per place and chain length."""
    from matplotlib.figure import Figure

    with_map = "place_by_length" in summaries
    n_bars = sum(len(summaries[key]) for key in TITLES if key in summaries)
    figure = Figure(figsize=(10 if with_map else 6, 1.4 + 0.3 * max(n_bars, 6)), layout="constrained")
    if with_map:
        bars, cells = figure.subplots(1, 2, width_ratios=[3, 2])
        _draw_map(figure, cells, summaries)
    else:
        bars = figure.subplots()
    _draw_bars(bars, summaries)
    figure.savefig(path, dpi=150)


def _draw_bars(axes: Any, summaries: Summaries) -> None:
    rows = [
        (f"{TITLES[key]} {name}" if key != "all" else "all", key, summary)
        for key in TITLES
        for name, summary in summaries.get(key, {}).items()
    ]
    colours = dict(zip(TITLES, ("0.4", "C0", "C1", "C2", "C3"), strict=True))
    places = np.arange(len(rows))[::-1]
    shares = np.array([100 * summary.share_above_one for _, _, summary in rows])
    axes.barh(places, shares, color=[colours[key] for _, key, _ in rows])
    reach = max(shares.max(initial=0), 1e-3)
    for place, share, (_, _, summary) in zip(places, shares, rows, strict=True):
        axes.text(share + 0.02 * reach, place, f"max {summary.largest:.3g}", va="center", fontsize=8)
    axes.set_yticks(places, [label for label, _, _ in rows])
    axes.set_xlim(0, 1.3 * reach)
    axes.set_xlabel("environments with γ > 1 (%)")


def _draw_map(figure: Any, axes: Any, summaries: Summaries) -> None:
    group = summaries["place_by_length"]
    lengths = list(dict.fromkeys(name.split(" ")[0] for name in group))
    found = [place for place in PLACES if any(name.endswith(f" {place}") for name in group)]
    table = np.full((len(lengths), len(found)), np.nan)
    for row, length in enumerate(lengths):
        for column, place in enumerate(found):
            summary = group.get(f"{length} {place}")
            if summary is not None:
                table[row, column] = 100 * summary.share_above_one
                text = f"{table[row, column]:.3g} %\nmax {summary.largest:.3g}"
                axes.text(column, row, text, ha="center", va="center", fontsize=8)
    image = axes.imshow(table, cmap="Reds", aspect="auto", vmin=0, vmax=2 * max(np.nanmax(table), 1e-3))
    axes.set_xticks(range(len(found)), found)
    axes.set_yticks(range(len(lengths)), lengths)
    axes.set_title("γ > 1 by chain length and place")
    figure.colorbar(image, ax=axes, label="%", shrink=0.7)
