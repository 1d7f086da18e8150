"""What one call of `carve_clusters` was asked for, checked and completed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from polypace.errors import InputError
from polypace.melt import Melt

Mode = Literal["capped", "whole-molecules", "periodic"]
Labels = Literal["cluster", "inherited"]
OnExcess = Literal["shrink", "error"]

#: One carbon-carbon bond, rounded up: how far inside of the buffer's surface a cut can change something.
CUT_DEPTH = 1.6  # Å


@dataclass(frozen=True)
class CarveSettings:
    """What one call of `carve_clusters` was asked for, checked and completed."""

    core_radius: float
    buffer_radius: float
    mode: Mode
    labels: Labels
    cutoff: float
    reference_cutoff: float | None
    source: str
    united: bool

    @property
    def intact_radius(self) -> float:
        """Å: the sphere that must be whole for a force to count.

        For inherited labels the reference's own cutoff, and twice the potential's: the gradient on an atom
        contains the site energies of its neighbours, which see their own neighbours.
        """
        if self.labels == "cluster":
            return self.cutoff
        return max(2 * self.cutoff, self.reference_cutoff or 0.0)


def check_settings(
    melt: Melt,
    core_radius: float,
    buffer_radius: float,
    mode: Mode,
    cutoff: float | None,
    labels: Labels,
    reference_cutoff: float | None,
    source: str | None,
    united: bool,
) -> CarveSettings:
    check_one_of("mode", mode, Mode)
    check_one_of("labels", labels, Labels)
    if not 0 <= core_radius <= buffer_radius < np.inf or buffer_radius == 0:
        raise InputError(
            f"core_radius must lie between 0 and buffer_radius (Å), got core_radius={core_radius} and "
            f"buffer_radius={buffer_radius}"
        )
    if labels == "inherited":
        if cutoff is None or reference_cutoff is None:
            raise InputError("inherited labels need cutoff= (of the potential) and reference_cutoff= (of the labels)")
        if melt.atoms.calc is None or "forces" not in melt.atoms.calc.results:
            raise InputError("inherited labels need forces: melt.atoms carries no calculator with results")
    chosen = buffer_radius - core_radius - CUT_DEPTH if cutoff is None else cutoff
    if not 0 < chosen < np.inf:
        derived = f" = buffer_radius − core_radius − {CUT_DEPTH}; raise buffer_radius or give cutoff="
        raise InputError(f"cutoff must be positive, got {chosen:.6g} Å{derived if cutoff is None else ''}")
    name = str(melt.atoms.info.get("source", "")) if source is None else source
    return CarveSettings(
        float(core_radius), float(buffer_radius), mode, labels, float(chosen), reference_cutoff, name, united
    )


def check_one_of(name: str, value: str, choices: object) -> None:
    allowed = get_args(choices)
    if value not in allowed:
        raise InputError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
