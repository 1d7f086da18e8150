"""Chain dimensions of the torsion statistics against published molecular dynamics and rotational isomeric
states.
"""

from __future__ import annotations

import numpy as np
import pytest

from polypace.forcefields import LOPLS, TraPPEUA
from polypace.systems.conformations import place_chains, sample_conformations, torsion_statistics
from polypace.systems.local_energies import bend_energy, dihedral_angle, two_torsion_energy
from polypace.units import BOLTZMANN


def _hexadecane(force_field, temperature):
    """Mean-square end-to-end distance (Å²) and fraction of trans torsions of isolated C16 chains."""
    statistics = torsion_statistics(force_field, temperature)
    chains = np.array(sample_conformations(np.full(6000, 16), statistics, np.random.default_rng(1)))
    squared = np.sum((chains[:, -1] - chains[:, 0]) ** 2, axis=1)
    quadruples = np.stack([chains[:, k : k + 13] for k in range(4)], axis=2).reshape(-1, 4, 3)
    return squared.mean(), np.mean(np.abs(dihedral_angle(quadruples)) > 2 * np.pi / 3)


def test_trappe_hexadecane_as_in_published_melts():
    """TraPPE-UA melt of C16 at 298 K: ⟨R²⟩ 229 Å², trans 0.747 (from published equilibrated
    configurations).
    """
    squared, trans = _hexadecane(TraPPEUA, 298.0)
    assert squared == pytest.approx(229, rel=0.03)
    assert trans == pytest.approx(0.747, abs=0.02)


def test_lopls_is_more_flexible():
    """L-OPLS melt of C16 at 298 K: ⟨R²⟩ 206 Å², trans 0.629, C-C-C 113.5° ± 3.5°, and bonds of 1.539 Å."""
    squared, trans = _hexadecane(LOPLS, 298.0)
    assert squared == pytest.approx(206, rel=0.04)
    assert trans == pytest.approx(0.629, abs=0.03)
    statistics = torsion_statistics(LOPLS, 298.0)
    assert np.rad2deg(statistics.bond_angle) == pytest.approx(113.5, abs=0.5)
    assert np.rad2deg(statistics.angle_spread) == pytest.approx(3.5, abs=0.3)
    assert statistics.bond_length == pytest.approx(1.5385, abs=0.003)


@pytest.mark.parametrize("force_field", [TraPPEUA, LOPLS], ids=["united atoms", "all atoms"])
def test_average_over_bond_angles_against_random_draws(force_field, rng):
    """P(φ, φ') of a few pairs of torsions from bond angles drawn at random under the terms of their carbons."""
    kelvin, n = 350.0, 20_000
    statistics = torsion_statistics(force_field, kelvin)
    # Drawn evenly, weighed by the terms of each carbon and sin θ.
    bends = np.deg2rad(rng.uniform(98, 130, (n, 3)))
    own = sum(bend_energy(force_field, bends[:, k]) for k in range(3))
    weight = np.exp(-(own - own.min()) / (BOLTZMANN * kelvin)) * np.prod(np.sin(bends), axis=1)
    length = force_field.bonds[0].coefficients[1]

    def drawn(first, second):
        torsions = np.tile(statistics.angles[[first, second]], (n, 1))
        energy = two_torsion_energy(force_field, place_chains(np.full((n, 4), length), bends, torsions))
        return np.average(np.exp(-energy / (BOLTZMANN * kelvin)), weights=weight)

    def found(first, second):
        return statistics.single[first] * statistics.step[first, second]

    trans, gauche = 36, 13
    for pair in ((gauche, trans), (gauche, gauche), (trans, 0), (24, 30), (gauche, 53), (gauche, 72 - gauche)):
        expected = drawn(*pair) / drawn(trans, trans)
        assert found(*pair) / found(trans, trans) == pytest.approx(expected, rel=0.05, abs=1e-3), pair


def test_chains_soften_with_temperature():
    """d ln⟨R²⟩/dT of polyethylene is about −1.1e-3 1/K."""
    low, high = (_hexadecane(TraPPEUA, kelvin)[0] for kelvin in (400.0, 500.0))
    assert -1.6e-3 < np.log(high / low) / 100 < -0.3e-3


def test_large_systems_start_without_overlaps():
    """Twenty chains of 500 carbons at melt density: no contact that is too close, dimensions kept."""
    from polypace.systems import build_melt, check_internal_distances, closest_contact

    melt = build_melt(500, 20, 0.77, seed=1, temperature=450.0)
    assert closest_contact(melt) > 2.4
    assert check_internal_distances(melt, "trappe-ua", 450.0, tolerance=0.08).equilibrated
