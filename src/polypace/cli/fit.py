"""`polypace fit`: labelled frames and a basis in, a potential and its errors out."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polypace.cli.error_table import print_errors
from polypace.cli.frame_files import FrameFiles
from polypace.cli.labelled_files import EnergyKey, ForcesKey, LabelledFiles, StressKey, VirialKey, labelled
from polypace.cli.outputs import make_folders, write_numbers
from polypace.errors import InputError

if TYPE_CHECKING:
    import ase

    from polypace.ace import FitResult, Potential

# Molecules with hydrogen, made with B3LYP alkanes (bench/qm22_transfer.py): hydrogens feel their own heavy atom most.
# Spherical Bessel functions spread their resolution evenly over r. ChebExpCos has most of it nearer than hydrogens come, so
# that data leave a quarter of the coefficients open.
MOLECULES: dict[str, Any] = {
    "functions": {"nradmax_by_orders": [12, 7, 5, 3, 2], "lmax_by_orders": [0, 5, 4, 3, 2]},
    "of_hydrogen": {"nradmax_by_orders": [10, 4, 2], "lmax_by_orders": [0, 4, 2]},
    "cutoffs": (4.2, 3.7, 3.2),  # Å: heavy atoms, with hydrogen, hydrogens
    # Cross-validation takes ever less: frames of the same molecules have the same errors. C4 to C7 lose 1 meV/Å by this
    # on C8 to C10; from C4 and C5 alone C8 is off by 0.3 instead of 7.5 eV/Å.
    "alpha": 1e-9,
}
REACH_OF_MOLECULES, REACH_OF_LIQUIDS = 3.0, 4.5  # Å beyond the covalent radii
FUNCTIONS_PER_ELEMENT = 700


def fit_command(
    data: LabelledFiles,
    output: Annotated[Path, typer.Option("--output", "-o", help="The potential, .yaml.")] = Path("pot.yaml"),
    basis: Annotated[Path | None, typer.Option(help="Recipe with pacemaker's keys, or a .yaml potential.")] = None,
    test: Annotated[
        list[Path] | None, typer.Option(help="Labelled frames to measure the fit with; may be repeated.")
    ] = None,
    solver: Annotated[str, typer.Option(help="ridge, blr or ard.")] = "ridge",
    alpha: Annotated[
        float | None,
        typer.Option(
            help="Strength of the ridge; without: 1e-9 for the default basis of molecules, else cross-validation."
        ),
    ] = None,
    scale_columns: Annotated[
        bool, typer.Option(help="The ridge weighs what functions contribute to the data; without: their coefficients.")
    ] = True,
    smoothness: Annotated[float, typer.Option(help="Exponent of the penalty on rough functions; 0: none.")] = 2.0,
    energy_weight: Annotated[float, typer.Option(help="Per squared eV/atom.")] = 1e7,
    force_weight: Annotated[float, typer.Option(help="Per squared eV/Å.")] = 1e3,
    virial_weight: Annotated[float, typer.Option(help="Per squared eV/atom.")] = 1e6,
    energy_key: EnergyKey = None,
    forces_key: ForcesKey = None,
    stress_key: StressKey = None,
    virial_key: VirialKey = None,
    large_force: Annotated[float | None, typer.Option(help="Forces beyond this (eV/Å) weigh less.")] = None,
    e0: Annotated[str, typer.Option(help="least_squares, a number, or C:-1.2,H:-0.5 (eV).")] = "least_squares",
    core_repulsion: Annotated[bool, typer.Option(help="ZBL below the shortest distances of the data.")] = True,
    yace: Annotated[bool, typer.Option("--yace", help="Write OUTPUT with .yace too.")] = False,
    active_set: Annotated[bool, typer.Option("--active-set", help="Write OUTPUT with .asi too.")] = False,
    report: Annotated[Path | None, typer.Option(help="Folder for parity and error plots.")] = None,
    scan: Annotated[
        Path | None,
        typer.Option(help="Fit no potential; folder for errors against cutoff, rank and basis size (needs --test)."),
    ] = None,
    backend: Annotated[str, typer.Option(help="polypace, or pacemaker (the real program).")] = "polypace",
    folder: Annotated[Path | None, typer.Option(help="pacemaker: where it runs; OUTPUT.pacemaker without.")] = None,
    start: Annotated[Path | None, typer.Option(help="Up-fit: potential (.yaml) to start from.")] = None,
    ladder_step: Annotated[int | None, typer.Option(help="pacemaker: functions that are added per step.")] = None,
    max_iterations: Annotated[int, typer.Option(help="pacemaker: iterations of every step.")] = 100,
    threads: Annotated[int, typer.Option(help="0: all cores.")] = 0,
) -> None:
    """Fit a linear ACE; write the potential and OUTPUT with .metrics.json, print a table of errors."""
    from polypace.ace import Weights, fit
    from polypace.ace.label_keys import LabelKeys

    if output.suffix not in (".yaml", ".yml"):
        raise InputError(f"--output must be a .yaml file, got {output}: --yace writes the .yace beside it")
    make_folders(output)
    keys = LabelKeys(energy_key, forces_key, stress_key, virial_key)
    frames = labelled(FrameFiles(data), keys)
    test_frames = labelled(FrameFiles(test), keys) if test else None
    weights = Weights(energy_weight, force_weight, virial_weight, large_force=large_force)
    if scan:
        return scan_errors(scan, frames, test_frames, weights, threads)
    if backend not in ("polypace", "pacemaker"):
        raise InputError(f"--backend must be polypace or pacemaker, got {backend!r}")
    if backend == "pacemaker":
        from polypace.cli.fit_pacemaker import fit_by_pacemaker

        place = folder or output.with_suffix(".pacemaker")
        potential, errors, test_errors, summary = fit_by_pacemaker(
            frames, test_frames, basis or default_recipe(frames)[0], place,
            start=start, ladder_step=ladder_step, max_iterations=max_iterations, threads=threads,
        )  # fmt: skip
        write_numbers(output.with_suffix(".metrics.json"), summary)
        write_potential(potential, output, yace)
        print_errors(f"{output} by pacemaker", potential, train=errors, test=test_errors)
        if active_set:
            write_active_set(potential, output, frames, threads)
        return
    from polypace.ace.up_fit import starting_basis

    chosen: Any = basis or (starting_basis(start) if start else None)
    if chosen is None:
        chosen, prior = default_recipe(frames)
        if alpha is None and solver == "ridge" and scale_columns:
            alpha = prior
    result = fit(
        frames,
        chosen,
        weights=weights,
        solver=_solver(solver, alpha, scale_columns),
        test_frames=test_frames,
        e0=parse_e0(e0),
        core_repulsion="zbl" if core_repulsion else None,
        smoothness=smoothness,
        start=start,
        n_threads=threads,
    )
    result.write_metrics(output.with_suffix(".metrics.json"))
    potential = result.potential.without_zeros()  # what ard has switched off would cost time in every step
    write_potential(potential, output, yace)
    print_fit(result, potential, output)
    if report:
        from polypace.ace.fit_report import write_fit_report

        write_fit_report(report, result, frames, test_frames)
    if active_set:
        write_active_set(potential, output, frames, threads)


def write_potential(potential: Potential, output: Path, yace: bool) -> None:
    """The potential as .yaml, and where asked for as .yace."""
    potential.write(output)
    if yace:
        potential.write(output.with_suffix(".yace"))


def write_active_set(potential: Potential, output: Path, frames: Any, threads: int) -> None:
    """The active set beside the potential; last of all, since few frames may not determine one."""
    from polypace.select import select_active_set

    # With one density the full set has the size of the linear one and is read as that (pacemaker does the same).
    full = min(potential.n_densities.values()) > 1
    suffix = ".asi.nonlinear" if full else ".asi"
    select_active_set(frames, potential, full=full, n_threads=threads).write(output.with_suffix(suffix))


def scan_errors(folder: Path, frames: Any, test_frames: Any | None, weights: Any, threads: int) -> None:
    """Write scan.json and scan.png into `folder`; print a table and whether more functions would help."""
    from polypace.ace.error_floor import error_floor

    if not test_frames:
        raise InputError("--scan needs frames that are not fitted to: give --test FILE")
    floor = error_floor(frames, test_frames, weights=weights, n_threads=threads)
    folder.mkdir(parents=True, exist_ok=True)
    write_numbers(folder / "scan.json", floor.as_dict())
    floor.write_figure(folder / "scan.png")
    print(f"{floor.table()}\n\n{floor.verdict}")


def default_recipe(frames: Iterable[ase.Atoms]) -> tuple[Any, float | None]:
    """The basis for data that come without one, and the strength of the ridge with it (None: by cross-validation).

    One element (united atoms, metals): pairs to 15 radial functions, up to four-body, 6 Å. More elements: the simplest
    functions per element up to six-body, so that what a basis costs does not grow with the number of elements; a bond is
    cut at the sum of the covalent radii and 3 Å for single molecules (all that is three bonds away), 4.5 Å for liquids.
    """
    from ase.data import atomic_numbers, covalent_radii

    from polypace.ace import BasisSpec

    elements, periodic = _contents(frames)
    if len(elements) > 1 and "H" in elements and not periodic:
        return _for_molecules([element for element in elements if element != "H"]), MOLECULES["alpha"]
    if len(elements) == 1:
        return BasisSpec.simple(elements, 6.0, nradmax=(15, 6, 4), lmax=(0, 4, 3)), None
    radius = {element: float(covalent_radii[atomic_numbers[element]]) for element in elements}
    reach = REACH_OF_LIQUIDS if periodic else REACH_OF_MOLECULES
    cutoffs = {
        (a if a == b else a + b): round(radius[a] + radius[b] + reach, 2)
        for place, a in enumerate(elements)
        for b in elements[place:]
    }
    basis = BasisSpec.simple(
        elements, cutoffs, nradmax=(12, 7, 5, 3, 2), lmax=(0, 5, 4, 3, 2), n_functions=FUNCTIONS_PER_ELEMENT
    )
    return basis, None


def _contents(frames: Iterable[ase.Atoms]) -> tuple[list[str], bool]:
    """Elements, and whether any frame is periodic."""
    found: set[str] = set()
    periodic = False
    for atoms in frames:
        found |= set(atoms.get_chemical_symbols())
        periodic = periodic or bool(atoms.pbc.any())
    if not found:
        raise InputError("there are no frames to fit to: the file is empty")
    return sorted(found), periodic


def _for_molecules(heavy: list[str]) -> Any:
    """Short cutoffs and few functions for hydrogens, most of the functions for the heavy atoms."""
    from polypace.ace import BasisSpec

    among, to_hydrogen, of_hydrogens = MOLECULES["cutoffs"]
    pairs = {"".join(pair) for pair in itertools.combinations(heavy, 2)} | set(heavy)
    bonds: dict[str, Any] = {
        "ALL": {"radbase": "SBessel", "radparameters": [5.25], "rcut": of_hydrogens, "dcut": 0.01},
        **{pair: {"rcut": among} for pair in sorted(pairs)},
        **{f"{element}H": {"rcut": to_hydrogen} for element in heavy},
    }
    blocks = [others for n in range(len(heavy) + 1) for others in itertools.combinations(heavy, n)]
    functions: dict[str, Any] = {"ALL": MOLECULES["functions"], "number_of_functions_per_element": 1200}
    functions |= {"".join(("H", *others)): MOLECULES["of_hydrogen"] for others in blocks}
    return BasisSpec([*heavy, "H"], bonds=bonds, functions=functions)


def parse_e0(text: str) -> Any:
    """What --e0 says: 'least_squares', a number, or a mapping."""
    if text == "least_squares":
        return text
    try:
        if ":" not in text:
            return float(text)
        return {pair.split(":")[0].strip(): float(pair.split(":")[1]) for pair in text.split(",")}
    except ValueError:
        raise InputError(f"--e0 must be least_squares, a number or like C:-1.2,H:-0.5, got {text!r}") from None


def _solver(name: str, alpha: float | None, scale_columns: bool) -> Any:
    from polypace.ace import Ridge

    if name != "ridge" and (alpha is not None or not scale_columns):
        raise InputError(f"--alpha and --no-scale-columns belong to the ridge solver, not to {name}: leave them out")
    if alpha is None and not scale_columns:
        raise InputError("--no-scale-columns needs --alpha: cross-validation works on scaled columns")
    return Ridge(alpha=alpha, scale_columns=scale_columns) if name == "ridge" else name


def print_fit(result: FitResult, potential: Potential, output: Path) -> None:
    """Errors of the fit as a table, and what is known of the solution; `potential` is what was written."""
    print_errors(str(output), potential, train=result.metrics, test=result.test_metrics)
    rows = ", ".join(f"{group.n_rows} {name}" for name, group in result.groups.items())
    print(
        f"rows: {rows}; condition number {result.condition_number:.2g}; "
        f"{result.solution.effective_parameters:.0f} effective parameters; "
        f"E0 {', '.join(f'{el} {value:.4f} eV' for el, value in result.e0.items())}; "
        f"{sum(result.seconds.values()):.1f} s"
    )
