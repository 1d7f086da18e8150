"""Coordinates that are continuous in time, with a proof that they are, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polypace import _core
from polypace.errors import InputError
from polypace.trajectory.source import Coordinates, Float, FrameTable, Int, Source
from polypace.trajectory.topology import Topology

# Of wrapped coordinates only the step to the nearest image can be seen. Where all steps seen stay below this
# fraction of the cell, longer ones that look shorter are out of the question; nearer to one half they are
# not.
LONGEST_STEP = 0.35
LONGEST_BOND = 0.4
BATCH_BYTES = 32 << 20
CHECKPOINT_BYTES = 64 << 20


@dataclass(frozen=True)
class UnwrapProof:
    """How the paths were made continuous, and what was found while doing so.

    Parameters
    ----------
    method : str
        In words.
    frames_read : int
        Number of frames that were read so far; what follows is about these.
    longest_step : float
        Largest step between two frames along a cell vector, as a fraction of that vector; 0 where image flags
        make it irrelevant. Above `LONGEST_STEP` the coordinates are refused.
    longest_bond : float
        The same for bonds, refused above `LONGEST_BOND`.
    """

    method: str
    frames_read: int
    longest_step: float
    longest_bond: float


class Unwrapper:
    """Reads frames of `source` in order and makes them continuous.

    With `follow` false molecules are made whole but their paths are not followed.

    Bonded molecules are made whole and move as one: the path is that of their centre of mass, so that bonds
    keep their length where the box fluctuates (Kulke & Vermaas, J. Chem. Theory Comput. 18, 6161 (2022)).
    Under a fluctuating box the path is toroidal-view-preserving (Bullerjahn et al., ibid. 19, 3406 (2023)).
    """

    def __init__(self, source: Source, topology: Topology, n_threads: int, *, follow: bool = True) -> None:
        self._source, self._topology, self._n_threads = source, topology, n_threads
        self.follows = follow
        table, kind = source.table, source.coordinates
        periodic = any(table.pbc)
        self._rigid_box = not periodic or bool(np.allclose(table.cells, table.cells[0], rtol=1e-10, atol=0))
        self._images_known = kind in (Coordinates.IMAGES, Coordinates.LATTICE)
        self._continuous = kind is Coordinates.CONTINUOUS or not periodic
        self._tree = None
        if periodic and not self._continuous and len(topology.bonds):
            self._tree = _core.trajectory.make_bond_tree(topology.bonds, source.n_atoms)
        self._walks = follow and not self._continuous and not (self._images_known and self._rigid_box)
        self._sites, self._weights = self._choose_sites()
        self._frames_read, self._longest_step, self._longest_bond = 0, 0.0, 0.0
        self._state, self._next = _core.trajectory.WalkState(), 0
        self._checkpoints: dict[int, Any] = {0: self._state.copy()}
        if self._tree is not None and self._images_known and self._flags_agree():
            self._tree = None  # the flags already make the molecules whole

    def _choose_sites(self) -> tuple[Int | None, Float | None]:
        """Molecule of every atom and its weight in the centre of mass; None: every atom walks by itself."""
        molecules = self._topology.molecules
        if molecules is None or not (self._tree is not None or self._images_known):
            return None, None
        masses = self._topology.masses
        masses = np.ones(self._source.n_atoms) if masses is None else masses
        return molecules, masses / np.bincount(molecules, masses)[molecules]

    def _flags_agree(self) -> bool:
        """Whether the image flags of the first frame leave every bond short (they need not, after
        `create_bonds`).
        """
        given = self._lattice(np.zeros(1, dtype=np.int64), None)
        whole = given.copy()
        self._make_whole(whole, self._source.table, np.zeros(1, dtype=np.int64))
        # Whole molecules may differ by the choice of their root's image only if the flags disagree within
        # them.
        return bool(np.allclose(given, whole, atol=1e-6 * np.abs(self._source.table.cells[0]).max()))

    @property
    def needs_all_atoms(self) -> bool:
        """Whether a few atoms cannot be read without the others."""
        return self._walks or self._tree is not None

    @property
    def proof(self) -> UnwrapProof:
        """See `UnwrapProof`."""
        return UnwrapProof(self._method(), self._frames_read, self._longest_step, self._longest_bond)

    def _method(self) -> str:
        if self._continuous:
            return "as given: no periodic images, or said to be continuous"
        whole = "" if self._tree is None else ", molecules made whole by their bonds"
        if not self._walks:
            return ("image flags" if self._images_known else "not followed in time") + whole
        path = "centre of mass of each molecule" if self._sites is not None else "each atom by itself"
        known = "image flags" if self._images_known else "steps to the nearest image"
        box = "constant box" if self._rigid_box else "toroidal-view-preserving in the fluctuating box"
        return f"{known}, {box}; {path}{whole}"

    def read(self, frames: Int, atoms: Int | None) -> Float:
        """Continuous positions (Å) of ascending `frames` and `atoms`.

        Raises
        ------
        InputError
            naming the frame and atom whose step or bond has no single meaning.
        """
        if self._continuous:
            self._frames_read = max(self._frames_read, int(frames[-1]) + 1)
            return self._source.read(frames, atoms).positions
        if not self._walks:
            positions = self._lattice(frames, None if self._tree is not None else atoms)
            if self._tree is not None:
                self._make_whole(positions, self._source.table, frames)
                positions = positions if atoms is None else np.ascontiguousarray(positions[:, atoms])
            self._frames_read = max(self._frames_read, int(frames[-1]) + 1)
            return positions
        return self._walk_to(frames, atoms)

    def _lattice(self, frames: Int, atoms: Int | None) -> Float:
        block = self._source.read(frames, atoms)
        if block.images is None:
            return block.positions
        positions = block.positions
        positions += np.einsum("fni,fij->fnj", block.images, self._source.table.cells[frames], optimize=True)
        return positions

    def _make_whole(self, positions: Float, table: FrameTable, frames: Int) -> None:
        assert self._tree is not None
        fraction, frame, first, second = _core.trajectory.make_whole(
            positions, np.ascontiguousarray(table.cells[frames]), table.pbc, self._tree, self._n_threads
        )
        self._longest_bond = max(self._longest_bond, fraction)
        if fraction <= LONGEST_BOND:
            return
        step = table.steps[frames[frame]]
        why = (
            "the molecule is bonded to its own periodic image"
            if fraction >= 1
            else f"the bond spans {fraction:.2f} of a cell vector (more than {LONGEST_BOND}), so its image is not known"
        )
        raise InputError(
            f"{self._source.name}: frame {frames[frame]} (step {step}): molecules cannot be made whole at "
            f"the bond of "
            f"atoms {self._source.ids[first]} and {self._source.ids[second]}: {why}"
        )

    def _walk_to(self, frames: Int, atoms: Int | None) -> Float:
        """Walk through all frames up to the last wanted one and keep the wanted ones."""
        n = self._source.n_atoms
        out = np.empty((len(frames), n if atoms is None else len(atoms), 3))
        self._return_to(int(frames[0]))
        batch = max(1, BATCH_BYTES // (24 * n))
        last = int(frames[-1]) + 1
        while self._next < last:
            begin, end = self._next, min(self._next + batch, last)
            positions = self._advance(np.arange(begin, end))
            low, high = np.searchsorted(frames, (begin, end))
            wanted = positions[frames[low:high] - begin]
            out[low:high] = wanted if atoms is None else wanted[:, atoms]
        return out

    def _return_to(self, frame: int) -> None:
        if frame >= self._next:
            return
        start = max(k for k in self._checkpoints if k <= frame)
        self._state, self._next = self._checkpoints[start].copy(), start

    def _advance(self, frames: Int) -> Float:
        table = self._source.table
        positions = self._lattice(frames, None)
        if self._tree is not None:
            self._make_whole(positions, table, frames)
        sites = positions
        if self._sites is not None:
            assert self._weights is not None
            n_sites = int(self._sites.max()) + 1
            sites = _core.trajectory.molecule_centers(positions, self._sites, self._weights, n_sites, self._n_threads)
            relative = sites.copy()
        cells, origins = (
            np.ascontiguousarray(table.cells[frames]),
            np.ascontiguousarray(table.origins[frames]),
        )
        fraction, frame, site, _ = _core.trajectory.walk_toroidally(
            sites, cells, origins, table.pbc, self._images_known, self._state, self._n_threads
        )
        self._check_step(fraction, int(frames[frame]), site)
        if self._sites is not None:
            positions += (sites - relative)[:, self._sites]
        self._next = int(frames[-1]) + 1
        self._frames_read = max(self._frames_read, self._next)
        self._keep_checkpoint(sites.shape[1])
        return positions

    def _keep_checkpoint(self, n_sites: int) -> None:
        """States to go back to, so that reading backwards does not always start at the first frame."""
        most = max(1, min(64, CHECKPOINT_BYTES // (48 * n_sites)))
        spacing = -(-len(self._source.table.steps) // most)
        if self._next - max(self._checkpoints) >= spacing:
            self._checkpoints[self._next] = self._state.copy()

    def _check_step(self, fraction: float, frame: int, site: int) -> None:
        self._longest_step = max(self._longest_step, fraction)
        if fraction <= LONGEST_STEP:
            return
        steps, who = self._source.table.steps, "molecule" if self._sites is not None else "atom"
        number = site if self._sites is not None else self._source.ids[site]
        raise InputError(
            f"{self._source.name}: from frame {frame - 1} (step {steps[frame - 1]}) to frame {frame} (step "
            f"{steps[frame]}) {who} {number} moves {fraction:.2f} of a cell vector to its nearest image "
            f"(more than "
            f"{LONGEST_STEP}): which image it went to cannot be known from wrapped coordinates. Dump ix iy "
            f"iz or "
            "xu yu zu, or dump more often, or give a topology with bonds so that whole molecules are followed"
        )
