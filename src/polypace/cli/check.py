"""`polypace check`: a potential gives the same numbers along every route; a short run before a long one."""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import numpy.typing as npt
import typer

from polypace.errors import InputError

if TYPE_CHECKING:
    import ase

    from polypace.ace import Potential
    from polypace.lammps import LammpsProgram

# Relative to the largest value of its kind, or to 1 where that is smaller; grades also to their rounding noise.
TOLERANCE = 1e-8
N_ATOMS = 32


def check_command(
    potential: Annotated[Path, typer.Argument(help="A .yaml or .yace file.")],
    active_set: Annotated[Path | None, typer.Option(help="Its .asi file: grades are compared too.")] = None,
    lammps: Annotated[str | None, typer.Option(help="A LAMMPS program with pair_style pace.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random structures.")] = 1,
    structure: Annotated[
        Path | None,
        typer.Option(help="Start of a planned run (LAMMPS data or what ASE reads): a short run is made too."),
    ] = None,
    elements: Annotated[
        list[str] | None, typer.Option("--element", help="Element of an atom type of that file, as CH2=C; repeat.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the planned run.")] = 1_000_000,
    timestep: Annotated[float, typer.Option(help="Timestep of the planned run (ps).")] = 0.001,
    temperature: Annotated[float, typer.Option(help="Temperature of the planned run (K).")] = 300.0,
    ranks: Annotated[int, typer.Option(min=1, help="MPI ranks of the planned run.")] = 1,
) -> None:
    """Compare energies, forces, stress and grades of random structures along every way to compute them."""
    from polypace.cli.preflight import prepare_start, print_preflight

    if structure is None and elements:
        raise InputError("--element is for the atom types of --structure, which was not given")
    start = None if structure is None else prepare_start(structure, elements or [], potential)
    routes = compare_routes(potential, active_set, lammps, seed)
    _print(potential, routes, active_set is not None)
    if not all(route.agrees for route in routes):
        raise typer.Exit(1)
    if start is not None:
        print_preflight(potential, active_set, lammps, start, steps, timestep, temperature, ranks)


@dataclass(frozen=True)
class Numbers:
    """Energies (n,), forces (n, 3), stress (6,), grades (n,) or none, of one structure."""

    energies: npt.NDArray[np.float64]
    forces: npt.NDArray[np.float64]
    stress: npt.NDArray[np.float64]
    gamma: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Route:
    """One way to compute: its largest relative deviations from the first way, and the energy (eV)."""

    name: str
    energy: float
    deviations: dict[str, float]

    @property
    def agrees(self) -> bool:
        """Whether every deviation is within TOLERANCE (and a number)."""
        return all(deviation <= TOLERANCE for deviation in self.deviations.values())


def compare_routes(
    potential_file: Path, active_set_file: Path | None = None, lammps: str | None = None, seed: int = 1
) -> list[Route]:
    """Evaluate one random structure along every route; the first, Python with the file as given, measures.

    Raises
    ------
    InputError
        for an active set with a .yace; the errors of the readers, and of LAMMPS when it is missing or fails.
    """
    from polypace.ace import Potential
    from polypace.lammps import find_lammps
    from polypace.lammps.capabilities import runs_python_models

    potential = Potential.read(potential_file)
    if active_set_file is not None and not potential.has_functions:
        raise InputError(f"grades need the .yaml that {potential_file} was made from, not a .yace")
    style = "pace" if active_set_file is None else "pace/extrapolation"
    program = find_lammps(lammps, styles=[f"pair {style}"])
    atoms = random_structure(potential, seed)
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "exported.yace"
        potential.write(exported)
        given = potential_file.resolve()
        asi = active_set_file.resolve() if active_set_file is not None else None
        ranks = 2 if program.mpi else 1
        numbers = {
            "Python, as given": _in_python(atoms, potential, active_set_file),
            "Python, exported .yace": _in_python(atoms, Potential.read(exported), None),
            "LAMMPS, as given, 1 rank": _in_lammps(atoms, potential, given, asi, program, 1),
            f"LAMMPS, exported .yace, {ranks} rank{'s'[: ranks - 1]}": _in_lammps(
                atoms, potential, exported, None, program, ranks
            ),
        }
        if runs_python_models(program):
            numbers["LAMMPS, mliap unified, 1 rank"] = _in_mliap(atoms, potential, Path(folder), program)
    first = next(iter(numbers.values()))
    noise = _grade_noise(atoms, potential, active_set_file, first)
    return [
        Route(name, float(value.energies.sum()), _deviations(value, first, noise)) for name, value in numbers.items()
    ]


