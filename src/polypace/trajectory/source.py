"""What every reader of trajectories offers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


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

    def read(self, frames: Int, atoms: Int | None) -> Block:
        """Positions of `frames` (ascending indices) and `atoms` (ascending indices; None: all)."""
        ...
