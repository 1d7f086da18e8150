"""Slow and obvious: Clebsch–Gordan coefficients in exact fractions, invariants by linear algebra."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import factorial, sqrt

import numpy as np
import numpy.typing as npt


def clebsch_gordan(l1: int, m1: int, l2: int, m2: int, l: int, m: int) -> float:  # noqa: E741
    """⟨l1 m1 l2 m2 | l m⟩ by Racah's formula in exact fractions."""
    if m1 + m2 != m or not abs(l1 - l2) <= l <= l1 + l2 or abs(m1) > l1 or abs(m2) > l2 or abs(m) > l:
        return 0.0
    f = factorial
    total = Fraction(0)
    for k in range(l1 + l2 + 1):
        rest = (l1 + l2 - l - k, l1 - m1 - k, l2 + m2 - k, l - l2 + m1 + k, l - l1 - m2 + k)
        if min(rest) >= 0:
            total += Fraction((-1) ** k, f(k) * np.prod([f(r) for r in rest], dtype=object))
    square = Fraction((2 * l + 1) * f(l + l1 - l2) * f(l - l1 + l2) * f(l1 + l2 - l), f(l1 + l2 + l + 1))
    square *= f(l + m) * f(l - m) * f(l1 - m1) * f(l1 + m1) * f(l2 - m2) * f(l2 + m2)
    return float(np.sign(total)) * sqrt(square * total * total)


def intermediate_momenta(ls: list[int]) -> list[list[int]]:
    """All `lint` that couple ls to L = 0, up to rank 6: leaves in pairs, their results in pairs, an odd leaf last."""
    rank = len(ls)
    if rank <= 2:
        return [[]] if ls[0] == ls[-1] else []
    between = [range(abs(a - b), a + b + 1) for a, b in zip(ls[:-1:2], ls[1::2], strict=True)]
    found = []
    for momenta in itertools.product(*between):
        left, right = momenta[0], momenta[1] if rank > 3 else ls[2]
        if rank <= 4:
            fits, last = left == right, []
        else:
            total = ls[4] if rank == 5 else momenta[2]
            fits, last = abs(left - right) <= total <= left + right, [total]
        if fits:
            found.append([*momenta, *last])
    return found


def rotation_generators(l: int) -> list[npt.NDArray[np.complex128]]:  # noqa: E741
    """J_z, J_+, J_− on the space of angular momentum l, m = −l…l."""
    m = np.arange(-l, l + 1)
    plus = np.diag(np.sqrt(l * (l + 1) - m[:-1] * (m[:-1] + 1)), -1).astype(complex)
    return [np.diag(m).astype(complex), plus, plus.T.copy()]


def n_invariants(labels: tuple[int, ...], ls: tuple[int, ...]) -> int:
    """Number of independent rotation invariants of ∏_t A_{label_t l_t m_t}.

    The dimension of the space of tensors that all generators annihilate and that stay the same when two
    factors with equal label and l change places.
    """
    sizes = [2 * l + 1 for l in ls]  # noqa: E741
    conditions = []
    for component in range(3):
        total = np.zeros((np.prod(sizes), np.prod(sizes)), dtype=complex)
        for t, l in enumerate(ls):  # noqa: E741
            parts = [np.eye(size, dtype=complex) for size in sizes]
            parts[t] = rotation_generators(l)[component]
            term = parts[0]
            for part in parts[1:]:
                term = np.kron(term, part)
            total += term
        conditions.append(total)
    indices = np.arange(np.prod(sizes)).reshape(sizes)
    for a, b in itertools.combinations(range(len(ls)), 2):
        if labels[a] == labels[b] and ls[a] == ls[b]:
            swapped = indices.swapaxes(a, b).ravel()
            conditions.append(np.eye(len(swapped))[swapped] - np.eye(len(swapped)))
    matrix = np.vstack(conditions)
    values = np.linalg.eigvalsh(matrix.conj().T @ matrix)
    return int(np.sum(values < 1e-8))
