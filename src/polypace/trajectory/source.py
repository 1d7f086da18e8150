"""What every reader of trajectories offers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from polypace.errors import FileFormatError

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

# Å per length unit and ps per time unit of LAMMPS's unit styles; reduced units stay numbers.
LENGTH_UNITS = {
    "real": 1.0,
    "metal": 1.0,
    "lj": 1.0,
    "electron": 0.529177210903,
    "nano": 10.0,
    "micro": 1e4,
    "si": 1e10,
    "cgs": 1e8,
}
TIME_UNITS = {
    "real": 1e-3,
    "metal": 1.0,
    "lj": 1.0,
    "electron": 1e-3,
    "nano": 1e3,
    "micro": 1e6,
    "si": 1e12,
    "cgs": 1e12,
}


class Coordinates(Enum):
    """What the positions of a trajectory are."""

    CONTINUOUS = "continuous in time"  # unwrapped and trusted, or no periodic images at all
    LATTICE = "unwrapped by image flags"  # xu yu zu: jumps with the box where the box fluctuates
    IMAGES = "wrapped, with image flags"
    WRAPPED = "wrapped"


@dataclass(frozen=True)
class FrameTable:
    """One row per frame: what is known without reading the atoms.

    Parameters
    ----------
    steps : (n_frames,) int64
        MD steps (or frame numbers where the file has none), strictly increasing.
    times : (n_frames,) float64 or None
        ps; None where the file does not say.
    cells : (n_frames, 3, 3) float64
        Rows are cell vectors, Å; zero where there is no cell.
    origins : (n_frames, 3) float64
        Corner of the cell, Å.
    pbc : tuple of three bool
        Directions with periodic images.
    """

    steps: Int
    times: Float | None
    cells: Float
    origins: Float
    pbc: tuple[bool, bool, bool]


@dataclass(frozen=True)
class Block:
    """Positions (n_frames, n_atoms, 3), Å, and image flags of the same shape where the file has them."""

    positions: Float
    images: npt.NDArray[np.int32] | None


class Source(Protocol):
    """A trajectory as it lies in a file."""

    table: FrameTable
    coordinates: Coordinates
    n_atoms: int
    ids: Int  # (n_atoms,) ascending; 0-based position where the file has none
    has_ids: bool
    columns: dict[str, npt.NDArray[np.str_]]  # per-atom texts of the first frame: type, mol, element, mass
    notes: tuple[str, ...]
    name: str
    units: str  # LAMMPS unit style; "" where it is not known

    def read(self, frames: Int, atoms: Int | None) -> Block:
        """Positions of `frames` (ascending indices) and `atoms` (ascending indices; None: all)."""
        ...


def check_finite(positions: Float, frame: int, name: str) -> None:
    """Raises FileFormatError naming the first atom whose position is NaN or infinite."""
    if not np.isfinite(positions).all():
        atom = int(np.argwhere(~np.isfinite(positions))[0][0])
        raise FileFormatError(f"{name}: frame {frame}: the position of atom {atom} is not finite")
