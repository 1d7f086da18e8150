"""One self-contained HTML page: no file beside it, no network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from polypace.report import figures
from polypace.report.learning_figures import learning
from polypace.report.tables import HEADINGS, ROUND_HEADINGS, round_row, summary_rows


def write_report(results: Mapping[str, Any], path: Path, note: str = "") -> None:
    """Write the page of a study; `results` is the content of results.json, `note` stands at the top of the page."""
    import jinja2

    template = files("polypace.report").joinpath("page.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    chains = sorted(results["chains"].values(), key=lambda chain: chain["chain_length"])
    text = environment.from_string(template).render(
        results=results,
        note=note,
        chains=chains,
        rows=summary_rows(results),
        headings=HEADINGS,
        round_rows=[round_row(record) for record in results["learning"]["rounds"]],
        round_headings=ROUND_HEADINGS,
        pictures=[(title, caption, svg) for title, caption, svg in _pictures(results, chains)],
    )
    temporary = path.with_name(path.name + f".tmp{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _pictures(results: Mapping[str, Any], chains: list[Any]) -> list[tuple[str, str, str]]:
    gate = (
        "Gate",
        "Two chains of the melt pushed into each other. A potential whose energy falls again behind the repulsion is "
        "refused, unless a barrier of 25 k_B T that MD does not cross stands in front of the fall.",
        figures.scans(results),
    )
    rounds = (
        "Learning rounds",
        f"Left: γ of the explored frames; dotted: the γ = {results['learning']['gamma_select']:g} above which frames "
        "are kept. Right: errors on validation frames, over the atoms that were labelled for them.",
        learning(results) if results["learning"]["rounds"] else "",
    )
    return [*([rounds] if rounds[2] else []), *(_comparisons(chains) if chains else []), gate]


def _comparisons(chains: list[Any]) -> list[tuple[str, str, str]]:
    return [
        (
            "Forces",
            "Force components on frames of the reference run that the fit has never seen.",
            figures.parity(chains),
        ),
        (
            "Density",
            "NPT runs of reference and ACE from the same start; dotted: means after the discarded part.",
            figures.density_series(chains),
        ),
        (
            "Structure between chains",
            "Intermolecular radial distribution function of the united atoms.",
            figures.curves(chains, "rdf", "r_A", "r (Å)", "g(r), intermolecular"),
        ),
        (
            "Bonds",
            "Distribution of bond lengths.",
            figures.curves(chains, "bonds", "r_A", "bond length (Å)", "p (1/Å)"),
        ),
        (
            "Angles",
            "Distribution of C–C–C angles.",
            figures.curves(chains, "angles", "angle_deg", "angle (°)", "p (1/°)"),
        ),
        (
            "Dihedrals",
            "Distribution of torsions (180° is trans).",
            figures.curves(chains, "dihedrals", "angle_deg", "dihedral (°)", "p (1/°)"),
        ),
        (
            "Chain dimensions",
            "Mean-square internal distances and radii of gyration. Both runs start from the same chains, so what "
            "they do not relax is the same in both.",
            figures.internal_distances(chains),
        ),
        (
            "Dynamics",
            "g1: all beads; g3: centres of mass of the chains; drift of the whole melt removed; bands: standard errors.",
            figures.msd_curves(chains),
        ),
        (
            "Dynamics, ACE over reference",
            "Ratio of g1 and of g3 over lag time; bands: standard errors of both runs. Lags of one run go together.",
            figures.msd_ratios(chains),
        ),
    ]
