"""Random `.yaml` potentials in every layout that pacemaker reads, for comparisons with pacemaker itself.

Everything that may differ does: radial functions, cutoffs and sizes per bond, embeddings per element, order of blocks
and of factors, nested and flat radial coefficients, bonds given in one direction only, skipped functions.
"""

from __future__ import annotations

from itertools import combinations_with_replacement, permutations
from typing import Any

import numpy as np

from tests.oracle.coupling import intermediate_momenta

ELEMENTS = ("Al", "Ni", "C", "H", "Zn", "Cu", "O", "Mg")
RADIAL_BASES = ("ChebExpCos", "ChebPow", "ChebLinear", "SBessel", "TEST_SBessel", "TEST_nothing")
LARGEST_L = {1: 0, 2: 9, 3: 4, 4: 3, 5: 2, 6: 2}  # per rank

Keys = dict[str, Any]


def random_yaml(rng: np.random.Generator) -> tuple[list[str], str]:
    """Elements and text of a potential."""
    elements = [str(el) for el in rng.choice(ELEMENTS, rng.integers(1, 5), replace=False)]
    inner = str(rng.choice(["density", "distance", "zbl"]))
    radial, core = {}, {}
    for pair in combinations_with_replacement(elements, 2):
        radial[pair] = radial[pair[::-1]] = _radial_keys(rng)
        core[pair] = core[pair[::-1]] = _core_keys(rng, inner)
    embeddings = {element: _embedding_keys(rng) for element in elements}
    text = f"global:\n  DeltaSplineBins: {rng.choice([0.001, 0.0005, 0.01, 0.0007])}\nspecies:\n"
    mirrored: set[tuple[str, ...]] = set()
    for names, functions in _blocks(rng, elements, radial).items():
        text += f"  - speciesblock: {' '.join(names)}\n"
        pair = (names[0], names[-1])
        keys = embeddings[names[0]] if len(names) == 1 else {}
        if len(names) <= 2:
            keys = keys | _bond_keys(rng, radial[pair], core[pair], inner, may_be_short=pair[::-1] in mirrored)
            mirrored.add(pair)
        text += "".join(f"    {key}: {value}\n" for key, value in keys.items())
        n_densities = embeddings[names[0]]["ndensityi"]
        lines = [_function_text(rng, names[0], function, n_densities) for function in functions]
        text += "    nbody:\n" + "".join(lines) if lines else "    nbody: []\n"
    return elements, text


def _radial_keys(rng: np.random.Generator) -> Keys:
    n, l_max, k = (int(rng.integers(low, high)) for low, high in ((1, 5), (0, 5), (1, 7)))
    coefficients = rng.normal(size=(n, l_max + 1, k))
    flat = rng.random() < 0.2
    return {
        "nradmaxi": n,
        "lmaxi": l_max,
        "rcutij": float(rng.choice([rng.uniform(3, 5.5), 4.0, 5.0])),
        "dcutij": rng.choice([0.0, 0.01, 0.5, 1.3, 6.0]),
        "NameOfCutoffFunctionij": "cos",
        "nradbaseij": k,
        "radbase": rng.choice(RADIAL_BASES),
        "radparameters": [float(rng.choice([5.25, 2.0, 1.0, 0.7]))],
        "radcoefficients": coefficients.transpose(2, 0, 1).ravel().tolist() if flat else coefficients.tolist(),
    }


def _core_keys(rng: np.random.Generator, inner: str) -> Keys:
    keys: Keys = {}
    if rng.random() < 0.6:
        prefactor, decay = rng.choice([-1, 1], 2) * rng.uniform([1, 0.2], [100, 3])
        keys["core-repulsion"] = [0.7, 1.0] if inner == "zbl" else [float(prefactor), float(decay)]
    if inner == "zbl" or rng.random() < 0.6:
        width = 0.0 if inner == "distance" and rng.random() < 0.3 else rng.uniform(0.05, 0.9)
        keys |= {"r_in": rng.uniform(1.0, 2.5), "delta_in": width}
    return keys


