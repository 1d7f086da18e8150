"""Small potentials with random coefficients, as the text of a .yaml: for tests that need any valid ACE."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np

ELEMENTS = ("C", "H")
CUTOFF = 4.0
N_RADIAL, L_MAX, N_BASE = 3, 2, 4


def random_potential(rng: np.random.Generator, scale: float = 0.05) -> str:
    """C and H with ranks 1 to 3, two densities (one nonlinear), and a core repulsion that keeps MD sane."""
    blocks = [_own_block(rng, element, scale) for element in ELEMENTS]
    blocks += [_mixed_block(rng, a, b, scale) for a, b in (ELEMENTS, ELEMENTS[::-1])]
    return "global:\n  DeltaSplineBins: 0.001\nspecies:\n" + "".join(blocks)


def _own_block(rng, element: str, scale: float) -> str:
    return (
        f"  - speciesblock: {element}\n"
        "    ndensityi: 2\n"
        "    npoti: FinnisSinclairShiftedScaled\n"
        "    parameters: [1, 1, 1, 0.5]\n"
        f"{_bond(rng)}"
        f"    nbody:\n{_functions(rng, element, (element,), scale)}"
    )


def _mixed_block(rng, center: str, other: str, scale: float) -> str:
    # Radial functions of a mixed pair stand in the first of its two blocks and hold for both.
    bond = _bond(rng) if center < other else ""
    functions = _functions(rng, center, (center, other), scale)
    return f"  - speciesblock: {center} {other}\n{bond}    nbody:\n{functions}"


def _bond(rng) -> str:
    coefficients = rng.normal(size=(N_RADIAL, L_MAX + 1, N_BASE)).round(4).tolist()
    return (
        f"    nradmaxi: {N_RADIAL}\n    lmaxi: {L_MAX}\n    rcutij: {CUTOFF}\n    dcutij: 0.01\n"
        f"    NameOfCutoffFunctionij: cos\n    nradbaseij: {N_BASE}\n    radbase: ChebExpCos\n"
        f"    radparameters: [3.0]\n    radcoefficients: {coefficients}\n    core-repulsion: [200.0, 1.2]\n"
    )


def _functions(rng, center: str, allowed: tuple[str, ...], scale: float) -> str:
    """Ranks 1 to 3 of neighbours from `allowed`; in a mixed block only those that are not all the centre."""
    lines = []
    for rank, (l_lists, n_top) in {1: ([[0]], N_BASE), 2: ([[0, 0], [1, 1], [2, 2]], 2)}.items():
        for kinds in _kinds(center, allowed, rank):
            for ls in l_lists:
                lines += [_entry(rng, center, kinds, [n] * rank, ls, [], scale) for n in range(1, n_top + 1)]
    for kinds in _kinds(center, allowed, 3):
        for ls in ([0, 0, 0], [1, 1, 0], [1, 1, 2], [2, 2, 2]):
            lines.append(_entry(rng, center, kinds, [1, 1, 2], ls, [ls[2]], scale))
    return "".join(lines)


def _kinds(center: str, allowed: tuple[str, ...], rank: int) -> list[tuple[str, ...]]:
    every = combinations_with_replacement(sorted(allowed), rank)
    return [kinds for kinds in every if len(allowed) == 1 or set(kinds) != {center}]


def _entry(rng, center: str, kinds, ns: list[int], ls: list[int], lint: list[int], scale: float) -> str:
    c = (scale * rng.normal(size=2) / len(ns)).round(6).tolist()
    inner = f", lint: {lint}" if lint else ""
    return f"      - {{type: {center} {' '.join(kinds)}, nr: {ns}, nl: {ls}{inner}, c: {c}}}\n"
