"""Chain conformations from the force field's own torsion statistics (rotational isomeric states, finely
divided).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace.forcefields import ForceField
from polypace.units import BOLTZMANN

Floats = npt.NDArray[np.float64]

#: Number of torsion states: 5° each.
N_STATES = 72
#: Local energies above this many kT carry no weight; the limit keeps exp() finite for colliding states.
_LARGEST = 60.0


@dataclass(frozen=True)
class TorsionStatistics:
    """Statistical weights of torsion angles along a chain at one temperature.

    P(φ_1 … φ_n) ∝ w(φ_1) Π_k w(φ_k) ω(φ_{k−1}, φ_k), with w = exp[−E(φ)/kT] and ω = exp[−E_15(φ, φ')/kT], the
    interaction of atoms four bonds apart ("pentane effect"). P. J. Flory, Statistical Mechanics of Chain
    Molecules (1969), chapter III, with 72 states of 5° in place of three.

    `angles` (72,) rad with trans at π; `single` (72,) w; `step` (72, 72) ω(φ, φ') w(φ'); `bond_length` Å and
    `bond_spread` its thermal width; `bond_angle` rad and `angle_spread`.
    """

    angles: Floats
    single: Floats
    step: Floats
    bond_length: float
    bond_spread: float
    bond_angle: float
    angle_spread: float


def torsion_statistics(force_field: ForceField, temperature: float) -> TorsionStatistics:
    """Torsion weights, bond length and angle of an alkane backbone of `force_field` at `temperature` (K)."""
    thermal = BOLTZMANN * temperature
    stiffness, length = force_field.bonds[0].coefficients
    bending, theta = force_field.angles[0].coefficients
    theta = np.deg2rad(theta)
    angles = np.arange(N_STATES) * (2 * np.pi / N_STATES)
    energy = opls_torsion(angles, force_field.dihedrals[0].coefficients)
    single = np.exp(-np.minimum((energy - energy.min()) / thermal, _LARGEST))
    distance = _five_atom_distance(angles, length, theta)
    epsilon, sigma = force_field.mixed("CH2", "CH2")
    repulsion = (sigma / distance) ** 6
    pair = np.minimum(4 * epsilon * (repulsion**2 - repulsion) / thermal, _LARGEST)
    step = np.exp(-(pair - pair.min())) * single[None, :]
    return TorsionStatistics(
        angles,
        single,
        step,
        length,
        float(np.sqrt(thermal / (2 * stiffness))),
        float(theta),
        float(np.sqrt(thermal / (2 * bending))),
    )


def opls_torsion(angles: Floats, coefficients: tuple[float, ...]) -> Floats:
    """E(φ) = ½ Σ_n K_n [1 − (−1)^n cos nφ], n = 1…4 (LAMMPS `dihedral_style opls`); φ in rad, trans at π."""
    return np.sum(
        [k / 2 * (1 - (-1) ** n * np.cos(n * angles)) for n, k in enumerate(coefficients, start=1)], axis=0
    )


def _five_atom_distance(angles: Floats, length: float, theta: float) -> Floats:
    """(n, n) distance (Å) of atoms 1 and 5 for the torsions φ_i, φ_j between them."""
    first, second = (grid.ravel() for grid in np.meshgrid(angles, angles, indexing="ij"))
    torsions = np.column_stack([first, second])
    n = len(torsions)
    chain = place_chains(np.full((n, 4), length), np.full((n, 3), theta), torsions)
    return np.linalg.norm(chain[:, 4] - chain[:, 0], axis=1).reshape(len(angles), len(angles))


def sample_conformations(
    lengths: npt.NDArray[np.int64], statistics: TorsionStatistics, rng: np.random.Generator
) -> list[Floats]:
    """Backbones of chains with `lengths` atoms: one (length, 3) array (Å) each, drawn independently and
    exactly.

    Bond lengths and angles have their harmonic thermal spread; torsions follow `statistics`, sampled
    forward with the partition vectors of the rest of the chain (Flory, chapter III), and uniform within a
    state.
    """
    longest = int(lengths.max())
    n_chains = len(lengths)
    bonds = statistics.bond_length + statistics.bond_spread * rng.standard_normal(
        (n_chains, max(longest - 1, 0))
    )
    bends = statistics.bond_angle + statistics.angle_spread * rng.standard_normal(
        (n_chains, max(longest - 2, 0))
    )
    torsions = _sample_torsions(lengths, longest, statistics, rng)
    chains = place_chains(bonds, np.minimum(bends, np.pi - 0.05), torsions)
    return [chain[:length] for chain, length in zip(chains, lengths.tolist(), strict=True)]


def _sample_torsions(
    lengths: npt.NDArray[np.int64], longest: int, statistics: TorsionStatistics, rng: np.random.Generator
) -> Floats:
    n_torsions = max(longest - 3, 0)
    backward = np.ones((n_torsions + 1, N_STATES))
    for rest in range(1, n_torsions + 1):
        vector = statistics.step @ backward[rest - 1]
        backward[rest] = vector / vector.max()
    states = np.zeros((len(lengths), n_torsions), dtype=np.int64)
    for place in range(n_torsions):
        # Torsions that follow this one; chains that have ended draw numbers that nobody reads.
        rest = np.maximum(lengths - 4 - place, 0)
        weights = statistics.single if place == 0 else statistics.step[states[:, place - 1]]
        cumulative = np.cumsum(weights * backward[rest], axis=1)
        draw = rng.random((len(lengths), 1)) * cumulative[:, -1:]
        states[:, place] = np.minimum(np.sum(cumulative <= draw, axis=1), N_STATES - 1)
    return statistics.angles[states] + (rng.random(states.shape) - 0.5) * (2 * np.pi / N_STATES)


def place_chains(bonds: Floats, bends: Floats, torsions: Floats) -> Floats:
    """(n_chains, n_atoms, 3) positions (Å) from bond lengths, angles and torsions (rad, trans = π, IUPAC
    sign).
    """
    n_chains, n_bonds = bonds.shape
    positions = np.zeros((n_chains, n_bonds + 1, 3))
    if n_bonds:
        positions[:, 1, 0] = bonds[:, 0]
    if n_bonds > 1:
        positions[:, 2, 0] = bonds[:, 0] - bonds[:, 1] * np.cos(bends[:, 0])
        positions[:, 2, 1] = bonds[:, 1] * np.sin(bends[:, 0])
    for atom in range(3, n_bonds + 1):
        first, second, third = (positions[:, atom - back] for back in (3, 2, 1))
        axis = third - second
        axis /= np.linalg.norm(axis, axis=1, keepdims=True)
        normal = np.cross(second - first, axis)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        bend, torsion = bends[:, atom - 2, None], torsions[:, atom - 3, None]
        step = -np.cos(bend) * axis + np.sin(bend) * (
            np.cos(torsion) * np.cross(normal, axis) + np.sin(torsion) * normal
        )
        positions[:, atom] = third + bonds[:, atom - 1, None] * step
    return positions
