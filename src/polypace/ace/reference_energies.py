"""The constant energy per element that a fit leaves out of the expansion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from polypace.errors import InputError

E0Choice = Literal["least_squares"] | Mapping[str, float] | float


def least_squares_energies(
    compositions: npt.NDArray[np.float64], energies: npt.NDArray[np.float64], elements: Sequence[str]
) -> dict[str, float]:
    """Energies e (eV per element) with Σ_el n_el e_el ≈ E, all frames at once.

    compositions : (n_frames, n_elements), atoms of every element
    energies : (n_frames,), eV

    The mean energy per atom ē is taken off first, and what then is left is solved with the smallest norm. Where the
    compositions do not tell the elements apart (one stoichiometry only), all get ē, so that molecules of another
    composition are not shifted against each other by an accident of the data.
    """
    n_atoms = compositions.sum(axis=1)
    mean = float(energies @ n_atoms / (n_atoms @ n_atoms)) if len(energies) else 0.0
    fractions = compositions / n_atoms[:, None]
    offsets, *_ = np.linalg.lstsq(fractions, energies / n_atoms - mean, rcond=1e-6)
    return {el: mean + float(offset) for el, offset in zip(elements, offsets, strict=True)}


def given_energies(e0: Mapping[str, float] | float, elements: Sequence[str]) -> dict[str, float]:
    """The user's choice for every element; a number holds for all.

    Raises
    ------
    InputError
        for elements that a mapping leaves out, names that are no elements, and energies that are not finite.
    """
    from ase.data import atomic_numbers

    if not isinstance(e0, Mapping):
        e0 = dict.fromkeys(elements, float(e0))
    unknown = sorted(str(el) for el in e0 if atomic_numbers.get(el, 0) < 1)
    if unknown:
        raise InputError(f"e0 names {', '.join(unknown)}, which are no chemical elements")
    infinite = {el: value for el, value in e0.items() if not np.isfinite(value)}
    if infinite:
        raise InputError(f"e0 must be finite (eV), got {infinite}")
    missing = [el for el in elements if el not in e0]
    if missing:
        raise InputError(f"e0 must name every element of the basis, {missing} are missing from {dict(e0)}")
    return {el: float(e0[el]) for el in elements}
