"""Type names of cut ends: what a force field calls a carbon that lost a neighbour and gained a hydrogen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace.errors import InputError
from polypace.melt import Melt

Integers = npt.NDArray[np.int64]


class EndGroups:
    """Knows what every type becomes when it is cut, from the melt's own chain ends.

    A carbon of a melt with explicit hydrogens that has n_H hydrogens and n_C heavy neighbours becomes, with k
    bonds cut, what the melt calls a carbon with n_H + k and n_C − k; a united atom what the melt calls one
    with n_C − k, or by its name (CH2 → CH3).

    Parameters
    ----------
    end_types : mapping, optional
        Type → type after one cut, for carbons and hydrogens; goes before what the melt shows.
    """

    def __init__(self, melt: Melt, united: bool, end_types: Mapping[str, str] | None) -> None:
        self.names = list(dict.fromkeys(melt.types))
        self._codes = {name: code for code, name in enumerate(self.names)}
        self.codes = np.array([self._codes[name] for name in melt.types], dtype=np.int64)
        self._united = united
        self._end_types = dict(end_types or {})
        self._numbers = melt.atoms.numbers
        self._neighborhood = _Neighborhood.of(melt)
        self._carbons = self._seen_carbons()
        self._hydrogens = self._seen_hydrogens(melt)
        self.is_hydrogen = self._numbers == 1

    def signatures(self, atoms: Integers, n_cuts: Integers) -> list[tuple[int, int, int, int]]:
        """What the new type of cut atoms depends on: (type, hydrogens, heavy neighbours, cuts)."""
        columns = (
            self.codes[atoms],
            self._neighborhood.n_hydrogens[atoms],
            self._neighborhood.n_heavy[atoms],
            n_cuts,
        )
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def carbon_after_cuts(self, atom: int, n_cuts: int) -> int:
        """Code of the type of `atom` (of the melt) after `n_cuts` of its bonds were cut."""
        name = self.names[self.codes[atom]]
        if name in self._end_types:
            for _ in range(n_cuts):
                name = self._end_types.get(name, name)
            return self._code(name)
        hydrogens = int(self._neighborhood.n_hydrogens[atom]) + (0 if self._united else n_cuts)
        heavy = int(self._neighborhood.n_heavy[atom]) - n_cuts
        candidates = self._carbons.get((hydrogens, heavy), set())
        if len(candidates) == 1:
            return next(iter(candidates))
        by_name = _with_hydrogens(name, n_cuts) if self._united else None
        if by_name is not None and (not candidates or self._codes.get(by_name) in candidates):
            return self._code(by_name)
        found = sorted(self.names[code] for code in candidates) or "no such atom"
        raise InputError(
            f"the type of a {name!r} atom with {n_cuts} of its bonds cut is not known (atoms of the melt "
            f'with that many neighbours: {found}); give it, end_types={{"{name}": "…"}}'
        )

    def hydrogen_on(self, carbon_code: int, sibling_code: int | None) -> int:
        """Code of the type of a hydrogen on such a carbon; `sibling_code`: a hydrogen there before."""
        if sibling_code is not None and self.names[sibling_code] in self._end_types:
            return self._code(self._end_types[self.names[sibling_code]])
        seen = self._hydrogens.get(carbon_code, set())
        if len(seen) == 1:
            return next(iter(seen))
        if sibling_code is not None:
            return sibling_code
        found = sorted(self.names[code] for code in seen) or "none"
        raise InputError(
            f"the type of a hydrogen cap on a {self.names[carbon_code]!r} atom is not known (hydrogens on "
            f"such atoms in the melt: {found}); include a chain end in the melt"
        )

    def _code(self, name: str) -> int:
        if name not in self._codes:
            self._codes[name] = len(self.names)
            self.names.append(name)
        return self._codes[name]

    def _seen_carbons(self) -> dict[tuple[int, int], set[int]]:
        """(hydrogens, heavy neighbours) → codes of the carbons that have so many."""
        carbons = np.flatnonzero(self._numbers == 6)
        rows = np.column_stack(
            [
                self._neighborhood.n_hydrogens[carbons],
                self._neighborhood.n_heavy[carbons],
                self.codes[carbons],
            ]
        )
        seen: dict[tuple[int, int], set[int]] = {}
        for hydrogens, heavy, code in _distinct(rows):
            seen.setdefault((hydrogens, heavy), set()).add(code)
        return seen

    def _seen_hydrogens(self, melt: Melt) -> dict[int, set[int]]:
        """Carbon code → codes of the hydrogens on such carbons."""
        both = np.concatenate([melt.bonds, melt.bonds[:, ::-1]])
        pairs = both[(self._numbers[both[:, 0]] == 6) & (self._numbers[both[:, 1]] == 1)]
        seen: dict[int, set[int]] = {}
        for carbon, hydrogen in _distinct(self.codes[pairs]):
            seen.setdefault(carbon, set()).add(hydrogen)
        return seen


@dataclass(frozen=True)
class _Neighborhood:
    n_hydrogens: Integers
    n_heavy: Integers

    @classmethod
    def of(cls, melt: Melt) -> _Neighborhood:
        n_atoms = len(melt.atoms)
        is_hydrogen = melt.atoms.numbers == 1
        ends, others = melt.bonds.T.ravel(), melt.bonds[:, ::-1].T.ravel()
        n_hydrogens = np.bincount(ends[is_hydrogen[others]], minlength=n_atoms)
        n_heavy = np.bincount(ends[~is_hydrogen[others]], minlength=n_atoms)
        return cls(n_hydrogens, n_heavy)


def _distinct(rows: Integers) -> list[list[int]]:
    """Distinct rows of small non-negative integers, sorted; far faster than np.unique(axis=0)."""
    if not len(rows):
        return []
    extents = rows.max(axis=0) + 1
    keys = np.unique(np.ravel_multi_index(tuple(rows.T), tuple(extents)))
    return [list(map(int, row)) for row in zip(*np.unravel_index(keys, tuple(extents)), strict=True)]


def _with_hydrogens(name: str, n_more: int) -> str | None:
    """CH2 → CH3 and so on; None for names that do not say how many hydrogens they hold."""
    match = re.fullmatch(r"C(H\d?)?", name)
    if match is None:
        return None
    total = n_more + (0 if match[1] is None else int(match[1][1:] or 1))
    return "CH" if total == 1 else f"CH{total}"
