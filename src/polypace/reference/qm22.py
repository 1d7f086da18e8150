"""QM-22: B3LYP/cc-pVDZ energies and gradients of single n-alkanes, made by others."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import ase
import numpy as np
import numpy.typing as npt
from ase.calculators.singlepoint import SinglePointCalculator
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from polypace.errors import FileFormatError
from polypace.melt import Melt
from polypace.units import BOHR, HARTREE, WAVENUMBER

Floats = npt.NDArray[np.float64]


def read_qm22(path: str | Path, highest_energy: float | None = None) -> list[ase.Atoms]:
    """Labelled frames of a QM-22 alkane set: energy (eV) above the molecule's linear minimum, forces (eV/Å).

    `path` is the set's xyz file or the zip archive that holds it. Energies come in cm⁻¹ and gradients in
    Hartree/bohr (F = −g · 51.422 eV/Å); the frames are not periodic and have no dispersion. Since energies of
    linear minima of n-alkanes grow linearly with the number of carbons, these energies are those of one
    potential up to one constant for C and one for H. `info` has `chain_length` and `config_type`; `arrays`
    has `type_name` (CT3, CT2, HC3, HC2), `mol_id` and `chain_position` (1 at the ends). Frames with an energy
    above `highest_energy` (eV) are left out.

    Source: J. M. Bowman et al., J. Chem. Phys. 156, 240901 (2022); repository jmbowma/QM-22 (Apache-2.0).

    Raises
    ------
    FileFormatError
        naming the file and the line that cannot be read.
    """
    path = Path(path)
    lines = _lines(path)
    frames: list[ase.Atoms] = []
    symbols: list[str] = []
    chain: Melt | None = None
    for number, energy, names, table in _configurations(path, lines):
        if highest_energy is not None and energy > highest_energy:
            continue
        if chain is None or names != symbols:
            symbols, chain = names, _chain(path, number, names, table[:, :3])
            places = chain.chain_positions()
        atoms = ase.Atoms(symbols, positions=table[:, :3])
        atoms.arrays["type_name"] = np.array(chain.types)
        atoms.arrays["chain_position"] = places.copy()
        atoms.arrays["mol_id"] = np.zeros(len(atoms), dtype=np.int64)
        atoms.info.update(chain_length=symbols.count("C"), config_type="qm22")
        forces = -table[:, 3:] * (HARTREE / BOHR)
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
        frames.append(atoms)
    return frames


def _lines(path: Path) -> list[str]:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                inside = [name for name in archive.namelist() if name.endswith(".xyz")]
                if len(inside) != 1:
                    raise FileFormatError(f"{path}: one .xyz file is expected in the archive, found {inside}")
                return archive.read(inside[0]).decode().splitlines()
        return path.read_text().splitlines()
    except (OSError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        raise FileFormatError(f"{path}: cannot be read: {error}") from None


def _configurations(path: Path, lines: list[str]) -> Iterator[tuple[int, float, list[str], Floats]]:
    """Line number, energy (eV), symbols and the (n, 6) table of every configuration."""
    place = 0
    while place < len(lines):
        if not lines[place].strip():
            place += 1
            continue
        try:
            n_atoms = int(lines[place])
            energy = float(lines[place + 1]) * WAVENUMBER
            rows = [line.split() for line in lines[place + 2 : place + 2 + n_atoms]]
            table = np.array([row[1:7] for row in rows], dtype=np.float64).reshape(n_atoms, 6)
        except (ValueError, IndexError) as error:
            raise FileFormatError(f"{path}: configuration at line {place + 1} cannot be read: {error}") from None
        if not np.isfinite(table).all():
            raise FileFormatError(f"{path}: configuration at line {place + 1} has numbers that are not finite")
        yield place + 1, energy, [row[0] for row in rows], table
        place += 2 + n_atoms


def _chain(path: Path, number: int, symbols: list[str], positions: Floats) -> Melt:
    """The molecule with its bonds: carbons by the shortest tree that joins them, each hydrogen with the carbon that is
    nearest. Types are named by the hydrogens of each carbon.
    """
    carbons = np.flatnonzero(np.array(symbols) == "C")
    hydrogens = np.flatnonzero(np.array(symbols) == "H")
    if len(carbons) + len(hydrogens) != len(symbols) or len(hydrogens) != 2 * len(carbons) + 2:
        raise FileFormatError(f"{path}: configuration at line {number} is not an n-alkane")
    tree = minimum_spanning_tree(cdist(positions[carbons], positions[carbons])).tocoo()
    owner = carbons[np.argmin(cdist(positions[hydrogens], positions[carbons]), axis=1)]
    bonds = np.concatenate(
        [np.column_stack([carbons[tree.row], carbons[tree.col]]), np.column_stack([owner, hydrogens])]
    )
    n_hydrogens = np.bincount(owner, minlength=len(symbols))
    types = [f"CT{n}" for n in n_hydrogens.tolist()]
    for hydrogen, carbon in zip(hydrogens.tolist(), owner.tolist(), strict=True):
        types[hydrogen] = f"HC{n_hydrogens[carbon]}"
    molecule = ase.Atoms(symbols, positions=positions)
    return Melt(molecule, bonds, np.zeros(len(symbols), dtype=np.int64), tuple(types))
