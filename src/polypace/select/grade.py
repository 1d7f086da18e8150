"""The extrapolation grade γ of environments."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import ase
import numpy as np
import numpy.typing as npt

from polypace import _core
from polypace.ace.labels import Frames
from polypace.ace.potential import Potential
from polypace.blas_threads import single_threaded_blas
from polypace.select.active_set import ActiveSet
from polypace.select.projection_rows import Rows, frames_with_rows

BATCH_ATOMS = 8192  # whose projections are in memory together
BLOCK_ROWS = 512  # of one task


def extrapolation_grade(
    frames: Frames, potential: Potential, active_set: ActiveSet, *, n_threads: int = 0
) -> list[npt.NDArray[np.float64]]:
    """Return γ of every atom, one array (n_atoms,) per frame.

    γ = max_k |Σ_j b_j M_jk| with b the projections of the atom and M the inverse of its element's active set: 1 and
    below is interpolation, above is extrapolation. No labels are needed.

    Raises
    ------
    InputError
        where the active set does not belong to the potential, or a frame has other elements.

    References
    ----------
    Podryabinkin, Shapeev, Comput. Mater. Sci. 140, 171 (2017); Lysogorskiy, Bochkarev, Mrovec, Drautz,
    Phys. Rev. Materials 7, 043801 (2023).
    """
    return [grades for _, grades in iterate_grades(frames, potential, active_set, n_threads=n_threads)]


def iterate_grades(
    frames: Frames, potential: Potential, active_set: ActiveSet, *, batch_atoms: int = BATCH_ATOMS, n_threads: int = 0
) -> Iterator[tuple[ase.Atoms, npt.NDArray[np.float64]]]:
    """Every frame with the γ of its atoms, in order; `batch_atoms` atoms, or one frame, are in memory at a time.

    Raises
    ------
    InputError
        as `extrapolation_grade`.
    """
    kind = active_set.kind(potential)
    first = 0
    for batch, rows in frames_with_rows(frames, potential, kind, batch_atoms=batch_atoms, n_threads=n_threads):
        begins = np.cumsum([0, *map(len, batch)])
        flat = np.zeros(begins[-1])
        for element, part in rows.items():
            values = grades_of_rows(part.rows, active_set.inverses[element], n_threads)
            flat[begins[part.origin[:, 0] - first] + part.origin[:, 1]] = values
        yield from zip(batch, np.split(flat, begins[1:-1]), strict=True)
        first += len(batch)


def grades_of_rows(rows: Rows, inverse: Rows, n_threads: int = 0) -> npt.NDArray[np.float64]:
    """(n,) max_k |rows · inverse|, block by block on threads of our own."""

    def grade(start: int) -> npt.NDArray[np.float64]:
        return np.asarray(np.abs(rows[start : start + BLOCK_ROWS] @ inverse).max(axis=1))

    starts = range(0, len(rows), BLOCK_ROWS)
    if not starts or not len(inverse):
        return np.zeros(len(rows))
    with single_threaded_blas(with_scipy=False), ThreadPoolExecutor(_core.resolve_n_threads(n_threads)) as threads:
        return np.concatenate(list(threads.map(grade, starts)))
