"""Labels under names of one's own, as in `REF_energy` or `dft_forces` of other programs' extxyz files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from polypace.errors import InputError

if TYPE_CHECKING:
    import ase


@dataclass(frozen=True)
class LabelKeys:
    """Where labels stand: energy and stress in `atoms.info`, forces in `atoms.arrays`; None: where ASE puts them.

    energy : eV
    forces : eV/Å
    stress : eV/Å³, ASE's sign
    virial : −stress · volume, eV
    """

    energy: str | None = None
    forces: str | None = None
    stress: str | None = None
    virial: str | None = None

    def given(self) -> dict[str, str]:
        """Quantity → key, of those that have one."""
        named = {one.name: getattr(self, one.name) for one in fields(self)}
        return {quantity: key for quantity, key in named.items() if key is not None}

    def relabel(self, atoms: ase.Atoms) -> tuple[ase.Atoms, set[str]]:
        """A copy whose labels are those under the keys, and the keys that the frame has."""
        from ase.calculators.singlepoint import SinglePointCalculator

        results = dict(getattr(atoms.calc, "results", {}) if atoms.calc is not None else {})
        copy, found = atoms.copy(), set()
        for quantity, key in self.given().items():
            results.pop(quantity, None)
            value = (atoms.arrays if quantity == "forces" else atoms.info).get(key)
            if value is None:
                continue
            found.add(key)
            if quantity == "virial":
                copy.info["virial"] = value
                results.pop("stress", None)
            else:
                results[quantity] = value
        copy.calc = SinglePointCalculator(copy)
        copy.calc.results.update(results)
        return copy, found


@dataclass(frozen=True)
class RelabelledFrames:
    """Frames as `keys` label them, as often as they are gone through.

    Going through them raises InputError at the end where no frame had one of the keys.
    """

    frames: Iterable[ase.Atoms]
    keys: LabelKeys
    name_of: Callable[[int], str]

    def __iter__(self) -> Iterator[ase.Atoms]:
        missing = set(self.keys.given().values())
        for atoms in self.frames:
            relabelled, found = self.keys.relabel(atoms)
            missing -= found
            yield relabelled
        if missing:
            raise InputError(f"no frame has labels under {', '.join(sorted(missing))}: correct the spelling of the key")
