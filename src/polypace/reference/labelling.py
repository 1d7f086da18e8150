"""Labels from any ASE calculator, through the store."""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import ase
from ase.calculators.calculator import Calculator

from polypace.errors import InputError
from polypace.forcefields import ForceField, get_force_field
from polypace.reference.label_store import (
    Label,
    LabelStore,
    Method,
    Status,
    label_key,
    label_of_results,
    with_label,
)
from polypace.reference.quantum import quantum_calculator, quantum_method


@dataclass(frozen=True)
class Failure:
    """A frame without a label: its place among the frames and why."""

    place: int
    reason: str


@dataclass(frozen=True)
class LabelledFrames:
    """Result of `label_frames`: labelled copies in the order of the input, what failed, and what it cost.

    `places` are those of `frames` among the input; `computed` and `reused` count labels; `seconds` are
    those of the labels computed now.
    """

    frames: tuple[ase.Atoms, ...]
    places: tuple[int, ...]
    failures: tuple[Failure, ...]
    computed: int
    reused: int
    seconds: float


def label_frames(
    frames: Sequence[ase.Atoms],
    reference: str | Method | Calculator,
    store: LabelStore | None = None,
    retry_failed: bool = False,
    *,
    calculator: Calculator | None = None,
) -> LabelledFrames:
    """Energy, forces and, where the method has it, stress of every frame; nothing that `store` knows is
    computed.

    Parameters
    ----------
    frames : sequence of ase.Atoms
        Left as they are.
    reference : str, Method or ase Calculator
        A name of `quantum_method`, such a method with other settings, or any ASE calculator. Labels of a calculator are
        known by its class and `parameters`.
    store : LabelStore, optional
        Every label goes there as soon as it is made, failures with their reason. None: labels are not kept.
    retry_failed : bool
        Compute again what the store has as failed.
    calculator : ase Calculator, optional
        What computes the labels of a Method of your own, such as Method("mace", {"model": "2024-01-07"}).

    A calculator that raises, or returns numbers that are not finite, makes a failure and the next frame
    goes on.

    Raises
    ------
    InputError
        for an unknown method, or a store and a calculator without parameters, whose labels could not be told from those of
        another one of its class.
    MissingProgramError
        where the method's package is not installed.
    """
    method, calculator = _resolve(reference, calculator)
    if store is not None and calculator is reference and not method.settings:
        raise InputError(
            f"{method.name} has no parameters that would tell its labels from those of another {method.name}: say what it "
            f"is, as in label_frames(frames, Method({method.name!r}, {{'model': ...}}), store, calculator=...)"
        )
    labelled: list[ase.Atoms] = []
    places: list[int] = []
    failures: list[Failure] = []
    known: dict[str, Label] = {}
    computed, seconds = 0, 0.0
    keys = [label_key(atoms, method) for atoms in frames]
    for place, (atoms, key) in enumerate(zip(frames, keys, strict=True)):
        label = known.get(key) or (store.get(key) if store is not None else None)
        again = retry_failed and key not in known
        if label is None or (again and label.status is Status.FAILED):
            label = compute_label(atoms, method, calculator)
            computed, seconds = computed + 1, seconds + label.seconds
            if store is not None:
                store.put(key, atoms, label)
        known[key] = label
        if label.status is Status.DONE:
            labelled.append(with_label(atoms, label))
            places.append(place)
        else:
            failures.append(Failure(place, label.reason))
    return LabelledFrames(tuple(labelled), tuple(places), tuple(failures), computed, len(frames) - computed, seconds)


def compute_label(atoms: ase.Atoms, method: Method, calculator: Calculator) -> Label:
    """One label; whatever the calculator raises becomes a failed label with the message as its reason."""
    copy = atoms.copy()
    copy.calc = calculator
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results: dict[str, Any] = {"energy": copy.get_potential_energy(), "forces": copy.get_forces()}
            if all(copy.pbc) and "stress" in calculator.implemented_properties:
                results["stress"] = copy.get_stress()
    except Exception as error:
        seconds = time.perf_counter() - start
        calculator.reset()
        return Label(Status.FAILED, method, seconds, reason=f"{type(error).__name__}: {error}"[:500])
    return label_of_results(results, method, time.perf_counter() - start, len(atoms))


def calculator_method(calculator: Calculator, name: str | None = None) -> Method:
    """The method of an ASE calculator: its class name and those of its parameters that JSON can hold."""
    settings = {}
    for key, value in dict(getattr(calculator, "parameters", {})).items():
        try:
            settings[key] = json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError):
            settings[key] = repr(value)
    return Method(name or type(calculator).__name__, settings, {"ase": version("ase")})


def force_field_method(force_field: str | ForceField) -> Method:
    """The method of labels that LAMMPS makes with `force_field`, for `LabelStore`: its truncation and
    parameters.

    The parameters enter as a digest of the whole table, so that a changed number is another method.
    """
    field = get_force_field(force_field)
    tables = (
        field.atom_types,
        field.bonds,
        field.angles,
        field.dihedrals,
        field.mixing,
        field.special,
        field.units,
    )
    digest = hashlib.sha256(repr(tables).encode()).hexdigest()[:16]
    settings = {
        "form": type(field.truncation).__name__.lower(),
        "truncation": asdict(field.truncation),
        "parameters": digest,
    }
    return Method(field.name, settings, {"lammps": version("lammps")})


def _resolve(reference: str | Method | Calculator, calculator: Calculator | None) -> tuple[Method, Calculator]:
    if calculator is not None and not isinstance(reference, Method):
        raise InputError(f"calculator= belongs to a Method that says what it computes, got {reference!r}")
    if isinstance(reference, str):
        reference = quantum_method(reference)
    if isinstance(reference, Method):
        return reference, calculator if calculator is not None else quantum_calculator(reference)
    if not hasattr(reference, "get_potential_energy"):
        raise InputError(f"reference must be a method's name, a Method or an ASE calculator, got {reference!r}")
    return calculator_method(reference), reference
