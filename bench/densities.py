"""Liquid densities of n-alkanes with each force field, against published values.

    python bench/densities.py --force-field trappe-ua --lengths 8 16 --temperatures 298 400 --steps 100000

Builds, equilibrates and runs NPT in LAMMPS at 1 atm, in the force field's original form and, with --smooth,
in the short-ranged one. Prints a table (Markdown) and writes every number to --output. The first answers
that are checked: the temperature of the run, and that energy and density have stopped drifting.

Reference densities (g/cm³): C8 to C22 from the reference equations of state in CoolProp/thermo along
saturation; C24 and longer interpolated between these and Zoller's equation for polyethylene, to 0.5 %.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from polypace.forcefields import ForceField, get_force_field
from polypace.lammps import run_lammps
from polypace.reference import equilibration_script, force_field_interactions, npt_script, read_thermo
from polypace.systems import build_melt, read_lammps_data, write_lammps_data

PUBLISHED = {
    8: {298: 0.6986, 350: 0.6554, 400: 0.610},
    10: {298: 0.7265, 350: 0.6860, 400: 0.6454, 450: 0.601},
    12: {298: 0.7457, 350: 0.7074, 400: 0.6694, 450: 0.629},
    16: {298: 0.7702, 350: 0.7340, 400: 0.6989, 450: 0.6631, 500: 0.6255},
    22: {350: 0.7571, 400: 0.7241, 450: 0.6909, 500: 0.657},
    24: {350: 0.762, 400: 0.730, 450: 0.697, 500: 0.665},
    44: {350: 0.788, 400: 0.758, 450: 0.729, 500: 0.702},
    60: {350: 0.796, 400: 0.767, 450: 0.740, 500: 0.713},
    64: {350: 0.797, 400: 0.768, 450: 0.741, 500: 0.714},
    100: {350: 0.805, 400: 0.778, 450: 0.751, 500: 0.726},
}


@dataclass(frozen=True)
class Row:
    """One run: density and its error (block averages) in g/cm³, the published one, and what was run."""

    force_field: str
    form: str
    chain_length: int
    temperature: float
    density: float
    error: float
    drift: float
    published: float | None
    measured_temperature: float
    n_atoms: int
    steps: int
    seconds: float


def measure(force_field: ForceField, form: str, length: int, kelvin: float, arguments: argparse.Namespace) -> Row:
    """Build, equilibrate, run and average."""
    start = time.perf_counter()
    guess = PUBLISHED.get(length, {}).get(round(kelvin), 0.72)
    n_chains = max(8, round(arguments.carbons / length))
    melt = build_melt(length, n_chains, 0.95 * guess, force_field, arguments.seed, kelvin)
    used = force_field.original() if form == "original" else force_field
    interactions = force_field_interactions(used, melt.type_names)
    folder = Path(tempfile.mkdtemp(prefix=f"{force_field.name}-C{length}-{kelvin:.0f}K-", dir=arguments.folder))
    write_lammps_data(melt, folder / "start.data", force_field)
    conditions = {"temperature": kelvin, "seed": arguments.seed}
    script = equilibration_script(
        interactions, "start.data", "eq.data", **conditions,
        push_off_steps=3000, langevin_steps=arguments.steps // 10, npt_steps=arguments.steps // 4,
    )  # fmt: skip
    run_lammps(script, folder, n_ranks=arguments.ranks)
    script = npt_script(interactions, "eq.data", "end.data", **conditions, steps=arguments.steps)
    thermo = read_thermo(run_lammps(script, folder, n_ranks=arguments.ranks).log)
    density, found = thermo["Density"], float(thermo["Temp"].mean())
    if abs(found - kelvin) > 0.02 * kelvin:
        raise SystemExit(f"C{length}: the run was at {found:.1f} K, wanted {kelvin} K; nothing is concluded from it")
    blocks = np.array([block.mean() for block in np.array_split(density, 8)])
    n_atoms = len(read_lammps_data(folder / "end.data").atoms)
    return Row(
        force_field.name, form, length, kelvin, float(density.mean()), float(blocks.std(ddof=1) / np.sqrt(8)),
        float(blocks[4:].mean() - blocks[:4].mean()), PUBLISHED.get(length, {}).get(round(kelvin)), found,
        n_atoms, arguments.steps, time.perf_counter() - start,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--force-field", nargs="+", default=["trappe-ua"])
    parser.add_argument("--lengths", nargs="+", type=int, default=[8, 16, 24, 44, 64])
    parser.add_argument("--temperatures", nargs="+", type=float, default=[350.0, 450.0])
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--carbons", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--smooth", action="store_true", help="also the short-ranged form")
    parser.add_argument("--folder", default=None, help="where the runs are kept; default: a temporary folder")
    parser.add_argument("--output", default="densities.json")
    arguments = parser.parse_args()
    if arguments.folder:
        Path(arguments.folder).mkdir(parents=True, exist_ok=True)
    rows = []
    print("| force field | form | chain | T (K) | density | error | drift | published | difference | s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in arguments.force_field:
        for length in arguments.lengths:
            for kelvin in arguments.temperatures:
                for form in ("original", "smooth") if arguments.smooth else ("original",):
                    row = measure(get_force_field(name), form, length, kelvin, arguments)
                    rows.append(row)
                    off = "" if row.published is None else f"{row.density / row.published - 1:+.1%}"
                    print(
                        f"| {row.force_field} | {row.form} | C{length} | {kelvin:.0f} | {row.density:.4f} | "
                        f"{row.error:.4f} | {row.drift:+.4f} | {row.published or ''} | {off} | "
                        f"{row.seconds:.0f} |",
                        flush=True,
                    )
                    Path(arguments.output).write_text(
                        json.dumps({"units": {"density": "g/cm3"}, "rows": [asdict(r) for r in rows]}, indent=1)
                    )


if __name__ == "__main__":
    main()
