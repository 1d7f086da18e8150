"""Against the real pacemaker (python-ace): the same bases, and our files give it the same numbers."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest
from ase.build import bulk

from polypace._core import formats
from polypace.ace import BasisSpec, Potential
from tests.oracle.coupling import intermediate_momenta

from .vectors import folder, load


@pytest.fixture(scope="module")
def pyace():
    return pytest.importorskip("pyace", reason="needs the real pacemaker: pip install 'polypace[pacemaker]'")


def recipe(elements, nradmax, lmax, **functions):
    embedding = {"npot": "FinnisSinclairShiftedScaled", "fs_parameters": [1, 1, 1, 0.5], "ndensity": 2}
    bond = {
        "radbase": "ChebExpCos",
        "radparameters": [5.25],
        "rcut": 5.0,
        "dcut": 0.01,
        "NameOfCutoffFunction": "cos",
    }
    return {
        "deltaSplineBins": 0.001,
        "elements": elements,
        "embeddings": {"ALL": embedding},
        "bonds": {"ALL": bond},
        "functions": {"ALL": {"nradmax_by_orders": nradmax, "lmax_by_orders": lmax}, **functions},
    }


def with_specific_keys():
    made = recipe(["Ni", "Al"], [4, 2, 1], [0, 2, 1])
    made["embeddings"]["Al"] = {"npot": "FinnisSinclair", "ndensity": 1, "fs_parameters": [1, 1]}
    made["bonds"]["BINARY"] = {"rcut": 6.0, "r_in": 1.0, "delta_in": 0.3, "core-repulsion": [100, 5]}
    made["bonds"]["NiAl"] = {"radbase": "SBessel", "nradbase": 9}
    made["bonds"]["Ni"] = {"radbase": "ChebPow", "radparameters": [2.0], "lmax": 4}
    made["functions"]["AlNi"] = {"nradmax_by_orders": [6, 3], "lmax_by_orders": [0, 3]}
    made["functions"]["UNARY"] = {"nradmax_by_orders": [5, 3, 2, 1], "lmax_by_orders": [0, 3, 2, 1]}
    return made


RECIPES = {
    "one element, every rank at its limit": recipe(["Al"], [9, 3, 2, 2, 1, 2], [0, 10, 6, 4, 3, 2]),
    "one element": recipe(["C"], [15, 6, 4, 3, 2, 1], [0, 6, 5, 3, 2, 1]),
    "two elements": recipe(["H", "C"], [5, 3, 2, 2, 1], [0, 3, 2, 2, 2]),
    "three elements": recipe(["H", "C", "O"], [5, 2, 2, 1, 1], [0, 2, 2, 1, 1]),
    "specific keys": with_specific_keys(),
    "ternary limits": recipe(
        ["Cu", "Al", "Ni"],
        [2, 1],
        [0, 1],
        TERNARY={"nradmax_by_orders": [2, 6, 3], "lmax_by_orders": [0, 5, 2]},
    ),
    "four elements": recipe(
        ["Zn", "H", "Cu", "Al"],
        [4, 2, 1],
        [0, 2, 1],
        UNARY={"nradmax_by_orders": [6, 3, 2, 1, 1], "lmax_by_orders": [0, 4, 3, 2, 1]},
        QUATERNARY={"nradmax_by_orders": [1, 1, 2], "lmax_by_orders": [0, 1, 2]},
        HAlZn={"nradmax_by_orders": [1, 3, 1], "lmax_by_orders": [0, 0, 1]},
    ),
    "five elements": recipe(["C", "H", "O", "N", "S"], [3, 1, 1, 1], [0, 1, 1, 0]),
    "50 per element": recipe(["H", "C"], [5, 4, 3, 2], [0, 3, 2, 2], number_of_functions_per_element=50),
    "101 of three": recipe(["H", "C", "O"], [5, 4, 3, 2], [0, 3, 2, 2], number_of_functions_per_element=101),
    "333 of one": recipe(["C"], [5, 4, 3, 2, 2], [0, 3, 2, 2, 2], number_of_functions_per_element=333),
}


# ⟨l1 · l2 ·|L ·⟩ with zeros that this wheel of python-ace rounds to tiny numbers and the builds that the canonical
# order stands for (python-ace 0.2.7, LAMMPS) do not; see docs/explanation/formats.md.
DIFFER = {(2, 4, 5), (4, 2, 5), (3, 5, 6), (5, 3, 6), (4, 4, 6)}


def couplings(ls, lint):
    pairs = [*zip(ls[:-1:2], ls[1::2], strict=True)]
    pairs += [(lint[0], lint[1])] if len(ls) > 4 else []
    return {(*pair, total) for pair, total in zip(pairs, lint, strict=False)}


@pytest.mark.parametrize(("rank", "l_max"), [(4, 8), (5, 5), (6, 3)])
def test_functions_that_differ_in_their_couplings_only_come_in_the_same_order(pyace, rank, l_max, rng, tmp_path):
    """The order follows zeros that pacemaker rounds to tiny numbers."""
    lines, n = "", 0
    while n < 250:
        ls = rng.integers(0, l_max + 1, rank).tolist()
        choices = [] if sum(ls) % 2 or sum(ls) > 24 else intermediate_momenta(ls)
        choices = [lint for lint in choices if not couplings(ls, lint) & DIFFER]
        for i in rng.permutation(len(choices))[:25]:
            n += 1
            ns = [1, *sorted(rng.integers(1, 3, rank - 1).tolist())] if i % 2 else [1] * rank
            lines += f"      - {{type: C{' C' * rank}, nr: {ns}, nl: {ls}, lint: {choices[i]}, c: [{n}]}}\n"
    (tmp_path / "p.yaml").write_text(
        "global: {DeltaSplineBins: 0.01}\nspecies:\n  - speciesblock: C\n    ndensityi: 1\n"
        "    npoti: FinnisSinclair\n    parameters: [1, 1]\n    nradmaxi: 2\n    lmaxi: 8\n    rcutij: 4\n"
        "    dcutij: 0.01\n    nradbaseij: 2\n    radbase: ChebPow\n    radparameters: [2]\n"
        f"    radcoefficients: {np.ones((2, 9, 2)).tolist()}\n    nbody:\n{lines}"
    )
    theirs = pyace.ACEBBasisSet(str(tmp_path / "p.yaml"))
    np.testing.assert_array_equal(Potential.read(tmp_path / "p.yaml").coefficients, theirs.basis_coeffs)


def build(settings):
    return BasisSpec(
        elements=settings["elements"],
        embeddings=settings["embeddings"],
        bonds=settings["bonds"],
        functions=settings["functions"],
        delta_spline_bins=settings["deltaSplineBins"],
    ).build()


@pytest.mark.parametrize("name", RECIPES)
def test_the_basis_is_the_one_pacemaker_makes(pyace, name, tmp_path):
    settings = RECIPES[name]
    pyace.create_multispecies_basis_config(copy.deepcopy(settings)).save(str(tmp_path / "theirs.yaml"))
    own = build(settings)
    theirs = Potential.read(tmp_path / "theirs.yaml")
    assert formats.format_yaml(own.data) == formats.format_yaml(theirs.data)


def randomized(potential, rng):
    return potential.with_coefficients(rng.normal(scale=0.1, size=potential.coefficients.size))


@pytest.mark.parametrize("name", ["two elements", "specific keys", "101 of three"])
def test_pacemaker_reads_our_files_to_the_same_functions(pyace, name, rng, tmp_path):
    own = randomized(build(RECIPES[name]), rng)
    own.write(tmp_path / "own.yaml")
    theirs = pyace.ACEBBasisSet(str(tmp_path / "own.yaml"))
    np.testing.assert_array_equal(theirs.basis_coeffs, own.coefficients)
    for mu in range(len(own.elements)):
        functions = [*theirs.basis_rank1[mu], *theirs.basis[mu]]
        coupled = own.data.coupled_functions(mu)
        for has, want, written in zip(coupled, functions, own.data.functions[mu], strict=True):
            assert (has.mus, [n + 1 for n in has.ns], has.ls) == (want.mus, want.ns, want.ls)
            assert written.lint == list(want.LS)
            if len(has.mus) > 1:
                assert has.ms == np.ravel(want.ms_combs).tolist()
                np.testing.assert_allclose(has.weights, np.ravel(want.gen_cgs), rtol=1e-12, atol=1e-16)


def energy_and_forces(pyace, basis, atoms):
    atoms = atoms.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # python-ace uses NumPy in ways that are deprecated
        atoms.calc = pyace.PyACECalculator(basis)
        return float(np.ravel(atoms.get_potential_energy())[0]), atoms.get_forces()


@pytest.mark.parametrize("case", ["alni_zbl", "cu1_distance_corerep", "al_r1234_flatcrad", "alni_multispecies_asi"])
def test_pacemaker_gets_the_same_numbers_from_our_files(pyace, shared, case, tmp_path):
    source = folder(shared) / load(shared, case)["potential"]
    own = Potential.read(source)
    own.write(tmp_path / "own.yaml")
    own.write(tmp_path / "own.yace")
    atoms = bulk(own.elements[0], cubic=True, a=4.0) * (2, 1, 1)
    atoms.symbols[:3] = own.elements[-1]
    atoms.rattle(0.1, seed=1)
    energy, forces = energy_and_forces(pyace, str(source), atoms)
    same, same_forces = energy_and_forces(pyace, str(tmp_path / "own.yaml"), atoms)
    assert energy == same
    np.testing.assert_array_equal(same_forces, forces)
    ctilde = pyace.ACECTildeBasisSet()
    ctilde.load_yaml(str(tmp_path / "own.yace"))
    close, close_forces = energy_and_forces(pyace, ctilde, atoms)
    assert close == pytest.approx(energy, rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(close_forces, forces, rtol=1e-10, atol=1e-11)


def test_pacemaker_reads_the_padded_ctilde_file_entry_by_entry(pyace, shared, tmp_path):
    """Unequal numbers of densities: ours is padded, theirs is not, and both mean the same."""
    own = Potential.read(folder(shared) / "alni_multispecies_asi.yaml")
    own.write(tmp_path / "own.yace")
    theirs = pyace.ACECTildeBasisSet()
    theirs.load_yaml(str(tmp_path / "own.yace"))
    theirs.save_yaml(str(tmp_path / "again.yace"))
    assert Potential.read(tmp_path / "again.yace") == Potential.read(tmp_path / "own.yace")
