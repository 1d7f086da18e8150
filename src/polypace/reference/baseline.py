"""Fixed analytic pair energies outside of the potential that is fitted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import ase
import numpy as np
import numpy.typing as npt
from ase.calculators.singlepoint import SinglePointCalculator

from polypace._core.neighbors import neighbor_list
from polypace.errors import InputError
from polypace.units import VOIGT

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Baseline:
    """Energy (eV), energy of every atom (n,), forces (n, 3) (eV/Å), stress (6,) (eV/Å³, ASE's sign and
    order).
    """

    energy: float
    energies: Floats
    forces: Floats
    stress: Floats

    def __add__(self, other: Baseline) -> Baseline:
        return Baseline(
            self.energy + other.energy,
            self.energies + other.energies,
            self.forces + other.forces,
            self.stress + other.stress,
        )


class LabelBaseline(ABC):
    """A baseline that is subtracted from labels before a fit and added back in LAMMPS by `hybrid/overlay`."""

    @property
    @abstractmethod
    def lammps_pair_style(self) -> str:
        """Style name with its arguments, as it stands behind `pair_style` or in `hybrid/overlay`."""

    @abstractmethod
    def lammps_pair_coeffs(self, type_names: Sequence[str], hybrid: bool = True) -> list[str]:
        """`pair_coeff` lines for every pair of types, with the style's name where it is part of
        `hybrid/overlay`.
        """

    @abstractmethod
    def evaluate(self, atoms: ase.Atoms, n_threads: int = 0) -> Baseline:
        """Energy, forces and stress of `atoms`, whose `arrays["type_name"]` name the atom types.

        Raises
        ------
        InputError
            where the type names are missing or unknown to the force field.
        """

    def subtract(self, frames: Sequence[ase.Atoms]) -> list[ase.Atoms]:
        """Copies of labelled `frames` whose labels lack the baseline: what the potential has to learn."""
        return [self._shifted(atoms, -1.0) for atoms in frames]

    def add(self, frames: Sequence[ase.Atoms]) -> list[ase.Atoms]:
        """Copies of labelled `frames` with the baseline added; undoes `subtract`."""
        return [self._shifted(atoms, 1.0) for atoms in frames]

    def _shifted(self, atoms: ase.Atoms, sign: float) -> ase.Atoms:
        if atoms.calc is None:
            raise InputError("frames must carry labels (atoms.calc.results); this one has none")
        found = self.evaluate(atoms)
        results = dict(atoms.calc.results)
        for name in ("energy", "free_energy"):
            if name in results:
                results[name] = results[name] + sign * found.energy
        for name in ("energies", "forces", "stress"):
            if name in results:
                results[name] = results[name] + sign * getattr(found, name)
        shifted: ase.Atoms = atoms.copy()
        if "virial" in shifted.info:  # −stress · volume in eV, as QUIP and GPUMD write it
            virial = found.stress[[[0, 5, 4], [5, 1, 3], [4, 3, 2]]] * -atoms.get_volume()
            shifted.info["virial"] = np.reshape(shifted.info["virial"], (3, 3)) + sign * virial
        shifted.calc = SinglePointCalculator(shifted, **results)
        return shifted


class PairBaseline(LabelBaseline):
    """A baseline of pairs, E = Σ_{i<j} E_ab(r_ij), between the switching distance and the cutoff."""

    @property
    @abstractmethod
    def reach(self) -> tuple[float, float]:
        """Distances (Å) between which a pair's energy is not zero."""

    @abstractmethod
    def pair_terms(self, r: Floats, names: Sequence[str], first: Integers, second: Integers) -> tuple[Floats, Floats]:
        """Energies (eV) of pairs at r (Å) of the types names[first], names[second], and their derivatives
        by r.
        """

    def pair_energy(self, distance: npt.ArrayLike, first: str, second: str) -> Floats:
        """Energy (eV) of a pair of atom types at `distance` (Å)."""
        r = np.atleast_1d(np.asarray(distance, dtype=np.float64))
        zeros = np.zeros(len(r), dtype=np.int64)
        energy = self.pair_terms(r, (first, second), zeros, zeros + 1)[0]
        return np.where((r > self.reach[0]) & (r < self.reach[1]), energy, 0.0).reshape(np.shape(distance))

    def evaluate(self, atoms: ase.Atoms, n_threads: int = 0) -> Baseline:
        """Energy, forces and stress of `atoms`, whose `arrays["type_name"]` name the atom types.

        Raises
        ------
        InputError
            where the type names are missing or unknown to the force field.
        """
        if "type_name" not in atoms.arrays:
            raise InputError(
                "atoms.arrays['type_name'] is needed for the pair parameters; melts have it, "
                "others get it by atoms.set_array('type_name', names)"
            )
        names, kinds = np.unique(atoms.arrays["type_name"], return_inverse=True)
        first, second, steps = self._pairs(atoms, n_threads)
        n = len(atoms)
        distance = np.linalg.norm(steps, axis=1)
        energy, slope = self.pair_terms(distance, [str(name) for name in names], kinds[first], kinds[second])
        # Each pair comes from both ends: half of its energy and virial from each, its force on each once.
        pull = steps * (slope / distance)[:, None]
        forces = np.column_stack([np.bincount(first, weights=pull[:, d], minlength=n) for d in range(3)])
        energies = np.bincount(first, weights=energy / 2, minlength=n).astype(np.float64)
        stress = np.zeros(6)
        if all(atoms.pbc):
            tensor = np.einsum("pa,pb->ab", steps, pull) / (2 * atoms.get_volume())
            stress = tensor.ravel()[VOIGT]
        return Baseline(float(energies.sum()), energies, forces.astype(np.float64), stress)

    def _pairs(self, atoms: ase.Atoms, n_threads: int) -> tuple[Integers, Integers, Floats]:
        """Every pair from both ends, with r_j − r_i (Å)."""
        pbc = tuple(bool(p) for p in atoms.pbc)
        positions, cell = np.ascontiguousarray(atoms.positions), np.ascontiguousarray(atoms.cell.array)
        near, far = self.reach
        offsets, neighbors, _, steps = neighbor_list(positions, cell, pbc, far, n_threads)
        first = np.repeat(np.arange(len(atoms)), np.diff(offsets))
        kept = np.flatnonzero(np.einsum("pd,pd->p", steps, steps) > near**2)
        return first[kept], neighbors[kept].astype(np.int64), steps[kept]


