"""Builds a potential from a checked recipe: functions block by block, bonds large enough for them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from polypace._core import formats
from polypace.ace.potential import Potential
from polypace.ace.recipe import BondEntry, EmbeddingEntry, Plan
from polypace.errors import InputError

_RANDOM_SCALE = 1e-4

Pair = tuple[int, int]


@dataclass
class _Extent:
    """What the functions need of a bond: number of g_k, number of R_nl, largest l."""

    k_max: int = 0
    n_max: int = 0
    l_max: int = 0

    def widen(self, *, k_max: int = 0, n_max: int = 0, l_max: int = 0) -> None:
        self.k_max, self.n_max, self.l_max = (
            max(self.k_max, k_max),
            max(self.n_max, n_max),
            max(self.l_max, l_max),
        )


def build_potential(plan: Plan, seed: int) -> Potential:
    """The potential of `plan`; random coefficients, where asked for, follow `seed`."""
    species = {element: mu for mu, element in enumerate(plan.elements)}
    indices = [tuple(species[element] for element in block) for block, _ in plan.blocks]
    n_kept = None if plan.n_per_element is None else _kept_per_block(plan, plan.n_per_element)
    recipes = [
        formats.BlockRecipe(
            block[0], list(block[1:]), list(limits.nradmax_by_orders), list(limits.lmax_by_orders), n_kept
        )
        for block, (_, limits) in zip(indices, plan.blocks, strict=True)
    ]
    try:
        functions = formats.generate_functions(recipes)
    except ValueError as error:
        raise InputError(f"functions: {error}") from None
    extents = _extents_of_limits(plan, indices)
    _check_explicit_extents(plan, extents)
    if n_kept is not None:
        extents = _extents_of_functions(functions, indices)
    else:
        _raise_to_explicit_extents(plan, extents)
    data = formats.BPotential()
    data.elements = list(plan.elements)
    data.delta_spline_bins = plan.delta_spline_bins
    data.embeddings = [_embedding(entry) for entry in plan.embeddings]
    pairs = [(a, b) for a in range(len(species)) for b in range(len(species))]
    data.bonds = [_bond(plan.bonds[plan.elements[a], plan.elements[b]], extents[a, b]) for a, b in pairs]
    data.functions = _with_coefficients(plan, functions, seed)
    # Through the reader: it checks what only it knows, and sorts.
    return Potential(formats.parse_yaml(formats.format_yaml(data), "basis"))


def _extents_of_limits(plan: Plan, blocks: list[tuple[int, ...]]) -> dict[Pair, _Extent]:
    """Bonds as large as the limits of the blocks that touch them, used or not, as pacemaker makes them."""
    extents: dict[Pair, _Extent] = defaultdict(_Extent)
    for block, (_, limits) in zip(blocks, plan.blocks, strict=True):
        centre, others = block[0], block[1:]
        by_order = zip(limits.nradmax_by_orders, limits.lmax_by_orders, strict=True)
        for rank, (n_max, l_max) in enumerate(by_order, start=1):
            # The centre's own element is a neighbour only where the others leave a factor for it.
            touched = [*others, *([centre] if rank > len(others) else [])]
            for other in touched:
                extents[centre, other].widen(l_max=l_max, **{"k_max" if rank == 1 else "n_max": n_max})
    return _symmetrized(extents, len(plan.elements))


def _extents_of_functions(
    functions: list[list[formats.BasisFunction]], blocks: list[tuple[int, ...]]
) -> dict[Pair, _Extent]:
    extents: dict[Pair, _Extent] = defaultdict(_Extent)
    for block, own in zip(blocks, functions, strict=True):
        for function in own:
            size = "k_max" if len(function.mus) == 1 else "n_max"
            for mu, n, momentum in zip(function.mus, function.ns, function.ls, strict=True):
                extents[block[0], mu].widen(l_max=momentum, **{size: n + 1})
    return _symmetrized(extents, 1 + max(mu for block in blocks for mu in block))


def _symmetrized(extents: dict[Pair, _Extent], n_species: int) -> dict[Pair, _Extent]:
    result: dict[Pair, _Extent] = {}
    for a in range(n_species):
        for b in range(n_species):
            one, other = extents[a, b], extents[b, a]
            # At least one g_k: a bond without functions still has its cutoff and core repulsion.
            result[a, b] = _Extent(
                max(one.k_max, other.k_max, 1), max(one.n_max, other.n_max), max(one.l_max, other.l_max)
            )
    return result


_EXPLICIT = (("nradbase", "k_max"), ("nradmax", "n_max"), ("lmax", "l_max"))


def _check_explicit_extents(plan: Plan, extents: dict[Pair, _Extent]) -> None:
    for (a, b), needed in extents.items():
        entry = plan.bonds[plan.elements[a], plan.elements[b]]
        for key, name in _EXPLICIT:
            given, least = getattr(entry, key), getattr(needed, name)
            if given is not None and given < least:
                pair = f"{plan.elements[a]}-{plan.elements[b]}"
                raise InputError(f"bonds: {key} = {given} of {pair} is less than the functions need, {least}")


def _raise_to_explicit_extents(plan: Plan, extents: dict[Pair, _Extent]) -> None:
    for (a, b), extent in extents.items():
        entry = plan.bonds[plan.elements[a], plan.elements[b]]
        extent.widen(**{name: getattr(entry, key) or 0 for key, name in _EXPLICIT})


def _kept_per_block(plan: Plan, n_per_element: int) -> int:
    kept = n_per_element * len(plan.elements) // len(plan.blocks)
    if kept < 1:
        least = -(-len(plan.blocks) // len(plan.elements))
        raise InputError(
            f"functions.number_of_functions_per_element = {n_per_element} is less than one function for "
            f"each of the {len(plan.blocks)} blocks of elements; give at least {least}"
        )
    return kept


def _embedding(entry: EmbeddingEntry) -> formats.Embedding:
    embedding = formats.Embedding()
    embedding.n_densities = entry.ndensity
    embedding.kind = getattr(formats.EmbeddingKind, entry.npot)
    embedding.parameters = list(entry.fs_parameters)
    embedding.rho_core_cut, embedding.drho_core_cut = entry.rho_core_cut, entry.drho_core_cut
    return embedding


def _bond(entry: BondEntry, extent: _Extent) -> formats.Bond:
    bond = formats.Bond()
    try:
        bond.basis_name = entry.radbase
    except ValueError as error:
        raise InputError(f"bonds: {error}; known are ChebExpCos, ChebPow, ChebLinear, SBessel") from None
    bond.radial_parameters = list(entry.radparameters) or [1.0]
    bond.r_cut, bond.d_cut = entry.rcut, entry.dcut
    bond.r_in, bond.delta_in = entry.r_in, entry.delta_in
    bond.inner = getattr(formats.InnerCutoff, entry.inner_cutoff_type)
    bond.core_prefactor, bond.core_lambda = entry.core_repulsion
    bond.k_max, bond.n_max, bond.l_max = extent.k_max, extent.n_max, extent.l_max
    unit = np.eye(extent.n_max, extent.k_max)
    bond.coefficients = np.repeat(unit[:, None, :], extent.l_max + 1, axis=1).ravel().tolist()
    bond.defined = True
    return bond


def _with_coefficients(
    plan: Plan, functions: list[list[formats.BasisFunction]], seed: int
) -> list[list[formats.BasisFunction]]:
    """Functions per centre, each with one coefficient per density of it."""
    rng = np.random.default_rng(seed)
    per_centre: list[list[formats.BasisFunction]] = [[] for _ in plan.elements]
    for (block, limits), own in zip(plan.blocks, functions, strict=True):
        centre = plan.elements.index(block[0])
        shape = (len(own), plan.embeddings[centre].ndensity)
        values = rng.normal(scale=_RANDOM_SCALE, size=shape) if limits.coefs_init == "random" else np.zeros(shape)
        for function, row in zip(own, values.tolist(), strict=True):
            function.coefficients = row
            per_centre[centre].append(function)
    return per_centre
