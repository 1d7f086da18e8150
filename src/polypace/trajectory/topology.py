"""Who is bonded to whom: what a trajectory's positions do not say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.arrays import as_array
from polypace.errors import FileFormatError, InputError
from polypace.melt import Melt
from polypace.trajectory.source import Float, Int

# Columns of id, molecule and type in the Atoms section of a LAMMPS data file.
ATOM_STYLES: dict[str, tuple[int, int | None, int, int]] = {
    # style: id, molecule, type, number of columns without image flags
    "full": (0, 1, 2, 7),
    "molecular": (0, 1, 2, 6),
    "bond": (0, 1, 2, 6),
    "angle": (0, 1, 2, 6),
    "atomic": (0, None, 1, 5),
    "charge": (0, None, 1, 6),
}
SECTIONS = (
    "Masses", "Atoms", "Velocities", "Bonds", "Angles", "Dihedrals", "Impropers", "Atom Type Labels",
    "Bond Type Labels", "Angle Type Labels", "Dihedral Type Labels", "Improper Type Labels", "Ellipsoids",
    "Lines", "Triangles", "Bodies",
)  # fmt: skip


@dataclass(frozen=True)
class Topology:
    """Atoms in the order of their ids, with bonds.

    Parameters
    ----------
    ids : (n_atoms,) int64, ascending
        Ids of the file; they tie topology and trajectory together.
    types : (n_atoms,) str
        Type name of each atom ("CH2"; the number as text where the file gives no name).
    masses : (n_atoms,) float64 or None
        amu.
    molecules : (n_atoms,) int64 or None
        Molecule of each atom, 0-based and contiguous.
    bonds : (n_bonds, 2) int64
        Bonded pairs as 0-based rows, each once.
    """

    ids: Int
    types: npt.NDArray[np.str_]
    masses: Float | None
    molecules: Int | None
    bonds: Int

    def __post_init__(self) -> None:
        n = len(self.ids)
        object.__setattr__(self, "ids", as_array(self.ids, "ids", shape=(n,), dtype=np.int64))
        object.__setattr__(self, "types", np.asarray(self.types, dtype=np.str_))
        bonds = as_array(self.bonds, "bonds", shape=(None, 2), dtype=np.int64)
        if bonds.size and (bonds.min() < 0 or bonds.max() >= n or (bonds[:, 0] == bonds[:, 1]).any()):
            raise InputError(f"bonds must join two different atoms of 0…{n - 1}")
        object.__setattr__(self, "bonds", bonds)
        if self.types.shape != (n,):
            raise InputError(f"types must name each of the {n} atoms, got shape {self.types.shape}")
        if self.masses is not None:
            object.__setattr__(self, "masses", as_array(self.masses, "masses", shape=(n,)))
        molecules = self.molecules
        if molecules is None and len(bonds):
            from scipy.sparse import coo_array
            from scipy.sparse.csgraph import connected_components

            graph = coo_array((np.ones(len(bonds), dtype=np.int8), (bonds[:, 0], bonds[:, 1])), shape=(n, n))
            molecules = connected_components(graph, directed=False)[1]
        if molecules is not None:
            numbers = np.unique(as_array(molecules, "molecules", shape=(n,), dtype=np.int64), return_inverse=True)[1]
            object.__setattr__(self, "molecules", numbers.reshape(-1).astype(np.int64))

    def take(self, ids: Int) -> Topology:
        """The topology of the atoms named by `ids` (ascending), with the bonds among them.

        Raises
        ------
        InputError
            where an id is not in the topology.
        """
        rows = np.searchsorted(self.ids, ids)
        found = rows < len(self.ids)
        found[found] = self.ids[rows[found]] == ids[found]
        if not found.all():
            raise InputError(f"the trajectory has atom id {ids[~found][0]}, which is not in the topology")
        if len(rows) == len(self.ids):
            return self
        new_row = np.full(len(self.ids), -1)
        new_row[rows] = np.arange(len(rows))
        bonds = new_row[self.bonds]
        return Topology(
            ids,
            self.types[rows],
            None if self.masses is None else self.masses[rows],
            None if self.molecules is None else self.molecules[rows],
            bonds[(bonds >= 0).all(axis=1)],
        )

    @cached_property
    def neighbors(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Bonded atoms in CSR form: (offsets, atoms), ascending for each atom."""
        both = np.concatenate([self.bonds, self.bonds[:, ::-1]])
        both = both[np.lexsort((both[:, 1], both[:, 0]))]
        return np.searchsorted(both[:, 0], np.arange(len(self.ids) + 1)), both[:, 1]

    @cached_property
    def angles(self) -> Int:
        """(n, 3): every pair of bonds that share an atom, the shared one in the middle, once."""
        offsets, atoms = self.neighbors
        rows = []
        for middle in range(len(self.ids)):
            ends = atoms[offsets[middle] : offsets[middle + 1]].tolist()
            rows += [(a, middle, b) for i, a in enumerate(ends) for b in ends[i + 1 :]]
        return np.array(rows, dtype=np.int64).reshape(-1, 3)

    @cached_property
    def dihedrals(self) -> Int:
        """(n, 4): every chain of three bonds, once."""
        offsets, atoms = self.neighbors
        ends = [atoms[offsets[k] : offsets[k + 1]].tolist() for k in range(len(self.ids))]
        rows = [
            (a, b, c, d) for b, c in self.bonds.tolist() for a in ends[b] if a != c for d in ends[c] if d not in (a, b)
        ]
        return np.array(rows, dtype=np.int64).reshape(-1, 4)


