"""LAMMPS data files: written with type labels, so that element and type names survive `write_data`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ase
import numpy as np
import numpy.typing as npt
from ase.data import atomic_masses, chemical_symbols

from polypace.errors import FileFormatError, InputError
from polypace.forcefields import FORCE_FIELDS, ForceField, get_force_field
from polypace.melt import Melt
from polypace.systems.topology import topology

Array = npt.NDArray[Any]

#: ASE's unit of velocity, √(eV/amu), in Å/ps.
_VELOCITY = 98.22694788464062
_SECTIONS = ("Velocities", "Bonds", "Angles", "Dihedrals", "Impropers")


def write_lammps_data(melt: Melt, path: str | Path, force_field: str | ForceField, bonded: bool = True) -> None:
    """Write `melt` as a LAMMPS data file (`atom_style molecular`, or `full` where the force field has
    charges).

    Atom types are numbered as `melt.type_names`, bonded types as the force field's tables; all carry type
    labels. Positions are written wrapped, with image flags that unwrap to the molecules of `melt`; ids are
    those of the atoms plus one, molecules count from 1. Lengths in Å, charges in e. Without `bonded` terms
    the file suits potentials that know no bonds (ACE): no pair is excluded.

    Raises
    ------
    InputError
        where the force field has no type or bonded term for the melt, or the cell is not lower triangular.
    """
    force_field = get_force_field(force_field)
    cell = lower_triangular_cell(melt.atoms)
    table = topology(melt, force_field)
    names = melt.type_names
    tables = (
        ("bond", "Bonds", force_field.bonds, table.bonds, table.bond_kinds),
        ("angle", "Angles", force_field.angles, table.angles, table.angle_kinds),
        ("dihedral", "Dihedrals", force_field.dihedrals, table.dihedrals, table.dihedral_kinds),
    )[: 3 if bonded else 0]
    lines = [
        f"LAMMPS data file: {len(melt.atoms)} atoms, {force_field.name}, units {force_field.units}",
        "",
    ]
    lines += [f"{len(melt.atoms)} atoms"] + [f"{len(rows)} {word}s" for word, _, _, rows, _ in tables]
    lines += [f"{len(names)} atom types"] + [f"{len(terms)} {word} types" for word, _, terms, _, _ in tables]
    lines += ["", *_box_lines(cell)]
    lines += _labels("Atom Type Labels", names)
    for word, _, terms, _, _ in tables:
        lines += _labels(f"{word.capitalize()} Type Labels", [term.label for term in terms])
    lines += ["", "Masses", ""]
    for number, name in enumerate(names, start=1):
        kind = force_field.atom_type(name)
        lines.append(f"{number} {kind.mass!r}  # {name} ({kind.element})")
    lines += _atom_lines(melt, force_field)
    for _, title, _, rows, kinds in tables:
        if len(rows):
            numbered = np.column_stack([np.arange(1, len(rows) + 1), kinds + 1, rows + 1]).tolist()
            lines += ["", title, "", *(" ".join(map(str, row)) for row in numbered)]
    Path(path).write_text("\n".join(lines) + "\n")


def lower_triangular_cell(atoms: ase.Atoms) -> npt.NDArray[np.float64]:
    """The (3, 3) cell (Å) of `atoms`, as LAMMPS takes it: rows a, b, c with zeros above a positive diagonal.

    Raises
    ------
    InputError
        for any other cell; `atoms.cell.standard_form()` gives the rotation.
    """
    cell = np.array(atoms.cell.array, dtype=np.float64)
    if np.any(np.diag(cell) <= 0) or np.abs(np.triu(cell, 1)).max() > 1e-9 * np.abs(cell).max():
        raise InputError(
            f"LAMMPS needs a lower triangular cell with a positive diagonal, got {cell.tolist()}; rotate it "
            "with atoms.cell.standard_form()"
        )
    return cell


def _box_lines(cell: npt.NDArray[np.float64]) -> list[str]:
    lines = [f"0 {float(cell[d, d])!r} {axis}lo {axis}hi" for d, axis in enumerate("xyz")]
    tilts = [float(cell[1, 0]), float(cell[2, 0]), float(cell[2, 1])]
    if any(tilts):
        lines.append(" ".join(map(repr, tilts)) + " xy xz yz")
    return lines


def _labels(title: str, names: Iterable[str]) -> list[str]:
    rows = [f"{number} {name}" for number, name in enumerate(names, start=1)]
    return ["", title, "", *rows] if rows else []


def _atom_lines(melt: Melt, force_field: ForceField) -> list[str]:
    style = "full" if force_field.charged else "molecular"
    numbers = (np.searchsorted(melt.type_names, melt.types) + 1).tolist()
    charges = [force_field.atom_type(name).charge for name in melt.type_names]
    cell, pbc = melt.atoms.cell.array, melt.atoms.pbc
    fractions = melt.atoms.positions @ np.linalg.inv(cell)
    images = np.where(pbc, np.floor(fractions), 0).astype(int)
    wrapped = (melt.atoms.positions - images @ cell).tolist()
    lines = ["", f"Atoms  # {style}", ""]
    rows = zip(melt.molecules.tolist(), numbers, wrapped, images.tolist(), strict=True)
    for atom, (molecule, number, (x, y, z), (ix, iy, iz)) in enumerate(rows, start=1):
        charge = f"{charges[number - 1]!r} " if style == "full" else ""
        lines.append(f"{atom} {molecule + 1} {number} {charge}{x!r} {y!r} {z!r} {ix} {iy} {iz}")
    return lines


def read_lammps_data(path: str | Path) -> Melt:
    """Read a LAMMPS data file of `atom_style molecular` or `full` as a melt, positions unwrapped by the
    image flags.

    Type names come from the file's type labels, else from the comments of its masses, else from the masses
    of the known force fields. Velocities (Å/ps) are kept. Atoms are ordered by id.

    Raises
    ------
    FileFormatError
        naming the file and what is missing or cannot be read.
    """
    path = Path(path)
    header, sections = _split(path)
    cell = _cell(path, header)
    masses = {row[0]: float(row[1]) for row in _rows(path, sections, "Masses", required=True)}
    names = _type_names(sections, masses)
    style = sections["Atoms"][0] or "molecular" if "Atoms" in sections else ""
    if style not in ("molecular", "full"):
        raise FileFormatError(f"{path}: section Atoms of style molecular or full is needed, found {style or 'none'!r}")
    skip = 4 if style == "full" else 3
    rows = sorted(_rows(path, sections, "Atoms", required=True), key=lambda row: int(row[0]))
    ids = [int(row[0]) for row in rows]
    order = {atom: place for place, atom in enumerate(ids)}
    try:
        positions = np.array([row[skip : skip + 3] for row in rows], dtype=np.float64)
        images = np.array([row[skip + 3 : skip + 6] or (0, 0, 0) for row in rows], dtype=np.int64)
        bonds = [(order[int(row[2])], order[int(row[3])]) for row in _rows(path, sections, "Bonds")]
        types = [names[row[2]] for row in rows]
    except (KeyError, ValueError) as error:
        raise FileFormatError(f"{path}: cannot read the atoms or bonds: {error!r}") from None
    molecules = np.unique([int(row[1]) for row in rows], return_inverse=True)[1]
    mass = {names[number]: value for number, value in masses.items() if number in names}
    atoms = ase.Atoms(
        symbols=[element_of(name, mass[name]) for name in types],
        positions=positions + images @ cell,
        cell=cell,
        pbc=True,
        masses=[mass[name] for name in types],
    )
    velocities = {int(row[0]): row[1:4] for row in _rows(path, sections, "Velocities")}
    if velocities:
        atoms.set_velocities(np.array([velocities[atom] for atom in ids], dtype=np.float64) / _VELOCITY)
    atoms.set_array("type_name", np.array(types))
    atoms.set_array("mol_id", molecules.astype(np.int64))
    return Melt(atoms, np.array(bonds, dtype=np.int64).reshape(-1, 2), molecules, tuple(types))


def _split(path: Path) -> tuple[list[str], dict[str, tuple[str, list[str]]]]:
    """Header lines and sections: title -> (comment behind the title, lines)."""
    try:
        lines = path.read_text().splitlines()[1:]
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path}: cannot be read as a LAMMPS data file: {error}") from None
    header: list[str] = []
    sections: dict[str, tuple[str, list[str]]] = {}
    current = header
    for line in lines:
        text, _, comment = line.partition("#")
        text = text.strip()
        if text and text[0].isalpha() and text.replace(" ", "").isalpha() and len(text) > 2 and text[0].isupper():
            current = []
            sections[text] = (comment.strip(), current)
        elif text:
            current.append(line.strip())
    return header, sections


def _rows(
    path: Path, sections: dict[str, tuple[str, list[str]]], title: str, required: bool = False
) -> list[list[str]]:
    if title not in sections:
        if required:
            raise FileFormatError(f"{path}: section {title!r} is missing")
        return []
    return [line.partition("#")[0].split() for line in sections[title][1]]


def _cell(path: Path, header: list[str]) -> npt.NDArray[np.float64]:
    cell, origin = np.zeros((3, 3)), np.zeros(3)
    for line in header:
        words = line.split()
        for d, axis in enumerate("xyz"):
            if words[-2:] == [f"{axis}lo", f"{axis}hi"]:
                origin[d], cell[d, d] = float(words[0]), float(words[1]) - float(words[0])
        if words[-3:] == ["xy", "xz", "yz"]:
            cell[1, 0], cell[2, 0], cell[2, 1] = map(float, words[:3])
    if np.any(np.diag(cell) <= 0):
        raise FileFormatError(f"{path}: the header needs xlo xhi, ylo yhi and zlo zhi with hi above lo")
    return cell


def _type_names(sections: dict[str, tuple[str, list[str]]], masses: dict[str, float]) -> dict[str, str]:
    """Number in the file -> type name."""
    if "Atom Type Labels" in sections:
        labels = dict(line.split()[:2] for line in sections["Atom Type Labels"][1])
        # `write_data … types labels` names types where numbers would stand.
        return labels | {label: label for label in labels.values()}
    names = {}
    for line in sections["Masses"][1]:
        number = line.split()[0]
        comment = line.partition("#")[2].split()
        names[number] = comment[0] if comment else _name_by_mass(masses[number])
    return names


def _name_by_mass(mass: float) -> str:
    known = [kind for force_field in FORCE_FIELDS.values() for kind in force_field.atom_types]
    fitting = [kind.name for kind in known if abs(kind.mass - mass) < 0.01]
    return fitting[0] if fitting else chemical_symbols[int(np.argmin(np.abs(atomic_masses - mass)))]


def element_of(name: str, mass: float) -> str:
    """Chemical symbol of a known force field's type, else of the element with the nearest mass (amu)."""
    for force_field in FORCE_FIELDS.values():
        for kind in force_field.atom_types:
            if kind.name == name:
                return kind.element
    return chemical_symbols[int(np.argmin(np.abs(atomic_masses - mass)))]
