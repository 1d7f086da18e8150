"""Errors of a potential against labelled frames, as a table on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polypace.ace import Metrics, Potential

MOST_CONFIG_TYPES = 12  # in the table; all are in the JSON file


def print_errors(title: str, potential: Potential, **errors: Metrics | None) -> None:
    """RMSE and MAE of every set of frames, by its name, in total and for parts of it."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{title}: {sum(potential.n_functions.values())} functions; RMSE (MAE)")
    headings = ("", "frames", "energy meV/atom", "shift", "spread", "force meV/Å", "of rms force", "virial meV/atom")
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for name, metrics in errors.items():
        if metrics is not None:
            _add_rows(table, name, metrics)
    console = Console()
    (console if console.is_terminal else Console(width=130)).print(table)


def _add_rows(table: Any, name: str, metrics: Metrics) -> None:
    parts = [(name, str(metrics.n_frames), metrics.quantities)]
    parts += [
        (f"  C{length}" if length.isdigit() else f"  {length}", "", q)
        for length, q in sorted(metrics.by_chain_length.items(), key=lambda item: (len(item[0]), item[0]))
    ]
    if len(metrics.by_config_type) <= MOST_CONFIG_TYPES:  # more of them only fit into the JSON file
        parts += [(f"  {kind[:24]}", "", q) for kind, q in metrics.by_config_type.items()]
    parts += [(f"  {species}", "", q) for species, q in metrics.by_species.items() if len(metrics.by_species) > 1]
    parts += [(f"  {kind}", "", q) for kind, q in metrics.by_type.items()]
    parts += [(f"  place {place}", "", q) for place, q in metrics.by_chain_position.items()]
    for label, n_frames, quantities in parts:
        energy, forces, virial = (quantities.get(key) for key in ("energy", "forces", "virial"))
        table.add_row(
            label,
            n_frames,
            _milli(energy),
            f"{1e3 * energy.mean:+.2f}" if energy else "",
            f"{1e3 * energy.spread:.3g}" if energy else "",
            _milli(forces),
            f"{forces.relative:.2%}" if forces and forces.reference_rms > 0 else "",
            _milli(virial),
        )
    table.add_section()


def _milli(summary: Any) -> str:
    return f"{1e3 * summary.rmse:.3g} ({1e3 * summary.mae:.3g})" if summary else ""
