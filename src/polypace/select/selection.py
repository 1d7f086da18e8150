"""Choosing active sets by MaxVol on streams of projection rows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.ace.labels import Frames
from polypace.ace.potential import Potential
from polypace.blas_threads import single_threaded_blas
from polypace.errors import InputError
from polypace.select.active_set import ActiveSet, Kind
from polypace.select.grade import grades_of_rows
from polypace.select.maxvol import maxvol
from polypace.select.projection_rows import ElementRows, Rows, batches_of_rows

REFINEMENT_TOLERANCE = 1.001
CUT = 1e-15  # of the largest singular value: smaller ones do not count
FEW_ROWS = 64
MIN_BATCH_ROWS = 4  # times the number of columns: less is mostly the active set itself


def select_active_set(
    frames: Frames,
    potential: Potential,
    *,
    full: bool = False,
    tolerance: float = 1.01,
    max_iterations: int = 300,
    refinements: int = 5,
    memory_limit: float = 2e9,
    n_threads: int = 0,
    progress: Callable[[int], None] | None = None,
) -> ActiveSet:
    """Return the environments whose projections span the largest volume, per element.

    Data whose projections fit into the memory limit are treated in one piece, otherwise batch by batch (MaxVol on the
    active set so far and the new rows) and then refined with the rows that still extrapolate.

    Parameters
    ----------
    frames : sequence of ase.Atoms, or a file that ASE reads; no labels are needed
        Atoms whose `arrays["force_weight"]` is 0 (buffers and caps of clusters) do not compete: nothing was learned there.
    full : bool
        Gradients of the atomic energy in all coefficients (non-linear potentials) instead of projections.
    tolerance : float
        Largest γ that the data themselves may have.
    refinements : int
        Passes over the data after the batches.
    memory_limit : float
        Bytes for projection rows.

    Raises
    ------
    InputError
        for a potential without functions, unknown elements, or fewer environments than functions.

    References
    ----------
    Lysogorskiy, Bochkarev, Mrovec, Drautz, Phys. Rev. Materials 7, 043801 (2023), section II.
    """
    if not potential.has_functions:
        raise InputError("an active set needs the B-basis form of the potential (.yaml), not .yace")
    kind: Kind = "full" if full else "linear"
    sizes = row_lengths(potential, kind)
    batch_rows = max(int(memory_limit / (3 * 8 * max(sizes.values()))), MIN_BATCH_ROWS * max(sizes.values()))
    streams = {el: _Stream(el, size, tolerance, max_iterations, batch_rows, n_threads) for el, size in sizes.items()}
    block = min(batch_rows, 10_000)
    _fill(streams, frames, potential, kind, block, n_threads, progress)
    for stream in streams.values():
        stream.finish()
    if any(stream.in_batches for stream in streams.values()):
        _refine(streams, frames, potential, kind, refinements, block, n_threads)
    return ActiveSet(
        inverses={el: stream.inverse for el, stream in streams.items()},
        selected={el: stream.active.origin for el, stream in streams.items()},
        largest_grade={el: stream.largest_grade for el, stream in streams.items()},
        made_for=potential.active_set_note(full),
    )


def _fill(
    streams: dict[str, _Stream],
    frames: Frames,
    potential: Potential,
    kind: Kind,
    block: int,
    n_threads: int,
    progress: Callable[[int], None] | None,
) -> None:
    """All rows once; nothing but the streams holds them afterwards."""
    done = 0
    for batch in batches_of_rows(frames, potential, kind, batch_atoms=block, n_threads=n_threads, only_counted=True):
        for element, rows in batch.items():
            streams[element].add(rows)
        done += sum(len(rows.rows) for rows in batch.values())
        if progress:
            progress(done)


def active_rows(rows: Rows, **options: Any) -> tuple[Rows, npt.NDArray[np.int64], float]:
    """MaxVol on rows whose constant columns are regularised: (selected rows, their numbers, largest |C|).

    A column that never changes (usually 0: a kind of neighbour that does not occur) would make the matrix singular; the
    q-th such column gets 1e-16 in its q-th row. The pseudo-inverse cuts it off again, so it never contributes to γ.
    """
    constant = np.flatnonzero((rows[:FEW_ROWS] == rows[0]).all(axis=0))  # most columns vary among the first rows
    constant = constant[np.ptp(rows[:, constant], axis=0) == 0]
    if len(constant):
        rows = rows.copy()
        rows[np.arange(len(constant)), constant] += 1e-16
    result = maxvol(rows, **options)
    return rows[result.rows], result.rows, result.largest_grade


def active_inverse(rows: Rows) -> Rows:
    """Moore-Penrose inverse, singular values below 1e-15 of the largest left out.

    Where none of them can be that small, since σ_max ≤ ‖A‖_F and σ_min ≥ 1/‖A⁻¹‖_F, this is the inverse, which costs a
    tenth of the singular values.
    """
    with single_threaded_blas(with_scipy=False):
        if rows.shape[0] == rows.shape[1]:
            with contextlib.suppress(np.linalg.LinAlgError):
                inverse = np.linalg.inv(rows)
                if np.linalg.norm(inverse) * np.linalg.norm(rows) < 0.5 / CUT:
                    return np.asarray(inverse)
        return np.ascontiguousarray(np.linalg.pinv(rows, rcond=CUT))


def row_lengths(potential: Potential, kind: Kind) -> dict[str, int]:
    """Columns of the rows of every element that has functions."""
    densities = potential.n_densities
    return {el: n * (densities[el] if kind == "full" else 1) for el, n in potential.n_functions.items() if n}


class _Stream:
    """The active set of one element while rows arrive."""

    def __init__(
        self, element: str, size: int, tolerance: float, max_iterations: int, batch_rows: int, n_threads: int
    ) -> None:
        self._element, self._size = element, size
        self._options: dict[str, Any] = {
            "tolerance": tolerance,
            "max_iterations": max_iterations,
            "n_threads": n_threads,
        }
        self._batch_rows = batch_rows
        self._waiting: list[ElementRows] = []
        self._n_waiting = self._n_seen = 0
        self.active = ElementRows(np.zeros((0, size)), np.zeros((0, 2), dtype=np.int64))
        self.inverse = np.zeros((size, size))
        self.largest_grade = np.inf
        self.in_batches = False

    def add(self, rows: ElementRows) -> None:
        self._waiting.append(rows)
        self._n_waiting += len(rows.rows)
        self._n_seen += len(rows.rows)
        if self._n_waiting >= self._batch_rows:
            self._absorb(**self._options)
            self.in_batches = True

    def finish(self) -> None:
        if self._n_seen < self._size:
            raise InputError(
                f"{self._n_seen} environments of {self._element} cannot determine {self._size} functions: "
                "add frames, or take a smaller basis"
            )
        if self._n_waiting:
            self._absorb(**self._options)
        self.inverse = active_inverse(self.active.rows)

    def grades(self, rows: Rows) -> npt.NDArray[np.float64]:
        return grades_of_rows(rows, self.inverse, self._options["n_threads"])

    def absorb_extrapolating(self, rows: list[ElementRows]) -> None:
        """One more MaxVol with rows of γ above the tolerance."""
        self._waiting = rows
        start = np.arange(self._size)  # the active set itself: another start would cost more and span less
        self._absorb(**(self._options | {"tolerance": REFINEMENT_TOLERANCE, "start": start}))
        self.inverse = active_inverse(self.active.rows)

    def _absorb(self, **options: Any) -> None:
        parts = [part for part in (self.active, *self._waiting) if len(part.rows)]
        self._waiting, self._n_waiting = [], 0
        rows, origin = parts[0].rows, parts[0].origin
        if len(parts) > 1:  # otherwise a copy of all rows is saved
            rows = np.concatenate([part.rows for part in parts])
            origin = np.concatenate([part.origin for part in parts])
            parts.clear()  # their memory is that of the next copy
        if len(rows) < self._size:
            self.active = ElementRows(rows, origin)
            return
        selected, numbers, self.largest_grade = active_rows(rows, **options)
        self.active = ElementRows(selected, origin[numbers])


def _refine(
    streams: dict[str, _Stream],
    frames: Frames,
    potential: Potential,
    kind: Kind,
    refinements: int,
    block: int,
    n_threads: int,
) -> None:
    """Passes over all rows: those above the tolerance are offered again; the best set of each element is kept."""
    best: dict[str, tuple[float, ElementRows, Rows]] = {}
    for remaining in range(refinements, -1, -1):
        largest = dict.fromkeys(streams, 0.0)
        above: dict[str, list[ElementRows]] = {el: [] for el in streams}
        for batch in batches_of_rows(
            frames, potential, kind, batch_atoms=block, n_threads=n_threads, only_counted=True
        ):
            for element, part in batch.items():
                if element in streams:
                    largest[element] = max(largest[element], _keep_above(streams[element], part, above[element]))
        for element, stream in streams.items():
            if element not in best or largest[element] < best[element][0]:
                best[element] = (largest[element], stream.active, stream.inverse)
        open_elements = [el for el, stream in streams.items() if largest[el] > stream._options["tolerance"]]
        if not open_elements or remaining == 0:
            break
        for element in open_elements:
            streams[element].absorb_extrapolating(above[element])
    for element, stream in streams.items():
        stream.largest_grade, stream.active, stream.inverse = best[element]


def _keep_above(stream: _Stream, part: ElementRows, kept: list[ElementRows]) -> float:
    """Largest γ of the rows; those above the tolerance are appended to `kept`."""
    if not len(part.rows):
        return 0.0
    grades = stream.grades(part.rows)
    above = grades > stream._options["tolerance"]
    if above.any():
        kept.append(ElementRows(part.rows[above], part.origin[above]))
    return float(grades.max())
