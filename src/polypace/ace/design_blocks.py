"""Rows of the linear fit, frame by frame, weighted and compressed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import ase
import numpy as np
import numpy.typing as npt

from polypace.ace.design import DesignRows, iterate_design_rows
from polypace.ace.label_units import UnitCheck
from polypace.ace.labels import Frames, Labels, frame_name, iterate_frames, read_labels
from polypace.ace.potential import Potential
from polypace.ace.row_compression import CompressedRows, RowCompressor
from polypace.ace.weights import FrameWeights, Weights
from polypace.errors import InputError

UNSEEN = 1e-6  # of the largest part that compositions have in a direction: less is none
FRAMES_IN_FLIGHT = 8  # whose rows wait for being compressed

ASE_ORDER = [0, 1, 2, 5, 4, 3]  # of rows xx yy zz xy xz yz, to make them xx yy zz yz xz xy


@dataclass(frozen=True)
class Survey:
    """What the frames contain.

    compositions : (n_energies, n_elements), atoms per element of frames with an energy that counts
    energies : (n_energies,), eV
    n_frames, n_atoms : of all frames
    """

    compositions: npt.NDArray[np.float64]
    energies: npt.NDArray[np.float64]
    n_frames: int
    n_atoms: int


def survey_frames(frames: Frames, elements: Sequence[str], weights: Weights) -> Survey:
    """Check every label and weight, and collect compositions and energies.

    Raises
    ------
    InputError
        for no frames at all, unknown elements, missing or NaN labels, mixed units, or wrong weights, naming the frame.
    """
    compositions, energies = [], []
    units = UnitCheck()
    n_frames = n_atoms = 0
    for index, atoms in enumerate(iterate_frames(frames)):
        name = frame_name(frames, index)
        labels = read_labels(atoms, name)
        own = weights.of_frame(atoms, labels, name)
        units.add(atoms, labels, name)
        composition = count_elements(atoms, elements, name)
        if labels.energy is not None and own.energy > 0:
            compositions.append(composition)
            energies.append(labels.energy)
        n_frames += 1
        n_atoms += len(atoms)
    if n_frames == 0:
        raise InputError("there are no frames to fit to: the list or file is empty")
    units.finish()
    return Survey(np.array(compositions, dtype=float).reshape(-1, len(elements)), np.array(energies), n_frames, n_atoms)


def check_frames(frames: Frames, elements: Sequence[str]) -> None:
    """Look at every label and element, so that what cannot be measured after a long fit is told before it.

    Raises
    ------
    InputError
        for unknown elements, missing or NaN labels, naming the frame.
    """
    for index, atoms in enumerate(iterate_frames(frames)):
        name = frame_name(frames, index)
        read_labels(atoms, name)
        count_elements(atoms, elements, name)


def count_elements(atoms: ase.Atoms, elements: Sequence[str], name: str) -> npt.NDArray[np.float64]:
    """(n_elements,) atoms of every element of the basis."""
    if len(atoms) == 0:
        raise InputError(f"{name} has no atoms: leave it out")
    symbols = np.array(atoms.get_chemical_symbols())
    unknown = sorted(set(symbols.tolist()) - set(elements))
    if unknown:
        raise InputError(f"{name} contains {', '.join(unknown)}, but the basis knows {', '.join(elements)} only")
    return np.array([np.count_nonzero(symbols == el) for el in elements], dtype=float)


def compress_frames(
    frames: Frames,
    potential: Potential,
    weights: Weights,
    e0: Sequence[float],
    *,
    n_threads: int = 0,
    progress: Callable[[int], None] | None = None,
) -> dict[str, CompressedRows]:
    """Return the factors of all weighted rows, per quantity.

    Columns: the functions of the potential in canonical order, element by element, then one per element for a shift of
    its reference energy. Targets: what e0 (eV per element) leaves. Quantities without rows are left out. Shifts that no
    frame's composition tells (one stoichiometry only) are held at 0 by rows of their own, so that molecules of another
    composition are not shifted by an accident of the data.
    """
    n_functions = sum(potential.n_functions.values())
    compressors = {
        "energy": RowCompressor(n_functions + len(e0)),
        "forces": RowCompressor(n_functions),
        "virial": RowCompressor(n_functions),
    }
    seen = np.zeros((len(e0), len(e0)))  # Σ n nᵀ over the weighted compositions n
    ahead: deque[ase.Atoms] = deque()  # frames whose rows are being made
    rows_of_frames = iterate_design_rows(_remembered(frames, ahead), potential, n_threads=n_threads)

    def compress(index: int, atoms: ase.Atoms, rows: DesignRows) -> None:
        name = frame_name(frames, index)
        labels = read_labels(atoms, name)
        own = weights.of_frame(atoms, labels, name)
        composition = count_elements(atoms, potential.elements, name)
        scale = _add_energy(compressors["energy"], rows.energy, labels, own, composition, e0, weights)
        seen[:] += np.outer(scale * composition, scale * composition)
        _add_forces(compressors["forces"], rows.forces, labels, own)
        _add_virial(compressors["virial"], rows.virial, labels, own, len(atoms), weights)

    # The next rows are made while the last ones are compressed, in order, by one other thread.
    pending: deque[Future[None]] = deque()
    with ThreadPoolExecutor(max_workers=1) as worker:
        for index, rows in enumerate(rows_of_frames):
            pending.append(worker.submit(compress, index, ahead.popleft(), rows))
            while len(pending) > FRAMES_IN_FLIGHT:
                pending.popleft().result()
            if progress:
                progress(index + 1)
        while pending:
            pending.popleft().result()
    groups = {name: compressor.finish() for name, compressor in compressors.items()}
    if groups["energy"].n_rows:
        groups["energy"] = _with_unseen_shifts_at_zero(compressors["energy"], seen)
    return {name: _padded(group, n_functions + len(e0)) for name, group in groups.items() if group.n_rows}


def _remembered(frames: Frames, ahead: deque[ase.Atoms]) -> Iterator[ase.Atoms]:
    for atoms in iterate_frames(frames):
        ahead.append(atoms)
        yield atoms


def _add_energy(
    compressor: RowCompressor,
    row: npt.NDArray[np.float64],
    labels: Labels,
    own: FrameWeights,
    composition: npt.NDArray[np.float64],
    e0: Sequence[float],
    weights: Weights,
) -> float:
    """Add the row; returns what it was multiplied with."""
    if labels.energy is None or own.energy == 0:
        return 0.0
    scale = np.sqrt(own.energy) / (composition.sum() if weights.per_atom else 1.0)
    target = labels.energy - composition @ np.asarray(e0)
    compressor.add(scale * np.concatenate([row, composition])[None, :], [scale * target])
    return float(scale)


def _with_unseen_shifts_at_zero(compressor: RowCompressor, seen: npt.NDArray[np.float64]) -> CompressedRows:
    """The energies' factor with a row v · shifts = 0 for every direction v that no composition has a part in."""
    before, n_shifts = compressor.finish(), len(seen)
    sizes, directions = np.linalg.eigh(seen)
    unseen = directions.T[sizes <= UNSEEN**2 * sizes[-1]]
    rows = np.zeros((len(unseen), len(before.target)))
    rows[:, -n_shifts:] = np.sqrt(sizes[-1]) * unseen
    compressor.add(rows, np.zeros(len(unseen)))
    return replace(compressor.finish(), n_rows=before.n_rows)


def _add_forces(compressor: RowCompressor, rows: npt.NDArray[np.float64], labels: Labels, own: FrameWeights) -> None:
    counted = own.forces > 0
    if labels.forces is None or not counted.any():
        return
    roots = np.repeat(np.sqrt(own.forces[counted]), 3)
    chosen = (rows if counted.all() else rows[counted]).reshape(len(roots), -1)
    compressor.add(roots[:, None] * chosen, roots * labels.forces[counted].ravel())


def _add_virial(
    compressor: RowCompressor,
    rows: npt.NDArray[np.float64],
    labels: Labels,
    own: FrameWeights,
    n_atoms: int,
    weights: Weights,
) -> None:
    if labels.virial is None or own.virial == 0:
        return
    scale = np.sqrt(own.virial) / (n_atoms if weights.per_atom else 1.0)
    compressor.add(scale * rows[ASE_ORDER], scale * labels.virial)


def _padded(group: CompressedRows, n_columns: int) -> CompressedRows:
    """With columns of zeros at the end."""
    more = n_columns - len(group.target)
    return CompressedRows(
        np.pad(group.factor, ((0, more), (0, more))),
        np.pad(group.target, (0, more)),
        group.residual,
        group.n_rows,
    )
