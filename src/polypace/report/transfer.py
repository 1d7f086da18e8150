"""The transfer grid on one page: recommendation, table, one figure; also as Markdown and PNG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from polypace.report.learning_figures import plain_numbers
from polypace.report.ratios import ratio_with_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Marker per way to collect data, colour per set of training lengths.
MARKERS = {"random": "o", "d-optimal": "s", "active-learning": "*", "clusters": "^", "d-optimal-clusters": "v"}

#: Columns of the table of chains' centres.
DIFFUSION = ("chain", "lag (ps)", "g3/6t reference (Å²/ps)", "ACE", "ratio")


def write_transfer(results: Mapping[str, Any], folder: Path, note: str = "") -> Path:
    """Write transfer.html, transfer.md and transfer.png; return the page's path. `note` stands at the top of the page."""
    import jinja2

    grid = results["transfer"]
    figure = _figure(results)
    figure.savefig(folder / "transfer.png", dpi=130)
    (folder / "transfer.md").write_text(markdown(results), encoding="utf-8")
    page = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        files("polypace.report").joinpath("transfer.html.j2").read_text(encoding="utf-8")
    )
    text = page.render(
        study=results["study"],
        note=note,
        grid=grid,
        svg=_svg(figure),
        headings=headings(grid),
        rows=[row(cell, grid) for cell in _ordered(grid)],
        notes=notes(grid),
        diffusion_headings=DIFFUSION,
        diffusion=diffusion_rows(grid),
        price=price_rows(grid),
    )
    path = folder / "transfer.html"
    path.write_text(text, encoding="utf-8")
    return path


def headings(grid: Mapping[str, Any]) -> list[str]:
    """Of the table: first what was done, then errors per test length."""
    lengths = [f"C{length}" for length in grid["test_lengths"]]
    return [
        "trained on", "collected", "atoms", *(["labels (s)"] if _quantum(grid) else []), "front",
        *(f"force error {name} (%)" for name in lengths),
        "× shortest", f"energy shift {lengths[-1]} (meV/atom)", f"spread {lengths[-1]}", f"γ ≤ 1 {lengths[-1]} (%)",
    ]  # fmt: skip


def row(cell: Mapping[str, Any], grid: Mapping[str, Any]) -> list[str]:
    """One line of the table."""
    tests = [cell["tests"][f"C{length}"] for length in grid["test_lengths"]]
    radius = cell["cluster_radius_A"]
    longest = tests[-1]
    return [
        "+".join(f"C{n}" for n in cell["train"]),
        cell["collection"] + ("" if radius is None else f" {radius:g} Å"),
        f"{cell['labelled_atoms']['mean']:.0f}",
        *([_value(cell["label_seconds"], 1, 1)] if _quantum(grid) else []),
        "•" if cell["name"] in grid["front"] else "",
        *(_value(test["force_rmse_relative"], 100, 2) for test in tests),
        _value(cell["transfer_ratio"], 1, 2),
        _value(longest["energy_shift_meV_per_atom"], 1, 2),
        _value(longest["energy_spread_meV_per_atom"], 1, 2),
        _value(longest["share_covered"], 100, 1),
    ]


def _quantum(grid: Mapping[str, Any]) -> bool:
    """Whether labels are dear: their time is then what is paid."""
    return bool(grid["labels"] != "force-field")


def notes(grid: Mapping[str, Any]) -> list[str]:
    """What a reader of the table has to know about single fits."""
    few = [f"{cell['name']} ({cell['no_active_set']})" for cell in grid["cells"] if cell["no_active_set"]]
    failed = [f"{cell['name']} ({cell['failed']})" for cell in grid["cells"] if cell["failed"]]
    return [
        f"{text}: {', '.join(names)}."
        for text, names in (
            ("–: no active set, since an element has fewer environments than functions; label more atoms", few),
            ("Structures without a finite label, left out", failed),
        )
        if names
    ]


def price_rows(grid: Mapping[str, Any]) -> list[list[str]]:
    """Entangled runs: chain length, atoms, steps, node hours, disk."""
    price = grid["price"]
    return [
        [
            f"C{run['chain_length']}", f"{run['atoms']}", f"{run['steps']:.2g}", f"{run['core_hours']:.2g}",
            f"{run['node_hours']:.2g}", f"{run['disk_GB']:.0f}",
        ]
        for run in (price["runs"] if price else [])
    ]  # fmt: skip


def diffusion_rows(grid: Mapping[str, Any]) -> list[list[str]]:
    """Apparent diffusion of reference and ACE at one lag time, by chain length."""
    rows = []
    for name, found in sorted(grid["diffusion"].items(), key=lambda item: int(item[0][1:])):  # JSON orders as text
        ours, theirs = found["ace"], found["reference"]
        ratio, error = ratio_with_error(ours["mean"], ours["error"], theirs["mean"], theirs["error"])
        values = (_value(theirs, 1, 4), _value(ours, 1, 4), _value({"mean": float(ratio), "error": float(error)}, 1, 2))
        rows.append([name, f"{found['lag_ps']:.2g}", *values])
    return rows


