"""Figures of dynamics, ready for a paper: labels with units, bands of one standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polypace.analysis.comparison import MSDRatio
from polypace.analysis.msd import MSD
from polypace.analysis.regimes import Regimes
from polypace.analysis.scaling import local_exponent
from polypace.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito: told apart by everyone, also in grey.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
LAG_LABEL = "lag time $t$ / ps"
WIDTH = 3.4  # inches, one column
TITLES = {"rouse": "Rouse"}
TRUSTED = 1 / 3  # of the run: beyond it too few origins are left


def new_figure(n_panels: int, height_ratios: tuple[float, ...]) -> tuple[Figure, list[Axes]]:
    """A one-column figure of panels that share the time axis."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 1.5 * sum(height_ratios)), dpi=200, layout="constrained")
    axes = figure.subplots(n_panels, 1, sharex=True, height_ratios=height_ratios, squeeze=False)[:, 0]
    for axis in axes:
        axis.tick_params(direction="in", which="both", top=True, right=True)
    return figure, list(axes)


def msd_figure(curves: dict[str, MSD], regimes: Regimes | None = None) -> Figure:
    """Mean square displacements over lag time and, below, the local exponent of the first."""
    figure, (top, bottom) = new_figure(2, (2.0, 1.2))
    for color, (name, curve) in zip(COLORS, curves.items(), strict=False):
        draw_curve(top, curve, symbol(name), color)
    if regimes is not None:
        for name, law in regimes.named.items():
            lag = np.geomspace(law.begin, law.end, 3)
            top.plot(lag, 1.6 * law(lag), "k-", linewidth=0.8)
            text = f"$t^{{\\,{law.exponent:.2f}}}$ ({TITLES.get(name, name)})"
            top.annotate(
                text,
                (lag[1], 1.6 * law(lag)[1]),
                xytext=(-2, 2),
                textcoords="offset points",
                ha="right",
                va="bottom",
                fontsize=6,
            )
    name, first = next(iter(curves.items()))
    draw_exponent(bottom, first, COLORS[0])
    _finish(top, bottom, rf"exponent $\alpha(t)$ of {symbol(name)}", legend_size=7)
    return figure


def ratio_figure(
    references: dict[str, MSD], others: dict[str, MSD], ratios: dict[str, MSDRatio], names: tuple[str, str]
) -> Figure:
    """Two runs and, below, their ratio."""
    figure, (top, bottom) = new_figure(2, (2.0, 1.2))
    for color, name in zip(COLORS, ratios, strict=False):
        draw_curve(top, references[name], f"{symbol(name)}, {names[0]}", color)
        draw_curve(top, others[name], f"{symbol(name)}, {names[1]}", color, dashed=True)
        ratio = ratios[name]
        bottom.plot(ratio.lag, ratio.ratio, color=color, linewidth=1)
        bottom.fill_between(
            ratio.lag,
            ratio.ratio - ratio.error,
            ratio.ratio + ratio.error,
            color=color,
            alpha=0.25,
            linewidth=0,
        )
    bottom.axhline(1, color="black", linewidth=0.6, linestyle=":")
    _finish(top, bottom, f"$g$({names[1]}) / $g$({names[0]})", legend_size=6)
    return figure


def _finish(top: Axes, bottom: Axes, ylabel: str, legend_size: int) -> None:
    """Scales and labels of displacements above and what is made of them below."""
    from matplotlib.ticker import LogLocator

    top.set(xscale="log", yscale="log", ylabel="mean square displacement / Å$^2$")
    top.legend(frameon=False, fontsize=legend_size)
    bottom.set(xscale="log", xlabel=LAG_LABEL, ylabel=ylabel)
    shortest, longest = bottom.get_xlim()
    if longest < 100 * shortest:  # Matplotlib writes numbers at all minor ticks then, one over the other
        bottom.xaxis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))


def symbol(name: str) -> str:
    """g1 as it is written in a paper."""
    return f"${name[0]}_{{{name[1:]}}}$"


def draw_curve(axis: Axes, curve: MSD, label: str, color: str, dashed: bool = False) -> None:
    """One curve at logarithmic lags with its band, up to a third of the run."""
    n = max(1, int(np.searchsorted(curve.groups.lag, TRUSTED * curve.lag[-1], side="right")))
    lag, mean = curve.groups.lag[:n], curve.groups.mean[:n]
    axis.plot(lag, mean, "--" if dashed else "-", color=color, label=label, linewidth=1)
    error = curve.groups.error[:n]
    known = slice(0, len(error))
    lower = np.maximum(mean[known] - error, 1e-3 * mean[known])
    axis.fill_between(lag[known], lower, mean[known] + error, color=color, alpha=0.25, linewidth=0)


def draw_exponent(axis: Axes, curve: MSD, color: str) -> None:
    """α(t) with its 95 % band and the exponents of theory."""
    try:
        exponent = local_exponent(curve)
    except InputError:  # one molecule or very few frames: the curve alone
        return
    axis.plot(exponent.lag, exponent.alpha, color=color, linewidth=1)
    axis.fill_between(exponent.lag, exponent.lower, exponent.upper, color=color, alpha=0.25, linewidth=0)
    for value in (0.25, 0.5, 1.0):
        axis.axhline(value, color="black", linewidth=0.5, linestyle=":")


def save_figure(figure: Figure, prefix: Any) -> list[str]:
    """Write `prefix`.png and .pdf; returns the names."""
    names = [f"{prefix}.png", f"{prefix}.pdf"]
    for name in names:
        figure.savefig(name)
    return names