def read_topology(given: Any, *, atom_style: str | None = None) -> Topology:
    """Topology from a LAMMPS data file, a `Melt`, an MDAnalysis universe, or any topology file MDAnalysis
    reads.

    Raises
    ------
    InputError, FileFormatError
        where there is no such file, or naming the file and line that cannot be read.
    """
    if isinstance(given, Topology):
        return given
    if isinstance(given, Melt):
        ids = np.arange(1, len(given.atoms) + 1)
        return Topology(ids, np.array(given.types), given.atoms.get_masses(), given.molecules, given.bonds)
    if isinstance(given, str | Path):
        path = Path(given)
        if not path.is_file():
            raise InputError(f"topology file {path} does not exist")
        if is_lammps_data(path):
            return read_data_topology(path, atom_style)
        from polypace.trajectory.universe import open_universe

        return topology_of_universe(open_universe(path))
    if hasattr(given, "trajectory") and hasattr(given, "atoms"):
        return topology_of_universe(given)
    raise InputError(
        f"topology must be a file, a Topology, a Melt or an MDAnalysis universe, got {type(given).__name__}"
    )


def topology_of_universe(universe: Any) -> Topology:
    """Topology of an MDAnalysis universe; atoms are numbered from 1 as in its files."""
    atoms = universe.atoms
    n = len(atoms)

    def attribute(name: str) -> Any:
        try:
            return getattr(atoms, name)
        except (AttributeError, LookupError):
            return None

    types = next((t for t in (attribute("types"), attribute("names")) if t is not None), np.full(n, "X"))
    bonds = universe.bonds.indices if hasattr(universe, "bonds") else np.zeros((0, 2))
    masses = attribute("masses")
    if masses is not None and not (np.asarray(masses) > 0).all():
        masses = None
    molecules = attribute("molnums")
    if molecules is None and len(bonds) == 0:
        molecules = attribute("resindices")
    return Topology(np.arange(1, n + 1), np.asarray(types, dtype=np.str_), masses, molecules, np.asarray(bonds))


def is_lammps_data(path: Path) -> bool:
    """Whether `path` looks like a LAMMPS data file: a line "N atoms" in its head."""
    with path.open("rb") as file:
        head = file.read(4096).decode(errors="replace").splitlines()[1:]
    return any(line.split("#")[0].split()[1:] == ["atoms"] for line in head)


