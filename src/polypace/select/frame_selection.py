"""D-optimal choice of frames and environments out of candidates."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace.ace.labels import Frames
from polypace.ace.potential import Potential
from polypace.errors import InputError
from polypace.select.active_set import ActiveSet
from polypace.select.projection_rows import Rows, batches_of_rows
from polypace.select.selection import active_rows, row_lengths

KNOWN = -1  # frame number of rows that are known already


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


def select_frames(
    frames: Frames,
    potential: Potential,
    n: int | None = None,
    *,
    max_atoms: int | None = None,
    known: ActiveSet | None = None,
    tolerance: float = 1.01,
    max_iterations: int = 300,
    batch_atoms: int = 20_000,
    n_threads: int = 0,
) -> SelectedFrames:
    """Choose the frames whose environments enlarge the volume that the known ones span.

    MaxVol on the projections of the candidates and the rows of the known active set, batch by batch; frames are
    ordered by the number of their selected environments, ties by their place. Environments that are equal to a known
    or an earlier one (to 1e-9 of the column's range) are no candidates, so none is selected twice.

    Parameters
    ----------
    n : int, optional
        At most so many frames.
    max_atoms : int, optional
        At most so many atoms in all chosen frames together; a frame that would exceed it is passed over.
    known : ActiveSet, optional
        Its rows compete, as pinv of its inverse.

    Raises
    ------
    InputError
        for no candidates, n < 1, or an active set that does not belong to the potential.

    References
    ----------
    Lysogorskiy, Bochkarev, Mrovec, Drautz, Phys. Rev. Materials 7, 043801 (2023), section II.
    """
    if n is not None and n < 1:
        raise InputError(f"n must be at least 1, got {n}")
    kind = known.kind(potential) if known is not None else "linear"
    selections = {el: _start(size, known, el) for el, size in row_lengths(potential, kind).items()}
    sizes: Counter[int] = Counter()
    for batch in batches_of_rows(frames, potential, kind, batch_atoms=batch_atoms, n_threads=n_threads):
        for element, part in batch.items():
            sizes.update(part.origin[:, 0].tolist())
            if element not in selections or not len(part.rows):
                continue
            rows, origin = selections[element]
            rows, origin = _distinct(np.concatenate([rows, part.rows]), np.concatenate([origin, part.origin]))
            if len(rows) > rows.shape[1]:
                rows, chosen, _ = active_rows(
                    rows, tolerance=tolerance, max_iterations=max_iterations, n_threads=n_threads
                )
                origin = origin[chosen]
            selections[element] = rows, origin
    if not sizes:
        raise InputError("there are no candidate frames to select from")
    return _ranked({el: origin for el, (_, origin) in selections.items()}, sizes, n, max_atoms)


def _start(size: int, known: ActiveSet | None, element: str) -> tuple[Rows, npt.NDArray[np.int64]]:
    rows = np.zeros((0, size)) if known is None else np.linalg.pinv(known.inverses[element], rcond=1e-15)
    return rows, np.full((len(rows), 2), KNOWN, dtype=np.int64)


def _distinct(rows: Rows, origin: npt.NDArray[np.int64]) -> tuple[Rows, npt.NDArray[np.int64]]:
    """The first of every set of equal rows, in order."""
    scale = np.ptp(rows, axis=0)
    digits = np.rint(rows / np.where(scale > 0, scale, 1.0) * 1e9)
    _, first = np.unique(digits, axis=0, return_index=True)
    first.sort()
    return rows[first], origin[first]


def _ranked(
    origins: dict[str, npt.NDArray[np.int64]], sizes: Counter[int], n: int | None, max_atoms: int | None
) -> SelectedFrames:
    counts = Counter(int(frame) for origin in origins.values() for frame in origin[:, 0] if frame != KNOWN)
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
