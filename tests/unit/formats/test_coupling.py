"""Coupling coefficients against exact fractions, and the traps of pacemaker's canonical order."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from polypace._core import formats
from tests.oracle.coupling import clebsch_gordan


def function(ls, lint=(), ns=None, mus=None):
    made = formats.BasisFunction()
    made.mus = list(mus or [0] * len(ls))
    made.ns = list(ns or range(len(ls)))
    made.ls, made.lint, made.coefficients = list(ls), list(lint), [1.0]
    return made


def half_list(ls, weight):
    """m-vectors with Σm = 0, m_1 fastest, first non-zero component positive, where `weight` is not zero."""
    rows, weights = [], []
    for reversed_ms in itertools.product(*(range(-l, l + 1) for l in ls[::-1])):  # noqa: E741
        ms = reversed_ms[::-1]
        nonzero = [m for m in ms if m != 0]
        if sum(ms) != 0 or (nonzero and nonzero[0] < 0):
            continue
        value = weight(ms)
        if value != 0:
            rows.append(ms)
            weights.append(2 * value if nonzero else value)
    return rows, weights


@pytest.mark.parametrize(("l1", "l2"), [(0, 0), (1, 2), (3, 3), (6, 4), (8, 8)])
def test_clebsch_gordan_coefficients(l1, l2):
    for l in range(abs(l1 - l2), l1 + l2 + 1):  # noqa: E741
        for m1 in range(-l1, l1 + 1):
            for m2 in range(max(-l2, -l - m1), min(l2, l - m1) + 1):
                wanted = clebsch_gordan(l1, m1, l2, m2, l, m1 + m2)
                has = formats.clebsch_gordan(l1, m1, l2, m2, l, m1 + m2)
                assert has == pytest.approx(wanted, rel=1e-14, abs=0)


def test_large_momenta_stay_exact():
    assert formats.clebsch_gordan(20, 3, 20, -7, 40, -4) == pytest.approx(
        clebsch_gordan(20, 3, 20, -7, 40, -4), rel=1e-13
    )
    with pytest.raises(ValueError, match="their sum must be at most 120"):
        formats.clebsch_gordan(50, 0, 50, 0, 50, 0)


@pytest.mark.parametrize(
    ("ls", "lint"),
    [((3, 3), ()), ((1, 2, 3), (3,)), ((2, 2, 2, 2), (3, 3)), ((1, 1, 2, 2, 2), (1, 2, 2))],
)
def test_the_half_list_is_the_coupling_tree(ls, lint):
    cg = clebsch_gordan

    def weight(m):
        if len(m) == 2:
            return cg(ls[0], m[0], ls[1], m[1], 0, 0)
        first = cg(ls[0], m[0], ls[1], m[1], lint[0], m[0] + m[1])
        if len(m) == 3:
            return first * cg(lint[0], m[0] + m[1], ls[2], m[2], 0, 0)
        second = cg(ls[2], m[2], ls[3], m[3], lint[1], m[2] + m[3])
        if len(m) == 4:
            return first * second * cg(lint[0], m[0] + m[1], lint[1], m[2] + m[3], 0, 0)
        third = cg(lint[0], m[0] + m[1], lint[1], m[2] + m[3], lint[2], sum(m[:4]))
        return first * second * third * cg(lint[2], sum(m[:4]), ls[4], m[4], 0, 0)

    potential = formats.BPotential()
    potential.elements, potential.functions = ["H"], [[function(ls, lint)]]
    coupled = potential.coupled_functions(0)[0]
    rows, weights = half_list(ls, weight)
    significant = np.abs(coupled.weights) > 1e-15  # the tiny ones are zeros of the exact table
    np.testing.assert_array_equal(np.reshape(coupled.ms, (-1, len(ls)))[significant], rows)
    np.testing.assert_allclose(np.asarray(coupled.weights)[significant], weights, rtol=1e-13)


def test_pacemakers_tiny_coefficients_are_all_there(shared):
    """Zeros that come out tiny in pacemaker lengthen m-lists, and with them change the order of functions."""
    entries = json.loads((shared / "spec" / "cg_tiny_nonzeros.json").read_text())["entries"]
    assert len(entries) == 224
    table = {tuple(entry[:-1]): entry[-1] for entry in entries}
    ours = formats.clebsch_gordan_artefacts()
    assert {key: value for key, value in ours.items() if max(key[0], key[2]) <= 8} == table
    for momenta in ours:
        assert clebsch_gordan(*momenta) == 0 == formats.clebsch_gordan(*momenta)
