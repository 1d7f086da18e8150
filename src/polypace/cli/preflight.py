"""The short run of `polypace check --structure`: is the planned run the right one, stable, and how long will it take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from polypace.errors import FileFormatError, InputError

LARGE_DRIFT = 0.01  # eV/atom/ps: a fifth of the thermal energy at room temperature in a picosecond

if TYPE_CHECKING:
    import ase

    from polypace.lammps import Preflight


@dataclass(frozen=True)
class Start:
    """Where a planned run begins: its atoms, LAMMPS's atom types 1, 2, … and the element of each."""

    atoms: ase.Atoms
    types: list[str]
    element_of_type: dict[str, str]


def prepare_start(structure: Path, pairs: Sequence[str], potential_file: Path) -> Start:
    """Read the structure and map its types; `pairs` are words such as CH2=C.

    Raises
    ------
    InputError
        for what cannot be read, types that the structure lacks, and elements that the potential lacks.
    """
    from polypace.ace import Potential
    from polypace.lammps import ace_pair_lines

    named = dict(_split(pair) for pair in pairs)
    atoms, types = read_start(structure)
    for name in named:
        if name not in types:
            raise InputError(f"--element names the atom type {name}; {structure} has {', '.join(types)}")
    element_of_type = {name: name for name in types} | named
    ace_pair_lines(potential_file, types, element_of_type, known_elements=Potential.read(potential_file).elements)
    return Start(atoms, types, element_of_type)


def print_preflight(
    potential_file: Path,
    active_set: Path | None,
    lammps: str | None,
    start: Start,
    steps: int,
    timestep: float,
    temperature: float,
    ranks: int,
) -> None:
    """Run it, print what it told; errors as from `polypace.lammps.preflight`."""
    from polypace.ace import Potential, evaluate
    from polypace.lammps import ace_pair_lines, find_lammps, preflight

    potential = Potential.read(potential_file)
    atoms, types = start.atoms, start.types
    asi = active_set.resolve() if active_set is not None else None
    style = "pace" if asi is None else "pace/extrapolation"
    program = find_lammps(lammps, [f"pair {style}"], most_neighbors(atoms, potential.max_cutoff))
    lines = ace_pair_lines(potential_file.resolve(), types, start.element_of_type, asi, labelled=program.knows_labels)
    as_elements = atoms.copy()
    as_elements.symbols[:] = [start.element_of_type[name] for name in atoms.arrays["type_name"]]
    expected = evaluate([as_elements], potential)[0].energy
    found = preflight(atoms, lines, types, expected, steps, timestep, temperature, program=program, n_ranks=ranks)
    _show(found, len(atoms), steps)


def most_neighbors(atoms: ase.Atoms, cutoff: float) -> int:
    """The most neighbours of an atom within `cutoff` and LAMMPS's skin in metal units (2 Å)."""
    from polypace._core.neighbors import neighbor_list

    offsets = neighbor_list(np.ascontiguousarray(atoms.positions), atoms.cell.array, atoms.pbc, cutoff + 2.0)[0]
    return int(np.diff(offsets).max())


def read_start(path: Path) -> tuple[ase.Atoms, list[str]]:
    """The structure with its array `type_name`, and the type names in their order.

    Raises
    ------
    InputError
        for a file that is neither a LAMMPS data file nor read by ASE, or a structure that is not periodic.
    """
    import ase.io

    from polypace.systems import read_lammps_data

    if not path.is_file():
        raise InputError(f"structure file {path} does not exist")
    try:
        melt = read_lammps_data(path)
    except (FileFormatError, InputError) as error:
        try:
            atoms = ase.io.read(path)
        except Exception:  # ASE's readers raise anything
            raise InputError(f"{path} is neither a LAMMPS data file ({error}) nor a structure that ASE reads") from None
        assert not isinstance(atoms, list)
        names = atoms.get_chemical_symbols()
        types = sorted(set(names))
    else:
        atoms, names, types = melt.atoms.copy(), list(melt.types), list(melt.type_names)
    if not atoms.pbc.all():
        raise InputError(f"{path}: the short run needs a structure that is periodic in all directions")
    atoms.arrays["type_name"] = np.array(names)
    return atoms, types


def _split(pair: str) -> tuple[str, str]:
    name, found, element = pair.partition("=")
    if not (found and name and element):
        raise InputError(f"--element {pair!r} must be of the form TYPE=ELEMENT, such as CH2=C")
    return name, element


def _show(found: Preflight, n_atoms: int, steps: int) -> None:
    print(f"\nshort run of {n_atoms} atoms:")
    print(f"  energy of step 0     {found.energy_error:+.1e} eV/atom from Python's (allowed: 1e-06)")
    if found.gamma_max is not None:
        print(f"  extrapolation grade  at most {found.gamma_max:.2f}")
    print(f"  drift without thermostat  {found.drift:+.1e} eV/atom/ps{_warning(found.drift)}")
    print(f"  speed                {found.atom_steps_per_second:.3g} atom-steps/s")
    print(f"  neighbours per atom  {found.neighbors_per_atom:.0f} (cutoff and skin)")
    print(f"  {steps} steps will take {_duration(found.predicted_seconds)}")


def _warning(drift: float) -> str:
    return "" if abs(drift) < LARGE_DRIFT else ": unstable; take a smaller timestep, or relax the structure first"


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
