"""Energies of short backbone pieces against their torsions: the source of chain statistics."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from polypace.forcefields import ForceField
from polypace.systems.chains import Chain, linear_chain, resolution
from polypace.systems.hydrogens import add_hydrogens

Floats = npt.NDArray[np.float64]

#: e²/(4π ε0) in eV Å.
_COULOMB = 14.3996454784255


def opls_torsion(angles: Floats, coefficients: tuple[float, ...]) -> Floats:
    """E(φ) = ½ Σ_n K_n [1 − (−1)^n cos nφ], n = 1…4 (LAMMPS `dihedral_style opls`); φ in rad, trans at π."""
    terms = [k / 2 * (1 - (-1) ** n * np.cos(n * angles)) for n, k in enumerate(coefficients, start=1)]
    total: Floats = np.sum(terms, axis=0, dtype=np.float64)
    return total


def two_torsion_energy(force_field: ForceField, backbones: Floats) -> Floats:
    """(n,) energy (eV) of five-carbon pieces (n, 5, 3): torsions and non-bonded pairs three bonds apart and
    further.

    United atoms are taken as CH2, so that the piece is one out of a long chain; all-atom pieces are pentane.
    """
    chain = linear_chain(5, force_field)
    positions = backbones
    types = ["CH2"] * 5
    if resolution(force_field) == "all-atom":
        positions, types = add_hydrogens(backbones), list(chain.types)
    apart = bonds_apart(chain)
    energy = np.zeros(len(positions))
    for i, j in itertools.combinations(range(len(types)), 2):
        weight = force_field.special[2] if apart[i, j] == 3 else 1.0
        if apart[i, j] >= 3 and weight:
            epsilon, sigma = force_field.mixed(types[i], types[j])
            charges = force_field.atom_type(types[i]).charge * force_field.atom_type(types[j]).charge
            r = np.linalg.norm(positions[:, i] - positions[:, j], axis=1)
            six = (sigma / r) ** 6
            energy += weight * (4 * epsilon * (six**2 - six) + _COULOMB * charges / r)
    for row in dihedrals_of(chain):
        term = force_field.dihedrals[force_field.term("dihedrals", tuple(types[k] for k in row))]
        energy += opls_torsion(dihedral_angle(positions[:, row]), term.coefficients)
    return energy


def bend_energy(force_field: ForceField, bends: Floats) -> Floats:
    """(n,) energy (eV) of the angle terms at an inner carbon against its backbone angle (n,) in rad; its hydrogens
    follow as `add_hydrogens` places them.
    """
    if resolution(force_field) == "united-atom":
        stiffness, degrees = force_field.angles[0].coefficients
        return np.asarray(stiffness * (bends - np.deg2rad(degrees)) ** 2)
    chain = linear_chain(3, force_field)
    arm, zero = force_field.bonds[0].coefficients[1], np.zeros_like(bends)
    ends = [np.stack([arm * np.cos(angle), arm * np.sin(angle), zero], axis=1) for angle in (zero, bends)]
    positions = add_hydrogens(np.stack([ends[0], np.zeros_like(ends[0]), ends[1]], axis=1))
    middle = int(chain.backbone[1])
    bonded = [int(i + j - middle) for i, j in chain.bonds.tolist() if middle in (i, j)]
    energy = np.zeros(len(bends))
    for i, k in itertools.combinations(sorted(bonded), 2):
        types = (chain.types[i], chain.types[middle], chain.types[k])
        stiffness, degrees = force_field.angles[force_field.term("angles", types)].coefficients
        first, second = (positions[:, end] - positions[:, middle] for end in (i, k))
        cosine = np.sum(first * second, axis=1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
        energy += stiffness * (np.arccos(cosine) - np.deg2rad(degrees)) ** 2
    return energy


def bonds_apart(chain: Chain) -> npt.NDArray[np.int64]:
    """(n, n) number of bonds between the atoms of a chain."""
    n = len(chain.types)
    apart = np.full((n, n), n)
    apart[np.diag_indices(n)] = 0
    for i, j in chain.bonds.tolist():
        apart[i, j] = apart[j, i] = 1
    for middle in range(n):
        apart = np.minimum(apart, apart[:, middle, None] + apart[None, middle, :])
    return apart


def dihedrals_of(chain: Chain) -> list[list[int]]:
    """Rows of four atoms joined by three bonds, each once."""
    n = len(chain.types)
    joined: list[set[int]] = [set() for _ in range(n)]
    for i, j in chain.bonds.tolist():
        joined[i].add(j)
        joined[j].add(i)
    return [
        [a, b, c, d] for b, c in chain.bonds.tolist() for a in sorted(joined[b] - {c}) for d in sorted(joined[c] - {b})
    ]


def dihedral_angle(points: Floats) -> Floats:
    """(n,) torsion (rad, IUPAC sign, trans = π) of points (n, 4, 3)."""
    first, axis, last = (points[:, k + 1] - points[:, k] for k in range(3))
    normal, other = np.cross(first, axis), np.cross(axis, last)
    sine = np.sum(np.cross(normal, other) * axis, axis=1) / np.linalg.norm(axis, axis=1)
    angle: Floats = np.arctan2(sine, np.sum(normal * other, axis=1))
    return angle
