"""What the verbs structure and compare print and write about structure."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polypace.analysis.structure_summary import (
    StructureComparison,
    StructureSummary,
    compare_structure,
    structure_values,
    summarize_structure,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from polypace.trajectory import Trajectory


def save(content: dict[str, Any], figure: Figure, output: Path) -> list[str]:
    """Write OUTPUT.json, OUTPUT.png and OUTPUT.pdf; returns their names."""
    output.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    Path(f"{output}.json").write_text(text, encoding="utf-8")
    return [f"{output}.json", *save_both(figure, output)]


def save_both(figure: Figure, output: Path) -> list[str]:
    """Write OUTPUT.png and OUTPUT.pdf."""
    names = [f"{output}.{suffix}" for suffix in ("png", "pdf")]
    for name in names:
        figure.savefig(name)
    return names


def compare_runs(runs: dict[str, Trajectory], output: Path, n_threads: int = 0) -> tuple[dict[str, Any], list[str]]:
    """Structure of two named runs: prints the table, draws OUTPUT_structure, returns what belongs into a JSON file."""
    from polypace.analysis.structure_plots import structure_figure

    summaries = {
        name: summarize_structure(trajectory, max_frames=100, n_threads=n_threads) for name, trajectory in runs.items()
    }
    first, second = summaries
    comparison = compare_structure(summaries[first], summaries[second])
    print_comparison(comparison, (first, second))
    return comparison_as_json(comparison), save_both(structure_figure(summaries), Path(f"{output}_structure"))


def print_values(summary: StructureSummary) -> None:
    """The numbers of one run."""
    print(f"{summary.name}: {summary.n_frames} frames of {summary.n_atoms} atoms")
    for name, (value, error, unit) in structure_values(summary).items():
        print(f"  {name:<18} {value:10.5g} ± {error:<9.2g} {unit}")
    if summary.density is not None and not summary.density.is_stationary:
        d = summary.density
        print(
            f"  the density is not stationary: it drifts by {d.drift:.3g} ± {d.drift_error:.2g} {d.unit} over "
            f"the run, with {len(d.values) / d.inefficiency:.0f} independent samples"
        )
    for name, reason in summary.refused.items():
        print(f"  no {name}: {reason}")


def print_comparison(comparison: StructureComparison, names: tuple[str, str]) -> None:
    """The numbers of two runs side by side, and the distances of their distributions."""
    print(f"{'':<18} {names[0]:>22} {names[1]:>22}  standard errors apart")
    for v in comparison.values:
        both = [f"{x:.5g} ± {e:.2g}" for x, e in ((v.reference, v.reference_error), (v.other, v.other_error))]
        print(f"{v.name + ' ' + v.unit:<18} {both[0]:>22} {both[1]:>22}  {v.deviation:.1f}")
    print("distances of distributions: ½∫|p − q|, what errors alone would give, Wasserstein distance")
    for name, d in comparison.distances.items():
        print(f"  {name:<10} {d.integrated:8.4f}  {d.noise:8.4f}  {d.wasserstein:8.4g} {d.unit}")


def comparison_as_json(comparison: StructureComparison) -> dict[str, Any]:
    """Numbers and distances for a JSON file, which has no NaN."""

    def clean(fields: dict[str, Any]) -> dict[str, Any]:
        return {
            key: None if isinstance(value, float) and not isfinite(value) else value for key, value in fields.items()
        }

    return {
        "values": [clean({**vars(value), "deviation": value.deviation}) for value in comparison.values],
        "distances": {name: clean(vars(distance)) for name, distance in comparison.distances.items()},
    }
