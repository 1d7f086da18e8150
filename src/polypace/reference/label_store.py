"""Labels by content: the same geometry and method are never computed twice, also after a crash."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import ase
import numpy as np
import numpy.typing as npt
from ase.calculators.singlepoint import SinglePointCalculator

from polypace.errors import FileFormatError, InputError


class Status(str, Enum):
    """How a label ended."""

    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Method:
    """How labels are made: a name, the settings that change numbers (JSON values), versions for the record.

    Two methods are the same where name and settings are; versions are provenance only.
    """

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            json.dumps(self.settings, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InputError(f"settings of method {self.name!r} must be JSON values: {error}") from None

    @property
    def identity(self) -> str:
        """Name and settings as one line of text."""
        return json.dumps([self.name, self.settings], sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class Label:
    """One label: energy (eV), forces (n, 3) (eV/Å), stress (6,) (eV/Å³, ASE's sign and order) or None where
    the method has none, seconds of computing; or, where `status` is failed, the reason.
    """

    status: Status
    method: Method
    seconds: float
    energy: float | None = None
    forces: npt.NDArray[np.float64] | None = None
    stress: npt.NDArray[np.float64] | None = None
    reason: str = ""


class LabelStore:
    """A folder with one JSON file per label, named by the hash of geometry and method.

    Files appear complete or not at all (written beside, then renamed), so that any number of processes may
    write and any may be killed. Numbers are kept to the last digit.

    Parameters
    ----------
    path : str or Path
        Folder; made where it is missing.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.mkdir(parents=True, exist_ok=True)

    def key(self, atoms: ase.Atoms, method: Method) -> str:
        """SHA-256 of chemical symbols, type names, positions, cell, periodicity, initial charges and magnetic moments
        (where there are any) and the method's identity.

        Positions and cell count to the last bit: a frame that was rounded is another frame.
        """
        return label_key(atoms, method)

    def get(self, key: str) -> Label | None:
        """The label under `key`, or None.

        Raises
        ------
        FileFormatError
            where its file is damaged; delete the file to have the label made again.
        """
        file = self._file(key)
        try:
            record = json.loads(file.read_text())
            return _label_of(record["label"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise FileFormatError(f"{file}: damaged label ({error!r}); delete the file to have it made again") from None

    def put(self, key: str, atoms: ase.Atoms, label: Label) -> None:
        """Keep `label` of `atoms` under `key`, replacing what is there.

        Raises
        ------
        InputError
            where a finished label has numbers that are not finite or arrays of another size.
        """
        _check(atoms, label)
        file = self._file(key)
        file.parent.mkdir(exist_ok=True)
        record = {"key": key, "atoms": _record_of_atoms(atoms), "label": _record_of(label)}
        beside = file.with_name(f".{key}.{os.getpid()}.{uuid.uuid4().hex}")
        try:
            with beside.open("w") as handle:
                json.dump(record, handle, allow_nan=False)
                handle.flush()
                os.fsync(handle.fileno())
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)

    def missing(self, frames: Sequence[ase.Atoms], method: Method, failed: bool = False) -> list[int]:
        """Places of the frames without a label, each geometry once; with `failed`, also of those that
        failed.
        """
        places, seen = [], set()
        for place, atoms in enumerate(frames):
            key = self.key(atoms, method)
            label = self.get(key)
            absent = label is None or (failed and label.status is Status.FAILED)
            if absent and key not in seen:
                places.append(place)
            seen.add(key)
        return places

    def put_labelled(self, atoms: ase.Atoms, labelled: ase.Atoms, method: Method, seconds: float) -> None:
        """Keep the results that `labelled.calc` holds as the label of `atoms`; what is not finite is a
        failure.
        """
        results = labelled.calc.results if labelled.calc is not None else {}
        self.put(self.key(atoms, method), atoms, label_of_results(results, method, seconds, len(atoms)))

    def collect(self, frames: Sequence[ase.Atoms], method: Method) -> list[ase.Atoms]:
        """Copies of the frames that have a finished label, with it in `calc.results`; the others are left
        out.
        """
        labels = [self.get(self.key(atoms, method)) for atoms in frames]
        return [
            with_label(atoms, label)
            for atoms, label in zip(frames, labels, strict=True)
            if label is not None and label.status is Status.DONE
        ]

    def keys(self) -> Iterator[str]:
        """Every key, in order."""
        return (file.stem for file in sorted(self.path.glob("[0-9a-f][0-9a-f]/*.json")))

    def __len__(self) -> int:
        return sum(1 for _ in self.keys())

    def __contains__(self, key: str) -> bool:
        return self._file(key).exists()

    def _file(self, key: str) -> Path:
        if len(key) != 64 or set(key) - set("0123456789abcdef"):
            raise InputError(f"key must be 64 hexadecimal digits as LabelStore.key makes them, got {key!r}")
        return self.path / key[:2] / f"{key}.json"


def label_key(atoms: ase.Atoms, method: Method) -> str:
    """SHA-256 of geometry and method, see `LabelStore.key`."""
    digest = hashlib.sha256()
    for part in _geometry(atoms):
        digest.update(len(part).to_bytes(8, "little") + part)
    digest.update(method.identity.encode())
    return digest.hexdigest()


def with_label(atoms: ase.Atoms, label: Label) -> ase.Atoms:
    """A copy of `atoms` with the label in `calc.results` and its provenance in `info` (label_method,
    label_seconds).
    """
    labelled: ase.Atoms = atoms.copy()
    results = {"energy": label.energy, "forces": label.forces, "stress": label.stress}
    labelled.calc = SinglePointCalculator(labelled, **{k: v for k, v in results.items() if v is not None})
    labelled.info["label_method"] = label.method.name
    labelled.info["label_seconds"] = label.seconds
    return labelled


def label_of_results(results: dict[str, Any], method: Method, seconds: float, n_atoms: int) -> Label:
    """A label from ASE results; failed where energy or forces are missing or not finite."""
    try:
        energy = float(results["energy"])
        forces = np.array(results["forces"], dtype=np.float64).reshape(n_atoms, 3)
        stress = np.array(results["stress"], dtype=np.float64).reshape(6) if "stress" in results else None
    except (KeyError, TypeError, ValueError) as error:
        return Label(Status.FAILED, method, seconds, reason=f"energy or forces are missing: {error!r}")
    finite = np.isfinite(energy) and np.isfinite(forces).all() and (stress is None or np.isfinite(stress).all())
    if not finite:
        return Label(Status.FAILED, method, seconds, reason="energy, forces or stress are not finite")
    return Label(Status.DONE, method, seconds, energy, forces, stress)


def _geometry(atoms: ase.Atoms) -> list[bytes]:
    """What makes two structures the same; adding 0.0 makes −0.0 and 0.0 one."""
    names = atoms.arrays["type_name"] if "type_name" in atoms.arrays else ()
    states = [np.asarray(atoms.arrays.get(f"initial_{what}", 0.0), dtype="<f8") for what in ("charges", "magmoms")]
    return [
        np.asarray(atoms.numbers, dtype="<i8").tobytes(),
        "\n".join(map(str, names)).encode(),
        (np.asarray(atoms.positions, dtype="<f8") + 0.0).tobytes(),
        (np.asarray(atoms.cell.array, dtype="<f8") + 0.0).tobytes(),
        np.asarray(atoms.pbc, dtype="u1").tobytes(),
        *(state.tobytes() for state in (states if np.any([np.any(state) for state in states]) else ())),
    ]


def _check(atoms: ase.Atoms, label: Label) -> None:
    if label.status is not Status.DONE:
        return
    checked = label_of_results(
        {"energy": label.energy, "forces": label.forces}
        | ({"stress": label.stress} if label.stress is not None else {}),
        label.method,
        label.seconds,
        len(atoms),
    )
    if checked.status is not Status.DONE:
        raise InputError(f"a finished label must be complete and finite: {checked.reason}")


def _record_of_atoms(atoms: ase.Atoms) -> dict[str, Any]:
    record = {
        "symbols": atoms.get_chemical_symbols(),
        "positions": atoms.positions.tolist(),
        "cell": atoms.cell.array.tolist(),
        "pbc": [bool(p) for p in atoms.pbc],
    }
    if "type_name" in atoms.arrays:
        record["type_name"] = [str(name) for name in atoms.arrays["type_name"]]
    return record


def _record_of(label: Label) -> dict[str, Any]:
    return {
        "status": label.status.value,
        "method": asdict(label.method),
        "seconds": label.seconds,
        "energy": label.energy,
        "forces": None if label.forces is None else np.asarray(label.forces).tolist(),
        "stress": None if label.stress is None else np.asarray(label.stress).tolist(),
        "reason": label.reason,
    }


def _label_of(record: dict[str, Any]) -> Label:
    arrays = {
        name: None if record[name] is None else np.array(record[name], dtype=np.float64)
        for name in ("forces", "stress")
    }
    return Label(
        Status(record["status"]),
        Method(**record["method"]),
        float(record["seconds"]),
        record["energy"],
        arrays["forces"],
        arrays["stress"],
        record["reason"],
    )
