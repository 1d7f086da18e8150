"""Bond, 1-3, 1-4 and contact distances of each force field in a short run: the table of
docs/explanation/force_fields.md.

python bench/distance_windows.py [--steps 4000]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from polypace.forcefields import get_force_field
from polypace.lammps import run_lammps
from polypace.reference import (
    bead_equilibration_script,
    equilibration_script,
    force_field_interactions,
    nvt_script,
    read_dump,
)
from polypace.systems import build_melt, distance_windows, read_lammps_data, write_lammps_data

#: Force field, chain length, chains, density, temperature.
CASES = (
    ("trappe-ua", 16, 30, 0.66, 450.0),
    ("l-opls", 8, 30, 0.60, 400.0),
    ("kremer-grest", 50, 20, 0.85, 1.0),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4000)
    steps = parser.parse_args().steps
    print("| force field | elements | 1-2 | 1-3 | 1-4 | shortest contact |\n|---|---|---|---|---|---|")
    for name, length, n_chains, density, temperature in CASES:
        field = get_force_field(name)
        melt = build_melt(length, n_chains, density, field, 1, temperature)
        interactions = force_field_interactions(field, melt.type_names)
        folder = Path(tempfile.mkdtemp(prefix=f"windows-{name}-"))
        write_lammps_data(melt, folder / "start.data", field)
        if field.units == "lj":
            script = bead_equilibration_script(interactions, "start.data", "eq.data", steps=steps)
        else:
            script = equilibration_script(
                interactions, "start.data", "eq.data",
                temperature=temperature, push_off_steps=1000, langevin_steps=steps, npt_steps=10,
            )  # fmt: skip
        run_lammps(script, folder)
        script = nvt_script(
            interactions, "eq.data", "run.dump",
            temperature=temperature, steps=steps, dump_every=max(1, steps // 40), thermostat="langevin",
        )  # fmt: skip
        run_lammps(script, folder)
        melt = read_lammps_data(folder / "eq.data")
        found = distance_windows(melt, read_dump(folder / "run.dump", melt), 1.5 if field.units == "lj" else 5.0)
        for pair in sorted({window.elements for window in found.windows}):
            kinds = {window.kind: window for window in found.windows if window.elements == pair}
            cells = [
                f"{kinds[k].shortest:.2f}-{kinds[k].longest:.2f}" if k in kinds else "" for k in ("1-2", "1-3", "1-4")
            ]
            contact = f"{kinds['contact'].shortest:.2f}" if "contact" in kinds else ""
            print(f"| {name} | {'-'.join(pair)} | {' | '.join(cells)} | {contact} |", flush=True)
        print(f"\n{name}: {found.verdict}\n", flush=True)


if __name__ == "__main__":
    main()
