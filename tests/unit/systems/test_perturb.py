"""Frames away from equilibrium: what is changed, and what is kept."""

from __future__ import annotations

import numpy as np
import pytest

from polypace.errors import InputError
from polypace.systems import (
    build_melt,
    closest_contact,
    perturbed_frames,
    press_contacts,
    rattle,
    strain,
    twist_chains,
)


@pytest.fixture(scope="module")
def melt():
    return build_melt(10, 30, 0.68, seed=7)


def _bonds(melt):
    ends = melt.atoms.positions[melt.bonds]
    return np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)


def test_rattle(melt):
    shift = rattle(melt, 0.1, seed=1).atoms.positions - melt.atoms.positions
    assert shift.std() == pytest.approx(0.1, rel=0.1)


def test_strain_by_atoms_and_by_molecules(melt):
    wide = strain(melt, 0.05)
    assert wide.atoms.get_volume() == pytest.approx(melt.atoms.get_volume() * 1.05**3)
    assert np.allclose(_bonds(wide), 1.05 * _bonds(melt))
    rigid = strain(melt, (0.05, 0.0, -0.02), rigid_molecules=True)
    assert np.allclose(_bonds(rigid), _bonds(melt))
    assert np.allclose(rigid.atoms.cell.lengths(), melt.atoms.cell.lengths() * [1.05, 1.0, 0.98])


def test_pressed_contacts_are_as_close_as_asked(melt):
    pressed = press_contacts(melt, 6, (2.0, 2.3), seed=2)
    assert 1.95 < closest_contact(pressed) < 2.3
    assert np.allclose(_bonds(pressed), _bonds(melt))


def test_twisted_chains_keep_bonds_and_angles(melt):
    twisted = twist_chains(melt, 10, (2.1, 2.4), seed=3)
    assert 1.7 < closest_contact(twisted) < 2.4
    assert np.allclose(_bonds(twisted), _bonds(melt))
    ends = melt.angles()[:, [0, 2]]
    spans = [np.linalg.norm(np.diff(m.atoms.positions[ends], axis=1), axis=2) for m in (melt, twisted)]
    assert np.allclose(*spans)


def test_perturbed_frames_say_what_they_are(melt):
    counts = {"rattled": 2, "compressed": 1, "stretched": 1, "sheared": 1, "contacts": 1, "twisted": 1}
    frames, again = (perturbed_frames(melt, counts, seed=4) for _ in range(2))
    assert [atoms.info["config_type"] for atoms in frames] == [k for k, n in counts.items() for _ in range(n)]
    assert all(np.array_equal(a.positions, b.positions) for a, b in zip(frames, again, strict=True))
    assert not np.array_equal(frames[0].positions, frames[1].positions)
    assert frames[2].get_volume() < melt.atoms.get_volume() < frames[3].get_volume()
    assert "config_type" not in melt.atoms.info


def test_refuses(melt):
    with pytest.raises(InputError, match="amplitude"):
        rattle(melt, 0.0, seed=1)
    with pytest.raises(InputError, match="lower triangular"):
        strain(melt, [[0, 0.1, 0], [0, 0, 0], [0, 0, 0]])
    with pytest.raises(InputError, match="n_molecules must be"):
        press_contacts(melt, 31, (2.0, 3.0), seed=1)
    with pytest.raises(InputError, match="low < high"):
        twist_chains(melt, 3, (3.0, 2.0), seed=1)
    with pytest.raises(InputError, match="unknown kinds of frames: boiled"):
        perturbed_frames(melt, {"boiled": 1}, seed=1)
