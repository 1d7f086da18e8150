"""Labelled frames out of LAMMPS dumps and logs, and frames into dumps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ase
import numpy as np
import numpy.typing as npt
from ase.calculators.singlepoint import SinglePointCalculator

from polypace.errors import FileFormatError, InputError
from polypace.melt import Melt

#: LAMMPS's own factor between eV/Å³ and bar in `units metal`: labels are to be free of its rounding.
METAL_PRESSURE = 1.6021765e6
_COLUMNS = ("id", "x", "y", "z", "ix", "iy", "iz")


@dataclass(frozen=True)
class DumpFrame:
    """One snapshot of a LAMMPS dump: step, cell (3, 3) and unwrapped positions (Å), forces (eV/Å) or None."""

    step: int
    cell: npt.NDArray[np.float64]
    positions: npt.NDArray[np.float64]
    forces: npt.NDArray[np.float64] | None


def iterate_dump(path: str | Path) -> Iterator[DumpFrame]:
    """Snapshots of a text dump with columns id x y z ix iy iz [fx fy fz], atoms ordered by id.

    Raises
    ------
    FileFormatError
        naming the file and the snapshot that is cut off or lacks a column.
    """
    path = Path(path)
    with path.open() as file:
        while line := file.readline():
            if not line.startswith("ITEM: TIMESTEP"):
                raise FileFormatError(f"{path}: expected 'ITEM: TIMESTEP', found {line.strip()[:60]!r}")
            try:
                yield _snapshot([next(file) for _ in range(8)], file)
            except (StopIteration, ValueError, IndexError) as error:
                raise FileFormatError(f"{path}: a snapshot is cut off or damaged: {error or 'end of file'}") from None


def _snapshot(head: list[str], file: Iterator[str]) -> DumpFrame:
    step, n_atoms = int(head[0]), int(head[2])
    bounds = np.array([row.split() for row in head[4:7]], dtype=np.float64)
    columns = head[7].split()[2:]
    missing = [name for name in _COLUMNS if name not in columns]
    if missing:
        raise ValueError(f"columns {', '.join(missing)} are missing at step {step}")
    table = np.array([next(file).split() for _ in range(n_atoms)], dtype=np.float64)
    table = table[np.argsort(table[:, columns.index("id")])]
    cell, origin = _cell_of(bounds)
    places = [columns.index(name) for name in _COLUMNS[1:]]
    positions = table[:, places[:3]] - origin + table[:, places[3:]] @ cell
    forces = None
    if "fx" in columns:
        forces = np.ascontiguousarray(table[:, [columns.index(name) for name in ("fx", "fy", "fz")]])
    return DumpFrame(step, cell, positions, forces)


def _cell_of(bounds: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Cell and origin from box bounds (3, 2), or (3, 3) with the tilt factors xy xz yz as last column."""
    low, high = bounds[:, 0].copy(), bounds[:, 1].copy()
    cell = np.zeros((3, 3))
    if bounds.shape[1] == 3:
        xy, xz, yz = bounds[:, 2]
        low[0] -= min(0.0, xy, xz, xy + xz)
        high[0] -= max(0.0, xy, xz, xy + xz)
        low[1] -= min(0.0, yz)
        high[1] -= max(0.0, yz)
        cell[1, 0], cell[2, 0], cell[2, 1] = xy, xz, yz
    cell[np.diag_indices(3)] = high - low
    return cell, low


def read_dump(path: str | Path, melt: Melt) -> list[ase.Atoms]:
    """Frames of a LAMMPS dump of `melt` without labels, molecules unwrapped; `info["step"]` has the time
    step.
    """
    return [atoms_of_snapshot(frame, melt) for frame in iterate_dump(path)]


def atoms_of_snapshot(frame: DumpFrame, melt: Melt) -> ase.Atoms:
    """A snapshot as a frame of `melt` without labels, molecules unwrapped; `info["step"]` has the time step."""
    if len(frame.positions) != len(melt.atoms):
        raise InputError(
            f"the dump has {len(frame.positions)} atoms at step {frame.step}, the melt has {len(melt.atoms)}"
        )
    atoms = ase.Atoms(
        numbers=melt.atoms.numbers,
        masses=melt.atoms.get_masses(),
        positions=frame.positions,
        cell=frame.cell,
        pbc=melt.atoms.pbc,
    )
    atoms.set_array("type_name", np.array(melt.types))
    atoms.set_array("mol_id", np.array(melt.molecules))
    atoms.info["step"] = frame.step
    return atoms


