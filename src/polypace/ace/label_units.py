"""Do all labels have the same units? Sets that were put together from several programs often do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ase
import numpy as np
import numpy.typing as npt

from polypace.ace.labels import Frames, Labels, frame_name
from polypace.ace.potential import Potential
from polypace.errors import InputError

# How many times larger numbers in another unit are, for energies and forces.
CONVERSIONS = {
    "energies": {"Hartree": 27.2114, "kcal/mol": 23.0605, "kJ/mol": 96.4853, "Rydberg": 13.6057},
    "forces": {
        "Hartree/bohr": 51.4221,
        "Hartree/Å": 27.2114,
        "kcal/mol/Å": 23.0605,
        "kJ/mol/Å": 96.4853,
        "Rydberg/bohr": 25.7110,
        "Rydberg/Å": 13.6057,
        "kJ/mol/nm": 9.64853,
    },
}
NAMES = ("units", "energy_units", "force_units")  # keys of `info` where a frame says its units
ELECTRON_VOLT = {"ev", "metal", "ase", "ev/ang", "ev/angstrom", "ev/å"}
AGREEMENT = 0.04  # of a ratio with a conversion factor
SPREAD = 1.5  # largest ratio within a group of frames that stands apart
SPREAD_OF_FITTED, AGREEMENT_OF_FITTED = 3.0, 0.25  # the same, of forces against those that a poor fit says
LEAST_CORRELATION = 0.5  # of forces with fitted ones for a frame to say something
SUSPICIOUS = 0.2  # relative force error of a fit above which units are looked at again


@dataclass
class UnitCheck:
    """Sizes of the labels of all frames: energies per atom |E|/N and root mean square forces."""

    sizes: dict[str, list[float]] = field(default_factory=lambda: {"energies": [], "forces": []})
    frames: dict[str, list[str]] = field(default_factory=lambda: {"energies": [], "forces": []})

    def add(self, atoms: ase.Atoms, labels: Labels, name: str) -> None:
        """Note one frame; `name` stands for it in messages.

        Raises
        ------
        InputError
            where its `info` names other units than eV and Å.
        """
        for key in NAMES:
            said: Any = atoms.info.get(key)
            if isinstance(said, str):
                if said.strip().lower() not in ELECTRON_VOLT:
                    raise InputError(
                        f"{name}: {key} is {said!r}, but labels must be in eV and Å: convert them, then set it to 'eV'"
                    )
                return  # what a frame says itself needs no guess
        if labels.energy:
            self._note("energies", abs(labels.energy) / len(atoms), name)
        if labels.forces is not None and np.any(labels.forces):
            self._note("forces", float(np.sqrt(np.mean(labels.forces**2))), name)

    def finish(self, spread: float = SPREAD, agreement: float = AGREEMENT) -> None:
        """Raise InputError where the sizes fall into two groups whose ratio is a conversion factor of units."""
        for quantity, sizes in self.sizes.items():
            split = _two_groups(np.array(sizes), spread)
            if split is None:
                continue
            ratio, large = split
            frames = np.array(self.frames[quantity])
            off, unit = min((abs(ratio / factor - 1), unit) for unit, factor in CONVERSIONS[quantity].items())
            if off < agreement:
                raise InputError(
                    f"{quantity} of {np.count_nonzero(large)} frames (the first: {frames[large][0]}) are "
                    f"{ratio:.1f} times those of {np.count_nonzero(~large)} others (the first: "
                    f"{frames[~large][0]}), the ratio of {unit} and eV: labels of mixed units? Convert all to eV "
                    "and Å, or, if they are right, set info['units'] = 'eV' in every frame"
                )

    def _note(self, quantity: str, size: float, name: str) -> None:
        self.sizes[quantity].append(size)
        self.frames[quantity].append(name)


def check_fitted_forces(frames: Frames, potential: Potential, *, n_threads: int = 0) -> None:
    """Raise InputError where forces of some frames are a conversion factor of units times what a fit to all says.

    The size of forces varies with the structure, but how many times the fitted ones they are does not: that tells mixed
    units in data of which `UnitCheck`, before the fit, can only see that forces differ.
    """
    from polypace.ace.fit_metrics import compare_frames

    check = UnitCheck()
    for index, comparison in enumerate(compare_frames(frames, potential, n_threads=n_threads)):
        if "forces" not in comparison.values or any(key in comparison.atoms.info for key in NAMES):
            continue
        reference, predicted = comparison.values["forces"]
        product, square = float(np.sum(reference * predicted)), float(np.sum(predicted**2))
        if product > LEAST_CORRELATION * np.sqrt(square * float(np.sum(reference**2))):
            check._note("forces", product / square, frame_name(frames, index))
    check.finish(SPREAD_OF_FITTED, AGREEMENT_OF_FITTED)


def _two_groups(sizes: npt.NDArray[np.float64], spread: float) -> tuple[float, npt.NDArray[np.bool_]] | None:
    """Ratio of the medians and the larger ones, where two narrow groups stand far apart."""
    if len(sizes) < 4:
        return None
    order = np.sort(np.log(sizes))
    gap = int(np.argmax(np.diff(order)))
    if order[gap + 1] - order[gap] < np.log(5) or not 1 <= gap <= len(order) - 3:  # two frames at least on each side
        return None
    low, high = order[: gap + 1], order[gap + 1 :]
    widths = [np.percentile(part, 90) - np.percentile(part, 10) for part in (low, high)]
    if max(widths) > np.log(spread):
        return None
    return float(np.exp(np.median(high) - np.median(low))), np.asarray(np.log(sizes) > order[gap])
