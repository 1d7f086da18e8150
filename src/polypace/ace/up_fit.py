"""Up-fits: a fit that starts from an earlier potential and leaves it only where the data say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace._core import formats
from polypace.ace.potential import Potential
from polypace.ace.row_compression import CompressedRows
from polypace.ace.solvers import ARD, Solution, Solver
from polypace.errors import InputError


def starting_coefficients(basis: Potential, start: Potential) -> npt.NDArray[np.float64]:
    """Per function of the (linear) basis its coefficient in `start`, 0 where `start` has no such function.

    Raises
    ------
    InputError
        where the radial functions or the embeddings differ, so that coefficients mean something else, or nothing is
        common.
    """
    if not start.has_functions:
        raise InputError("start needs the B-basis form of a potential (.yaml): a .yace has no functions to start from")
    if any(e.n_densities != 1 or list(e.parameters) != [1.0, 1.0] for e in start.data.embeddings):
        raise InputError("start is not linear in its coefficients: use the pacemaker backend for its up-fits")
    old_bonds = _radial(start)
    for pair, bond in _radial(basis).items():
        if pair in old_bonds and old_bonds[pair] != bond:
            raise InputError(
                f"start and basis have other radial functions for {'-'.join(pair)}: {old_bonds[pair]} and {bond} "
                "(family, parameters, cutoff, width); coefficients cannot be taken over, leave start out"
            )
    known = dict(_functions(start))
    found = [known.get(key) for key, _ in _functions(basis)]
    if all(value is None for value in found):
        raise InputError(
            f"start ({', '.join(start.elements)}) has no function of the basis ({', '.join(basis.elements)})"
        )
    return np.array([value or 0.0 for value in found])


def starting_basis(path: Path) -> Potential:
    """The expansion of a potential without its core repulsion, as the basis of an up-fit."""
    from polypace.ace.recipe import EmbeddingEntry

    data = Potential.read(path).data.copy()
    bonds, embeddings = data.bonds, data.embeddings
    for bond in bonds:
        bond.inner = formats.InnerCutoff.distance
        bond.core_prefactor = bond.core_lambda = bond.r_in = bond.delta_in = 0.0
    for embedding in embeddings:
        embedding.rho_core_cut = EmbeddingEntry.model_fields["rho_core_cut"].default
        embedding.drho_core_cut = EmbeddingEntry.model_fields["drho_core_cut"].default
    data.bonds, data.embeddings = bonds, embeddings
    return Potential(data)


def solve_from(
    start: npt.NDArray[np.float64], solver: Solver, groups: Mapping[str, CompressedRows], penalties: Any
) -> Solution:
    """The solution with a prior around `start` (n_columns,) instead of 0: c = start + δ, ‖A δ − (y − A start)‖ minimal.

    Raises
    ------
    InputError
        for relevance determination, which would switch changes off and not functions.
    """
    if isinstance(solver, ARD):
        raise InputError(
            "solver 'ard' chooses functions by their size and cannot start from a potential: use ridge or blr"
        )
    left = {name: replace(group, target=group.target - group.factor @ start) for name, group in groups.items()}
    solution = solver.solve(left, penalties)
    return replace(solution, coefficients=start + solution.coefficients)


def _radial(potential: Potential) -> dict[tuple[str, str], tuple[Any, ...]]:
    pairs = [(a, b) for a in potential.elements for b in potential.elements]
    return {
        pair: (bond.basis_name, tuple(bond.radial_parameters), bond.r_cut, bond.d_cut)
        for pair, bond in zip(pairs, potential.data.bonds, strict=True)
        if bond.defined
    }


def _functions(potential: Potential) -> Iterator[tuple[tuple[Any, ...], float]]:
    data = potential.data
    assert isinstance(data, formats.BPotential)
    symbols = potential.elements
    for centre, functions in zip(symbols, data.functions, strict=True):
        for f in functions:
            around = tuple(symbols[mu] for mu in f.mus)
            yield (centre, around, tuple(f.ns), tuple(f.ls), tuple(f.lint)), float(f.coefficients[0])
