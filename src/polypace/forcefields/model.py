"""What a classical force field consists of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from polypace.errors import InputError


@dataclass(frozen=True)
class AtomType:
    """One kind of atom: ε (eV), σ (Å), charge (e), mass (amu); `bonded` is the class that bonded terms
    name.
    """

    name: str
    element: str
    mass: float
    epsilon: float
    sigma: float
    charge: float
    bonded: str


@dataclass(frozen=True)
class BondedTerm:
    """A bond, angle or dihedral kind: a LAMMPS style with its coefficients, for the classes it names.

    `classes` is read in both directions; coefficients are in the units of the force field.
    """

    classes: tuple[str, ...]
    style: str
    coefficients: tuple[float, ...]

    @property
    def label(self) -> str:
        return "-".join(self.classes)

    def fits(self, classes: tuple[str, ...]) -> bool:
        return self.classes in (classes, classes[::-1])


@dataclass(frozen=True)
class Smooth:
    """Lennard-Jones tapered to zero between `r_in` and `r_out` (Å), energies twice differentiable (LAMMPS
    `lj/mdf`).

    Charges, where there are any, are damped and shifted with `alpha` (1/Å) at `r_out` (LAMMPS `coul/dsf`).
    """

    r_in: float = 10.0
    r_out: float = 12.0
    alpha: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.r_in < self.r_out:
            raise InputError(f"0 < r_in < r_out is needed, got r_in={self.r_in} and r_out={self.r_out} Å")


@dataclass(frozen=True)
class Original:
    """The published form: Lennard-Jones cut at `cutoff` (Å) with tail correction, Ewald sums for charges."""

    cutoff: float

    def __post_init__(self) -> None:
        if not self.cutoff > 0:
            raise InputError(f"cutoff must be above 0 Å, got {self.cutoff}")


@dataclass(frozen=True)
class Repulsive:
    """Lennard-Jones cut at its minimum, 2^(1/6) σ, and shifted to zero there (Weeks-Chandler-Andersen)."""

    @property
    def cutoff(self) -> float:
        return float(2 ** (1 / 6))


@dataclass(frozen=True)
class ForceField:
    """A force field: tables of types and bonded terms, mixing rule, weights of 1-2, 1-3, 1-4 pairs,
    truncation.

    Units are LAMMPS `metal` (eV, Å, ps, amu) unless `units` says "lj". `mixing` is "arithmetic"
    (Lorentz-Berthelot) or "geometric". `short_range` is the default truncation, `published` the one of the
    source.
    """

    name: str
    atom_types: tuple[AtomType, ...]
    bonds: tuple[BondedTerm, ...]
    angles: tuple[BondedTerm, ...]
    dihedrals: tuple[BondedTerm, ...]
    mixing: str
    special: tuple[float, float, float]
    truncation: Smooth | Original | Repulsive
    published: Original | Repulsive
    timestep: float
    units: str = "metal"

    def mdf(self, r_in: float = 10.0, r_out: float = 12.0) -> ForceField:
        """The short-ranged, smooth form with Lennard-Jones tapered between `r_in` and `r_out` (Å).

        Raises
        ------
        InputError
            for chains that only repel: they are short-ranged as they are.
        """
        if isinstance(self.published, Repulsive):
            raise InputError(f"force field {self.name!r} has no attraction to taper; use it as it is")
        return replace(self, truncation=Smooth(r_in, r_out))

    def original(self) -> ForceField:
        """The form of the source: plain cutoff with tail correction, Ewald sums where there are charges."""
        return replace(self, truncation=self.published)

    @property
    def charged(self) -> bool:
        return any(kind.charge for kind in self.atom_types)

    def atom_type(self, name: str) -> AtomType:
        """The atom type called `name`; InputError where there is none."""
        for kind in self.atom_types:
            if kind.name == name:
                return kind
        known = ", ".join(kind.name for kind in self.atom_types)
        raise InputError(f"force field {self.name!r} has no atom type {name!r}; it has: {known}")

    def mixed(self, first: str, second: str) -> tuple[float, float]:
        """ε (eV) and σ (Å) of a pair of atom types by the mixing rule."""
        a, b = self.atom_type(first), self.atom_type(second)
        sigma = (a.sigma + b.sigma) / 2 if self.mixing == "arithmetic" else float(np.sqrt(a.sigma * b.sigma))
        return float(np.sqrt(a.epsilon * b.epsilon)), sigma

    def term(self, kind: str, types: tuple[str, ...]) -> int:
        """0-based place of the bonded term for atoms of `types` in the table `kind` ("bonds", "angles",
        "dihedrals").

        Raises
        ------
        InputError
            where the force field has no such term.
        """
        classes = tuple(self.atom_type(name).bonded for name in types)
        for place, term in enumerate(getattr(self, kind)):
            if term.fits(classes):
                return place
        raise InputError(f"force field {self.name!r} has no term in its {kind} for {'-'.join(types)}")
