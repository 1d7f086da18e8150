"""Liquid densities and chain dimensions of n-alkanes with each force field, against published values.

    python bench/densities.py --force-field trappe-ua --lengths 8 --temperatures 298 350 --output densities.json
    python bench/densities.py --output densities.json --table        # only the tables of what was run

Builds, equilibrates and runs NPT in LAMMPS at 1 atm, in the force field's original form and, with --smooth,
in the short-ranged one. Every row goes to --output as soon as it is there, and a row that is there is not
made again; so several calls fill one file. Checked before anything is concluded: the temperature of the run,
and that bonds, once folded back, make whole chains.

Published densities (g/cm³): C8 to C22 from the reference equations of state in CoolProp/thermo along
saturation; C24 and longer interpolated between these and Zoller's equation for polyethylene, to 0.5 %.
Published dimensions (Å²): equilibrated melts of 1024 and 2048 chains of Burrows et al., J. Phys. Chem. B 125, 5145
(2021), known to 0.4 to 0.9 %. Where there are none, ⟨R²⟩ of unperturbed chains of the same force field, drawn from its
torsion statistics. Segments of s bonds say more of long chains than few ends do: their error is that of one frame, from
chain to chain. Bonds of hydrogens are constrained, as in the published runs of L-OPLS, with steps of 2 fs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from polypace.analysis import ChainDimensions, chain_dimensions, dihedral_distribution
from polypace.forcefields import ForceField, get_force_field
from polypace.lammps import run_lammps
from polypace.melt import Melt
from polypace.reference import equilibration_script, force_field_interactions, npt_script, read_thermo
from polypace.systems import (
    InternalDistances,
    build_melt,
    internal_distances,
    read_lammps_data,
    target_internal_distances,
    write_lammps_data,
)
from polypace.systems.chains import resolution
from polypace.trajectory import Trajectory, open_trajectory

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
    200: {350: 0.812, 400: 0.785, 450: 0.760, 500: 0.736},
}
#: ⟨R²⟩ (Å²) of published melts.
PUBLISHED_END_TO_END = {
    ("trappe-ua", 8, 298): 62.4,
    ("trappe-ua", 16, 298): 229.0,
    ("l-opls", 8, 298): 57.5,
    ("l-opls", 16, 298): 205.8,
}
#: Bonds of the segments whose ⟨R²(s)⟩ is compared.
SEGMENTS = (8, 16, 32)
FRAMES = 100


@dataclass(frozen=True)
class Row:
    """One run: density with its error (block averages), ⟨R²⟩ and ⟨R_g²⟩ with theirs, what was published, and
    what was run. `segments` has bonds, ⟨R²(s)⟩, its error and the expected value (Å²).
    """

    force_field: str
    form: str
    chain_length: int
    temperature: float
    density: float
    density_error: float
    drift: float
    density_published: float | None
    end_to_end_squared: float
    end_to_end_squared_error: float
    end_to_end_squared_expected: float
    expected_from: str
    gyration_squared: float
    gyration_squared_error: float
    trans: float
    measured_temperature: float
    n_atoms: int
    time_ps: float
    seconds: float
    segments: list[list[float]] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str, int, float]:
        return self.force_field, self.form, self.chain_length, self.temperature


def measure(force_field: ForceField, form: str, length: int, kelvin: float, options: argparse.Namespace) -> Row:
    """Build, equilibrate, run and average."""
    start = time.perf_counter()
    published = PUBLISHED.get(length, {}).get(round(kelvin))
    melt = build_melt(
        length, max(8, round(options.carbons / length)), 0.97 * (published or 0.72), force_field, options.seed, kelvin
    )
    used = force_field.original() if form == "original" else force_field
    interactions = force_field_interactions(used, melt.type_names, constrain_hydrogens=resolution(used) == "all-atom")
    folder = Path(tempfile.mkdtemp(prefix=f"{force_field.name}-C{length}-{kelvin:.0f}K-", dir=options.folder))
    write_lammps_data(melt, folder / "start.data", force_field)
    step = options.timestep or interactions.timestep
    steps = round(options.time / step)
    equilibration = options.time / 3 if options.equilibration is None else options.equilibration
    conditions = {"temperature": kelvin, "seed": options.seed, "timestep": step}
    script = equilibration_script(
        interactions, "start.data", "eq.data", **conditions,
        push_off_steps=3000, langevin_steps=round(2.0 / step), npt_steps=round(equilibration / step),
    )  # fmt: skip
    run_lammps(script, folder, n_ranks=options.ranks)
    script = npt_script(
        interactions, "eq.data", "end.data", **conditions, steps=steps, dump_file="npt.dump", dump_every=steps // FRAMES
    )
    run_lammps(script, folder, n_ranks=options.ranks)
    return evaluate(folder, force_field, form, length, kelvin, step, options.time, time.perf_counter() - start)


def evaluate(
    folder: Path, force_field: ForceField, form: str, length: int, kelvin: float, step: float, ps: float, seconds: float
) -> Row:
    """Average a finished run."""
    thermo = read_thermo(folder / "log.lammps")
    density, found = thermo["Density"], float(thermo["Temp"].mean())
    if abs(found - kelvin) > 0.02 * kelvin:
        raise SystemExit(f"C{length}: the run was at {found:.1f} K, wanted {kelvin} K; nothing is concluded from it")
    end = read_lammps_data(folder / "end.data")
    trajectory = open_trajectory(folder / "npt.dump", end, timestep=step, units="metal")
    chains = chain_dimensions(trajectory)
    target = target_internal_distances(force_field, length - 1, kelvin)
    published_size = PUBLISHED_END_TO_END.get((force_field.name, length, round(kelvin)))
    expected, source = (float(target.squared[-1]), "RIS") if published_size is None else (published_size, "published")
    blocks = np.array([block.mean() for block in np.array_split(density, 8)])
    return Row(
        force_field.name, form, length, kelvin, float(density.mean()), float(blocks.std(ddof=1) / np.sqrt(8)),
        float(blocks[4:].mean() - blocks[:4].mean()), PUBLISHED.get(length, {}).get(round(kelvin)),
        chains.end_to_end_squared, chains.end_to_end_squared_error, expected, source,
        chains.gyration_squared, chains.gyration_squared_error,
        backbone_trans(trajectory), found, len(end.atoms), ps, seconds, segments(chains, end, target),
    )  # fmt: skip


def segments(chains: ChainDimensions, end: Melt, target: InternalDistances) -> list[list[float]]:
    """Bonds, ⟨R²(s)⟩ of the run, its error from chain to chain in the last frame, and that of unperturbed chains (Å²)."""
    last = internal_distances(end)
    return [
        [
            s,
            float(chains.internal[s - 1]),
            float(np.interp(s, last.separation, last.error)),
            float(target.at(s)),
        ]
        for s in SEGMENTS
        if s < len(chains.internal)
    ]


def backbone_trans(trajectory: Trajectory) -> float:
    """Share of trans among the torsions of carbons alone; those with hydrogens are trans by a third."""
    found = dihedral_distribution(trajectory)
    ours = [k for k, label in enumerate(found.labels) if k and not any(name[0] == "H" for name in label.split("-"))]
    return float(np.average(found.trans[ours], weights=found.counts[ours]))


def tables(rows: list[Row]) -> str:
    """The two tables in Markdown, with relative differences."""
    lines = [
        "| force field | form | chain | T (K) | ρ (g/cm³) | second half − first | published | difference | atoms × ps |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        off = "" if row.density_published is None else f"{row.density / row.density_published - 1:+.1%}"
        lines.append(
            f"| {row.force_field} | {row.form} | C{row.chain_length} | {row.temperature:.0f} | "
            f"{row.density:.4f} ± {row.density_error:.4f} | {row.drift:+.4f} | {row.density_published or ''} | {off} | "
            f"{row.n_atoms} × {row.time_ps:g} |"
        )
    lines += [
        "",
        "| force field | form | chain | T (K) | ⟨R²⟩ (Å²) | expected | difference | ⟨R_g²⟩ (Å²) | trans | segments |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row.force_field} | {row.form} | C{row.chain_length} | {row.temperature:.0f} | "
            f"{row.end_to_end_squared:.0f} ± {row.end_to_end_squared_error:.0f} | "
            f"{row.end_to_end_squared_expected:.0f} ({row.expected_from}) | "
            f"{row.end_to_end_squared / row.end_to_end_squared_expected - 1:+.1%} ± "
            f"{row.end_to_end_squared_error / row.end_to_end_squared_expected:.1%} | "
            f"{row.gyration_squared:.1f} ± {row.gyration_squared_error:.1f} | {row.trans:.3f} | "
            + ", ".join(
                f"{s:.0f}: {found / target - 1:+.1%} ± {error / target:.1%}" for s, found, error, target in row.segments
            )
            + " |"
        )
    return "\n".join(lines)


def read_rows(path: Path) -> list[Row]:
    return [Row(**row) for row in json.loads(path.read_text())["rows"]] if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--force-field", nargs="+", default=["trappe-ua"])
    parser.add_argument("--lengths", nargs="+", type=int, default=[8, 16, 24, 44, 64])
    parser.add_argument("--temperatures", nargs="+", type=float, default=[350.0, 450.0])
    parser.add_argument("--time", type=float, default=40.0, help="ps of NPT that are averaged")
    parser.add_argument(
        "--equilibration", type=float, default=None, help="ps of NPT before; default: a third of --time"
    )
    parser.add_argument("--timestep", type=float, default=None, help="ps; default: the force field's own")
    parser.add_argument("--carbons", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--smooth", action="store_true", help="also the short-ranged form")
    parser.add_argument("--folder", default=None, help="where the runs are kept; default: a temporary folder")
    parser.add_argument("--output", type=Path, default=Path("densities.json"))
    parser.add_argument("--table", action="store_true", help="run nothing, print what is in --output")
    options = parser.parse_args()
    rows = read_rows(options.output)
    if options.folder:
        Path(options.folder).mkdir(parents=True, exist_ok=True)
    cases = [
        (name, form, length, kelvin)
        for name in options.force_field
        for length in options.lengths
        for kelvin in options.temperatures
        for form in (("original", "smooth") if options.smooth else ("original",))
    ]
    for case in [] if options.table else cases:
        if case in {row.key for row in rows}:
            continue
        row = measure(get_force_field(case[0]), *case[1:], options)
        rows.append(row)
        print(f"C{row.chain_length} {row.temperature:g} K: {row.density:.4f} g/cm³, {row.seconds:.0f} s", flush=True)
        units = {"density": "g/cm³", "*_squared": "Å²", "temperature": "K", "time_ps": "ps"}
        options.output.write_text(json.dumps({"units": units, "rows": [asdict(row) for row in rows]}, indent=1))
    print(tables(rows))


if __name__ == "__main__":
    main()
