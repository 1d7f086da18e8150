"""Chain dimensions of the torsion statistics against published molecular dynamics and rotational isomeric
states.
"""

from __future__ import annotations

import numpy as np
import pytest

from polypace.forcefields import LOPLS, TraPPEUA
from polypace.systems.conformations import sample_conformations, torsion_statistics
from polypace.systems.local_energies import dihedral_angle


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
    """L-OPLS melt of C16 at 298 K: ⟨R²⟩ 206 Å², trans 0.629; the rigid rotor of the statistics is a little
    stiffer.
    """
    squared, trans = _hexadecane(LOPLS, 298.0)
    assert squared == pytest.approx(206, rel=0.06)
    assert 0.6 < trans < 0.72


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
