"""The long-range part of the dispersion as a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from polypace.errors import InputError
from polypace.forcefields import ForceField, TraPPEUA, get_force_field
from polypace.reference.baseline import Floats, Integers, PairBaseline, smooth_rise
from polypace.reference.interactions import pair_coefficients


@dataclass(frozen=True)
class DispersionTail(PairBaseline):
    """Lennard-Jones switched on between `s_in` and `s_out` and tapered to zero between `r_in` and `r_out`
    (Å).

    E = Σ_{i<j} u(x) T(y) 4ε [(σ/r)¹² − (σ/r)⁶], with u(x) = x³ (10 − 15x + 6x²), x = (r − s_in)/(s_out −
    s_in) and T(y) = (1 − y)³ (1 + 3y + 6y²), y = (r − r_in)/(r_out − r_in), both clamped to 0…1: twice
    differentiable. Beyond `s_out` this is LAMMPS `lj/mdf r_in r_out`, with the ε and σ of `force_field`;
    within `s_in`, where all bonded pairs are, nothing. Bonds are not looked at, so that a topology-free
    potential plus this tail is a function of the positions alone. In LAMMPS: `pair_style lj/mdf/tail` in
    `hybrid/overlay`.
    """

    s_in: float = 4.6
    s_out: float = 7.0
    r_in: float = 10.0
    r_out: float = 12.0
    force_field: ForceField = TraPPEUA

    def __post_init__(self) -> None:
        object.__setattr__(self, "force_field", get_force_field(self.force_field))
        if not 0 < self.s_in < self.s_out <= self.r_in < self.r_out:
            raise InputError(
                "0 < s_in < s_out <= r_in < r_out is needed, got "
                f"s_in={self.s_in}, s_out={self.s_out}, r_in={self.r_in}, r_out={self.r_out} Å"
            )

    @property
    def lammps_pair_style(self) -> str:
        """Style name with its arguments, as it stands behind `pair_style` or in `hybrid/overlay`."""
        return f"lj/mdf/tail {self.s_in!r} {self.s_out!r} {self.r_in!r} {self.r_out!r}"

    def lammps_pair_coeffs(self, type_names: Sequence[str], hybrid: bool = True) -> list[str]:
        """`pair_coeff` lines for every I ≤ J, with the style's name where it is part of `hybrid/overlay`."""
        return pair_coefficients(self.force_field, type_names, "lj/mdf/tail" if hybrid else "")

    @property
    def reach(self) -> tuple[float, float]:
        """Distances (Å) between which a pair's energy is not zero."""
        return self.s_in, self.r_out

    def pair_terms(self, r: Floats, names: Sequence[str], first: Integers, second: Integers) -> tuple[Floats, Floats]:
        """Energies (eV) of pairs at r (Å) of the types names[first], names[second], and derivatives by r."""
        table = np.array([[self.force_field.mixed(a, b) for b in names] for a in names])
        epsilon, sigma = table[first, second, 0], table[first, second, 1]
        rise, rise_slope = smooth_rise(r, self.s_in, self.s_out)
        fall, fall_slope = smooth_rise(r, self.r_in, self.r_out)
        # (1 − y)³ (1 + 3y + 6y²) = 1 − y³ (10 − 15y + 6y²)
        fall, fall_slope = 1 - fall, -fall_slope
        six = (sigma / r) ** 6
        lj, lj_slope = 4 * epsilon * (six**2 - six), -24 * epsilon / r * (2 * six**2 - six)
        slope = rise * fall * lj_slope + (rise_slope * fall + rise * fall_slope) * lj
        return rise * fall * lj, slope
