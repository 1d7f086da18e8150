"""Extended XYZ, read fast: the compiled core reads the lines of atoms, and what is unusual is left to ASE."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from polypace._core import trajectory
from polypace.units import VOIGT

if TYPE_CHECKING:
    import ase

_PAIR = re.compile(r"""([A-Za-z_][\w.-]*)=(?:"([^"\\]+)"|([^\s"'\\{}\[\]=]+))(?:\s+|$)""", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_REAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
# With a letter that no number has, and no logical.
_TEXT = re.compile(
    r"(?!(?:[+-]?(?:nan|inf|infinity)|[tf]|true|false)$)[\w.:/@+-]*[a-df-z][\w.:/@+-]*", re.ASCII | re.IGNORECASE
)
_LOGICAL = {word: word[0] in "Tt" for word in ("T", "F", "true", "false", "True", "False", "TRUE", "FALSE")}
_MATRICES = ("Lattice", "stress", "virial")
# Columns and keys that ASE treats in ways of its own.
_SPECIAL_COLUMNS = {"Z", "numbers", "symbols", "positions", "charge", "charges", "initial_charges", "move_mask"}
_RESULTS = {"energy", "free_energy", "stress"}


class UnusualError(Exception):
    """The frame has something that only ASE reads."""


def iterate_extxyz(path: Path) -> Iterator[ase.Atoms]:
    """The frames that `ase.io.iread` gives, one in memory at a time; from the first unusual one on they are ASE's."""
    number = 0
    with path.open("rb") as file:
        header = file.readline()
        while n_atoms := _count(header):
            try:
                atoms = _read_frame(file.readline(), list(islice(file, n_atoms)), n_atoms)
            except UnusualError:
                break
            header = file.readline()
            if header and not _count(header):  # something of this frame still
                break
            yield atoms
            number += 1
        if not header:
            return
    import ase.io

    yield from ase.io.iread(path, index=f"{number}:")


def _count(line: bytes) -> int:
    return int(line) if line.strip().isdigit() else 0


def _read_frame(comment: bytes, lines: list[bytes], n_atoms: int) -> ase.Atoms:
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    if len(lines) < n_atoms:
        raise UnusualError
    info = _read_comment(comment)
    layout = _layout(info.pop("Properties", "species:S:1:pos:R:3"))
    read = trajectory.read_extxyz_rows(b"".join(lines), layout.kinds, n_atoms)
    if read is None:
        raise UnusualError
    arrays = layout.arrays(*read)
    results = {name: info.pop(name) for name in sorted(_RESULTS & info.keys())}
    if "stress" in results:
        results["stress"] = results["stress"].ravel()[VOIGT]
    cell = info.pop("Lattice", None)
    atoms = Atoms(
        numbers=_numbers(*read[2][layout.species]),
        positions=arrays.pop("pos"),
        cell=None if cell is None else cell.T,
        pbc=info.pop("pbc", None if cell is None else True),
        info=info,
    )
    names = _ase_properties()
    results |= {name: arrays.pop(name) for name in list(arrays) if name in names}
    if names & info.keys():
        raise UnusualError
    atoms.arrays.update(arrays)
    if results:
        atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def _numbers(words: list[str], places: Any) -> Any:
    from ase.data import atomic_numbers

    try:
        return np.array([atomic_numbers[word.capitalize()] for word in words])[places]
    except KeyError:
        raise UnusualError from None


@lru_cache(maxsize=1)
def _ase_properties() -> frozenset[str]:
    from ase.calculators.calculator import all_properties

    return frozenset(all_properties)


@dataclass(frozen=True)
class _Layout:
    """Columns of a frame: (name, kind, first among those of the kind, how many)."""

    columns: tuple[tuple[str, str, int, int], ...]
    kinds: str
    species: int  # which of the columns of words

    def arrays(self, reals: Any, integers: Any, words: list[tuple[list[str], Any]]) -> dict[str, Any]:
        """Every column but the species by its name."""
        result = {}
        for name, kind, first, width in self.columns:
            if kind == "S":
                distinct, places = words[first]
                result[name] = np.array(distinct, dtype=object)[places]
            else:
                block = (reals if kind == "R" else integers)[:, first : first + width]
                result[name] = np.array(block[:, 0] if width == 1 else block, order="C")
        del result["species"]
        return result


@lru_cache(maxsize=32)
def _layout(properties: str) -> _Layout:
    fields = properties.split(":")
    triples = list(zip(fields[::3], fields[1::3], fields[2::3], strict=False))
    counts = {"S": 0, "R": 0, "I": 0}
    columns = []
    for name, kind, width in triples:
        if kind not in counts or not re.fullmatch(r"[1-9]\d?", width) or (kind == "S" and width != "1"):
            raise UnusualError
        columns.append((name, kind, counts[kind], int(width)))
        counts[kind] += int(width)
    found = {name: (kind, first, width) for name, kind, first, width in columns}
    usual = "species" in found and found["species"][0] == "S" and found.get("pos", ("", 0, 0))[::2] == ("R", 3)
    if not usual or len(fields) % 3 or len(found) < len(columns) or _SPECIAL_COLUMNS & found.keys():
        raise UnusualError
    kinds = "".join(kind * width for _, kind, _, width in columns)
    return _Layout(tuple(columns), kinds, found["species"][1])


def _read_comment(line: bytes) -> dict[str, Any]:
    try:
        text = line.decode("ascii").strip()
    except UnicodeDecodeError:
        raise UnusualError from None
    info: dict[str, Any] = {}
    place = 0
    while place < len(text):
        pair = _PAIR.match(text, place)
        if pair is None or pair[1].lower() == "uid":
            raise UnusualError
        place = pair.end()
        value = _value(pair[2] or pair[3])
        if pair[1] in _MATRICES:
            if np.shape(value) != (9,):
                raise UnusualError
            value = value.reshape((3, 3), order="F")
        info[pair[1]] = value
    if not isinstance(info.get("Properties", ""), str):
        raise UnusualError
    return info


def _value(text: str) -> Any:
    """Integers, else reals, else logicals, else the text itself; several numbers are an array."""
    words = text.replace(",", " ").split()
    if not words or words[0] == "_JSON":
        raise UnusualError
    if all(map(_INTEGER.fullmatch, words)) or all(map(_REAL.fullmatch, words)):
        numbers = np.array(words, dtype=int if all(map(_INTEGER.fullmatch, words)) else float)
        return numbers[0] if len(words) == 1 else numbers
    if all(word in _LOGICAL for word in words):
        logicals = [_LOGICAL[word] for word in words]
        return logicals[0] if len(words) == 1 else logicals
    if any(map(_TEXT.fullmatch, words)):
        return text
    raise UnusualError
