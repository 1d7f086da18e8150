"""Bases from recipes: their size, the meaning of the keys, and errors that say what to do."""

from __future__ import annotations

import numpy as np
import pytest

from polypace._core import formats
from polypace.ace import BasisSpec, Potential
from polypace.errors import FileFormatError, InputError
from tests.oracle.coupling import n_invariants

BOND = {"radbase": "ChebExpCos", "radparameters": [5.25], "rcut": 5.0, "dcut": 0.01}


def recipe(elements=("H", "C"), nradmax=(3, 2, 1), lmax=(0, 2, 1), **functions):
    limits = {"nradmax_by_orders": list(nradmax), "lmax_by_orders": list(lmax)}
    return BasisSpec(elements=elements, bonds={"ALL": dict(BOND)}, functions={"ALL": limits, **functions})


@pytest.mark.parametrize(
    ("rank", "l_max", "size"), [(3, 6, 30), (4, 4, 51), (5, 3, 45), (6, 2, 22)], ids=lambda v: str(v)
)
def test_sizes_of_single_factor_tables(rank, l_max, size):
    """Known sizes of pacemaker's tables for equal factors."""
    block = formats.BlockRecipe(0, [], [0] * (rank - 1) + [1], [0] * (rank - 1) + [l_max])
    assert len(formats.generate_functions([block])[0]) == size


@pytest.mark.parametrize(
    ("labels", "ls"),
    [
        ((0, 0, 0), (1, 1, 2)),
        ((0, 0, 0), (2, 2, 2)),
        ((0, 1, 2), (2, 2, 2)),
        ((0, 0, 0, 0), (1, 1, 1, 1)),
        ((0, 0, 1, 1), (1, 1, 1, 1)),
        ((0, 0, 0, 1), (1, 1, 1, 1)),
        ((0, 1, 2, 3), (1, 1, 1, 1)),
        ((0, 0, 0, 0), (1, 1, 2, 2)),
        ((0, 0, 1, 1), (1, 2, 1, 2)),
        ((0, 1, 1, 2), (1, 1, 2, 2)),
        ((0, 0, 0, 0, 0), (0, 1, 1, 1, 1)),
    ],
    ids=str,
)
def test_as_many_functions_as_there_are_invariants(labels, ls):
    """The dimension of the space of symmetric invariants counts the functions of one (labels, ls)."""
    rank = len(labels)
    n_max = [0] * (rank - 1) + [max(labels) + 1]
    block = formats.BlockRecipe(0, [], n_max, [0] * (rank - 1) + [max(ls)])
    found = [f for f in formats.generate_functions([block])[0] if tuple(f.ns) == labels and tuple(f.ls) == ls]
    assert len(found) == n_invariants(labels, ls)


def test_specific_keys_win_and_bonds_are_large_enough():
    spec = BasisSpec(
        elements=["Ni", "Al"],
        embeddings={
            "ALL": {"ndensity": 1, "fs_parameters": [1, 1]},
            "Al": {"ndensity": 2, "fs_parameters": [1, 1, 1, 0.5]},
        },
        bonds={"ALL": dict(BOND), "BINARY": {"rcut": 6.0}, "NiAl": {"r_in": 0.5}, "Al": {"nradbase": 9}},
        functions={
            "ALL": {"nradmax_by_orders": [2, 1], "lmax_by_orders": [0, 1]},
            "AlNi": {"nradmax_by_orders": [3, 2], "lmax_by_orders": [0, 2]},
        },
    )
    potential = spec.build()
    al_al, al_ni, ni_al, ni_ni = potential.data.bonds
    assert potential.elements == ("Al", "Ni")
    assert potential.n_densities == {"Al": 2, "Ni": 1}
    assert (al_ni.r_cut, ni_al.r_cut, al_ni.r_in, ni_ni.r_cut) == (6.0, 6.0, 0.5, 5.0)
    sizes = [(b.n_max, b.l_max, b.k_max) for b in (al_al, al_ni, ni_al, ni_ni)]
    assert sizes == [(2, 2, 9), (2, 2, 3), (2, 2, 3), (1, 1, 2)]
    assert potential.n_functions == {"Al": 4 + 24, "Ni": 4 + 6}


def test_number_of_functions_keeps_the_simplest():
    small, large = (recipe(number_of_functions_per_element=n).build() for n in (10, 20))
    assert small.n_functions == {"C": 10, "H": 10}
    names = [{(tuple(f.mus), tuple(f.ns), tuple(f.ls)) for f in p.data.functions[0]} for p in (small, large)]
    assert names[0] < names[1]
    with pytest.raises(InputError, match=r"= 1 is less than one function for each of the 4 blocks .*at least 2"):
        recipe(number_of_functions_per_element=1).build()