def _grade_noise(atoms: ase.Atoms, potential: Potential, active_set: Path | None, numbers: Numbers) -> float:
    """How far rounding alone moves the grades: ill-conditioned active sets amplify it; seen by moving all atoms."""
    if active_set is None or numbers.gamma is None:
        return 0.0
    shift = np.array([0.1234567, 0.7654321, 0.3141593])
    moved = type(atoms)(atoms.symbols, atoms.positions + shift, cell=atoms.cell, pbc=True)
    again = _in_python(moved, potential, active_set).gamma
    assert again is not None
    return 10 * float(np.abs(again - numbers.gamma).max())


def random_structure(potential: Potential, seed: int) -> ase.Atoms:
    """A skewed periodic cell with every element, about forty neighbours in reach of each atom."""
    import ase

    rng = np.random.default_rng(seed)
    spacing = max(1.0, 0.3 * min(potential.cutoffs.values()))
    side = 1.6 * spacing * N_ATOMS ** (1 / 3)
    cell = side * np.array([[1, 0, 0], [0.2, 1, 0], [-0.1, 0.3, 1]])
    elements = list(potential.elements) + list(rng.choice(potential.elements, N_ATOMS))
    atoms = ase.Atoms(cell=cell, pbc=True)
    for element in elements[:N_ATOMS]:
        atoms += ase.Atoms([element], [_free_place(atoms, spacing, rng)])
    return atoms


def _free_place(atoms: ase.Atoms, spacing: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    best, best_distance = np.zeros(3), -1.0
    for _ in range(200):
        place = rng.random(3) @ atoms.cell.array
        shifts = (place - atoms.positions) @ np.linalg.inv(atoms.cell.array)
        nearest = np.linalg.norm((shifts - np.round(shifts)) @ atoms.cell.array, axis=1).min(initial=np.inf)
        if nearest > spacing:
            return np.asarray(place)
        if nearest > best_distance:
            best, best_distance = place, nearest
    return best


def _in_python(atoms: ase.Atoms, potential: Potential, active_set: Path | None) -> Numbers:
    from polypace.ace import evaluate

    found = evaluate([atoms], potential, active_set)[0]
    assert found.stress is not None  # the structure is periodic
    return Numbers(found.energies, found.forces, found.stress, found.gamma)


def _in_lammps(
    atoms: ase.Atoms, potential: Potential, file: Path, asi: Path | None, program: LammpsProgram, n_ranks: int
) -> Numbers:
    from polypace.lammps import ace_pair_lines
    from polypace.lammps.single_point import lammps_single_point

    elements = potential.elements
    lines = ace_pair_lines(file, elements, {element: element for element in elements}, asi)
    outputs = ("pace/extrapolation", "gamma") if asi is not None else ()
    found = lammps_single_point(atoms, lines, elements, program=program, n_ranks=n_ranks, outputs=outputs)
    return Numbers(found.energies, found.forces, found.stress, found.outputs.get("gamma"))


def _in_mliap(atoms: ase.Atoms, potential: Potential, folder: Path, program: LammpsProgram) -> Numbers:
    import polypace
    from polypace.ace import write_mliap_model
    from polypace.lammps import mliap_pair_lines
    from polypace.lammps.single_point import lammps_single_point

    write_mliap_model(potential, folder / "model.pkl")
    # The Python inside of LAMMPS has to find this package.
    where = str(Path(polypace.__file__).parent.parent)
    program = dataclasses.replace(program, environment={**program.environment, "PYTHONPATH": where})
    elements = potential.elements
    lines = mliap_pair_lines(folder / "model.pkl", elements, {element: element for element in elements})
    found = lammps_single_point(atoms, lines, elements, program=program)
    return Numbers(found.energies, found.forces, found.stress)


def _deviations(numbers: Numbers, first: Numbers, grade_noise: float) -> dict[str, float]:
    deviations = {}
    least = {"gamma": max(1.0, grade_noise / TOLERANCE)}
    for name in ("energies", "forces", "stress", "gamma"):
        value, measure = getattr(numbers, name), getattr(first, name)
        if value is not None and measure is not None:
            scale = max(least.get(name, 1.0), float(np.abs(measure).max()))
            deviations[name] = float(np.abs(value - measure).max()) / scale
    return deviations


def _print(file: Path, routes: list[Route], graded: bool) -> None:
    # Plain columns: a table that is cut to the terminal's width would hide the verdicts.
    columns = ["energies", "forces", "stress", *(["gamma"] if graded else [])]
    headings = "".join(f"{'Δ ' + name:>11}" for name in columns)
    print(f"{file.name + ' in':<34}{'energy (eV)':>15}{headings}")
    for route in routes:
        values = (f"{route.deviations[name]:.1e}" if name in route.deviations else "" for name in columns)
        deviations = "".join(f"{value:>11}" for value in values)
        print(f"{route.name:<34}{route.energy:>15.6f}{deviations}  {'agrees' if route.agrees else 'DIFFERS'}")
    print(f"Largest deviations from the first route, relative; {TOLERANCE:g} is allowed.")