@dataclass(frozen=True)
class CombinedBaseline(LabelBaseline):
    """The sum of several baselines, as one: dispersion and charges, for example."""

    parts: tuple[LabelBaseline, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise InputError("a combined baseline needs at least one part, got none")

    @property
    def lammps_pair_style(self) -> str:
        """The styles of all parts after each other, for `hybrid/overlay`."""
        return " ".join(part.lammps_pair_style for part in self.parts)

    def lammps_pair_coeffs(self, type_names: Sequence[str], hybrid: bool = True) -> list[str]:
        """The `pair_coeff` lines of all parts; several parts only make sense in `hybrid/overlay`."""
        return [line for part in self.parts for line in part.lammps_pair_coeffs(type_names, hybrid)]

    def evaluate(self, atoms: ase.Atoms, n_threads: int = 0) -> Baseline:
        """The sum of the parts."""
        total = self.parts[0].evaluate(atoms, n_threads)
        for part in self.parts[1:]:
            total = total + part.evaluate(atoms, n_threads)
        return total


def smooth_rise(r: Floats, start: float, end: float) -> tuple[Floats, Floats]:
    """u = x³ (10 − 15x + 6x²), x = (r − start)/(end − start) within 0…1, and du/dr."""
    x = np.clip((r - start) / (end - start), 0, 1)
    return x**3 * (10 - 15 * x + 6 * x**2), 30 * x**2 * (1 - x) ** 2 / (end - start)
