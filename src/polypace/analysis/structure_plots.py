"""Figures of structure, ready for a paper: units on the axes, bands of one standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polypace.analysis.reduced_units import in_reduced_units
from polypace.analysis.structure_summary import StructureSummary
from polypace.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito: told apart by everyone, also in grey.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def structure_figure(runs: dict[str, StructureSummary]) -> Figure:
    """One panel for each quantity that all of the named runs have; each run is one colour.

    Raises
    ------
    InputError
        where the runs have nothing in common.
    """
    from matplotlib.figure import Figure

    panels = [
        draw
        for name, draw in (
            ("density", _draw_density),
            ("pairs", _draw_pairs),
            ("scattering", _draw_scattering),
            ("bonds", _draw_bonds),
            ("angles", _draw_angles),
            ("dihedrals", _draw_dihedrals),
            ("chains", _draw_internal),
        )
        if all(getattr(run, name) is not None for run in runs.values())
    ]
    if not panels:
        raise InputError("there is nothing to draw: the runs have no quantity in common")
    n_columns = min(4 if len(panels) > 6 else 3, len(panels))
    n_rows = -(-len(panels) // n_columns)
    figure = Figure(figsize=(2.9 * n_columns, 2.3 * n_rows), dpi=200, layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    for letter, axis, draw in zip("abcdefg", axes, panels, strict=False):
        axis.set_title(f"({letter})", loc="left", fontsize=8)
        axis.tick_params(direction="in", which="both", top=True, right=True, labelsize=7)
        for color, (name, run) in zip(COLORS, runs.items(), strict=False):
            draw(axis, run, color, name)
        axis.xaxis.label.set_size(8)
        axis.yaxis.label.set_size(8)
    if len(runs) > 1:
        axes[0].legend(frameon=False, fontsize=7)
    return in_reduced_units(figure) if all(run.is_reduced for run in runs.values()) else figure


def _band(axis: Axes, x: Any, y: Any, error: Any, color: str, label: str) -> None:
    axis.plot(x, y, color=color, linewidth=1.0, label=label)
    if np.isfinite(error).any():
        axis.fill_between(x, y - error, y + error, color=color, alpha=0.3, linewidth=0)


def _draw_density(axis: Axes, run: StructureSummary, color: str, label: str) -> None:
    d = run.density
    assert d is not None
    unit = "frames" if d.time_unit == "frames" else "ps"
    axis.plot(d.times, d.values, color=color, linewidth=0.6, label=label)
    axis.axhline(d.mean, color=color, linewidth=0.8, linestyle="--")
    axis.set(xlabel=f"time $t$ / {unit}", ylabel=r"density $\rho$ / g cm$^{-3}$")
    axis.ticklabel_format(useOffset=False)


def _draw_pairs(axis: Axes, run: StructureSummary, color: str, label: str) -> None:
    g = run.pairs
    assert g is not None
    split = bool(np.isfinite(g.inter_fraction[0]))
    curve, error = (g.inter[0], g.inter_error[0]) if split else (g.total[0], g.total_error[0])
    _band(axis, g.r, curve, error, color, label)
    axis.axhline(1, color="0.7", linewidth=0.5, zorder=0)
    which = "intermolecular " if split else ""
    axis.set(xlabel="distance $r$ / Å", ylabel=f"{which}$g(r)$", xlim=(0, g.edges[-1]), ylim=(0, None))


def _draw_scattering(axis: Axes, run: StructureSummary, color: str, label: str) -> None:
    s = run.scattering
    assert s is not None
    _band(axis, s.q, s.values[0], s.error[0], color, label)
    axis.set(xlabel="wave number $q$ / Å$^{-1}$", ylabel="$S(q)$", xlim=(0, None), ylim=(0, None))


def _draw_distribution(axis: Axes, found: Any, color: str, label: str, xlabel: str) -> None:
    _band(axis, found.centers, found.density[0], found.density_error[0], color, label)
    shown = found.centers[found.density[0] > 1e-4 * found.density[0].max()]
    per = "Å$^{-1}$" if found.unit == "Å" else "degree$^{-1}$"
    axis.set(xlabel=xlabel, ylabel=f"probability density / {per}", ylim=(0, None))
    left, right = axis.get_xlim() if axis.lines[1:] else (np.inf, -np.inf)
    axis.set_xlim(min(left, shown[0]), max(right, shown[-1]))


def _draw_bonds(axis: Axes, run: StructureSummary, color: str, label: str) -> None:
    _draw_distribution(axis, run.bonds, color, label, "bond length $l$ / Å")


def _draw_angles(axis: Axes, run: StructureSummary, color: str, label: str) -> None:
    _draw_distribution(axis, run.angles, color, label, r"angle $\theta$ / degrees")


def _draw_dihedrals(axis: Axes, run: StructureSummary, color: str, label: str) -> None:
    found = run.dihedrals
    assert found is not None
    _draw_distribution(axis, found, color, label, r"dihedral angle $\varphi$ / degrees")
    axis.set(xlim=(-180, 180), xticks=(-180, -60, 60, 180))


def _draw_internal(axis: Axes, run: StructureSummary, color: str, label: str) -> None:
    c = run.chains
    assert c is not None
    scale = 1 / (c.separations * c.bond_length**2)
    _band(axis, c.separations, c.internal * scale, c.internal_error * scale, color, label)
    axis.set(xscale="log", xlabel="bonds apart $s$", ylabel=r"$\langle R^2(s)\rangle / (s\,l^2)$")
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if tick <= c.separations[-1]]
    # Few decades: every tick has its number; of many, one a decade.
    shown = ticks if len(ticks) < 8 else ticks[::3]
    axis.set_xticks(shown, [str(tick) for tick in shown])
    axis.xaxis.set_minor_formatter("")
