"""Linear chains: types, bonds and positions of one repeat after the other, for each kind of force field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace.errors import InputError
from polypace.forcefields import ForceField
from polypace.systems.hydrogens import add_hydrogens

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Chain:
    """Types and bonds (0-based, within the chain) of a linear chain; `backbone` lists its main-chain atoms
    in order.
    """

    types: tuple[str, ...]
    bonds: Integers
    backbone: Integers


def resolution(force_field: ForceField) -> str:
    """ "united-atom", "all-atom" or "bead" by the force field's types.

    Raises
    ------
    InputError
        where the force field's types are none of these.
    """
    names = {kind.name for kind in force_field.atom_types}
    for kind, needed in (("united-atom", {"CH2", "CH3"}), ("all-atom", {"CT2", "CT3"}), ("bead", {"bead"})):
        if needed <= names:
            return kind
    raise InputError(f"force field {force_field.name!r} has no types for linear chains; it has {sorted(names)}")


def linear_chain(length: int, force_field: ForceField) -> Chain:
    """A chain of `length` carbons or beads: CH4, or CH3-(CH2)n-CH3, with hydrogens where the force field
    has them.
    """
    kind = resolution(force_field)
    if length == 1 and kind == "all-atom" and "CT4" not in {of.name for of in force_field.atom_types}:
        raise InputError(f"force field {force_field.name!r} has no methane: chain_length must be at least 2, got 1")
    steps = np.arange(length)
    if kind == "bead":
        types = ("bead",) * length
    elif length == 1:
        types = ("CH4",)
    else:
        types = ("CH3", *("CH2",) * (length - 2), "CH3")
    if kind != "all-atom":
        return Chain(types, np.column_stack([steps[:-1], steps[1:]]), steps)
    names: list[str] = []
    bonds: list[tuple[int, int]] = []
    backbone: list[int] = []
    for group in types:
        n_hydrogens, carbon = int(group[2]), len(names)
        if backbone:
            bonds.append((backbone[-1], carbon))
        backbone.append(carbon)
        names += [f"CT{n_hydrogens}", *[f"HC{n_hydrogens}"] * n_hydrogens]
        bonds += [(carbon, carbon + k) for k in range(1, n_hydrogens + 1)]
    return Chain(tuple(names), np.array(bonds, dtype=np.int64).reshape(-1, 2), np.array(backbone))


def chain_positions(backbone: Floats, force_field: ForceField) -> Floats:
    """Positions of every atom of a chain from those of its main chain, ordered as `linear_chain` does."""
    return add_hydrogens(backbone[None])[0] if resolution(force_field) == "all-atom" else backbone
