"""Figures of a study as SVG text, ready to stand inside the page. Reference: dark; ACE: colour."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polypace.report.ratios import ratio_with_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REFERENCE: dict[str, Any] = {"color": "#222222", "label": "reference", "lw": 1.6}
ACE: dict[str, Any] = {"color": "#d1495b", "label": "ACE", "lw": 1.6, "ls": "--"}
LAG = "lag time t (ps)"
_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "legend.frameon": False,
    "svg.hashsalt": "polypace",  # same numbers, same bytes
}


def draw(n_panels: int, body: Callable[[Figure, Sequence[Axes]], None], width: float = 3.1, height: float = 2.6) -> str:
    """Return the SVG text of a row of `n_panels` axes that `body` fills."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width * n_panels, height), layout="constrained")
        FigureCanvasSVG(figure)
        axes = np.atleast_1d(figure.subplots(1, n_panels)).tolist()
        body(figure, axes)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def by_chain(
    chains: Sequence[Mapping[str, Any]],
    plot: Callable[[Axes, Mapping[str, Any]], None],
    x_label: str,
    y_label: str,
    **legend: Any,
) -> str:
    """A row of panels, one per chain length, that `plot` fills; with `legend` there is one, in the last panel."""

    def body(figure: Figure, axes: Sequence[Axes]) -> None:
        for ax, chain in zip(axes, chains, strict=True):
            ax.set_title(f"C{chain['chain_length']}")
            ax.set_xlabel(x_label)
            plot(ax, chain)
        axes[0].set_ylabel(y_label)
        if legend:
            axes[-1].legend(**legend)

    return draw(len(chains), body)


def curves(
    chains: Sequence[Mapping[str, Any]],
    quantity: str,
    x: str,
    x_label: str,
    y_label: str,
) -> str:
    """One panel per chain length: `quantity`'s `reference` and `ace` curves over `x`, with error bands."""

    def plot(ax: Axes, chain: Mapping[str, Any]) -> None:
        data = chain[quantity]
        for key, style in (("reference", REFERENCE), ("ace", ACE)):
            xs, ys = np.asarray(data[x]), np.asarray(data[key])
            ax.plot(xs, ys, **style)
            error = data.get(f"{key}_error")
            if error is not None:
                band = np.asarray(error, dtype=float)
                ax.fill_between(xs, ys - band, ys + band, color=style["color"], alpha=0.2, lw=0)
        ax.set_ylim(bottom=0)
        seen = np.asarray(data[x])[np.asarray(data["reference"]) + np.asarray(data["ace"]) > 0]
        ax.set_xlim(seen[0] - 0.02 * np.ptp(seen), seen[-1] + 0.02 * np.ptp(seen))

    return by_chain(chains, plot, x_label, y_label, loc="best")


def msd_curves(chains: Sequence[Mapping[str, Any]]) -> str:
    """g1 (all beads) and g3 (centres of mass) over lag time, log-log."""

    def plot(ax: Axes, chain: Mapping[str, Any]) -> None:
        data = chain["msd"]
        lag = np.asarray(data["lag_ps"])
        for name, fade in (("g1", 1.0), ("g3", 0.55)):
            for key, style in (("reference", REFERENCE), ("ace", ACE)):
                ys = np.asarray(data[f"{key}_{name}_A2"])
                band = np.asarray(data[f"{key}_{name}_error_A2"])
                shown = ys > 0
                label = f"{style['label']} {name}"
                ax.plot(lag[shown], ys[shown], **{**style, "label": label, "alpha": fade})
                low = np.maximum(ys - band, 0.2 * ys)
                ax.fill_between(
                    lag[shown], low[shown], (ys + band)[shown], color=style["color"], alpha=0.15 * fade, lw=0
                )
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.xaxis.set_minor_formatter("")

    return by_chain(chains, plot, LAG, "mean squared displacement (Å²)", fontsize=7)


