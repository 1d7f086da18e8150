"""The charges' interaction beyond the fitted potential's reach as a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import erfc

from polypace.errors import InputError
from polypace.forcefields import LOPLS, ForceField, get_force_field
from polypace.reference.baseline import Floats, Integers, PairBaseline, smooth_rise

#: e²/(4π ε0) in eV Å as LAMMPS has it in `units metal`.
_COULOMB = 14.399645


@dataclass(frozen=True)
class CoulombTail(PairBaseline):
    """Damped, shifted Coulomb interaction switched on between `s_in` and `s_out`, zero from `r_out` on (Å).

    E = Σ_{i<j} u(x) q_i q_j C { erfc(αr)/r − erfc(αR)/R + [erfc(αR)/R² + (2α/√π) exp(−α²R²)/R] (r − R) },
    with R = `r_out`, α = `alpha` (1/Å), C = e²/(4πε0) and the rise u(x) of `DispersionTail`. Beyond `s_out`
    this is LAMMPS `coul/dsf alpha r_out` without its constant self-energy (C. J. Fennell, J. D. Gezelter,
    J. Chem. Phys. 124, 234104 (2006), equation 18). Charges are those of the types of `force_field`. In
    LAMMPS: `pair_style lepton/coul` with this formula, in `hybrid/overlay`; the data file must hold the
    charges.
    """

    s_in: float = 4.6
    s_out: float = 7.0
    r_out: float = 10.0
    alpha: float = 0.2
    force_field: ForceField = LOPLS

    def __post_init__(self) -> None:
        object.__setattr__(self, "force_field", get_force_field(self.force_field))
        if not 0 < self.s_in < self.s_out < self.r_out or not self.alpha > 0:
            raise InputError(
                "0 < s_in < s_out < r_out (Å) and alpha > 0 are needed, got "
                f"s_in={self.s_in}, s_out={self.s_out}, r_out={self.r_out}, alpha={self.alpha}"
            )
        if not self.force_field.charged:
            raise InputError(f"force field {self.force_field.name!r} has no charges, so no Coulomb tail")

    @property
    def lammps_pair_style(self) -> str:
        """Style name with its arguments, as it stands behind `pair_style` or in `hybrid/overlay`."""
        return f"lepton/coul {self.r_out!r}"

    def lammps_pair_coeffs(self, type_names: Sequence[str], hybrid: bool = True) -> list[str]:
        """One `pair_coeff` line with the formula; charges come from the atoms."""
        shift, slope = self._at_cutoff()
        formula = (
            # LAMMPS multiplies by its own constant C.
            f"qi*qj*u*(erfc({self.alpha!r}*r)/r-{shift!r}+{slope!r}*(r-{self.r_out!r}));"
            "u=x^3*(10-15*x+6*x^2);"
            f"x=min(max((r-{self.s_in!r})/{self.s_out - self.s_in!r},0),1)"
        )
        return [f'pair_coeff * * {"lepton/coul " if hybrid else ""}"{formula}"']

    @property
    def reach(self) -> tuple[float, float]:
        """Distances (Å) between which a pair's energy is not zero."""
        return self.s_in, self.r_out

    def pair_terms(self, r: Floats, names: Sequence[str], first: Integers, second: Integers) -> tuple[Floats, Floats]:
        """Energies (eV) of pairs at r (Å) of the types names[first], names[second], and derivatives by r."""
        charges = np.array([self.force_field.atom_type(name).charge for name in names])
        factor = _COULOMB * charges[first] * charges[second]
        shift, slope = self._at_cutoff()
        rise, rise_slope = smooth_rise(r, self.s_in, self.s_out)
        damped = erfc(self.alpha * r) / r
        gauss = 2 * self.alpha / np.sqrt(np.pi) * np.exp(-((self.alpha * r) ** 2))
        bare = damped - shift + slope * (r - self.r_out)
        bare_slope = -damped / r - gauss / r + slope
        return factor * rise * bare, factor * (rise * bare_slope + rise_slope * bare)

    def _at_cutoff(self) -> tuple[float, float]:
        """Damped energy of unit charges at the cutoff, and minus its derivative."""
        end = self.r_out
        shift = float(erfc(self.alpha * end)) / end
        gauss = 2 * self.alpha / np.sqrt(np.pi) * np.exp(-((self.alpha * end) ** 2))
        return shift, float(shift / end + gauss / end)
