"""The extrapolation grade γ of environments."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from polypace import _core
from polypace.ace.labels import Frames, iterate_frames
from polypace.ace.potential import Potential
from polypace.blas_threads import single_threaded_blas
from polypace.select.active_set import ActiveSet
from polypace.select.projection_rows import Rows, batches_of_rows

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
    kind = active_set.kind(potential)
    grades = [np.zeros(len(atoms)) for atoms in iterate_frames(frames)]
    for batch in batches_of_rows(frames, potential, kind, batch_atoms=BATCH_ATOMS, n_threads=n_threads):
        for element, part in batch.items():
            values = grades_of_rows(part.rows, active_set.inverses[element], n_threads)
            for (frame, atom), value in zip(part.origin.tolist(), values.tolist(), strict=True):
                grades[frame][atom] = value
    return grades


def grades_of_rows(rows: Rows, inverse: Rows, n_threads: int = 0) -> npt.NDArray[np.float64]:
    """(n,) max_k |rows · inverse|, block by block on threads of our own."""

    def grade(start: int) -> npt.NDArray[np.float64]:
        return np.abs(rows[start : start + BLOCK_ROWS] @ inverse).max(axis=1)

    starts = range(0, len(rows), BLOCK_ROWS)
    if not starts or not len(inverse):
        return np.zeros(len(rows))
    with single_threaded_blas(), ThreadPoolExecutor(_core.resolve_n_threads(n_threads)) as threads:
        return np.concatenate(list(threads.map(grade, starts)))