def msd_ratios(chains: Sequence[Mapping[str, Any]]) -> str:
    """ACE over reference of g1 and g3 over lag time."""

    def plot(ax: Axes, chain: Mapping[str, Any]) -> None:
        data = chain["msd"]
        ax.axhline(1.0, color="#bbbbbb", lw=0.8)
        for name, colour in (("g1", ACE["color"]), ("g3", "#30638e")):
            ours, theirs, ours_error, theirs_error = (
                np.asarray(data[f"{key}_{name}_{end}"]) for end in ("A2", "error_A2") for key in ("ace", "reference")
            )
            ratio, band = ratio_with_error(ours, ours_error, theirs, theirs_error)
            ax.plot(data["lag_ps"], ratio, color=colour, lw=1.6, label=name)
            ax.fill_between(data["lag_ps"], ratio - band, ratio + band, color=colour, alpha=0.2, lw=0)
        ax.set_xscale("log")
        ax.set_ylim(0, 2)

    return by_chain(chains, plot, LAG, "ACE / reference", fontsize=7)


def internal_distances(chains: Sequence[Mapping[str, Any]]) -> str:
    """⟨R²(s)⟩/s over the number of bonds s between two carbons."""

    def plot(ax: Axes, chain: Mapping[str, Any]) -> None:
        data = chain["dimensions"]
        bonds = np.asarray(data["separation"])
        for key, style in (("reference", REFERENCE), ("ace", ACE)):
            size = f"{style['label']}, $R_g^2$ {data[f'{key}_gyration_squared_A2']:.1f} Å²"
            ax.plot(bonds, np.asarray(data[f"{key}_internal_A2"]) / bonds, **{**style, "label": size})
        ax.set_ylim(bottom=0)
        ax.legend(fontsize=7)

    return by_chain(chains, plot, "bonds apart, s", "⟨R²(s)⟩/s (Å²)")


def parity(chains: Sequence[Mapping[str, Any]]) -> str:
    """Force components: ACE against reference (a fixed sample of the test frames)."""

    def plot(ax: Axes, chain: Mapping[str, Any]) -> None:
        sample = np.asarray(chain["force_sample_eV_per_A"])
        limit = float(np.abs(sample).max()) * 1.05
        ax.plot([-limit, limit], [-limit, limit], color="#bbbbbb", lw=0.8)
        ax.plot(sample[:, 0], sample[:, 1], ".", ms=1.6, color=ACE["color"], rasterized=True)
        ax.set_title(f"C{chain['chain_length']}: {100 * chain['force_rmse_relative']:.1f} %")
        ax.set_aspect("equal")

    return by_chain(chains, plot, "reference force (eV/Å)", "ACE force (eV/Å)")


def density_series(chains: Sequence[Mapping[str, Any]]) -> str:
    """Density over time of both NPT runs."""

    def plot(ax: Axes, chain: Mapping[str, Any]) -> None:
        series = chain["density_series"]
        for key, style in (("reference", REFERENCE), ("ace", ACE)):
            ax.plot(series[f"{key}_time_ps"], series[key], **{**style, "ls": "-", "lw": 0.9})
            mean = chain["density_g_per_cm3"][key]["mean"]
            ax.axhline(mean, color=style["color"], lw=0.8, ls=":", label="_mean")

    return by_chain(chains, plot, "time (ps)", "density (g/cm³)", handlelength=1)


def scans(results: Mapping[str, Any]) -> str:
    """Energy of two chains pushed together: the gate that no run passes with a hole behind the repulsion."""

    def body(figure: Figure, axes: Sequence[Axes]) -> None:
        ax = axes[0]
        for number, scan in enumerate(results["potential"]["contact_scans"]):
            style = {**ACE, "label": "ACE" if number == 0 else None, "alpha": 0.8, "ls": "-", "lw": 1.0}
            ax.plot(scan["distance_A"], scan["ace_eV"], **style)
            ax.plot(
                scan["distance_A"],
                scan["reference_eV"],
                **{**REFERENCE, "label": "reference" if number == 0 else None, "lw": 1.0, "ls": ":"},
            )
        ax.set_yscale("symlog", linthresh=0.1)
        ax.set_ylim(-30, 300)
        ax.set_xlabel("closest contact of two chains (Å)")
        ax.set_ylabel("energy over far apart (eV)")
        ax.legend()

    return draw(1, body, width=4.2, height=2.9)