def _embedding_keys(rng: np.random.Generator) -> Keys:
    n = int(rng.integers(1, 4))
    pairs = [[rng.choice([1.0, rng.uniform(-1, 2)]), rng.choice([1.0, 0.5, rng.uniform(0.3, 2)])] for _ in range(n)]
    keys = {
        "ndensityi": n,
        "npoti": rng.choice(["FinnisSinclair", "FinnisSinclairShiftedScaled"]),
        "parameters": np.ravel(pairs).tolist(),
    }
    if rng.random() < 0.6:
        keys |= {"rho_core_cut": rng.choice([3.0, 50.0, 0.5]), "drho_core_cut": rng.choice([2.0, 1.0, 0.4])}
    return keys


def _bond_keys(rng: np.random.Generator, radial: Keys, core: Keys, inner: str, may_be_short: bool) -> Keys:
    """What the block of one direction says; the second of a pair may leave the radial part and the core to the first."""
    short = may_be_short and rng.random() < 0.5
    keys = {} if short else radial
    if not (short and "core-repulsion" in core and rng.random() < 0.5):
        keys = keys | core
    return keys if inner == "density" and rng.random() < 0.5 else {**keys, "inner_cutoff_type": inner}


Function = tuple[list[str], list[int], list[int], list[int]]  # neighbours, nr, nl, lint


def _blocks(
    rng: np.random.Generator, elements: list[str], radial: dict[Any, Keys]
) -> dict[tuple[str, ...], list[Function]]:
    """Functions per block, each element's own block before the others, which come in any order."""
    own: dict[tuple[str, ...], list[Function]] = {(element,): [] for element in rng.permutation(elements)}
    mixed: dict[tuple[str, ...], list[Function]] = {pair: [] for pair in permutations(elements, 2)}
    for centre in elements:
        seen = set()
        for _ in range(rng.integers(3, 30)):
            neighbors, *numbers = function = _function(rng, centre, elements, radial)
            if not numbers[1] or str(function) in seen:
                continue
            seen.add(str(function))
            names = (centre, *sorted(set(neighbors) - {centre}))
            (own if len(names) == 1 else mixed).setdefault(names, []).append(function)
    order = rng.permutation(len(mixed))
    return own | {names: mixed[names] for names in (list(mixed)[i] for i in order)}


def _function(rng: np.random.Generator, centre: str, elements: list[str], radial: dict[Any, Keys]) -> Function:
    rank = int(rng.choice([1, 1, 2, 2, 3, 3, 4, 4, 5, 6]))
    neighbors = [str(el) for el in rng.choice(elements, rank)]
    neighbors = sorted(neighbors) if rng.random() < 0.7 else neighbors
    bonds = [radial[centre, neighbor] for neighbor in neighbors]
    if rank == 1:
        return neighbors, [int(rng.integers(1, bonds[0]["nradbaseij"] + 1))], [0], []
    names = sorted({centre, *neighbors})
    if len(names) == 2:  # pacemaker holds the functions of a pair's block to that pair's sizes as well
        bonds += [radial[names[0], names[1]]]
    n_max = [min(bond["nradmaxi"] for bond in (one, bonds[-1])) for one in bonds[:rank]]
    l_max = [min(LARGEST_L[rank], *(bond["lmaxi"] for bond in (one, bonds[-1]))) for one in bonds[:rank]]
    ns = [int(rng.integers(1, n + 1)) for n in n_max]
    for _ in range(200):
        ls = [int(rng.integers(0, top + 1)) for top in l_max]
        choices = [lint for lint in intermediate_momenta(ls) if max(lint, default=0) <= 2 * max(l_max)]
        if sum(ls) % 2 == 0 and choices:
            return neighbors, ns, ls, choices[rng.integers(len(choices))]
    return neighbors, ns, [], []


def _function_text(rng: np.random.Generator, centre: str, function: Function, n_densities: int) -> str:
    neighbors, ns, ls, lint = function
    c: Any = (0.3 * rng.normal(size=n_densities)).tolist()
    if n_densities == 1 and rng.random() < 0.5:
        c = c[0]
    couplings = f", lint: {lint}" if len(ns) > 2 else ""
    skip = ", skip: true" if rng.random() < 0.03 else ""
    return f"      - {{type: {centre} {' '.join(neighbors)}, nr: {ns}, nl: {ls}{couplings}, c: {c}{skip}}}\n"
