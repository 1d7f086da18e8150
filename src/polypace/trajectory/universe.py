"""Trajectories that MDAnalysis reads: DCD, XTC, TRR, H5MD, NetCDF, universes.

What its readers cannot know is asked for instead of assumed: times of formats that hold none, and the units of what
LAMMPS wrote in its own.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.errors import FileFormatError, InputError, MissingProgramError
from polypace.trajectory.notes import warn
from polypace.trajectory.source import (
    LENGTH_UNITS,
    TIME_UNITS,
    Block,
    Coordinates,
    Float,
    FrameTable,
    Int,
    check_finite,
)

AKMA = 0.04888821291839  # ps, the unit of time of CHARMM and of DCD files
CONVERTED = (
    "real",
    "metal",
)  # unit styles that LAMMPS converts to nm and ps in XTC files; others it writes as they are


def open_universe(topology: Any, *trajectories: Path) -> Any:
    """An MDAnalysis universe, without the warnings about guessed masses that say nothing here."""
    import MDAnalysis

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return MDAnalysis.Universe(topology, *(str(path) for path in trajectories))
    except ImportError as error:
        raise MissingProgramError(f"{topology}: MDAnalysis needs another package for this format: {error}") from error
    except (ValueError, OSError, TypeError, IndexError, EOFError) as error:
        raise FileFormatError(f"{topology}: MDAnalysis cannot read it: {error}") from error


def open_coordinates(paths: list[Path], n_atoms: int | None) -> Any:
    """A universe of trajectory files alone; the number of atoms comes from the file or from the topology."""
    import MDAnalysis

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = _reader_for(paths[0])
        if n_atoms is None:
            try:
                n_atoms = reader.parse_n_atoms(str(paths[0]))
            except NotImplementedError:  # a text format, whose first frame tells
                n_atoms = len(open_universe(paths[0]).atoms)
            except (ValueError, OSError) as error:
                raise InputError(f"{paths[0]}: the format needs a topology ({error})") from None
        universe = MDAnalysis.Universe.empty(n_atoms, trajectory=False)
        try:
            universe.load_new([str(path) for path in paths] if len(paths) > 1 else str(paths[0]))
        except (ValueError, OSError, EOFError) as error:
            raise FileFormatError(f"{paths[0]}: MDAnalysis cannot read it: {error}") from error
    return universe


def _reader_for(path: Path) -> Any:
    import MDAnalysis

    try:
        return MDAnalysis.coordinates.core.get_reader_for(str(path))
    except ValueError:
        raise FileFormatError(
            f"{path}: is no LAMMPS dump (it does not begin with 'ITEM:'), and no format has the ending '{path.suffix}'; "
            "other trajectories are told by theirs: .dcd, .xtc, .trr, .h5md, .nc, .xyz, .extxyz, …"
        ) from None


@dataclass(frozen=True)
class _Scan:
    """MD steps, times (ps; None: not known) and cells (in the file's unit of length) of frames."""

    steps: Int
    times: Float | None
    cells: Float


class UniverseSource:
    """Frames of an MDAnalysis universe. Whether its coordinates are wrapped is not known, so it is
    assumed.
    """

    def __init__(
        self, universe: Any, name: str, coordinates: Coordinates | None = None, units: str | None = None
    ) -> None:
        self._universe = universe
        self.n_atoms = len(universe.atoms)
        self.ids, self.has_ids = np.arange(1, self.n_atoms + 1), True
        self.columns: dict[str, npt.NDArray[np.str_]] = {}
        self.name, self.units = name, units or ""
        self._length = _length_unit(universe.trajectory, self.units, name)
        scan = _scan(universe.trajectory, self.units)
        cells = self._length * scan.cells
        self.notes, kept = _ordered(scan, name)
        self._frames = kept
        periodic = bool((np.abs(np.linalg.det(cells)) > 0).all())
        times = None if scan.times is None else scan.times[kept]
        self.table = FrameTable(scan.steps[kept], times, cells[kept], np.zeros((len(kept), 3)), (periodic,) * 3)
        self.coordinates = (coordinates or Coordinates.WRAPPED) if periodic else Coordinates.CONTINUOUS
        if not periodic and coordinates is Coordinates.WRAPPED:
            raise InputError(f"{name}: coordinates='wrapped' needs a cell, which this trajectory does not hold")
        is_file = getattr(universe.trajectory, "filename", None) is not None
        if not periodic and coordinates is None and is_file:
            self.notes += (warn(f"{name}: holds no cell; its positions are taken as continuous in time"),)

    def read(self, frames: Int, atoms: Int | None) -> Block:
        """Positions (Å) of `frames` and `atoms` (ascending indices; None: all)."""
        positions = np.empty((len(frames), self.n_atoms if atoms is None else len(atoms), 3))
        for k, frame in enumerate(frames.tolist()):
            values = self._universe.trajectory[int(self._frames[frame])].positions
            check_finite(values, frame, self.name)
            positions[k] = values if atoms is None else values[atoms]
        return Block(positions * self._length, None)


def _length_unit(trajectory: Any, units: str, name: str) -> float:
    """Å of what MDAnalysis takes for 1 Å."""
    if units in ("", *CONVERTED):
        return 1.0
    reader = _readers(trajectory)[0]
    if reader.units.get("length") == "nm":  # converted by MDAnalysis, though LAMMPS wrote its own lengths
        return 0.1 * LENGTH_UNITS[units]
    if units == "lj" or _is_dcd(reader):
        return LENGTH_UNITS[units]
    raise InputError(f"{name}: units={units!r} is for LAMMPS dumps, DCD and XTC; other formats are read in Å and ps")


def _readers(trajectory: Any) -> list[Any]:
    """The readers of single files."""
    parts = getattr(trajectory, "readers", None)
    return list(parts) if parts and sum(map(len, parts)) == len(trajectory) else [trajectory]


def _is_dcd(reader: Any) -> bool:
    return getattr(reader, "format", None) == "DCD"


def _scan(trajectory: Any, units: str) -> _Scan:
    scans = [_scan_file(reader, units) for reader in _readers(trajectory)]
    known = [scan.times for scan in scans if scan.times is not None]
    return _Scan(
        np.concatenate([scan.steps for scan in scans]),
        np.concatenate(known) if len(known) == len(scans) else None,
        np.concatenate([scan.cells for scan in scans]),
    )


def _scan_file(reader: Any, units: str) -> _Scan:
    """One pass. MDAnalysis gives frames of unknown time the times 0, 1, 2, … ps; those are not taken."""
    from MDAnalysis.lib.mdamath import triclinic_vectors

    n = len(reader)
    steps, times, cells, known = np.arange(n), np.empty(n), np.zeros((n, 3, 3)), True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k, frame in enumerate(reader):
            known = known and ("time" in frame.data or "dt" in frame.data or hasattr(reader, "_get_dt"))
            steps[k] = frame.data.get("step", k)
            times[k] = frame.time
            if frame.dimensions is not None:
                cells[k] = triclinic_vectors(frame.dimensions, dtype=np.float64)
    if _is_dcd(reader):
        return _Scan(*_clock_of_dcd(reader, units), cells)
    raw = units not in ("", *CONVERTED)
    return _Scan(steps, _evened(steps, times) * (TIME_UNITS[units] if raw else 1.0) if known else None, cells)


def _clock_of_dcd(reader: Any, units: str) -> tuple[Int, Float | None]:
    """Steps and times. The header says the first step, the steps between frames, and the time step, which LAMMPS writes in
    its own unit where all others mean AKMA."""
    from MDAnalysis.lib.formats.libdcd import DCDFile

    with DCDFile(str(reader.filename)) as file:
        header = file.header
    steps = header["istart"] + max(1, header["nsavc"]) * np.arange(len(reader))
    unit = AKMA
    if "LAMMPS" in header["remarks"]:
        if not units:
            return steps, None
        unit = TIME_UNITS[units]
    step = _rounded(header["delta"] * unit)
    return steps, steps * step if step > 0 else None


def _evened(steps: Int, times: Float) -> Float:
    """Times in proportion to the steps, where they are so but for their single precision: equal intervals stay equal."""
    if len(steps) < 2 or steps[-1] == steps[0]:
        return times
    even = times[0] + _rounded((times[-1] - times[0]) / (steps[-1] - steps[0])) * (steps - steps[0])
    return even if np.allclose(even, times, rtol=3e-7, atol=0) else times


def _rounded(number: float) -> float:
    """A number that was kept in single precision: 0.001, not 0.0010000000475."""
    return float(f"{number:.7g}")


def _ordered(scan: _Scan, name: str) -> tuple[tuple[str, ...], Int]:
    """Frames whose steps (where there are none, times) increase: of repeated ones (restarts) the later one."""
    order = scan.steps if scan.times is None or (np.diff(scan.steps) != 0).all() else scan.times
    if len(order) < 2 or (np.diff(order) > 0).all():
        return (), np.arange(len(order))
    later = np.minimum.accumulate(order[::-1])[::-1]
    keep = np.append(order[:-1] < later[1:], True)
    if keep.sum() < 2:
        raise InputError(f"{name}: the times of the frames do not increase")
    note = f"{name}: {int((~keep).sum())} frames were written again by a restart; the frames written later are used"
    return (warn(note),), np.flatnonzero(keep)