def read_thermo(log: str | Path) -> dict[str, npt.NDArray[np.float64]]:
    """Columns of the last thermodynamic table of a LAMMPS log, by their names ("Step", "Temp", "PotEng",
    "Density" …).

    Raises
    ------
    FileFormatError
        where the log has no such table or holds an error of LAMMPS, which the message repeats.
    """
    log = Path(log)
    names: list[str] = []
    rows: list[list[float]] = []
    reading = False
    for line in log.read_text().splitlines():
        words = line.split()
        if line.startswith("ERROR"):
            raise FileFormatError(f"{log}: LAMMPS stopped: {line}")
        if words[:1] == ["Step"]:
            names, rows, reading = words, [], True
        elif reading and words[:1] == ["Loop"]:
            reading = False
        elif reading and len(words) == len(names) and words[0].isdigit():
            # Other lines between the rows are LAMMPS's warnings and where to read about them.
            rows.append([float(word) for word in words])
    if not rows:
        raise FileFormatError(f"{log}: no thermodynamic output; the run ended before its first step")
    return dict(zip(names, np.array(rows).T, strict=True))


def read_labels(
    dump: str | Path, log: str | Path | Mapping[str, npt.NDArray[np.float64]], melt: Melt
) -> list[ase.Atoms]:
    """Labelled frames of a run with a label dump: energy (eV), forces (eV/Å), stress (eV/Å³).

    `log` is the run's log, of which the last thermodynamic table counts, or a table {column: values}.

    The stress is that of the interactions alone, −W/V with the virial W, in ASE's sign and Voigt order
    (xx yy zz yz xz xy); kinetic contributions are left out. Every frame has `type_name` and `mol_id`.

    Raises
    ------
    FileFormatError
        where dump and log do not belong together.
    """
    table, source = (log, "the table") if isinstance(log, Mapping) else (read_thermo(log), str(log))
    missing = [name for name in ("PotEng", *(f"c_virial[{k}]" for k in range(1, 7))) if name not in table]
    if missing:
        raise FileFormatError(f"{source}: columns {', '.join(missing)} are missing in its last table")
    rows = {int(step): row for row, step in enumerate(table["Step"])}
    frames = []
    for snapshot in iterate_dump(dump):
        if snapshot.forces is None or snapshot.step not in rows:
            raise FileFormatError(f"{dump}: step {snapshot.step} has no forces, or {source} has no line for it")
        row = rows[snapshot.step]
        xx, yy, zz, xy, xz, yz = (-table[f"c_virial[{k}]"][row] / METAL_PRESSURE for k in range(1, 7))
        atoms = atoms_of_snapshot(snapshot, melt)
        atoms.calc = SinglePointCalculator(
            atoms,
            energy=float(table["PotEng"][row]),
            forces=snapshot.forces,
            stress=np.array([xx, yy, zz, yz, xz, xy]),
        )
        frames.append(atoms)
    return frames


def write_dump(frames: Sequence[ase.Atoms], path: str | Path) -> None:
    """Write frames of one melt as a LAMMPS dump for `label_script`; frame k is time step k.

    All boxes get tilt factors where one is tilted.

    Raises
    ------
    InputError
        where a frame's cell is not lower triangular.
    """
    triclinic = is_triclinic(frames)
    with Path(path).open("w") as file:
        for step, atoms in enumerate(frames):
            cell = atoms.cell.array
            if np.any(np.diag(cell) <= 0) or np.any(np.triu(cell, 1)):
                raise InputError(f"frame {step}: LAMMPS needs a lower triangular cell, got {cell.tolist()}")
            images = np.floor(atoms.positions @ np.linalg.inv(cell)).astype(int)
            wrapped = atoms.positions - images @ cell
            file.write(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(atoms)}\n" + _bounds(cell, triclinic))
            file.write("ITEM: ATOMS id x y z ix iy iz\n")
            for atom, ((x, y, z), (ix, iy, iz)) in enumerate(
                zip(wrapped.tolist(), images.tolist(), strict=True), start=1
            ):
                file.write(f"{atom} {x!r} {y!r} {z!r} {ix} {iy} {iz}\n")


def is_triclinic(frames: Sequence[ase.Atoms]) -> bool:
    """Whether any frame's box has a tilt factor."""
    return any(bool(np.any(np.tril(atoms.cell.array, -1))) for atoms in frames)


def _bounds(cell: npt.NDArray[np.float64], triclinic: bool) -> str:
    xy, xz, yz = float(cell[1, 0]), float(cell[2, 0]), float(cell[2, 1])
    lx, ly, lz = (float(cell[d, d]) for d in range(3))
    if not triclinic:
        return f"ITEM: BOX BOUNDS pp pp pp\n0.0 {lx!r}\n0.0 {ly!r}\n0.0 {lz!r}\n"
    x_low, x_high = min(0.0, xy, xz, xy + xz), lx + max(0.0, xy, xz, xy + xz)
    y_low, y_high = min(0.0, yz), ly + max(0.0, yz)
    return (
        f"ITEM: BOX BOUNDS xy xz yz pp pp pp\n{x_low!r} {x_high!r} {xy!r}\n{y_low!r} {y_high!r} {xz!r}\n"
        f"0.0 {lz!r} {yz!r}\n"
    )
