"""Copies, known frames, and single environments."""

from __future__ import annotations

import numpy as np
import pytest

from polypace.ace import projections
from polypace.select import extrapolation_grade, select_active_set, select_environments, select_frames
from polypace.select.copies import distinct_rows, occurs_in
from tests.unit.select.test_active_set import potential, random_frames  # noqa: F401


def test_copies_are_found(rng):
    rows = rng.normal(size=(50, 7)) * 10.0 ** np.arange(-3, 4)
    twice = np.concatenate([rows, rows[::-1] * (1 + 1e-13), rows[:1] + 1e-3 * np.ptp(rows, axis=0)])
    assert distinct_rows(twice).tolist() == [*range(50), 100]
    assert distinct_rows(np.zeros((4, 3))).tolist() == [0]
    assert occurs_in(rows[:5], rows[3:]).tolist() == [False] * 3 + [True] * 2
    assert not occurs_in(rows, rows[:0]).any()


def test_known_frames_are_never_selected_again(potential):  # noqa: F811
    first, second = random_frames(60, 4), random_frames(40, 8, spread=0.4)
    mixed = [*first[:30], *second, *first[30:]]
    selected = select_frames(mixed, potential, known_frames=first, batch_atoms=100)
    assert selected.frames and all(30 <= frame < 70 for frame in selected.frames)
    again = select_frames(second, potential, known_frames=[*first, *second], batch_atoms=100)
    assert again.frames == ()


def test_what_interpolates_is_not_selected(potential):  # noqa: F811
    known = random_frames(200, 1)
    active = select_active_set(known, potential)
    candidates = random_frames(40, 2)
    grades = extrapolation_grade(candidates, potential, active)
    selected = select_environments(candidates, potential, known=active)
    assert len(selected.environments) > 0
    for (frame, atom), grade in zip(selected.environments, selected.grades, strict=True):
        assert grade == pytest.approx(grades[frame][atom], rel=1e-5)
    # Only what lies outside can enter first; what follows is measured against the enlarged set.
    assert selected.grades[0] == pytest.approx(max(g.max() for g in grades), rel=1e-5)
    assert list(selected.grades) == sorted(selected.grades, reverse=True)
    few = select_environments(candidates, potential, 3, known=active)
    np.testing.assert_array_equal(few.environments, selected.environments[:3])


def test_environments_without_anything_known_are_in_order_of_volume(potential):  # noqa: F811
    frames = random_frames(60, 4)
    selected = select_environments(frames, potential)
    assert len(np.unique(selected.environments, axis=0)) == len(selected.environments)
    rows = projections(frames, potential)
    chosen = [rows[f][a] for (f, a), el in zip(selected.environments, selected.elements, strict=True) if el == "Al"]
    scaled = np.array(chosen)[:, : potential.n_functions["Al"]]
    scaled = scaled / np.ptp(scaled, axis=0)
    residuals = np.abs(np.diag(np.linalg.qr(scaled.T)[1]))
    assert (np.diff(residuals) <= 1e-9 * residuals[0]).all()
