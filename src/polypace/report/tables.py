"""What the numbers of a study say, as rows: one source for the terminal, the page and the tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SummaryRow:
    """One chain length: ACE against reference, and whether the study's aims were met."""

    chain: str
    role: str
    force_error: str
    force_ok: bool
    energy_spread: str
    density: str
    density_shift: str
    density_ok: bool
    pressure_shift: str
    rdf_distance: str
    msd_ratio: str
    gamma_max: str
    stable: str
    stable_ok: bool


def summary_rows(results: Mapping[str, Any]) -> list[SummaryRow]:
    """Rows by ascending chain length; `results` is the content of results.json."""
    chains = sorted(results["chains"].values(), key=lambda chain: chain["chain_length"])
    return [_row(chain) for chain in chains]


def _row(chain: Mapping[str, Any]) -> SummaryRow:
    density = chain["density_g_per_cm3"]
    msd = chain["msd"]
    ace = density["ace"]
    return SummaryRow(
        chain=f"C{chain['chain_length']}",
        role="trained" if chain["trained"] else "not trained",
        force_error=f"{100 * chain['force_rmse_relative']:.1f} %",
        force_ok=chain["force_rmse_relative"] <= chain["aims"]["force_rmse_relative"],
        energy_spread=f"{chain['energy_spread_meV_per_atom']:.2f}",
        density=f"{_with_error(ace)} / {_with_error(density['reference'])}",
        density_shift=f"{100 * (density['ratio'] - 1):+.1f} ± {100 * density['ratio_error']:.1f} %",
        pressure_shift=f"{100 * (chain['pressure']['expected_density_ratio'] - 1):+.2f} ± "
        f"{100 * chain['pressure']['expected_density_ratio_error']:.2f} %",
        density_ok=abs(density["ratio"] - 1) <= chain["aims"]["density_relative"],
        rdf_distance=f"{chain['rdf']['distance']:.4f}",
        msd_ratio=f"{msd['ratio']:.2f} ± {msd['ratio_error']:.2f}",
        gamma_max=f"{chain['gamma_max']:.2f}",
        stable=f"{chain['ace_time_ps']:.1f} ps, {chain['lost_atoms']} lost",
        stable_ok=chain["lost_atoms"] == 0,
    )


def _with_error(value: Mapping[str, float]) -> str:
    """0.6612(23): the error in units of the last digit."""
    return f"{value['mean']:.4f}({round(1e4 * value['error'])})"


HEADINGS = (
    ("chain", "chain", ""),
    ("role", "length", ""),
    ("force_error", "force error", "RMSE / RMS"),
    ("energy_spread", "energy spread", "meV/atom"),
    ("density", "density", "ACE / ref., g/cm³"),
    ("density_shift", "Δ density", "from NPT"),
    ("pressure_shift", "Δ density", "from Δ pressure"),
    ("rdf_distance", "RDF distance", ""),
    ("msd_ratio", "MSD ratio", "ACE / ref."),
    ("gamma_max", "γ max", ""),
    ("stable", "MD", "with the ACE"),
)


def round_row(record: Mapping[str, Any]) -> dict[str, str]:
    """One learning round as texts; `record` is one of results.json's `learning.rounds`."""
    runs = record["runs"]
    above = sum(run["quiet_ps"] == 0 for run in runs)
    return {
        "round": str(record["round"]),
        "gamma_max": f"{record['gamma_max']:.3g}",
        "above": f"{above} of {len(runs)}",
        "candidates": str(record.get("selection", {}).get("candidates", 0)),
        "labelled": str(record["labelled_frames"]),
        "atoms": str(record["labelled_atoms"]),
        "force_error": f"{100 * record['validation']['force_rmse_relative']:.2f} %",
        "energy_spread": f"{record['validation']['energy_spread_meV_per_atom']:.2f}",
        "seconds": f"{record['wall_seconds']:.0f}",
        "verdict": record["verdict"],
    }


ROUND_HEADINGS = (
    ("round", "round", ""),
    ("gamma_max", "γ max", ""),
    ("above", "above", "replicas"),
    ("candidates", "candidates", "frames"),
    ("labelled", "labelled", ""),
    ("atoms", "atoms", "labelled"),
    ("force_error", "force error", "validation"),
    ("energy_spread", "energy spread", "meV/atom"),
    ("seconds", "time", "s"),
    ("verdict", "", ""),
)
