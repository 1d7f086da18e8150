"""Rows that MaxVol and the grade work on: one per atom, element by element."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import ase
import numpy as np
import numpy.typing as npt

from polypace.ace.labels import Frames, iterate_frames
from polypace.ace.potential import Potential
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
    batch: list[ase.Atoms] = []
    first = 0
    for atoms in iterate_frames(frames):
        batch.append(atoms)
        if sum(map(len, batch)) >= batch_atoms:
            yield _rows_of(batch, first, potential, kind, n_threads, only_counted)
            first += len(batch)
            batch = []
    if batch:
        yield _rows_of(batch, first, potential, kind, n_threads, only_counted)


def _rows_of(
    frames: list[ase.Atoms], first: int, potential: Potential, kind: Kind, n_threads: int, only_counted: bool
) -> dict[str, ElementRows]:
    from polypace.ace import projections

    symbols = [np.array(atoms.get_chemical_symbols()) for atoms in frames]
    for index, of_frame in enumerate(symbols):
        unknown = sorted(set(of_frame.tolist()) - set(potential.elements))
        if unknown:
            raise InputError(
                f"frame {first + index} contains {', '.join(unknown)}, but the potential knows "
                f"{', '.join(potential.elements)} only"
            )
    of_frames = np.concatenate(projections(frames, potential, n_threads=n_threads))
    frame_of = np.repeat(np.arange(first, first + len(frames)), [len(atoms) for atoms in frames])
    atom_of = np.concatenate([np.arange(len(atoms)) for atoms in frames])
    symbol_of = np.concatenate(symbols)
    counted = np.concatenate([_counted(atoms, only_counted) for atoms in frames])
    result = {}
    for species, element in enumerate(potential.elements):
        chosen = (symbol_of == element) & counted
        rows = np.ascontiguousarray(of_frames[chosen, : potential.n_functions[element]])
        if kind == "full":
            rows = _full_rows(rows, potential, species)
        result[element] = ElementRows(rows, np.column_stack([frame_of[chosen], atom_of[chosen]]).astype(np.int64))
    return result


def _counted(atoms: ase.Atoms, only_counted: bool) -> npt.NDArray[np.bool_]:
    weights = atoms.arrays.get("force_weight") if only_counted else None
    return np.ones(len(atoms), dtype=bool) if weights is None else np.asarray(weights) > 0


def _full_rows(projections: Rows, potential: Potential, species: int) -> Rows:
    """Concatenation over densities p (slow) of w_p f'(ρ_p) B_f: the gradient of E_i in all coefficients."""
    functions = potential.data.functions[species]
    coefficients = np.array([function.coefficients for function in functions])
    factors = embedding_derivatives(potential.data.embeddings[species], projections @ coefficients)
    return np.ascontiguousarray(np.concatenate([factor[:, None] * projections for factor in factors.T], axis=1))
