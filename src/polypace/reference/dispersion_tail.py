"""The long-range part of the dispersion as a fixed analytic baseline outside of the potential that is
fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ase
import numpy as np
import numpy.typing as npt
from ase.calculators.singlepoint import SinglePointCalculator

from polypace._core.neighbors import neighbor_list
from polypace.errors import InputError
from polypace.forcefields import ForceField, TraPPEUA, get_force_field
from polypace.reference.interactions import pair_coefficients

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """Energy (eV), energy of every atom (n,), forces (n, 3) (eV/Å), stress (6,) (eV/Å³, ASE's sign and
    order).
    """

    energy: float
    energies: Floats
    forces: Floats
    stress: Floats


@dataclass(frozen=True)
class DispersionTail:
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

    def pair_energy(self, distance: npt.ArrayLike, first: str, second: str) -> Floats:
        """Energy (eV) of a pair of atom types at `distance` (Å)."""
        epsilon, sigma = self.force_field.mixed(first, second)
        return self._pair(np.asarray(distance, dtype=np.float64), np.asarray(epsilon), np.asarray(sigma))[0]

    def evaluate(self, atoms: ase.Atoms, n_threads: int = 0) -> Baseline:
        """Energy, forces and stress of `atoms`, whose `arrays["type_name"]` name the atom types.

        Raises
        ------
        InputError
            where the type names are missing or unknown to the force field.
        """
        if "type_name" not in atoms.arrays:
            raise InputError(
                "atoms.arrays['type_name'] is needed for the dispersion parameters; melts have it, "
                "others get it by atoms.set_array('type_name', names)"
            )
        names, kinds = np.unique(atoms.arrays["type_name"], return_inverse=True)
        mixed = np.array([[self.force_field.mixed(str(a), str(b)) for b in names] for a in names]).reshape(
            -1, 2
        )
        pbc = tuple(bool(p) for p in atoms.pbc)
        offsets, neighbors, _, steps = neighbor_list(
            np.ascontiguousarray(atoms.positions),
            np.ascontiguousarray(atoms.cell.array),
            pbc,
            self.r_out,
            n_threads,
        )
        n = len(atoms)
        first = np.repeat(np.arange(n), np.diff(offsets))
        far = np.flatnonzero(np.einsum("pd,pd->p", steps, steps) > self.s_in**2)
        first, second, steps = first[far], neighbors[far], steps[far]
        pair = kinds[first] * len(names) + kinds[second]
        distance = np.linalg.norm(steps, axis=1)
        energy, slope = self._pair(distance, mixed[pair, 0], mixed[pair, 1])
        # Each pair appears from both ends: half of its energy and virial at each, its whole force once at
        # each.
        pull = steps * (slope / distance)[:, None]
        forces = np.column_stack([np.bincount(first, weights=pull[:, d], minlength=n) for d in range(3)])
        energies = np.bincount(first, weights=energy / 2, minlength=n)
        stress = np.zeros(6)
        if all(pbc):
            tensor = np.einsum("pa,pb->ab", steps, pull) / (2 * atoms.get_volume())
            stress = tensor.ravel()[[0, 4, 8, 5, 2, 1]]
        return Baseline(float(energies.sum()), energies, forces, stress)

    def _pair(self, r: Floats, epsilon: Floats, sigma: Floats) -> tuple[Floats, Floats]:
        """Energy and its derivative by r."""
        x = np.clip((r - self.s_in) / (self.s_out - self.s_in), 0, 1)
        y = np.clip((r - self.r_in) / (self.r_out - self.r_in), 0, 1)
        rise, rise_slope = (
            x**3 * (10 - 15 * x + 6 * x**2),
            30 * x**2 * (1 - x) ** 2 / (self.s_out - self.s_in),
        )
        fall = (1 - y) ** 3 * (1 + 3 * y + 6 * y**2)
        fall_slope = -30 * y**2 * (1 - y) ** 2 / (self.r_out - self.r_in)
        six = (sigma / r) ** 6
        lj, lj_slope = 4 * epsilon * (six**2 - six), -24 * epsilon / r * (2 * six**2 - six)
        return rise * fall * lj, rise * fall * lj_slope + (rise_slope * fall + rise * fall_slope) * lj

    def subtract(self, frames: Sequence[ase.Atoms]) -> list[ase.Atoms]:
        """Copies of labelled `frames` whose energy, forces and stress lack the tail: what the potential has
        to learn.
        """
        return [self._shifted(atoms, -1.0) for atoms in frames]

    def add(self, frames: Sequence[ase.Atoms]) -> list[ase.Atoms]:
        """Copies of labelled `frames` with the tail added; undoes `subtract`."""
        return [self._shifted(atoms, 1.0) for atoms in frames]

    def _shifted(self, atoms: ase.Atoms, sign: float) -> ase.Atoms:
        if atoms.calc is None:
            raise InputError("frames must carry labels (atoms.calc.results); this one has none")
        tail = self.evaluate(atoms)
        results = dict(atoms.calc.results)
        for name in ("energy", "free_energy"):
            if name in results:
                results[name] = results[name] + sign * tail.energy
        for name in ("energies", "forces", "stress"):
            if name in results:
                results[name] = results[name] + sign * getattr(tail, name)
        shifted = atoms.copy()
        shifted.calc = SinglePointCalculator(shifted, **results)
        return shifted
