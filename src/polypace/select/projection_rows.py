"""Rows that MaxVol and the grade work on: one per atom, element by element."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ase
import numpy as np
import numpy.typing as npt
from ase.data import atomic_numbers, chemical_symbols

from polypace.ace.labels import Frames, frame_name, iterate_frames
from polypace.ace.potential import Potential
from polypace.ace.prediction import make_batch, make_evaluator
from polypace.errors import InputError
from polypace.select.active_set import Kind
from polypace.select.embedding import embedding_derivatives

Rows = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ElementRows:
    """Rows of the atoms of one element in a batch of frames.

    rows : (n, N)
    origin : (n, 2) int64, frame and atom
    """

    rows: Rows
    origin: npt.NDArray[np.int64]


def batches_of_rows(
    frames: Frames,
    potential: Potential,
    kind: Kind,
    *,
    batch_atoms: int,
    n_threads: int,
    only_counted: bool = False,
) -> Iterator[dict[str, ElementRows]]:
    """Rows per element of as many whole frames as hold `batch_atoms` atoms, batch after batch.

    With `only_counted`, atoms whose `arrays["force_weight"]` is 0 (buffers and caps of clusters) have none.
    """
    for batch, rows in frames_with_rows(frames, potential, kind, batch_atoms=batch_atoms, n_threads=n_threads):
        yield _counted_rows(batch, rows) if only_counted else rows


def frames_with_rows(
    frames: Frames, potential: Potential, kind: Kind, *, batch_atoms: int, n_threads: int
) -> Iterator[tuple[list[ase.Atoms], dict[str, ElementRows]]]:
    """The same with the frames of every batch."""
    if not potential.has_functions:
        raise InputError("projections need the B-basis form of the potential (.yaml); .yace has no functions")
    evaluator = make_evaluator(potential)
    batch: list[ase.Atoms] = []
    first = n_atoms = 0
    for atoms in iterate_frames(frames):
        batch.append(atoms)
        n_atoms += len(atoms)
        if n_atoms >= batch_atoms:
            yield batch, _rows_of(frames, batch, first, potential, evaluator, kind, n_threads)
            first += len(batch)
            batch, n_atoms = [], 0
    if batch:
        yield batch, _rows_of(frames, batch, first, potential, evaluator, kind, n_threads)


def _rows_of(
    source: Frames,
    frames: list[ase.Atoms],
    first: int,
    potential: Potential,
    evaluator: Any,
    kind: Kind,
    n_threads: int,
) -> dict[str, ElementRows]:
    numbers = [atomic_numbers[element] for element in potential.elements]
    for index, atoms in enumerate(frames):
        unknown = sorted({chemical_symbols[z] for z in set(atoms.numbers.tolist()) - set(numbers)})
        if unknown:
            raise InputError(
                f"{frame_name(source, first + index)} contains {', '.join(unknown)}, but the potential knows "
                f"{', '.join(potential.elements)} only"
            )
    of_frames = evaluator.project(*make_batch(frames, potential.elements).arrays, n_threads)
    origin = np.empty((len(of_frames), 2), dtype=np.int64)
    origin[:, 0] = np.repeat(np.arange(first, first + len(frames)), [len(atoms) for atoms in frames])
    origin[:, 1] = np.concatenate([np.arange(len(atoms)) for atoms in frames])
    element_of = np.concatenate([atoms.numbers for atoms in frames])
    result = {}
    for species, element in enumerate(potential.elements):
        chosen: Any = slice(None) if len(numbers) == 1 else element_of == numbers[species]
        rows = np.ascontiguousarray(of_frames[chosen, : potential.n_functions[element]])
        if kind == "full":
            rows = _full_rows(rows, potential, species)
        result[element] = ElementRows(rows, origin[chosen])
    return result


def _counted_rows(frames: list[ase.Atoms], rows: dict[str, ElementRows]) -> dict[str, ElementRows]:
    if not any("force_weight" in atoms.arrays for atoms in frames):
        return rows
    weights = [np.asarray(atoms.arrays.get("force_weight", np.ones(len(atoms)))) for atoms in frames]
    counted, begins = np.concatenate(weights) > 0, np.cumsum([0, *map(len, frames)])
    first = min((part.origin[:, 0].min() for part in rows.values() if len(part.rows)), default=0)
    result = {}
    for element, part in rows.items():
        kept = counted[begins[part.origin[:, 0] - first] + part.origin[:, 1]]
        result[element] = ElementRows(part.rows[kept], part.origin[kept])
    return result


def _full_rows(projections: Rows, potential: Potential, species: int) -> Rows:
    """Concatenation over densities p (slow) of w_p f'(ρ_p) B_f: the gradient of E_i in all coefficients."""
    functions = potential.data.functions[species]
    coefficients = np.array([function.coefficients for function in functions])  # type: ignore[union-attr]
    factors = embedding_derivatives(potential.data.embeddings[species], projections @ coefficients)
    return np.ascontiguousarray(np.concatenate([factor[:, None] * projections for factor in factors.T], axis=1))
