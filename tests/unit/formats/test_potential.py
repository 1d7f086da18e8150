"""The Potential class: looking, changing, and the rules of blocks of a `.yaml` file."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import yaml

from polypace._core import formats
from polypace.ace import BasisSpec, Potential
from polypace.errors import InputError


@pytest.fixture(scope="module")
def potential():
    return BasisSpec.simple(["H", "C"], {"C": 5.0, "CH": 4.0, "H": 3.0}, nradmax=(3, 2), lmax=(0, 1)).build()


def test_what_a_potential_says_about_itself(potential):
    assert potential.elements == ("C", "H")
    assert potential.n_functions == {"C": 3 + 6 + 3 + 14, "H": 3 + 6 + 3 + 14}
    assert potential.n_densities == {"C": 1, "H": 1}
    assert potential.cutoffs == {("C", "C"): 5.0, ("C", "H"): 4.0, ("H", "C"): 4.0, ("H", "H"): 3.0}
    assert potential.is_linear
    assert potential.has_functions
    assert "C-H, B-basis, functions {C: 26, H: 26}, cutoff 5 Å" in repr(potential)
    assert "C-tilde" in repr(potential.to_ctilde())


def test_a_potential_does_not_change(potential):
    changed = potential.with_coefficients(np.arange(52.0)).with_e0({"H": -13.6})
    np.testing.assert_array_equal(changed.coefficients, np.arange(52.0))
    assert changed.e0 == {"C": 0.0, "H": -13.6}
    assert not potential.coefficients.any()
    assert potential.e0 == {"C": 0.0, "H": 0.0}
    assert changed != potential
    with pytest.raises(AttributeError, match="a Potential cannot change"):
        potential.elements = ("C",)


def test_core_repulsion_has_the_settings_of_pacemaker(potential):
    repulsive = potential.with_core_repulsion({("H", "C"): 0.9}, switch_width=0.2)
    bonds = repulsive.data.bonds
    assert [b.inner.name for b in bonds] == ["zbl"] * 4
    assert [(b.core_prefactor, b.core_lambda, b.delta_in) for b in bonds] == [(1.0, 1.0, 0.2)] * 4
    np.testing.assert_allclose([b.r_in for b in bonds], [2 * 0.76, 0.9, 0.9, 2 * 0.31])
    assert [(e.rho_core_cut, e.drho_core_cut) for e in repulsive.data.embeddings] == [(1.0, 1.0)] * 2
    assert not repulsive.is_linear


def test_wrong_changes_are_refused(potential, tmp_path):
    with pytest.raises(InputError, match=r"coefficients must have shape \(52\)|coefficients must have shape"):
        potential.with_coefficients([1.0])
    with pytest.raises(InputError, match=r"e0 names \['O'\], but the potential has \['C', 'H'\]"):
        potential.with_e0({"O": 1.0})
    with pytest.raises(InputError, match="inner_radii of C-H must be positive, got -1"):
        potential.with_core_repulsion({("C", "H"): -1.0})
    with pytest.raises(InputError, match=r"cannot tell the format of .* use \.yaml or \.yace"):
        potential.write(tmp_path / "p.json")
    ctilde = potential.to_ctilde()
    with pytest.raises(InputError, match=r"needs the B-basis form \(\.yaml\)"):
        ctilde.write(tmp_path / "p.yaml")
    with pytest.raises(InputError, match=r"coefficients needs the B-basis form"):
        _ = ctilde.coefficients
    with pytest.raises(InputError, match="cannot be written"):
        potential.write(tmp_path / "no" / "such" / "folder.yaml")


RADIAL = (
    "nradmaxi",
    "lmaxi",
    "rcutij",
    "dcutij",
    "nradbaseij",
    "radbase",
    "radparameters",
    "radcoefficients",
)
INNER = ("r_in", "delta_in", "inner_cutoff_type", "core-repulsion", "NameOfCutoffFunctionij")


@pytest.fixture
def blocks(potential):
    content = yaml.safe_load(formats.format_yaml(potential.data))
    content["metadata"] = {"note": "made by hand"}
    return {block["speciesblock"]: block for block in content["species"]} | {"all": content}


def parsed(blocks):
    return Potential(formats.parse_yaml(yaml.safe_dump(blocks["all"], sort_keys=False), "f"))


def drop(block, keys):
    for key in keys:
        del block[key]


def test_what_one_direction_of_a_bond_leaves_out_is_copied(blocks, potential):
    for name in ("C", "H", "C H", "H C"):
        blocks[name]["inner_cutoff_type"] = "density"
    blocks["C H"].update({"core-repulsion": [100.0, 3.0], "r_in": 0.5, "delta_in": 0.2})
    drop(blocks["H C"], RADIAL + INNER)
    read = parsed(blocks)
    _, forward, backward, _ = read.data.bonds
    assert forward.r_cut == backward.r_cut == 4.0
    assert (backward.core_prefactor, backward.core_lambda, backward.r_in, backward.delta_in) == (
        100.0,
        3.0,
        0.5,
        0.2,
    )
    assert read.n_functions == potential.n_functions
    assert read.metadata == {"note": "made by hand"}


def test_a_missing_block_is_the_mirror_of_the_other(blocks):
    blocks["all"]["species"].remove(blocks["H C"])
    _, forward, backward, _ = parsed(blocks).data.bonds
    assert forward.coefficients == backward.coefficients
    assert backward.defined


def test_skipped_functions_and_empty_lists(blocks):
    blocks["C"]["nbody"][0]["skip"] = True
    blocks["H"]["nbody"] = []
    assert parsed(blocks).n_functions == {"C": 25, "H": 26 - 3 - 6}


def test_a_pair_that_no_block_defines_does_not_interact(blocks, tmp_path):
    blocks["all"]["species"] = [blocks["C"], blocks["H"]]
    read = parsed(blocks)
    assert set(read.cutoffs) == {("C", "C"), ("H", "H")}
    read.write(tmp_path / "p.yaml")
    assert Potential.read(tmp_path / "p.yaml") == read
    with pytest.raises(InputError, match=r"needs the bonds of all pairs of elements, but C-H is not defined"):
        read.write(tmp_path / "p.yace")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda b: b["all"]["species"].reverse(),
            r"comes before the block '\w', which must define the embedding",
        ),
        (lambda b: b["H C"].update(rcutij=3.9), r"Radial basis in blocks 'C H' and 'H C' is not consistent"),
        (
            lambda b: b["H C"].update(r_in=0.3),
            r"r_in, delta_in or inner_cutoff_type in blocks 'C H' and 'H C'",
        ),
        (lambda b: b["H C"].update({"core-repulsion": [1, 2]}), r"Core-repulsion in blocks 'C H' and 'H C'"),
        (
            lambda b: drop(b["C H"], RADIAL) or drop(b["H C"], RADIAL),
            r"not defined neither in 'C H' nor in 'H C'",
        ),
        (
            lambda b: b["all"]["species"].append(copy.deepcopy(b["C H"])),
            r"the bond of the block 'C H' is defined twice",
        ),
    ],
    ids=["order", "radial", "inner", "core", "nowhere", "twice"],
)
def test_blocks_that_contradict_each_other_are_refused(blocks, change, message):
    change(blocks)
    with pytest.raises(ValueError, match=message):
        parsed(blocks)


def test_the_old_flat_layout_of_radial_coefficients(blocks):
    shape = (2, 2, 3)  # n, l, k
    nested = np.arange(12.0).reshape(shape)
    blocks["C"]["radcoefficients"] = nested.tolist()
    wanted = parsed(blocks)
    blocks["C"]["radcoefficients"] = nested.transpose(2, 0, 1).ravel().tolist()
    assert parsed(blocks) == wanted
    blocks["C"]["radcoefficients"] = np.pad(nested, ((0, 2), (0, 1), (0, 4)), constant_values=9).tolist()
    assert parsed(blocks) == wanted
    blocks["C"]["radcoefficients"] = [1.0] * 13
    with pytest.raises(ValueError, match=r"has 13 numbers, nradmax × \(lmax \+ 1\) × nradbase = 12 are needed"):
        parsed(blocks)
