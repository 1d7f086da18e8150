"""Energy, forces, stress and grades of one structure from LAMMPS, to compare with what Python computes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from polypace.errors import InputError
from polypace.lammps.find import find_lammps
from polypace.lammps.program import LammpsProgram
from polypace.lammps.run import run_lammps
from polypace.units import VOIGT

if TYPE_CHECKING:
    import ase

Floats = npt.NDArray[np.float64]
BAR_PER_EV_A3 = 1.6021765e6  # LAMMPS's own constant in `units metal`; CODATA differs by 8e-8


@dataclass(frozen=True)
class LammpsPoint:
    """What LAMMPS says about a structure.

    energy (eV), energies (n,), forces (n, 3) (eV/Å), stress (6,) (eV/Å³, ASE's sign and order), its value
    from per-atom virials `atomic_stress` (6,), and the per-atom columns of `outputs` (fix pair) by name.
    """

    energy: float
    energies: Floats
    forces: Floats
    stress: Floats
    atomic_stress: Floats
    outputs: dict[str, Floats]


def lammps_single_point(
    atoms: ase.Atoms,
    pair_lines: str,
    type_names: Sequence[str],
    folder: str | os.PathLike[str] | None = None,
    program: LammpsProgram | None = None,
    n_ranks: int = 1,
    outputs: tuple[str, ...] = (),
) -> LammpsPoint:
    """Evaluate `atoms` once in LAMMPS with the pair_style and pair_coeff lines given.

    Parameters
    ----------
    atoms : ase.Atoms
        Any cell, periodic in all directions or in none. The type of an atom is its `arrays["type_name"]`, or
        its element without that array.
    type_names : sequence of str
        Names of LAMMPS's atom types 1, 2, …
    outputs : tuple of str
        Style and quantities of `fix pair`, such as ("pace/extrapolation", "gamma").
    folder : path, optional
        Where the script and its files stay; a temporary folder otherwise.

    Raises
    ------
    InputError
        for mixed periodicity or atoms of no known type; ProgramError when LAMMPS fails.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as temporary:
            return lammps_single_point(atoms, pair_lines, type_names, temporary, program, n_ranks, outputs)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    prism = _frame(atoms)
    program = program if program is not None else find_lammps()
    (place / "structure.data").write_text(_data(atoms, type_names, prism, program.knows_labels))
    run_lammps(_script(atoms, pair_lines, outputs), place, program, n_ranks)
    return _read(atoms, place, prism, outputs)


def _frame(atoms: ase.Atoms) -> _Frame:
    if atoms.pbc.all():
        return _Frame.of_cell(atoms.cell.array)
    if atoms.pbc.any():
        raise InputError(f"atoms must be periodic in all directions or in none, got pbc={atoms.pbc.tolist()}")
    low, high = atoms.positions.min(axis=0) - 1.0, atoms.positions.max(axis=0) + 1.0
    return _Frame(np.eye(3), np.diag(high - low), low)


@dataclass(frozen=True)
class _Frame:
    """Rotation to LAMMPS's orientation (first cell vector along x, second in the xy plane): r · rotation."""

    rotation: Floats
    cell: Floats
    origin: Floats

    @staticmethod
    def of_cell(cell: Floats) -> _Frame:
        if np.linalg.det(cell) <= 0:
            raise InputError(f"the cell must be right-handed, got {cell.tolist()}")
        # cell = L · Q with lower triangular L: the transposed QR decomposition, signs made positive.
        q, r = np.linalg.qr(cell.T)
        signs = np.sign(np.diag(r))
        return _Frame(q * signs, (r.T * signs) * np.tri(3), np.zeros(3))


def structure_data(atoms: ase.Atoms, type_names: Sequence[str], labels: bool = True) -> str:
    """Text of a LAMMPS data file (atom_style atomic) of `atoms`, turned to LAMMPS's orientation."""
    return _data(atoms, type_names, _frame(atoms), labels)


def _data(atoms: ase.Atoms, type_names: Sequence[str], frame: _Frame, labels: bool) -> str:
    names = atoms.arrays.get("type_name", np.array(list(atoms.symbols)))
    index = {name: number for number, name in enumerate(type_names, 1)}
    unknown = sorted({str(name) for name in names} - set(index))
    if unknown:
        raise InputError(f"atoms have the types {', '.join(unknown)}, not only {', '.join(type_names)}")
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = frame.cell.tolist()
    low = frame.origin.tolist()
    lines = [
        "one structure\n",
        f"{len(atoms)} atoms\n{len(type_names)} atom types\n",
        f"{low[0]!r} {low[0] + lx!r} xlo xhi",
        f"{low[1]!r} {low[1] + ly!r} ylo yhi",
        f"{low[2]!r} {low[2] + lz!r} zlo zhi",
        f"{xy!r} {xz!r} {yz!r} xy xz yz\n",
        *(["Atom Type Labels\n", *(f"{number} {name}" for name, number in index.items()), ""] if labels else []),
        "Masses\n",
        *(f"{number} {_mass(atoms, names, name)!r}  # {name}" for name, number in index.items()),
        "\nAtoms  # atomic\n",
    ]
    positions = (atoms.positions @ frame.rotation).tolist()
    for i, (name, (x, y, z)) in enumerate(zip(names, positions, strict=True), 1):
        lines.append(f"{i} {index[str(name)]} {x!r} {y!r} {z!r}")
    return "\n".join(lines) + "\n"


def _mass(atoms: ase.Atoms, names: npt.NDArray[np.str_], name: str) -> float:
    masses = atoms.get_masses()[names == name]
    return float(masses[0]) if len(masses) else 1.0


def _script(atoms: ase.Atoms, pair_lines: str, outputs: tuple[str, ...]) -> str:
    columns = "id c_energy fx fy fz " + " ".join(f"c_virial[{k}]" for k in range(1, 7))
    fix = ""
    if outputs:
        style, *names = outputs
        fix = f"fix outputs all pair 1 {style} {' '.join(f'{name} 1' for name in names)}\n"
        fields = [f" f_outputs[{k}]" for k in range(1, len(names) + 1)] if len(names) > 1 else [" f_outputs"]
        columns += "".join(fields)
    return (
        f"units metal\natom_style atomic\nboundary {'p p p' if atoms.pbc.all() else 'f f f'}\n"
        f"read_data structure.data\n{pair_lines}{fix}"
        "compute energy all pe/atom\ncompute virial all stress/atom NULL virial\n"
        "compute total all pressure NULL virial\n"
        "thermo_style custom step pe c_total[1] c_total[2] c_total[3] c_total[4] c_total[5] c_total[6]\n"
        "thermo_modify format float %.17g lost ignore\n"
        f"dump atoms all custom 1 atoms.dump {columns}\n"
        "dump_modify atoms sort id format float %.17g\nrun 0\n"
    )


def _read(atoms: ase.Atoms, folder: Path, frame: _Frame, outputs: tuple[str, ...]) -> LammpsPoint:
    from polypace.lammps.log import read_log

    thermo = read_log(folder / "log.lammps")[0]
    rows = np.loadtxt(folder / "atoms.dump", skiprows=9, ndmin=2)
    if len(rows) != len(atoms):
        raise InputError(f"LAMMPS kept {len(rows)} of {len(atoms)} atoms: is one outside of the box?")
    pressure = np.array([thermo[f"c_total[{k}]"][0] for k in range(1, 7)])  # xx yy zz xy xz yz
    volume = abs(np.linalg.det(frame.cell))
    atomic = rows[:, 5:11].sum(axis=0) / BAR_PER_EV_A3 / volume  # stress/atom has the sign of a stress
    return LammpsPoint(
        energy=float(thermo["PotEng"][0]),
        energies=rows[:, 1],
        forces=rows[:, 2:5] @ frame.rotation.T,
        stress=_rotated(-pressure / BAR_PER_EV_A3, frame.rotation),
        atomic_stress=_rotated(atomic, frame.rotation),
        outputs={name: rows[:, 11 + k] for k, name in enumerate(outputs[1:])},
    )


def _rotated(xx_yy_zz_xy_xz_yz: Floats, rotation: Floats) -> Floats:
    xx, yy, zz, xy, xz, yz = xx_yy_zz_xy_xz_yz
    tensor = rotation @ np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ rotation.T
    return np.asarray(tensor.ravel()[VOIGT], dtype=np.float64)
