"""D-optimal choice of frames and environments out of candidates."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.ace.labels import Frames
from polypace.ace.potential import Potential
from polypace.errors import InputError
from polypace.select.active_set import ActiveSet, Kind
from polypace.select.copies import distinct_rows, occurs_in
from polypace.select.grade import grades_of_rows
from polypace.select.projection_rows import Rows, batches_of_rows
from polypace.select.selection import active_inverse, active_rows, row_lengths

KNOWN = -1  # frame number of rows that are known already

Origin = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SelectedFrames:
    """Frames in order of usefulness.

    frames : numbers of the chosen frames, those with most selected environments first
    counts : selected environments of each
    environments : {element: (n, 2) int64}, frame and atom of every selected environment of the chosen frames
    """

    frames: tuple[int, ...]
    counts: tuple[int, ...]
    environments: dict[str, npt.NDArray[np.int64]]


@dataclass(frozen=True)
class SelectedEnvironments:
    """Environments in order of usefulness.

    environments : (n, 2) int64, frame and atom
    elements : element of each
    grades : γ of each against what was known; infinite where nothing was
    """

    environments: Origin
    elements: tuple[str, ...]
    grades: npt.NDArray[np.float64]


def select_frames(
    frames: Frames,
    potential: Potential,
    n: int | None = None,
    *,
    max_atoms: int | None = None,
    known: ActiveSet | None = None,
    known_frames: Frames | None = None,
    tolerance: float = 1.01,
    max_iterations: int = 300,
    batch_atoms: int = 20_000,
    n_threads: int = 0,
) -> SelectedFrames:
    """Choose the frames whose environments enlarge the volume that the known ones span.

    MaxVol on the projections of the candidates and of what is known, batch by batch; frames are ordered by the number
    of their selected environments, ties by their place. Environments that are equal to a known or an earlier one (to
    1e-9 of the columns' ranges) are no candidates, so none is selected twice. Memory holds one batch.

    Parameters
    ----------
    n : int, optional
        At most so many frames.
    max_atoms : int, optional
        At most so many atoms in all chosen frames together; a frame that would exceed it is passed over.
    known : ActiveSet, optional
        Its rows compete, as pinv of its inverse.
    known_frames : frames, optional
        What was selected or labelled before; its environments compete and are never selected again.

    Raises
    ------
    InputError
        for no candidates, n < 1, or an active set that does not belong to the potential.

    References
    ----------
    Lysogorskiy, Bochkarev, Mrovec, Drautz, Phys. Rev. Materials 7, 043801 (2023), section II.
    """
    pools, sizes = _compete(
        frames, potential, n, known, known_frames, batch_atoms, n_threads,
        tolerance=tolerance, max_iterations=max_iterations,
    )  # fmt: skip
    return _ranked({el: pool.new_origin for el, pool in pools.items()}, sizes, n, max_atoms)


def select_environments(
    frames: Frames,
    potential: Potential,
    n: int | None = None,
    *,
    known: ActiveSet | None = None,
    known_frames: Frames | None = None,
    tolerance: float = 1.01,
    max_iterations: int = 300,
    batch_atoms: int = 20_000,
    n_threads: int = 0,
) -> SelectedEnvironments:
    """Choose single environments, to be carved out: the same competition as `select_frames`.

    They are ordered by γ against what is known; where that spans no active set, by the volume they add one after the
    other (QR with pivoting of the rows, columns scaled to equal ranges).
    """
    pools, _ = _compete(
        frames, potential, n, known, known_frames, batch_atoms, n_threads,
        tolerance=tolerance, max_iterations=max_iterations,
    )  # fmt: skip
    rows = [entry for element, pool in pools.items() for entry in pool.ranked(element, n_threads)]
    rows.sort(key=lambda entry: entry[:2])
    chosen = rows[:n]
    return SelectedEnvironments(
        np.array([entry[3] for entry in chosen], dtype=np.int64).reshape(-1, 2),
        tuple(entry[2] for entry in chosen),
        np.array([-entry[0] for entry in chosen]),
    )


class _Pool:
    """The rows of one element that span the largest volume so far."""

    def __init__(self, size: int, **options: Any) -> None:
        self._options = options
        self.rows: Rows = np.zeros((0, size))
        self.origin: Origin = np.zeros((0, 2), dtype=np.int64)
        self._known_inverse: Rows | None = None

    @property
    def new_origin(self) -> Origin:
        return np.asarray(self.origin[self.origin[:, 0] != KNOWN])

    def add(self, rows: Rows, origin: Origin) -> None:
        """Let rows compete; those that are in the pool stay where others do not enlarge the volume."""
        n_pool, size = self.rows.shape
        kept = distinct_rows(np.concatenate([self.rows, rows]))
        rows = np.concatenate([self.rows, rows])[kept]
        origin = np.concatenate([self.origin, origin])[kept]
        if len(rows) > size:
            start = np.arange(size) if n_pool == size and (kept[:size] == np.arange(size)).all() else None
            rows, chosen, _ = self._pick(rows, start)
            origin = origin[chosen]
        self.rows, self.origin = rows, origin

    def _pick(self, rows: Rows, start: Origin | None) -> tuple[Rows, Origin, float]:
        if start is not None:
            try:
                return active_rows(rows, start=start, **self._options)
            except InputError:  # a kind of neighbour that the pool has not seen: its rows are no basis any more
                pass
        return active_rows(rows, **self._options)

    def note_known(self) -> None:
        """What is in the pool now is known."""
        self.origin = np.full((len(self.rows), 2), KNOWN, dtype=np.int64)
        if len(self.rows) == self.rows.shape[1]:
            self._known_inverse = active_inverse(self.rows)

    def forget(self, chosen: npt.NDArray[np.bool_]) -> None:
        """Take these rows out."""
        self.rows, self.origin = self.rows[~chosen], self.origin[~chosen]

    def ranked(self, element: str, n_threads: int) -> list[tuple[float, int, str, list[int]]]:
        """(−γ, rank, element, [frame, atom]) of every selected environment."""
        new = self.origin[:, 0] != KNOWN
        rows, origin = self.rows[new], self.origin[new]
        if self._known_inverse is not None:
            grades = grades_of_rows(rows, self._known_inverse, n_threads)
            return [(-g, 0, element, place) for g, place in zip(grades.tolist(), origin.tolist(), strict=True)]
        if not len(rows):
            return []
        scale = np.ptp(rows, axis=0)
        from scipy.linalg import qr

        order = qr((rows / np.where(scale > 0, scale, 1)).T, mode="r", pivoting=True)[1]
        return [(-np.inf, rank, element, place) for rank, place in enumerate(origin[order].tolist())]


def _compete(
    frames: Frames,
    potential: Potential,
    n: int | None,
    known: ActiveSet | None,
    known_frames: Frames | None,
    batch_atoms: int,
    n_threads: int,
    **options: Any,
) -> tuple[dict[str, _Pool], Counter[int]]:
    """Pools after all candidates, and the atoms of every frame."""
    if n is not None and n < 1:
        raise InputError(f"n must be at least 1, got {n}")
    kind: Kind = known.kind(potential) if known is not None else "linear"
    sizes_of = row_lengths(potential, kind)
    pools = {element: _Pool(size, n_threads=n_threads, **options) for element, size in sizes_of.items()}
    common: dict[str, Any] = {"batch_atoms": batch_atoms, "n_threads": n_threads}
    for element, pool in pools.items():
        if known is not None:
            rows = active_inverse(known.inverses[element])
            pool.add(rows, np.full((len(rows), 2), KNOWN, dtype=np.int64))
    if known_frames is not None:
        for batch in batches_of_rows(known_frames, potential, kind, **common):
            for element, pool in pools.items():
                pool.add(batch[element].rows, np.full_like(batch[element].origin, KNOWN))
    for pool in pools.values():
        pool.note_known()
    sizes: Counter[int] = Counter()
    for batch in batches_of_rows(frames, potential, kind, **common):
        for element, part in batch.items():
            sizes.update(part.origin[:, 0].tolist())
            if element in pools and len(part.rows):
                pools[element].add(part.rows, part.origin)
    if not sizes:
        raise InputError("there are no candidate frames to select from")
    if known_frames is not None:
        # Known environments that did not stay in the pool may have copies among the selected ones.
        for batch in batches_of_rows(known_frames, potential, kind, **common):
            for element, pool in pools.items():
                pool.forget((pool.origin[:, 0] != KNOWN) & occurs_in(pool.rows, batch[element].rows))
    return pools, sizes


def _ranked(origins: dict[str, Origin], sizes: Counter[int], n: int | None, max_atoms: int | None) -> SelectedFrames:
    counts = Counter(int(frame) for origin in origins.values() for frame in origin[:, 0])
    ranked = sorted(counts, key=lambda frame: (-counts[frame], frame))
    chosen: list[int] = []
    n_atoms = 0
    for frame in ranked:
        if n is not None and len(chosen) == n:
            break
        if max_atoms is not None and n_atoms + sizes[frame] > max_atoms:
            continue
        chosen.append(frame)
        n_atoms += sizes[frame]
    environments = {el: origin[np.isin(origin[:, 0], chosen)] for el, origin in origins.items()}
    return SelectedFrames(tuple(chosen), tuple(counts[frame] for frame in chosen), environments)
