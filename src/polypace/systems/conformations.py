"""Chain conformations from the force field's own torsion statistics (rotational isomeric states, finely
divided).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from polypace.forcefields import ForceField
from polypace.systems.local_energies import bend_energy, two_torsion_energy
from polypace.units import BOLTZMANN

Floats = npt.NDArray[np.float64]

#: Number of torsion states: 5° each.
N_STATES = 72
_ANGLES = np.arange(N_STATES, dtype=np.float64) * (2 * np.pi / N_STATES)
#: Places of −φ.
_MIRRORED = -np.arange(N_STATES) % N_STATES
#: Gauss-Hermite quadrature of a normal distribution: places in standard deviations, weights.
_NODES = ((-np.sqrt(3.0), 1 / 6), (0.0, 2 / 3), (np.sqrt(3.0), 1 / 6))
#: Å, for the derivative by the length of the inner bonds.
_STRETCH = 0.01
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


@lru_cache(maxsize=16)
def torsion_statistics(force_field: ForceField, temperature: float) -> TorsionStatistics:
    """Torsion weights, bond length and angle of an alkane backbone of `force_field` at `temperature` (K).

    E(φ) is the free energy of a five-carbon piece whose other torsion is trans; E_15 is what is left of it when both
    torsions turn: −kT ln ⟨exp[−U(φ, φ', θ)/kT]⟩ over the three bond angles θ as their own terms spread them. U holds the
    torsion terms and all non-bonded pairs of the piece. Without the average, gauche torsions would have to do without the
    wider angles that make room for them, and all-atom chains come out up to a tenth too large. Bond length and angle
    are those of the middle of the piece under the same weights.
    """
    thermal = BOLTZMANN * temperature
    stiffness, length = force_field.bonds[0].coefficients
    own = _own_bend(force_field, thermal)
    rigid = _piece_energy(force_field, length, (own[0],) * 3)
    energy, bend, width = _averaged(force_field, length, own, float(rigid.min()), thermal)
    trans = N_STATES // 2
    alone = energy[:, trans] - energy[trans, trans]
    together = energy - energy[trans, trans] - alone[:, None] - alone[None, :]
    single = np.exp(-np.clip((alone - alone.min()) / thermal, None, _LARGEST))
    step = np.exp(-np.clip(together / thermal, -_LARGEST / 2, _LARGEST)) * single[None, :]
    longer = length + _pull(force_field, length, own[0], rigid, thermal) / (2 * stiffness)
    return TorsionStatistics(_ANGLES, single, step, longer, float(np.sqrt(thermal / (2 * stiffness))), bend, width)


def _averaged(
    force_field: ForceField, length: float, own: tuple[float, float], reference: float, thermal: float
) -> tuple[Floats, float, float]:
    """(72, 72) free energy (eV) above `reference`, averaged over the bond angles, whose `own` terms give them a mean and
    a spread; mean and spread (rad) of the middle one with all pairs of the piece.
    """
    nodes = [(own[0] + step * own[1], weight) for step, weight in _NODES]
    weights, bends, squares = (np.zeros((N_STATES, N_STATES)) for _ in range(3))
    for first, middle, last in itertools.product(nodes, repeat=3):
        energy = _piece_energy(force_field, length, (first[0], middle[0], last[0])) - reference
        weight = first[1] * middle[1] * last[1] * np.exp(-np.clip(energy / thermal, None, 2 * _LARGEST))
        weights += weight
        bends += weight * middle[0]
        squares += weight * middle[0] ** 2
    mean = float(bends.sum() / weights.sum())
    width = float(np.sqrt(squares.sum() / weights.sum() - mean**2))
    # The two torsions are alike: the mean makes the map symmetric to the last digit.
    return -thermal * np.log((weights + weights.T) / 2), mean, width


def _own_bend(force_field: ForceField, thermal: float) -> tuple[float, float]:
    """Mean and standard deviation (rad) of a bond angle under the terms at its carbon alone, P ∝ sin θ exp[−U/kT]."""
    angles = np.linspace(np.deg2rad(80), np.deg2rad(150), 701)
    energy = bend_energy(force_field, angles)
    weight = np.sin(angles) * np.exp(-(energy - energy.min()) / thermal)
    mean = float(np.average(angles, weights=weight))
    return mean, float(np.sqrt(np.average((angles - mean) ** 2, weights=weight)))


def _piece_energy(
    force_field: ForceField, length: float, bends: tuple[float, float, float], stretch: float = 0.0
) -> Floats:
    """(72, 72) energy (eV) of five carbons for every pair of torsions; `stretch` (Å) lengthens the two inner bonds."""
    # A mirror image turns both torsions round: half of the second's states give the others.
    half = N_STATES // 2 + 1
    first, second = (grid.ravel() for grid in np.meshgrid(_ANGLES, _ANGLES[:half], indexing="ij"))
    bonds = np.tile([length, length + stretch, length + stretch, length], (len(first), 1))
    backbones = place_chains(bonds, np.tile(bends, (len(first), 1)), np.column_stack([first, second]))
    energy = np.empty((N_STATES, N_STATES))
    energy[:, :half] = two_torsion_energy(force_field, backbones).reshape(N_STATES, half)
    energy[:, half:] = energy[_MIRRORED][:, half - 2 : 0 : -1]
    return energy


def _pull(force_field: ForceField, length: float, bend: float, rigid: Floats, thermal: float) -> float:
    """Mean force (eV/Å) by which the pairs of a piece with all angles at `bend`, of energies `rigid`, lengthen an inner
    bond.
    """
    low, high = (_piece_energy(force_field, length, (bend, bend, bend), step) for step in (-_STRETCH, _STRETCH))
    weights = np.exp(-np.minimum((rigid - rigid.min()) / thermal, _LARGEST))
    return float(np.average((low - high) / (4 * _STRETCH), weights=weights))


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
    bonds = statistics.bond_length + statistics.bond_spread * rng.standard_normal((n_chains, max(longest - 1, 0)))
    bends = statistics.bond_angle + statistics.angle_spread * rng.standard_normal((n_chains, max(longest - 2, 0)))
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
        following = np.maximum(lengths - 4 - place, 0)
        weights = statistics.single if place == 0 else statistics.step[states[:, place - 1]]
        cumulative = np.cumsum(weights * backward[following], axis=1)
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
