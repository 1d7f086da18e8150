"""The compiled evaluator against sums in NumPy, finite differences, and what must not change its results."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms

from polypace import _core
from polypace.ace import ACECalculator, Potential, evaluate, projections
from polypace.ace.prediction import make_batch
from polypace.errors import InputError, NumericalError
from tests.helpers.ace_systems import SETTINGS, random_potential, random_rotation, random_structures
from tests.oracle import ace as oracle

INSTRUCTIONS = ("portable", "avx2", "avx512")


def system(name, rng):
    potential = random_potential(name, rng)
    return potential, random_structures(list(potential.elements), rng)


def close(ours, theirs, tolerance):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(1, np.abs(theirs).max(initial=0)))


@pytest.mark.parametrize("name", SETTINGS)
def test_equals_the_sums_written_down(name, rng):
    potential, frames = system(name, rng)
    ours = evaluate(frames, potential, radial="analytic")
    rows = projections(frames, potential, radial="analytic")
    for atoms, prediction, row in zip(frames, ours, rows, strict=True):
        energies, expected = oracle.structure(potential.data, atoms)
        close(prediction.energies, energies, 1e-10)
        for b, want in zip(row, expected, strict=True):
            close(b[: len(want)], want, 1e-11)


@pytest.mark.parametrize("name", SETTINGS)
def test_splines_are_close_to_the_functions(name, rng):
    potential, frames = system(name, rng)
    if name == "density, three elements":
        pytest.skip("the jump of ChebLinear at the cutoff is smeared over one spline interval")
    for a, b in zip(evaluate(frames, potential), evaluate(frames, potential, radial="analytic"), strict=True):
        close(a.energies, b.energies, 1e-8)


@pytest.mark.parametrize("radial", ["spline", "analytic"])
@pytest.mark.parametrize("name", SETTINGS)
def test_forces_and_virial_are_derivatives(name, radial, rng):
    potential, frames = system(name, rng)
    step = 1e-5
    for atoms in frames:
        direction, strain = rng.normal(size=(len(atoms), 3)), rng.normal(size=(3, 3))
        strain = strain + strain.T
        moved, strained = [], []
        for sign in (1, -1):
            moved.append(atoms.copy())
            moved[-1].positions += sign * step * direction
            strained.append(atoms.copy())
            strained[-1].set_cell(atoms.cell @ (np.eye(3) + sign * step * strain), scale_atoms=True)
            strained[-1].positions = atoms.positions @ (np.eye(3) + sign * step * strain)
        here, *around = evaluate([atoms, *moved, *strained], potential, radial=radial)
        xx, yy, zz, xy, xz, yz = here.virial
        virial = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        scale = max(1, np.abs(here.forces).max())
        along = (around[0].energy - around[1].energy) / (2 * step)
        assert along == pytest.approx(-np.sum(here.forces * direction), abs=2e-6 * scale)
        under_strain = (around[2].energy - around[3].energy) / (2 * step)
        assert under_strain == pytest.approx(np.sum(virial * strain), abs=2e-5 * max(1, np.abs(virial).max()))
        close(here.stress, virial[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]] / atoms.get_volume(), 1e-14)


@pytest.mark.parametrize("name", SETTINGS)
def test_invariances(name, rng):
    potential, frames = system(name, rng)
    for atoms in frames:
        rotation, order = random_rotation(rng), rng.permutation(len(atoms))
        rotated = atoms.copy()
        rotated.set_cell(atoms.cell @ rotation)
        rotated.positions = atoms.positions @ rotation
        shifted = atoms.copy()
        shifted.positions += rng.normal(size=3) * 3
        permuted = atoms[order]
        here, there, elsewhere, reordered = evaluate([atoms, rotated, shifted, permuted], potential)
        tolerance = 1e-11 * max(1, np.abs(here.energies).max())
        for other in (there, elsewhere):
            np.testing.assert_allclose(other.energies, here.energies, rtol=0, atol=tolerance)
        np.testing.assert_allclose(reordered.energies, here.energies[order], rtol=0, atol=tolerance)
        close(there.forces, here.forces @ rotation, 1e-10)
        close(reordered.forces, here.forces[order], 1e-10)
        close(here.forces.sum(axis=0), np.zeros(3), 1e-11 * max(1, np.abs(here.forces).max()))
        if all(atoms.pbc):
            (replicated,) = evaluate([atoms.repeat((2, 1, 2))], potential)
            np.testing.assert_allclose(replicated.energies, np.tile(here.energies, 4), rtol=0, atol=tolerance)


@pytest.mark.parametrize("instructions", INSTRUCTIONS)
@pytest.mark.parametrize("name", SETTINGS)
def test_instruction_sets_agree(name, instructions, rng):
    potential, frames = system(name, rng)
    batch = make_batch(frames, potential.elements)
    try:
        other = _core.ace.Evaluator(potential.data, "spline", instructions)
        builder = _core.ace.DesignRowBuilder(potential.data, "spline", instructions)
    except ValueError as error:
        pytest.skip(str(error))
    assert other.instructions == instructions
    best = _core.ace.Evaluator(potential.data)
    for a, b in zip(other.evaluate(*batch.arrays), best.evaluate(*batch.arrays), strict=True):
        close(a, b, 1e-11)
    close(other.project(*batch.arrays), best.project(*batch.arrays), 1e-12)
    for a, b in zip(
        builder.rows(*batch.arrays),
        _core.ace.DesignRowBuilder(potential.data).rows(*batch.arrays),
        strict=True,
    ):
        close(a, b, 1e-11)


def test_threads_do_not_matter(rng):
    potential = random_potential("exponential", rng)
    frames = random_structures(["Cu"], rng) * 3
    large = Atoms("Cu" * 1200, positions=rng.permutation(np.indices((12, 10, 10)).reshape(3, -1).T * 2.5))
    large.positions += rng.uniform(-0.3, 0.3, large.positions.shape)
    for one, two in zip(
        evaluate([*frames, large], potential, n_threads=1),
        evaluate([*frames, large], potential, n_threads=3),
        strict=True,
    ):
        np.testing.assert_array_equal(one.energies, two.energies)
        np.testing.assert_array_equal(one.forces, two.forces)
        np.testing.assert_array_equal(one.virial, two.virial)


@pytest.mark.parametrize("name", SETTINGS)
def test_ctilde_file_gives_the_same(name, rng, tmp_path):
    potential, frames = system(name, rng)
    potential.write(tmp_path / "potential.yace")
    for a, b in zip(evaluate(frames, potential), evaluate(frames, tmp_path / "potential.yace"), strict=True):
        close(b.energies, a.energies, 1e-12)
        close(b.forces, a.forces, 1e-11)


def test_grades_are_products_with_the_inverse(rng):
    potential, frames = system("bessel, inner cutoff", rng)
    n = potential.n_functions
    rows = projections(frames, potential)
    linear = {el: rng.normal(size=(n[el], n[el])) for el in potential.elements}
    full = {el: rng.normal(size=(2 * n[el], 2 * n[el])) for el in potential.elements}
    coefficients = {
        el: np.array([f.coefficients for f in functions])
        for el, functions in zip(potential.elements, potential.data.functions, strict=True)
    }
    for atoms, b, a, c in zip(
        frames, rows, evaluate(frames, potential, linear), evaluate(frames, potential, full), strict=True
    ):
        for i, el in enumerate(atoms.get_chemical_symbols()):
            row = b[i, : n[el]]
            assert a.gamma[i] == pytest.approx(np.abs(row @ linear[el]).max(), rel=1e-12)
            rho = row @ coefficients[el]
            embedding = potential.data.embeddings[potential.elements.index(el)]
            slopes = [
                (oracle.embedded(embedding, rho + d) - oracle.embedded(embedding, rho - d)) / 2e-6
                for d in 1e-6 * np.eye(2)
            ]
            expected = np.abs(np.concatenate([slope * row for slope in slopes]) @ full[el]).max()
            assert c.gamma[i] == pytest.approx(expected, rel=1e-6)


def test_atoms_without_neighbours_and_no_atoms(rng):
    potential = random_potential("zbl", rng)
    alone, nothing = evaluate([Atoms("C"), Atoms()], potential)
    assert alone.energy == 0 and not alone.forces.any() and alone.stress is None and alone.gamma is None
    assert nothing.energy == 0 and nothing.forces.shape == (0, 3)
    assert evaluate([], potential) == []
    (nothing,) = evaluate([Atoms()], potential, {el: np.eye(n) for el, n in potential.n_functions.items()})
    assert nothing.energy == 0 and not nothing.virial.any() and nothing.gamma.shape == (0,)
    assert projections([Atoms()], potential)[0].shape[0] == 0
    shifted = potential.with_e0({"C": -3.5})
    assert evaluate([Atoms("C")], shifted)[0].energy == -3.5


@pytest.mark.parametrize(
    "atoms",
    [
        Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 5e-4]]),
        Atoms("Cu2", positions=[[1, 2, 3], [1, 2, 3]]),
        Atoms("Cu2", positions=[[0, 0, 0], [4, 8, -4]], cell=[4, 4, 4], pbc=True),
        Atoms("Cu", cell=[[9e-4, 0, 0], [0, 4, 0], [0, 1, 4]], pbc=[True, False, False]),
    ],
    ids=["close", "same place", "same place but for images", "its own image"],
)
def test_coinciding_atoms_are_an_error(rng, atoms):
    potential = random_potential("exponential", rng)
    with pytest.raises(NumericalError, match=r"Å apart.*remove coinciding atoms"):
        evaluate([atoms], potential)


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms("Au"), "structure 0 contains Au, but the potential describes Cu only"),
        (Atoms("Cu", pbc=True), "periodic along a cell vector of length zero"),
        (Atoms("Cu", cell=[[1, 0, 0], [0, 1, 0], [1, 1, 0]], pbc=True), "lie in a plane"),
        (Atoms("Cu", positions=[[np.nan, 0, 0]]), "must be finite"),
    ],
)
def test_wrong_structures_are_named(atoms, message, rng):
    with pytest.raises(InputError, match=message):
        evaluate([atoms], random_potential("exponential", rng))


def test_what_is_no_list_of_structures_is_named(rng):
    potential = random_potential("exponential", rng)
    with pytest.raises(InputError, match=r"a single one; write \[atoms\]"):
        evaluate(Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.5]]), potential)
    with pytest.raises(InputError, match=r"structure 1 must be an ase\.Atoms, got str"):
        evaluate([Atoms("Cu"), "Cu"], potential)


def test_wrong_active_sets_are_named(rng):
    potential = random_potential("exponential", rng)
    n = potential.n_functions["Cu"]
    with pytest.raises(InputError, match=f"size {n + 1}, but the potential has {n} functions"):
        evaluate([], potential, {"Cu": np.eye(n + 1)})
    with pytest.raises(InputError, match="is for \\['Au'\\]"):
        evaluate([], potential, {"Au": np.eye(n)})
    with pytest.raises(InputError, match="not square"):
        evaluate([], potential, {"Cu": np.ones((2, 3))})


def test_ctilde_potentials_have_no_projections(rng, tmp_path):
    random_potential("exponential", rng).write(tmp_path / "p.yace")
    with pytest.raises(InputError, match="need a B-basis potential"):
        projections([Atoms("Cu")], tmp_path / "p.yace")


def test_calculator(rng):
    potential, frames = system("exponential", rng)
    n = potential.n_functions["Cu"]
    (want,) = evaluate(frames[1:2], potential, {"Cu": np.eye(n)})
    atoms = frames[1]
    atoms.calc = ACECalculator(potential, {"Cu": np.eye(n)})
    assert atoms.get_potential_energy() == want.energy
    np.testing.assert_array_equal(atoms.get_forces(), want.forces)
    np.testing.assert_array_equal(atoms.get_stress(), want.stress)
    np.testing.assert_array_equal(atoms.calc.results["gamma"], want.gamma)
    np.testing.assert_array_equal(atoms.get_potential_energies(), want.energies)
    cluster = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.4]])
    cluster.calc = ACECalculator(potential)
    assert np.isfinite(cluster.get_potential_energy())
    with pytest.raises(NotImplementedError, match="stress needs a cell"):
        cluster.get_stress()
    assert isinstance(cluster.calc.potential, Potential)