def read_data_topology(path: Path, atom_style: str | None = None) -> Topology:
    """Types, masses, molecules and bonds of a LAMMPS data file (`write_data`, moltemplate, EMC, …).

    Raises
    ------
    FileFormatError
        naming the file and line that cannot be read.
    """
    sections = _sections(path)
    if "Atoms" not in sections:
        raise FileFormatError(f"{path}: has no Atoms section")
    hint, rows = sections["Atoms"]
    style = _style(path, atom_style or hint, rows)
    id_column, molecule_column, type_column, _ = ATOM_STYLES[style]
    table = np.array([words[:4] for _, words, _ in rows], dtype=np.str_)
    ids = _integers(path, rows, table[:, id_column])
    order = np.argsort(ids)
    ids = ids[order]
    type_words = table[order, type_column]
    names, mass_of = _masses(path, sections.get("Masses", ("", []))[1])
    names |= {words[0]: words[1] for _, words, _ in sections.get("Atom Type Labels", ("", []))[1]}
    # Sections may name a type by its number or by its label.
    mass_of |= {names[key]: mass for key, mass in mass_of.items() if key in names}
    mass_of |= {number: mass_of[label] for number, label in names.items() if label in mass_of}
    try:
        masses = np.array([mass_of[word] for word in type_words]) if mass_of else None
    except KeyError as error:
        raise FileFormatError(f"{path}: Masses has no entry for atom type {error.args[0]}") from None
    molecules = None
    if molecule_column is not None:
        molecules = _integers(path, rows, table[:, molecule_column])[order]
        molecules = None if (molecules == 0).all() else molecules
    bonds = _bonds(path, sections.get("Bonds", ("", []))[1], ids)
    return Topology(ids, np.array([names.get(word, word) for word in type_words]), masses, molecules, bonds)


Row = tuple[int, list[str], str]  # line number, words, comment


def _sections(path: Path) -> dict[str, tuple[str, list[Row]]]:
    """Section name → (comment of its title, rows)."""
    sections: dict[str, tuple[str, list[Row]]] = {}
    rows: list[Row] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            text, _, comment = line.partition("#")
            title = " ".join(text.split())
            if not title or number == 1:
                continue
            if title[0].isalpha() and (title in SECTIONS or title.endswith("Coeffs")):
                rows = []
                sections[title] = (comment.strip(), rows)
            elif sections:
                rows.append((number, text.split(), comment.strip()))
    return sections


def _style(path: Path, style: str, rows: list[Row]) -> str:
    if style in ATOM_STYLES:
        return style
    n_columns = len(rows[0][1]) if rows else 0
    # With and without image flags only `full` has seven or ten columns.
    if not style and n_columns in (7, 10):
        return "full"
    raise FileFormatError(
        f"{path}: atom style {style!r} ({n_columns} columns) is not known; give atom_style, one of "
        f"{', '.join(ATOM_STYLES)}"
    )


def _integers(path: Path, rows: list[Row], words: npt.NDArray[np.str_]) -> Int:
    try:
        return words.astype(np.int64)
    except ValueError:
        for (number, _, _), word in zip(rows, words, strict=True):
            if not word.lstrip("+-").isdigit():
                raise FileFormatError(f"{path}, line {number}: expected an integer, got {str(word)!r}") from None
        raise


def _masses(path: Path, rows: list[Row]) -> tuple[dict[str, str], dict[str, float]]:
    """Type number (or label) → name from the comment behind the mass, and → mass."""
    names, masses = {}, {}
    for number, words, comment in rows:
        try:
            masses[words[0]] = float(words[1])
        except (IndexError, ValueError):
            raise FileFormatError(f"{path}, line {number}: expected a type and its mass, got {words}") from None
        if comment:
            names[words[0]] = comment.split()[0]
    return names, masses


def _bonds(path: Path, rows: list[Row], ids: Int) -> Int:
    if not rows:
        return np.zeros((0, 2), dtype=np.int64)
    pairs = np.array([words[2:4] for _, words, _ in rows], dtype=np.str_)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise FileFormatError(f"{path}, line {rows[0][0]}: a bond needs its id, type and two atoms")
    wanted = np.stack([_integers(path, rows, pairs[:, 0]), _integers(path, rows, pairs[:, 1])], axis=1)
    found = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    wrong = np.flatnonzero((ids[found] != wanted).any(axis=1))
    if wrong.size:
        number, words, _ = rows[int(wrong[0])]
        raise FileFormatError(f"{path}, line {number}: bond {' '.join(words)} names an atom that is not there")
    return found.astype(np.int64)
