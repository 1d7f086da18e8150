"""The plugin in LAMMPS: what grades, a second rank and the running MSD cost, and other LAMMPS programs beside it.

    python bench/bench_lammps.py [--lammps /path/to/lmp] [--potential p.yaml --active-set p.asi] [--repeats 3]
    python bench/bench_lammps.py --copper

One melt (2048 beads in chains of eight), one potential, runs in turn so that other load on the machine meets all of
them. Energies of the first step are compared before anything is timed. Without --potential a random two-element one is
used, with --copper 2048 atoms of copper and the potential of bench_ace.py (62 functions, 7 Å, two densities). With
--lammps a program with its own pair_style pace (ML-PACE, KOKKOS) is timed on the same input.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench_ace import copper

from polypace.ace import Potential
from polypace.lammps import find_lammps, run_lammps
from polypace.lammps.log import parse_loops
from tests.helpers.potentials import random_potential


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lammps", help="another LAMMPS with pair_style pace")
    parser.add_argument("--potential", type=Path)
    parser.add_argument("--active-set", type=Path)
    parser.add_argument("--copper", action="store_true", help="copper instead of the melt")
    parser.add_argument("--spacing", type=float, help="fcc lattice constant (Å)")
    parser.add_argument("--side", type=int, default=8, help="fcc cells along an edge (default 8: 2048 beads)")
    parser.add_argument("--only", help="cases whose names contain this, beside pace on 1 rank")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    options.spacing = options.spacing or (3.615 if options.copper else 4.4)
    with tempfile.TemporaryDirectory() as folder:
        compare(options, Path(folder))


def compare(options: argparse.Namespace, folder: Path) -> None:
    potential, active_set = files(options, folder)
    cases = scripts(options, potential, active_set)
    first = next(iter(cases))
    cases = {name: script for name, script in cases.items() if name == first or (options.only or "") in name}
    programs = {name: (find_lammps(), 2 if name.endswith("2 ranks") else 1) for name in cases}
    if options.lammps:
        other = find_lammps(options.lammps, styles=["pair pace"])
        for name in [n for n in cases if n.startswith(("pace,", "γ"))]:
            cases[f"{name}, {other.version}"] = cases[name]
            programs[f"{name}, {other.version}"] = (other, 1)
    times: dict[str, list[float]] = {name: [] for name in cases}
    energies = {}
    for _ in range(options.repeats):
        for name, script in cases.items():
            program, n_ranks = programs[name]
            run = run_lammps(script, folder / "run", program, n_ranks)
            energies.setdefault(name, run.thermo[0]["PotEng"][0])
            times[name].append(parse_loops(run.log.read_text())[0].seconds)
    first = next(iter(energies.values()))
    for name, energy in energies.items():
        assert abs(energy - first) < 1e-8 * abs(first), f"{name} gives {energy}, not {first}"
    report(times, options.side, options.steps)


def files(options: argparse.Namespace, folder: Path) -> tuple[Path, Path]:
    if options.potential and options.active_set:
        return options.potential.resolve(), options.active_set.resolve()
    rng = np.random.default_rng(7)
    path = options.potential.resolve() if options.potential else folder / "p.yaml"
    if options.copper:
        copper().write(path)
    elif not options.potential:
        path.write_text(random_potential(rng))
    matrices = {el: np.eye(n) + 0.01 * rng.normal(size=(n, n)) for el, n in Potential.read(path).n_functions.items()}
    np.savez(folder / "p.npz", **matrices)
    (folder / "p.npz").rename(folder / "p.asi")
    return path, folder / "p.asi"


def scripts(options: argparse.Namespace, potential: Path, active_set: Path) -> dict[str, str]:
    elements = Potential.read(potential).elements
    n_types = len(elements)
    start = (
        f"units metal\natom_style bond\nlattice fcc {options.spacing}\n"
        f"region box block{3 * f' 0 {options.side}'}\n"
        f"create_box {n_types} box bond/types 1\ncreate_atoms 1 box\n"
        + "".join(f"set type 1 type/fraction {t} {1 / (n_types - t + 2):.4f} {77 + t}\n" for t in range(2, n_types + 1))
        + "mass * 14\nspecial_bonds lj/coul 1 1 1\n"
        "variable chain atom floor((id-1)/8)+1\nset group all mol v_chain\n"
    )
    plain = f"pair_style pace\npair_coeff * * {potential} {' '.join(elements)}\n"
    graded = f"pair_style pace/extrapolation\npair_coeff * * {potential} {active_set} {' '.join(elements)}\n"
    end = (
        "velocity all create 100 5 loop geom\nfix 1 all nve\ntimestep 0.0002\nthermo_style custom step pe etotal\n"
        f"thermo_modify format float %.15g\nrun {options.steps}\n"
    )
    return {
        "pace, 1 rank": start + plain + end,
        "pace, 2 ranks": start + plain + end,
        "γ every 10th step, 1 rank": start + graded + "fix g all pair 10 pace/extrapolation gamma 1\n" + end,
        "γ every step, 1 rank": start + graded + "fix g all pair 1 pace/extrapolation gamma 1\n" + end,
        "pace + MSD every step, 1 rank": start + plain + "fix m all polypace/msd 1 1000 msd.txt\n" + end,
        "pace + MSD every 10th step, 1 rank": start + plain + "fix m all polypace/msd 10 1000 msd.txt\n" + end,
    }


def report(times: dict[str, list[float]], side: int, n_steps: int) -> None:
    n_atoms = 4 * side**3
    base = min(next(iter(times.values())))
    print(f"{n_atoms} atoms, {n_steps} steps, fastest of {len(next(iter(times.values())))} runs")
    for name, seconds in times.items():
        each = 1e6 * min(seconds) / n_atoms / n_steps
        print(f"{name:45s} {each:7.2f} µs/atom/step   {min(seconds) / base:5.2f} × pace on 1 rank")
    if "pace, 2 ranks" in times:
        print(f"two ranks against one: {base / min(times['pace, 2 ranks']):.2f} x")


if __name__ == "__main__":
    main()
