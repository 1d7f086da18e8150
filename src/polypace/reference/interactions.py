"""Force fields as LAMMPS lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

from polypace.errors import InputError
from polypace.forcefields import BondedTerm, ForceField, Original, Repulsive, Smooth, get_force_field

#: ps; the fastest motion left is the bending of C-C-H.
_CONSTRAINED_TIMESTEP = 0.002


@dataclass(frozen=True)
class Interactions:
    """What a LAMMPS script needs to know about a potential.

    Units, atom style, the lines behind `read_data`, and a time step (ps, or τ in Lennard-Jones units) that
    suits it. `soft_radii` are the ranges (i, j, Å) of the soft repulsion of a push-off; none for potentials
    without bonds. `constraints` are lines of fixes that hold bonds; they follow the fixes that change forces.
    """

    units: str
    atom_style: str
    lines: tuple[str, ...]
    timestep: float = 0.001
    soft_radii: tuple[tuple[int, int, float], ...] = ()
    constraints: tuple[str, ...] = ()


def force_field_interactions(
    force_field: str | ForceField, type_names: Sequence[str], *, constrain_hydrogens: bool = False
) -> Interactions:
    """LAMMPS lines of `force_field` for atom types numbered as `type_names`; every pair I ≤ J is given
    explicitly.

    Explicit because `pair_style hybrid/overlay` does not mix coefficients. Data files of
    `polypace.systems.write_lammps_data` number the bonded types as these lines do.

    `constrain_hydrogens` holds the bonds of hydrogens at their length (SHAKE, J.-P. Ryckaert et al., J. Comput.
    Phys. 23, 327 (1977)) in every run; the time step is then 2 fs, four times that of vibrating hydrogens.

    Raises
    ------
    InputError
        where the force field is unknown, has no such atom type, or has no hydrogens to constrain.
    """
    force_field = get_force_field(force_field)
    constraints = _constraints(force_field) if constrain_hydrogens else ()
    if not type_names:
        raise InputError("type_names must name at least one atom type, got none")
    lines = _pair_lines(force_field, type_names)
    for word, terms in (
        ("bond", force_field.bonds),
        ("angle", force_field.angles),
        ("dihedral", force_field.dihedrals),
    ):
        lines += _bonded_lines(word, terms)
    lines.append("special_bonds " + _special(force_field))
    style = "full" if force_field.charged else "molecular"
    return Interactions(
        force_field.units,
        style,
        tuple(lines),
        _CONSTRAINED_TIMESTEP if constrain_hydrogens else force_field.timestep,
        _soft_radii(force_field, type_names),
        constraints,
    )


def _constraints(force_field: ForceField) -> tuple[str, ...]:
    """SHAKE knows hydrogens by their mass."""
    mass = next((kind.mass for kind in force_field.atom_types if kind.element == "H"), None)
    if mass is None:
        raise InputError(f"constrain_hydrogens: force field {force_field.name!r} has no hydrogens; leave it out")
    return (f"fix hydrogens all shake 1.0e-5 20 0 m {mass!r}",)


def pair_coefficients(force_field: ForceField, type_names: Sequence[str], style: str = "") -> list[str]:
    """`pair_coeff I J [style] ε σ` for every I ≤ J."""
    prefix = f"{style} " if style else ""
    numbered = list(enumerate(type_names, start=1))
    lines = []
    for (i, first), (j, second) in combinations_with_replacement(numbered, 2):
        epsilon, sigma = force_field.mixed(first, second)
        lines.append(f"pair_coeff {i} {j} {prefix}{epsilon!r} {sigma!r}  # {first} {second}")
    return lines


def _pair_lines(force_field: ForceField, type_names: Sequence[str]) -> list[str]:
    cut = force_field.truncation
    if isinstance(cut, Repulsive):
        lines = pair_coefficients(force_field, type_names)
        return [f"pair_style lj/cut {cut.cutoff!r}", "pair_modify shift yes", *lines]
    if force_field.charged:
        return _charged_pair_lines(force_field, cut, type_names)
    if isinstance(cut, Smooth):
        return [f"pair_style lj/mdf {cut.r_in!r} {cut.r_out!r}", *pair_coefficients(force_field, type_names)]
    return [
        f"pair_style lj/cut {cut.cutoff!r}",
        "pair_modify tail yes",
        *pair_coefficients(force_field, type_names),
    ]


def _soft_radii(force_field: ForceField, type_names: Sequence[str]) -> tuple[tuple[int, int, float], ...]:
    """Nine tenths of σ: where Lennard-Jones has become repulsive."""
    numbered = list(enumerate(type_names, start=1))
    return tuple(
        (i, j, 0.9 * force_field.mixed(first, second)[1])
        for (i, first), (j, second) in combinations_with_replacement(numbered, 2)
    )


def _charged_pair_lines(force_field: ForceField, cut: Smooth | Original, type_names: Sequence[str]) -> list[str]:
    if isinstance(cut, Smooth):
        return [
            f"pair_style hybrid/overlay lj/mdf {cut.r_in!r} {cut.r_out!r} coul/dsf {cut.alpha!r} {cut.r_out!r}",
            *pair_coefficients(force_field, type_names, "lj/mdf"),
            "pair_coeff * * coul/dsf",
        ]
    return [
        f"pair_style lj/cut/coul/long {cut.cutoff!r}",
        "pair_modify tail yes",
        *pair_coefficients(force_field, type_names),
        "kspace_style pppm 1.0e-5",
    ]


def _bonded_lines(word: str, terms: Sequence[BondedTerm]) -> list[str]:
    if not terms:
        return []
    lines = [f"{word}_style {terms[0].style}"]
    for number, term in enumerate(terms, start=1):
        lines.append(f"{word}_coeff {number} {' '.join(map(repr, term.coefficients))}  # {term.label}")
    return lines


def _special(force_field: ForceField) -> str:
    weights = " ".join(map(repr, force_field.special))
    return f"lj/coul {weights}" if force_field.charged else f"lj {weights}"
