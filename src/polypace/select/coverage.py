"""Where grades are high: by species, by position along the chain, by chain length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ase
import numpy as np
import numpy.typing as npt

PLACES = ("end", "next", "middle")


@dataclass(frozen=True)
class GradeSummary:
    """Grades of n environments: median, 99th percentile, largest, and the share above 1."""

    n: int
    median: float
    percentile_99: float
    largest: float
    share_above_one: float


def summarize_grades(
    frames: Sequence[ase.Atoms], grades: Sequence[npt.NDArray[np.float64]]
) -> dict[str, dict[str, GradeSummary]]:
    """Return summaries {"all" | "species" | "type" | "place" | "chain_length": {name: summary}}.

    Places along the chain ("end", "next" to it, "middle") and chain lengths come from `arrays["mol_id"]`, the atoms of
    a molecule in chain order as melts keep them; hydrogens do not count as places. Types from `arrays["type_name"]`.
    """
    groups: dict[str, dict[str, list[npt.NDArray[np.float64]]]] = {"all": {}}
    for atoms, values in zip(frames, grades, strict=True):
        for key, names in _names(atoms).items():
            for name in np.unique(names):
                if name:
                    groups.setdefault(key, {}).setdefault(str(name), []).append(values[names == name])
    return {
        key: {name: _summary(np.concatenate(parts)) for name, parts in sorted(group.items(), key=_by_number)}
        for key, group in groups.items()
    }


def chain_places(molecules: npt.NDArray[np.int64], is_backbone: npt.NDArray[np.bool_]) -> npt.NDArray[np.str_]:
    """(n_atoms,) "end", "next", "middle" of backbone atoms, "" of others, and of molecules of fewer than 3."""
    places = np.full(len(molecules), "", dtype="<U6")
    for molecule in np.unique(molecules):
        chain = np.flatnonzero((molecules == molecule) & is_backbone)
        if len(chain) < 3:
            continue
        places[chain] = "middle"
        places[chain[[1, -2]]] = "next"
        places[chain[[0, -1]]] = "end"
    return places


def _names(atoms: ase.Atoms) -> dict[str, npt.NDArray[np.str_]]:
    symbols = np.array(atoms.get_chemical_symbols())
    names = {"all": np.full(len(atoms), "all"), "species": symbols}
    if "type_name" in atoms.arrays:
        names["type"] = atoms.arrays["type_name"].astype(str)
    if "mol_id" in atoms.arrays:
        molecules, backbone = np.asarray(atoms.arrays["mol_id"]), symbols != "H"
        names["place"] = chain_places(molecules, backbone)
        lengths = np.bincount(molecules[backbone], minlength=molecules.max(initial=0) + 1)
        names["chain_length"] = lengths[molecules].astype(str)
    return names


def _summary(values: npt.NDArray[np.float64]) -> GradeSummary:
    return GradeSummary(
        n=len(values),
        median=float(np.median(values)),
        percentile_99=float(np.percentile(values, 99)),
        largest=float(values.max()),
        share_above_one=float(np.mean(values > 1)),
    )


def _by_number(item: tuple[str, object]) -> tuple[int, str]:
    name = item[0]
    if name in PLACES:
        return PLACES.index(name), name
    return (int(name), name) if name.isdigit() else (0, name)
