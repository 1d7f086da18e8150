"""Weights that keep a few violent contacts from outweighing everything else in a fit."""

from __future__ import annotations

from collections.abc import Sequence

import ase
import numpy as np

from polypace.errors import InputError


def weighted_by_force(frames: Sequence[ase.Atoms], scale: float = 2.0) -> list[ase.Atoms]:
    """Copies of labelled frames with `arrays["force_weight"]` = w_i / (1 + (|F_i|/scale)²) and
    `info["energy_weight"]`.

    w_i is the weight that was there, or 1; the energy's weight is multiplied by the mean of 1 / (1 +
    (|F_i|/scale)²). With `scale` (eV/Å) a few times the rms force of the liquid (0.65), equilibrium frames
    keep their weight, and an atom at 20 eV/Å counts a hundredth: the fit has to be repulsive there, and
    right to some percent, not to 0.01 eV/Å.

    Raises
    ------
    InputError
        for a scale that is not positive, or a frame without forces.
    """
    if not scale > 0:
        raise InputError(f"scale must be above 0 eV/Å, got {scale}")
    weighted = []
    for place, atoms in enumerate(frames):
        if atoms.calc is None or "forces" not in atoms.calc.results:
            raise InputError(f"frame {place} has no forces (atoms.calc.results); label it first")
        forces = np.asarray(atoms.calc.results["forces"])
        factor = 1 / (1 + np.sum(forces**2, axis=1) / scale**2)
        copy = atoms.copy()
        copy.calc = atoms.calc
        copy.arrays["force_weight"] = atoms.arrays.get("force_weight", np.ones(len(atoms))) * factor
        copy.info["energy_weight"] = float(atoms.info.get("energy_weight", 1.0) * factor.mean())
        weighted.append(copy)
    return weighted
