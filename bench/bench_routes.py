"""One potential along every route that a LAMMPS has: energies, forces and stress against Python first, then speed.

    python bench/bench_routes.py [--lammps /path/to/lmp] [--peer STYLE] [--chains 16] [--steps 10] [--repeats 3]

Routes: `pace` (from `.yace` and from `.yaml`), `pace/extrapolation` (grades on no step), `mliap unified` where that
LAMMPS reaches Python, and a further style with the syntax of `pace` (`--peer`, for ML-PACE under another name beside the
plugin in one program). A dense melt of C16 united atoms, one rank. The runs are made in turn, and the least processor
time (LAMMPS's "CPU use" of its loop time) of each counts, so that other load of the machine meets all of them.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np

import polypace
from polypace.ace import BasisSpec, Potential, evaluate, write_mliap_model
from polypace.lammps import LammpsProgram, ace_pair_lines, find_lammps, mliap_pair_lines, run_lammps
from polypace.lammps.capabilities import runs_python_models
from polypace.lammps.log import read_loop_cost
from polypace.lammps.single_point import lammps_single_point, structure_data
from polypace.select import select_active_set
from polypace.systems import build_melt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lammps", help="default: the one that is found")
    parser.add_argument("--peer", action="append", default=[], help="a further style with the syntax of pace")
    parser.add_argument("--chains", type=int, default=16)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    where = str(Path(polypace.__file__).parent.parent)
    program = find_lammps(options.lammps, styles=["pair pace"])
    program = dataclasses.replace(program, environment={**program.environment, "PYTHONPATH": where})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        melt = build_melt(16, options.chains, 0.72, "trappe-ua", 1)
        atoms, types = melt.atoms.copy(), list(melt.type_names)
        potential = write_potential(folder, atoms)
        atoms.arrays["type_name"] = np.array(melt.types)
        routes = routes_of(program, potential, folder, types, options.peer)
        print(f"LAMMPS {program.version}, {len(atoms)} united atoms, {potential.n_functions['C']} functions")
        worst = {route: compare(atoms, potential, lines, types, program) for route, lines in routes.items()}
        times = time_routes(routes, atoms, types, program, options, folder)
    first = times["pace"]
    for route, seconds in times.items():
        energy, force, stress = worst[route]
        print(
            f"{route:20s} dE {energy:.0e} eV/atom, dF {force:.0e} eV/Å, dS {stress:.0e} eV/Å³, "
            f"{1e6 * seconds:7.2f} µs/atom-step, {seconds / first:6.2f} × pace"
        )


def write_potential(folder: Path, atoms) -> Potential:
    """The basis of a united-atom study with small coefficients: the work does not depend on their values."""
    plain = BasisSpec.simple(["C"], 6.0, nradmax=(16, 8, 4), lmax=(0, 6, 4)).build()
    coefficients = 1e-4 * np.random.default_rng(3).normal(size=plain.coefficients.size)
    potential = plain.with_coefficients(coefficients)
    potential.write(folder / "p.yaml")
    potential.write(folder / "p.yace")
    frames = [atoms.copy() for _ in range(3 + potential.n_functions["C"] // len(atoms))]
    for seed, frame in enumerate(frames):
        frame.rattle(0.2, seed=seed)
    select_active_set(frames, potential).write(folder / "p.asi")
    write_mliap_model(potential, folder / "p.pkl")
    return potential


def routes_of(
    program: LammpsProgram, potential: Potential, folder: Path, types: list[str], peers: list[str]
) -> dict[str, str]:
    elements = dict.fromkeys(types, potential.elements[0])
    pace = ace_pair_lines(folder / "p.yace", types, elements)
    routes = {"pace": pace, "pace, from .yaml": ace_pair_lines(folder / "p.yaml", types, elements)}
    if "pair pace/extrapolation" in program.styles:
        routes["pace/extrapolation"] = ace_pair_lines(folder / "p.yaml", types, elements, folder / "p.asi")
    if runs_python_models(program):
        routes["mliap unified"] = mliap_pair_lines(folder / "p.pkl", types, elements)
    return routes | {peer: pace.replace("pair_style pace\n", f"pair_style {peer}\n") for peer in peers}


def compare(atoms, potential: Potential, lines: str, types: list[str], program: LammpsProgram) -> tuple[float, ...]:
    expected = evaluate([atoms], potential)[0]
    found = lammps_single_point(atoms, lines, types, program=program)
    energy = abs(found.energy - expected.energy) / len(atoms)
    assert energy < 1e-9, f"{lines} gives another energy, by {energy} eV/atom"
    return energy, abs(found.forces - expected.forces).max(), abs(found.stress - expected.stress).max()


def time_routes(routes: dict[str, str], atoms, types, program, options, folder: Path) -> dict[str, float]:
    """Least processor time (s) of every route for one atom and step."""
    (folder / "melt.data").write_text(structure_data(atoms, types))
    least = dict.fromkeys(routes, np.inf)
    for _ in range(options.repeats):
        for route, lines in routes.items():
            script = (
                f"units metal\nread_data {folder / 'melt.data'}\n{lines}neighbor 1.5 bin\nfix 1 all nve\n"
                f"timestep 1e-7\nrun 1\nrun {options.steps}\n"
            )
            cost = read_loop_cost(run_lammps(script, folder / "run", program).log)
            least[route] = min(least[route], cost.core_seconds / cost.steps / len(atoms))
    return least


if __name__ == "__main__":
    main()
