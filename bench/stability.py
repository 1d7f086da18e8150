"""Long runs with the potential of a finished study: does it stay in the liquid?

    polypace demo && python bench/stability.py demo --time 50

Runs NPT for `--time` ps at 1 fs per chain length of the study, from the reference's configuration, and prints what
came out: time reached, lost atoms, density, temperature, largest gamma. Exit code 1 when a run ended early.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from polypace.errors import PolypaceError
from polypace.lammps import find_lammps, read_log, run_lammps
from polypace.lammps.protocols import GammaWatch, MolecularDynamics
from polypace.study.plan import plan_study
from polypace.study.schema import read_study
from polypace.study.tasks.common import ace_lines, read_melt, write_start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path, help="folder of a finished study")
    parser.add_argument("--time", type=float, default=50.0, help="ps per chain length")
    parser.add_argument("--ranks", type=int, default=2)
    options = parser.parse_args()
    plan = plan_study(read_study(options.study / "study.yaml"))
    fit = (options.study / "steps" / plan.fits[-1].folder_name).resolve()
    table = Table(title=f"{options.time:g} ps NPT with the ACE of {options.study}")
    for heading in (
        "chain",
        "atoms",
        "time (ps)",
        "density (g/cm³)",
        "temperature (K)",
        "γ max",
        "µs/atom/step",
        "end",
    ):
        table.add_column(heading)
    failed = False
    for length, reference in plan.references.items():
        row, ended_early = run(options, plan, length, options.study / "steps" / reference.folder_name, fit)
        table.add_row(*row)
        failed |= ended_early
    Console().print(table)
    return int(failed)


def run(options: argparse.Namespace, plan, length: int, reference: Path, fit: Path) -> tuple[list[str], bool]:
    params = plan.npt[length].params
    melt = read_melt(reference)
    steps = round(options.time / params["timestep"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_start(melt, params, folder / "start.data", topology=False)
        protocol = MolecularDynamics(
            interactions=ace_lines(params, melt, "start.data", str(fit / "potential.yaml"), str(fit / "potential.asi")),
            temperature=params["temperature"],
            pressure=params["pressure"],
            timestep=params["timestep"],
            steps=steps,
            relax_steps=500,
            seed=length,
            gamma=GammaWatch(every=500),
            final_data=None,
            title=f"stability of C{length}",
        )
        start, end = time.perf_counter(), "complete"
        try:
            run_lammps(protocol.script(), folder, program=find_lammps(), n_ranks=options.ranks)
        except PolypaceError as error:
            end = str(error).splitlines()[0]
        seconds = time.perf_counter() - start
        log = read_log(folder / "log.lammps")[-1]
    done = int(log["Step"][-1])
    half = len(log["Step"]) // 2
    row = [
        f"C{length}",
        str(len(melt.atoms)),
        f"{done * params['timestep']:.1f}",
        f"{np.mean(log['Density'][half:]):.4f}",
        f"{np.mean(log['Temp'][half:]):.1f}",
        f"{np.max(log['v_gamma_max']):.2f}",
        f"{1e6 * seconds * options.ranks / max(1, done) / len(melt.atoms):.1f}",
        end,
    ]
    return row, done < steps


if __name__ == "__main__":
    sys.exit(main())