def markdown(results: Mapping[str, Any]) -> str:
    """Recommendation and tables as Markdown."""
    grid = results["transfer"]
    names = headings(grid)
    lines = [f"# {results['study']['name']}", "", grid["recommendation"], ""]
    lines += ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    lines += ["| " + " | ".join(row(cell, grid)) + " |" for cell in _ordered(grid)]
    lines += ["", *notes(grid)] if notes(grid) else []
    if grid["diffusion"]:
        lines += ["", "| " + " | ".join(DIFFUSION) + " |", "|---" * len(DIFFUSION) + "|"]
        lines += ["| " + " | ".join(cells) + " |" for cells in diffusion_rows(grid)]
    if grid["price"]:
        price = grid["price"]
        lines += [
            "",
            f"{price['chains']} chains for {price['time_ps'] / 1e6:g} µs at "
            f"{1e6 * price['core_seconds_per_atom_step']:.1f} µs per atom and step on one core (measured on "
            f"{price['measured_on']}), {price['cores_per_node']} cores a node, no loss by parallel runs:",
            "",
            "| chain | atoms | steps | core hours | node hours | disk (GB) |",
            "|---|---|---|---|---|---|",
            *("| " + " | ".join(cells) + " |" for cells in price_rows(grid)),
        ]
    return "\n".join(lines) + "\n"


def _ordered(grid: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return sorted(grid["cells"], key=lambda cell: (cell["budget_atoms"], cell["train"], cell["name"]))


def _value(value: Mapping[str, float | None], scale: float, digits: int) -> str:
    if value["mean"] is None:
        return "–"
    text = f"{scale * value['mean']:.{digits}f}"
    return text if value["error"] is None else f"{text} ± {scale * value['error']:.{digits}f}"


def _figure(results: Mapping[str, Any]) -> Figure:
    """Left: error on the longest chain against cost; middle: error against chain length; right: along the chain."""
    from matplotlib.figure import Figure

    grid = results["transfer"]
    figure = Figure(figsize=(11.5, 3.6), layout="constrained")
    cost, length, place = figure.subplots(1, 3)
    sets = sorted({tuple(cell["train"]) for cell in grid["cells"]})
    colours = {train: f"C{number % 10}" for number, train in enumerate(sets)}
    _front(cost, grid, colours)
    best = {train: _best(grid, train) for train in sets}
    _against(length, best, colours, lambda cell: _by_length(cell, grid), "carbons of the tested chains")
    longest = f"C{grid['test_lengths'][-1]}"
    _against(place, best, colours, lambda cell: _by_place(cell, longest), f"place from the end of {longest}")
    length.set_xscale("log", base=2)
    length.set_xticks(grid["test_lengths"], [str(n) for n in grid["test_lengths"]])
    return figure


def _front(axes: Any, grid: Mapping[str, Any], colours: Mapping[tuple[int, ...], str]) -> None:
    cost = "label_seconds" if _quantum(grid) else "labelled_atoms"
    for cell in grid["cells"]:
        on_front = cell["name"] in grid["front"]
        axes.errorbar(
            cell[cost]["mean"],
            100 * cell["error"]["mean"],
            yerr=100 * (cell["error"]["error"] or 0.0),
            fmt=MARKERS[cell["collection"]],
            color=colours[tuple(cell["train"])],
            markersize=4 + (cell["cluster_radius_A"] or 6) / 3,
            markeredgecolor="k" if on_front else "none",
        )
    for collection in dict.fromkeys(cell["collection"] for cell in grid["cells"]):
        axes.plot([], [], MARKERS[collection], color="0.4", label=collection)
    axes.set(
        xlabel=f"{'time of the labels (s)' if _quantum(grid) else 'labelled atoms'} (edge: Pareto front)",
        ylabel=f"force error on C{grid['test_lengths'][-1]} (%)",
        yscale="log",
        xlim=(0, 1.08 * max(cell[cost]["mean"] for cell in grid["cells"])),
    )
    plain_numbers(axes.yaxis)
    axes.legend(fontsize=7)


def _best(grid: Mapping[str, Any], train: tuple[int, ...]) -> Mapping[str, Any]:
    of_set: Sequence[Mapping[str, Any]] = [cell for cell in grid["cells"] if tuple(cell["train"]) == train]
    return min(of_set, key=lambda cell: float(cell["error"]["mean"]))


Line = tuple[list[float], list[Mapping[str, float | None]]]


def _by_length(cell: Mapping[str, Any], grid: Mapping[str, Any]) -> Line:
    lengths = grid["test_lengths"]
    values = [cell["tests"][f"C{n}"]["force_rmse_relative"] for n in lengths]
    return lengths, [{key: None if v is None else 100 * v for key, v in value.items()} for value in values]


def _by_place(cell: Mapping[str, Any], longest: str) -> Line:
    found = cell["tests"][longest]["force_rmse_by_position_eV_per_A"]
    places = sorted(int(place) for place in found)  # JSON orders them as text
    return [float(p) for p in places], [
        {key: None if v is None else 1e3 * v for key, v in found[str(p)].items()} for p in places
    ]


def _against(
    axes: Any,
    best: Mapping[tuple[int, ...], Mapping[str, Any]],
    colours: Mapping[tuple[int, ...], str],
    line: Callable[[Mapping[str, Any]], Line],
    label: str,
) -> None:
    """The best way to collect of each set of training lengths."""
    for train, cell in best.items():
        x, values = line(cell)
        means = np.array([value["mean"] for value in values], dtype=float)
        errors = np.array([value["error"] or 0.0 for value in values], dtype=float)
        name = "+".join(f"C{n}" for n in train) + f", {cell['collection']}"
        axes.errorbar(x, means, yerr=errors, fmt="o-", markersize=3, color=colours[train], label=name)
    axes.set(xlabel=label, ylabel="force error (%)" if "tested" in label else "force RMSE (meV/Å)", yscale="log")
    plain_numbers(axes.yaxis)
    axes.legend(fontsize=7)


def _svg(figure: Figure) -> str:
    import io

    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
