"""Errors of a potential on labelled frames, in total and by species, chain length and configuration type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import ase
import numpy as np
import numpy.typing as npt

from polypace.ace.labels import Frames, Labels, frame_name, iterate_frames, read_labels
from polypace.ace.potential import Potential

UNITS = {"energy": "eV/atom", "forces": "eV/Å", "virial": "eV/atom"}

BATCH_ATOMS = 20_000  # atoms that are evaluated together


@dataclass(frozen=True)
class ErrorSummary:
    """Errors of n numbers.

    rmse, mae, largest : root mean square, mean absolute, largest absolute error
    mean : mean error (predicted − reference)
    spread : standard deviation of the error, what is left when a constant shift does not count
    reference_rms : root mean square of the reference numbers
    relative : rmse / reference_rms
    """

    n: int
    rmse: float
    mae: float
    largest: float
    mean: float
    spread: float
    reference_rms: float
    relative: float


@dataclass(frozen=True)
class Metrics:
    """Errors per quantity (energy and virial per atom: eV/atom; force components: eV/Å).

    n_frames, n_atoms : what was measured
    quantities : {"energy" | "forces" | "virial": ErrorSummary}
    by_species, by_type, by_chain_position, by_chain_length, by_config_type : the same for parts of the frames; forces
        only for the first three. Types are `arrays["type_name"]`, chain positions `arrays["chain_position"]` (1 at the
        ends), chain lengths `info["chain_length"]`, configuration types `info["config_type"]`.
    """

    n_frames: int
    n_atoms: int
    quantities: dict[str, ErrorSummary]
    by_species: dict[str, dict[str, ErrorSummary]]
    by_type: dict[str, dict[str, ErrorSummary]]
    by_chain_position: dict[str, dict[str, ErrorSummary]]
    by_chain_length: dict[str, dict[str, ErrorSummary]]
    by_config_type: dict[str, dict[str, ErrorSummary]]

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionaries and numbers, units beside them."""
        return {"units": UNITS, **asdict(self)}


@dataclass(frozen=True)
class FrameComparison:
    """Reference and prediction of one frame; what counts is what has a weight.

    values : {"energy": (reference (1,), predicted (1,)), "forces": ((n, 3), (n, 3)), "virial": ((6,), (6,))}, energy
        and virial per atom
    counted : (n_atoms,) bool, atoms whose forces are in values["forces"]
    """

    atoms: ase.Atoms
    values: dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]
    counted: npt.NDArray[np.bool_]


def compare_frames(frames: Frames, potential: Potential, *, n_threads: int = 0) -> Iterator[FrameComparison]:
    """Evaluate the potential on every labelled frame, in batches of bounded size."""
    from polypace.ace import evaluate

    numbered = enumerate(iterate_frames(frames))
    while batch := _next_batch(numbered):
        predictions = evaluate([atoms for _, atoms in batch], potential, n_threads=n_threads)
        for (index, atoms), prediction in zip(batch, predictions, strict=True):
            labels = read_labels(atoms, frame_name(frames, index))
            yield _compare(atoms, labels, prediction)


def measure_errors(frames: Frames, potential: Potential, *, n_threads: int = 0) -> Metrics:
    """Return the errors of a potential on labelled frames.

    Energies and virials of frames whose `info["energy_weight"]` is 0, and forces of atoms whose
    `arrays["force_weight"]` is 0, do not count.
    """
    total = _Tally()
    keys = ("species", "type", "chain_position", "chain_length", "config_type")
    parts: dict[str, dict[str, _Tally]] = {key: {} for key in keys}
    n_frames = n_atoms = 0
    for comparison in compare_frames(frames, potential, n_threads=n_threads):
        n_frames += 1
        n_atoms += len(comparison.atoms)
        total.add(comparison.values)
        for key in ("chain_length", "config_type"):
            if key in comparison.atoms.info:
                name = str(comparison.atoms.info[key])
                parts[key].setdefault(name, _Tally()).add(comparison.values)
        _add_by_atom(parts["species"], comparison, np.array(comparison.atoms.get_chemical_symbols()))
        if "type_name" in comparison.atoms.arrays:
            _add_by_atom(parts["type"], comparison, comparison.atoms.arrays["type_name"].astype(str))
        if "chain_position" in comparison.atoms.arrays:
            _add_by_atom(parts["chain_position"], comparison, comparison.atoms.arrays["chain_position"].astype(str))
    finished = {key: {name: tally.summaries() for name, tally in part.items()} for key, part in parts.items()}
    return Metrics(
        n_frames,
        n_atoms,
        total.summaries(),
        finished["species"],
        finished["type"],
        dict(sorted(finished["chain_position"].items(), key=lambda item: int(item[0]))),
        finished["chain_length"],
        finished["config_type"],
    )