def test_random_coefficients_follow_the_seed():
    spec = BasisSpec(
        elements=["C"], bonds={"ALL": dict(BOND)},
        functions={"ALL": {"nradmax_by_orders": [5], "lmax_by_orders": [0], "coefs_init": "random"}},
    )  # fmt: skip
    first, again, other = (spec.build(seed).coefficients for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()
    assert 0 < np.abs(first).max() < 1e-3


def test_simple_is_linear_with_cutoffs_per_pair(tmp_path):
    spec = BasisSpec.simple(["C", "H"], {"C": 5.0, "CH": 4.0, "H": 3.0}, nradmax=(4, 2), lmax=(0, 2))
    potential = spec.build()
    assert potential.is_linear
    assert potential.max_cutoff == 5.0
    assert potential.cutoffs["H", "C"] == 4.0
    potential.write(tmp_path / "p.yaml")
    assert Potential.read(tmp_path / "p.yaml") == potential


def test_a_recipe_is_read_as_pacemaker_writes_it(tmp_path):
    import yaml

    spec = recipe()
    (tmp_path / "basis.yaml").write_text(yaml.safe_dump(spec.as_dict()))
    (tmp_path / "input.yaml").write_text(yaml.safe_dump({"cutoff": 7, "potential": spec.as_dict(), "fit": {}}))
    assert BasisSpec.read(tmp_path / "basis.yaml").build() == spec.build()
    assert BasisSpec.read(tmp_path / "input.yaml").build() == spec.build()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"elements": ["C", "Q"]}, r"elements must be a list of chemical symbols"),
        ({"elements": ["C", "C"]}, r"elements must not repeat"),
        ({"bonds": {"ALL": {**BOND, "rcut": -1}}}, r"bonds\.C\.rcut: .*greater than 0, got -1"),
        ({"bonds": {"ALL": {**BOND, "rcutt": 1}}}, r"bonds\.C\.rcutt: .*; known keys: radbase"),
        ({"bonds": {"UNARY": dict(BOND)}}, r"bonds\.CH: nothing is given for it; add ALL, BINARY"),
        ({"bonds": {"ALL": dict(BOND), "CN": {}}}, r"bonds: the key 'CN' is neither"),
        ({"bonds": {"ALL": dict(BOND), "CH": {"rcut": 3}, "HC": {"rcut": 4}}}, r"bonds\.CH is given twice"),
        ({"bonds": {"ALL": {"radbase": "ChebPow", "rcut": 5}}}, r"bonds\.C\.radparameters is missing"),
        ({"embeddings": {"ALL": {"ndensity": 2}}}, r"embeddings\.C: .*4 for ndensity = 2, got 2"),
        ({"embeddings": {"C": {}}}, r"embeddings: nothing is given for H"),
        (
            {"functions": {"ALL": {"nradmax_by_orders": [1, 1], "lmax_by_orders": [0]}}},
            r"functions\.C: .*got 2 and 1",
        ),
        (
            {"functions": {"ALL": {"nradmax_by_orders": [0], "lmax_by_orders": [0]}}},
            r"must begin with at least 1",
        ),
        ({"functions": {"SENARY": {}}}, r"functions: the key 'SENARY'"),
        ({"delta_spline_bins": 0}, r"deltaSplineBins must be positive"),
    ],
)
def test_wrong_recipes_are_refused(change, message):
    good = {
        "elements": ["C", "H"],
        "bonds": {"ALL": dict(BOND)},
        "functions": {"ALL": {"nradmax_by_orders": [1], "lmax_by_orders": [0]}},
    }
    with pytest.raises(InputError, match=message):
        BasisSpec(**{**good, **change})


@pytest.mark.parametrize(
    ("nradmax", "lmax", "message"),
    [
        ((1, 1), (0, 11), r"lmax = 11 of order 2 is beyond the limit 10"),
        ((1,) * 7, (0,) * 7, r"order 7 are not supported; the highest order is 6"),
        ((1, 0, 0, 0, 0, 3), (0,) * 6, r"order 6 with more than two different"),
    ],
)
def test_bases_beyond_the_tables_are_refused(nradmax, lmax, message):
    with pytest.raises(InputError, match=message):
        recipe(["C"], nradmax, lmax).build()


def test_explicit_sizes_must_do_for_the_functions():
    spec = BasisSpec.simple(["C"], 5.0, nradmax=(4, 2), lmax=(0, 2))
    bonds = {"ALL": {**spec.bonds["ALL"], "nradmax": 1}}
    with pytest.raises(InputError, match=r"nradmax = 1 of C-C is less than the functions need, 2"):
        BasisSpec(elements=["C"], bonds=bonds, functions=spec.functions).build()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1", r"not valid YAML"),
        ("3", r"must be a mapping"),
        ("elements: [C]", r"the keys \['bonds', 'functions'\] are missing"),
        ("{elements: [C], bonds: {}, functions: {}, radius: 3}", r"unknown keys \['radius'\]"),
        ("{elements: C, bonds: {}, functions: {}}", r"elements must be a list"),
    ],
)
def test_wrong_recipe_files_are_refused(tmp_path, text, message):
    path = tmp_path / "basis.yaml"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=rf"basis\.yaml: .*{message}|basis\.yaml: {message}"):
        BasisSpec.read(path)
