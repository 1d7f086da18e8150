"""Frames of atoms over time, read in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.errors import InputError
from polypace.trajectory.source import Coordinates, Float, Int, Source
from polypace.trajectory.topology import Topology
from polypace.trajectory.unwrap import Unwrapper, UnwrapProof


@dataclass(frozen=True)
class Frame:
    """One frame: positions (n_atoms, 3) and cell (3, 3) in Å, its index, MD step, and time in ps (NaN if
    unknown).
    """

    index: int
    step: int
    time: float
    positions: Float
    cell: Float


class Trajectory:
    """Positions of the same atoms at increasing MD steps. Nothing is read before it is asked for.

    Slicing (`trajectory[100:]`, `trajectory[::10]`) gives a trajectory of these frames; `unwrapped()` one
    whose positions are continuous in time.
    """

    def __init__(
        self,
        source: Source,
        topology: Topology,
        *,
        times: Float | None,
        frames: Int | None = None,
        unwrapper: Unwrapper | None = None,
        n_threads: int = 0,
    ) -> None:
        self._source, self._topology, self._times = source, topology, times
        self._frames = np.arange(len(source.table.steps)) if frames is None else frames
        self._unwrapper = unwrapper
        self._n_threads = n_threads

    # ---- what is known about the frames

    @property
    def name(self) -> str:
        """The files, for messages."""
        return self._source.name

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def steps(self) -> Int:
        """(n_frames,) MD steps of the frames, increasing; frame numbers where the file has no steps."""
        return self._source.table.steps[self._frames]

    @property
    def has_times(self) -> bool:
        """Whether `times` is known."""
        return self._times is not None

    @property
    def times(self) -> Float:
        """(n_frames,) times, ps (or reduced units for a run in reduced units).

        Raises
        ------
        InputError
            where the file has none and no `timestep` was given.
        """
        if self._times is None:
            raise InputError(
                f"{self.name}: the times of the frames are not known; open it with timestep=… (--timestep; ps per MD "
                "step), with units=… (--units; of LAMMPS) if it holds times of unknown units, or dump with 'dump_modify ID "
                "time yes units yes'"
            )
        return self._times[self._frames]

    @property
    def cells(self) -> Float:
        """(n_frames, 3, 3) cell vectors as rows, Å; zero where there is no cell."""
        return self._source.table.cells[self._frames]

    @property
    def volumes(self) -> Float:
        """(n_frames,) volumes of the cells, Å³."""
        return np.asarray(np.abs(np.linalg.det(self.cells)))

    @property
    def pbc(self) -> tuple[bool, bool, bool]:
        """Directions with periodic images."""
        return self._source.table.pbc

    @property
    def coordinates(self) -> Coordinates:
        """What the positions are."""
        followed = self._unwrapper is not None and self._unwrapper.follows
        return Coordinates.CONTINUOUS if followed else self._source.coordinates

    @property
    def is_reduced(self) -> bool:
        """Whether lengths are in σ and times in τ (LAMMPS `units lj`) instead of Å and ps."""
        return self._source.units == "lj"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader dropped or assumed."""
        return self._source.notes

    # ---- what is known about the atoms

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return self._source.n_atoms

    @property
    def topology(self) -> Topology:
        """Types, masses, molecules and bonds."""
        return self._topology

    @property
    def ids(self) -> Int:
        """(n_atoms,) ids of the file, ascending."""
        return self._source.ids

    @property
    def types(self) -> npt.NDArray[np.str_]:
        """(n_atoms,) type names."""
        return self._topology.types

    @property
    def bonds(self) -> Int:
        """(n_bonds, 2) bonded atoms, 0-based.

        Raises
        ------
        InputError
            where no topology with bonds was given.
        """
        if not len(self._topology.bonds):
            raise InputError(
                f"{self.name}: no bonds are known; open it with topology=… (a LAMMPS data file, a Melt, …)"
            )
        return self._topology.bonds

    @property
    def molecules(self) -> Int:
        """(n_atoms,) molecule of each atom, 0-based.

        Raises
        ------
        InputError
            where neither molecules nor bonds are known.
        """
        if self._topology.molecules is None:
            raise InputError(
                f"{self.name}: molecules are not known; dump the column mol or open it with topology=… (with bonds)"
            )
        return self._topology.molecules

    @property
    def masses(self) -> Float:
        """(n_atoms,) masses, amu.

        Raises
        ------
        InputError
            where they are not known.
        """
        if self._topology.masses is None:
            raise InputError(f"{self.name}: masses are not known; dump the column mass or open it with topology=…")
        return self._topology.masses

    # ---- reading

    def read_block(self, frames: Any = None, atoms: Any = None) -> Float:
        """Positions of `frames` and `atoms` (integers, slices, ranges, masks; None: all).

        Returns
        -------
        (n_frames, n_atoms, 3) float64, Å, continuous in time if the trajectory is `unwrapped()`, else as in
        the file.

        Raises
        ------
        InputError, FileFormatError
            for indices out of range; naming file, frame and line of what cannot be read.
        """
        wanted = _indices(frames, self.n_frames, "frames")
        chosen = None if atoms is None else _indices(atoms, self.n_atoms, "atoms")
        if chosen is not None and np.array_equal(chosen, np.arange(self.n_atoms)):
            chosen = None
        in_file = self._frames[wanted]
        # Readers go forward: sorted, each once, and put into the asked order behind it.
        ordered, place = np.unique(in_file, return_inverse=True)
        if len(ordered) == 0:
            return np.empty((0, self.n_atoms if chosen is None else len(chosen), 3))
        sorted_atoms, atom_place = (None, None) if chosen is None else np.unique(chosen, return_inverse=True)
        if self._unwrapper is not None:
            positions = self._unwrapper.read(ordered, sorted_atoms)
        else:
            positions = self._source.read(ordered, sorted_atoms).positions
        if not np.array_equal(place, np.arange(len(ordered))):
            positions = positions[place.reshape(-1)]
        if atom_place is not None and not np.array_equal(atom_place, np.arange(len(atom_place))):
            positions = np.ascontiguousarray(positions[:, atom_place.reshape(-1)])
        return positions

    def blocks(self, max_memory: int = 64 << 20, atoms: Any = None) -> Iterator[tuple[Int, Float]]:
        """Consecutive blocks of all frames: (frame indices, positions), each of at most about `max_memory`
        bytes.
        """
        n = self.n_atoms if atoms is None else len(_indices(atoms, self.n_atoms, "atoms"))
        size = max(1, int(max_memory) // (24 * max(1, n)))
        for begin in range(0, self.n_frames, size):
            frames = np.arange(begin, min(begin + size, self.n_frames))
            yield frames, self.read_block(frames, atoms)

    def __iter__(self) -> Iterator[Frame]:
        for frames, positions in self.blocks():
            for k, index in enumerate(frames.tolist()):
                yield self._frame(index, positions[k])

    def _frame(self, index: int, positions: Float) -> Frame:
        in_file = self._frames[index]
        time = float("nan") if self._times is None else float(self._times[in_file])
        table = self._source.table
        return Frame(index, int(table.steps[in_file]), time, positions, table.cells[in_file])

    def frame(self, index: int) -> Frame:
        """One frame; negative indices count from the end."""
        index = int(_indices(index, self.n_frames, "index")[0])
        return self._frame(index, self.read_block([index])[0])

    def __getitem__(self, frames: slice) -> Trajectory:
        if not isinstance(frames, slice):
            raise InputError(f"a trajectory is sliced, as in trajectory[100::10]; use frame({frames!r}) for one frame")
        return self.take(np.arange(self.n_frames)[frames])

    def take(self, frames: Any) -> Trajectory:
        """The trajectory of these frames (increasing indices)."""
        chosen = _indices(frames, self.n_frames, "frames")
        if len(chosen) == 0 or (np.diff(chosen) <= 0).any():
            raise InputError(f"frames must be increasing indices, at least one, got {len(chosen)} of {self.n_frames}")
        return Trajectory(
            self._source,
            self._topology,
            times=self._times,
            frames=self._frames[chosen],
            unwrapper=self._unwrapper,
            n_threads=self._n_threads,
        )

    def unwrapped(self) -> Trajectory:
        """The same frames with positions that are continuous in time, molecules whole.

        Image flags are used where the file has them; otherwise steps to the nearest image of all frames of
        the file, of whole molecules where bonds are known; under a fluctuating box toroidal-view-preserving.
        Coordinates whose steps or bonds have no single meaning raise InputError when they are read;
        `unwrap_proof` tells more.
        """
        if self._unwrapper is not None and self._unwrapper.follows:
            return self
        return self._with(Unwrapper(self._source, self._topology, self._n_threads))

    @property
    def can_be_whole(self) -> bool:
        """Whether molecules can be put together: bonds or image flags are known, or nothing is wrapped."""
        wrapped = any(self.pbc) and self._source.coordinates is Coordinates.WRAPPED
        return self._unwrapper is not None or not wrapped or len(self._topology.bonds) > 0

    def whole(self) -> Trajectory:
        """The same frames with molecules in one piece, each frame by itself; steps in time may be of any
        length.

        Raises
        ------
        InputError
            where neither bonds nor image flags are known.
        """
        if self._unwrapper is not None:
            return self
        if not self.can_be_whole:
            raise InputError(
                f"{self.name}: wrapped molecules cannot be put together without bonds (topology=…) or image flags"
            )
        return self._with(Unwrapper(self._source, self._topology, self._n_threads, follow=False))

    def _with(self, unwrapper: Unwrapper) -> Trajectory:
        return Trajectory(
            self._source,
            self._topology,
            times=self._times,
            frames=self._frames,
            unwrapper=unwrapper,
            n_threads=self._n_threads,
        )

    @property
    def unwrap_proof(self) -> UnwrapProof:
        """How the paths were made continuous; only of `unwrapped()` trajectories."""
        if self._unwrapper is None:
            raise InputError("the trajectory is as in its file; call unwrapped() first")
        return self._unwrapper.proof

    def __repr__(self) -> str:
        steps = self.steps
        return (
            f"<Trajectory {self.name}: {self.n_frames} frames (steps {steps[0]}…{steps[-1]}) of "
            f"{self.n_atoms} atoms, "
            f"{self.coordinates.value}>"
        )


def _indices(given: Any, n: int, name: str) -> Int:
    """Indices 0…n−1 from None, an integer, slice, range, list or mask."""
    if given is None:
        return np.arange(n)
    if isinstance(given, slice):
        return np.arange(n)[given]
    values = np.atleast_1d(np.asarray(given))
    if values.dtype == bool:
        if values.shape != (n,):
            raise InputError(f"{name}: a mask must have {n} entries, got {values.shape}")
        return np.flatnonzero(values)
    if values.size == 0:
        return np.zeros(0, dtype=np.int64)
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.integer):
        raise InputError(f"{name} must be integers, a slice or a mask, got {given!r}")
    if values.min() < -n or values.max() >= n:
        raise InputError(f"{name} must lie in {-n}…{n - 1}, got {values.min()}…{values.max()}")
    return np.where(values < 0, values + n, values).astype(np.int64)