def _next_batch(numbered: Iterator[tuple[int, ase.Atoms]]) -> list[tuple[int, ase.Atoms]]:
    batch: list[tuple[int, ase.Atoms]] = []
    n_atoms = 0
    for index, atoms in numbered:
        batch.append((index, atoms))
        n_atoms += len(atoms)
        if n_atoms >= BATCH_ATOMS:
            break
    return batch


def _compare(atoms: ase.Atoms, labels: Labels, prediction: Any) -> FrameComparison:
    n = len(atoms)
    own = float(atoms.info.get("energy_weight", 1.0))
    counted = np.asarray(atoms.arrays.get("force_weight", np.ones(n)), dtype=float) > 0
    values = {}
    if labels.energy is not None and own > 0:
        values["energy"] = (np.array([labels.energy / n]), np.array([prediction.energy / n]))
    if labels.forces is not None and counted.any():
        values["forces"] = (labels.forces[counted], np.asarray(prediction.forces)[counted])
    if labels.virial is not None and float(atoms.info.get("virial_weight", own)) > 0:
        values["virial"] = (labels.virial / n, np.asarray(prediction.stress) * atoms.get_volume() / n)
    return FrameComparison(atoms, values, counted)


def _add_by_atom(tallies: dict[str, _Tally], comparison: FrameComparison, names: npt.NDArray[np.str_]) -> None:
    if "forces" not in comparison.values:
        return
    reference, predicted = comparison.values["forces"]
    kept = names[comparison.counted]
    for name in np.unique(kept):
        of_name = kept == name
        tallies.setdefault(str(name), _Tally()).add({"forces": (reference[of_name], predicted[of_name])})


@dataclass
class _Sums:
    n: int = 0
    errors: float = 0.0
    squares: float = 0.0
    absolutes: float = 0.0
    largest: float = 0.0
    reference_squares: float = 0.0

    def add(self, reference: npt.NDArray[np.float64], predicted: npt.NDArray[np.float64]) -> None:
        error = np.ravel(predicted - reference)
        self.n += error.size
        self.errors += float(error.sum())
        self.squares += float(error @ error)
        self.absolutes += float(np.abs(error).sum())
        self.largest = max(self.largest, float(np.abs(error).max(initial=0.0)))
        self.reference_squares += float(np.sum(reference**2))

    def summary(self) -> ErrorSummary:
        mean = self.errors / self.n
        rmse = (self.squares / self.n) ** 0.5
        rms = (self.reference_squares / self.n) ** 0.5
        return ErrorSummary(
            n=self.n,
            rmse=rmse,
            mae=self.absolutes / self.n,
            largest=self.largest,
            mean=mean,
            spread=max(rmse**2 - mean**2, 0.0) ** 0.5,
            reference_rms=rms,
            relative=rmse / rms if rms > 0 else float("inf"),
        )


@dataclass
class _Tally:
    sums: dict[str, _Sums] = field(default_factory=dict)

    def add(self, values: dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]) -> None:
        for quantity, (reference, predicted) in values.items():
            self.sums.setdefault(quantity, _Sums()).add(reference, predicted)

    def summaries(self) -> dict[str, ErrorSummary]:
        order = [quantity for quantity in UNITS if quantity in self.sums]
        return {quantity: self.sums[quantity].summary() for quantity in order}
