"""The linear fit on frames that a known potential labelled."""

from __future__ import annotations

import json

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from polypace.ace import BasisSpec, CoreRepulsion, Ridge, Weights, design_rows, evaluate, fit, measure_errors
from polypace.ace.labels import read_labels
from polypace.ace.pruning import prune_functions
from polypace.ace.reference_energies import least_squares_energies
from polypace.ace.up_fit import starting_coefficients
from polypace.errors import InputError

E0 = {"Al": -1.5, "Ni": -2.5}


@pytest.fixture(scope="module")
def truth():
    spec = BasisSpec(
        ["Al", "Ni"],
        bonds={"ALL": {"radbase": "ChebExpCos", "radparameters": [4.0], "rcut": 4.5, "dcut": 0.1}},
        functions={"ALL": {"nradmax_by_orders": [4, 2], "lmax_by_orders": [0, 1]}},
    )
    basis = spec.build()
    n = sum(basis.n_functions.values())
    return basis.with_coefficients(np.random.default_rng(5).normal(size=n)).with_e0(E0)


def make_frames(potential, n, seed, noise=0.0, composition=None):
    rng = np.random.default_rng(seed)
    frames = []
    for index in range(n):
        n_ni = int(rng.integers(1, 7)) if composition is None else composition
        grid = np.array(np.meshgrid(*[range(2)] * 3)).reshape(3, 8).T
        positions = (grid + rng.uniform(-0.12, 0.12, grid.shape)) * 2.6
        cell = np.eye(3) * 5.2 + rng.uniform(-0.3, 0.3, (3, 3))
        atoms = Atoms(["Ni"] * n_ni + ["Al"] * (8 - n_ni), positions=positions, cell=cell, pbc=True)
        atoms.info["config_type"] = "even" if index % 2 == 0 else "odd"
        atoms.info["chain_length"] = 4 + index % 2
        frames.append(atoms)
    for atoms, prediction in zip(frames, evaluate(frames, potential), strict=True):
        forces = prediction.forces + noise * rng.normal(size=prediction.forces.shape)
        atoms.calc = SinglePointCalculator(atoms, energy=prediction.energy, forces=forces, stress=prediction.stress)
    return frames


@pytest.mark.parametrize("solver", [Ridge(1e-14), Ridge(None), "blr"])
def test_recovers_what_made_the_data(truth, solver):
    result = fit(make_frames(truth, 12, 1), truth, solver=solver, test_frames=make_frames(truth, 3, 2), n_threads=1)
    for metrics in (result.metrics, result.test_metrics):
        assert metrics.quantities["forces"].relative < 1e-4
        assert metrics.quantities["energy"].rmse < 1e-5
        assert metrics.quantities["virial"].rmse < 1e-3
    assert result.e0["Al"] - result.e0["Ni"] == pytest.approx(1.0, abs=2e-2)
    assert result.potential.e0 == result.e0
    assert set(result.metrics.by_species) == {"Al", "Ni"}
    assert set(result.metrics.by_config_type) == {"even", "odd"} and set(result.metrics.by_chain_length) == {
        "4",
        "5",
    }


def test_is_the_weighted_least_squares_solution(truth):
    frames = make_frames(truth, 6, 3, noise=0.3)
    rng = np.random.default_rng(0)
    for atoms in frames:
        atoms.arrays["force_weight"] = (rng.uniform(size=8) < 0.6).astype(float)
    frames[1].info["energy_weight"] = 0.0
    weights = Weights(energy=3.0, forces=0.7, virial=0.2, config_types={"odd": 0.25})
    result = fit(frames, truth, weights=weights, e0=E0, solver=Ridge(1e-9, scale_columns=False))
    rows, targets = [], []
    for index, atoms in enumerate(frames):
        design, group = design_rows(atoms, truth), 0.25 if index % 2 else 1.0
        counts = [atoms.symbols.count(el) for el in ("Al", "Ni")]
        if index != 1:
            scale = np.sqrt(3.0 * group) / 8
            rows.append(scale * design.energy[None])
            targets.append([scale * (atoms.get_potential_energy() - counts[0] * E0["Al"] - counts[1] * E0["Ni"])])
            scale = np.sqrt(0.2 * group) / 8
            rows.append(scale * design.virial[[0, 1, 2, 5, 4, 3]])
            targets.append(scale * atoms.get_stress() * atoms.get_volume())
        root = np.sqrt(0.7 * group * np.repeat(atoms.arrays["force_weight"], 3))
        rows.append(root[:, None] * design.forces.reshape(24, -1))
        targets.append(root * atoms.get_forces().ravel())
    a, y = np.vstack(rows), np.concatenate(targets)
    closed = np.linalg.solve(a.T @ a + 1e-9 * np.eye(a.shape[1]), a.T @ y)
    np.testing.assert_allclose(a @ result.potential.coefficients, a @ closed, atol=1e-6 * np.abs(y).max())
    assert result.metrics.quantities["energy"].n == 5
    n_counted = sum(3 * int(atoms.arrays["force_weight"].sum()) for atoms in frames)
    assert result.metrics.quantities["forces"].n == n_counted == result.groups["forces"].n_rows


def test_uncertainty_covers_the_error_and_grows_away_from_the_data(truth):
    frames = make_frames(truth, 12, 4, noise=0.05)
    result = fit(frames, truth, solver="blr", weights=Weights(energy=0, virial=0, forces=1))
    assert result.solution.noise["forces"] == pytest.approx(0.05, rel=0.15)
    new = make_frames(truth, 2, 9)[0]
    deviation = result.uncertainty(new).forces
    error = evaluate([new], result.potential)[0].forces - new.get_forces()
    assert 0.2 < np.sqrt(np.mean((error / deviation) ** 2)) < 3
    dense = new.copy()
    dense.set_cell(new.cell * 0.85, scale_atoms=True)
    assert result.uncertainty(dense).forces.mean() > 2 * deviation.mean()
    assert result.covariance.shape == (len(truth.coefficients),) * 2


def test_same_coefficients_for_any_number_of_threads_and_from_a_file(truth, tmp_path):
    frames = make_frames(truth, 6, 6)
    ase.io.write(tmp_path / "train.extxyz", frames)
    one, two = (fit(frames, truth, n_threads=n).potential.coefficients for n in (1, 2))
    np.testing.assert_array_equal(one, two)
    from_file = fit(tmp_path / "train.extxyz", truth)
    np.testing.assert_allclose(from_file.potential.coefficients, one, rtol=1e-3, atol=1e-4)


def test_reference_energies_do_not_invent_differences():
    one_composition = least_squares_energies(np.array([[2.0, 6.0]] * 3), np.array([-8.0, -8.1, -7.9]), ["A", "B"])
    assert one_composition["A"] == pytest.approx(one_composition["B"]) == pytest.approx(-1.0)
    two = least_squares_energies(np.array([[2.0, 6.0], [2.0, 3.0]]), np.array([-14.0, -8.0]), ["A", "B"])
    assert two == {"A": pytest.approx(-1.0), "B": pytest.approx(-2.0)}


def test_core_repulsion_leaves_the_fit_linear(truth):
    frames = make_frames(truth, 6, 7)
    plain, core = fit(frames, truth), fit(frames, truth, core_repulsion="zbl")
    np.testing.assert_array_equal(plain.potential.coefficients, core.potential.coefficients)
    assert core.metrics.quantities["forces"].rmse == pytest.approx(plain.metrics.quantities["forces"].rmse, rel=1e-9)
    near = Atoms("AlNi", positions=[[0, 0, 0], [0, 0, 0.5]], cell=[12] * 3, pbc=True)
    assert evaluate([near], core.potential)[0].forces[1, 2] > 100
    with pytest.raises(InputError, match="above the shortest"):
        fit(frames, truth, core_repulsion=CoreRepulsion(r_in=4.0))


def test_metrics_file_and_measure(truth, tmp_path):
    frames = make_frames(truth, 4, 8)
    result = fit(frames, truth)
    result.write_metrics(tmp_path / "m.json")
    stored = json.loads((tmp_path / "m.json").read_text())
    assert stored["train"]["quantities"]["forces"]["rmse"] == result.metrics.quantities["forces"].rmse
    assert stored["train"]["units"]["forces"] == "eV/Å" and stored["rows"]["forces"] == 4 * 24
    again = measure_errors(frames, result.potential)
    assert again.quantities["energy"].mae == pytest.approx(result.metrics.quantities["energy"].mae, rel=1e-6)


def labelled(symbols="Al2", **results):
    atoms = Atoms(symbols, positions=[[0, 0, 0], [0, 0, 2.5]], cell=[6] * 3, pbc=True)
    atoms.calc = SinglePointCalculator(atoms, **results) if results else None
    return atoms


@pytest.mark.parametrize(
    ("frames", "options", "message"),
    [
        ([], {}, "no frames"),
        ([labelled()], {}, "frame 0 has no energy, forces or stress"),
        ([labelled(energy=np.nan)], {}, "frame 0: energy is nan"),
        ([labelled(forces=[[0, 0, 0], [0, np.inf, 0]])], {}, "frame 0: forces of atom 1 is inf"),
        ([labelled("Cu2", energy=1.0)], {}, "frame 0 contains Cu"),
        ([labelled(energy=1.0)], {"weights": Weights(energy=0)}, "nothing is left to fit"),
        ([labelled(energy=1.0)], {"solver": "magic"}, "solver must be one of ridge, blr, ard"),
        ([labelled(energy=1.0)], {"e0": {"Al": 1.0}}, r"\['Ni'\] are missing"),
        ([labelled(energy=1.0)], {"e0": "auto"}, "e0 must be"),
    ],
)
def test_bad_input_is_named(truth, frames, options, message):
    with pytest.raises(InputError, match=message):
        fit(frames, truth, **options)


def test_bad_weights_are_named(truth):
    with pytest.raises(InputError, match="forces must be finite and not negative, got -1"):
        Weights(forces=-1)
    atoms = labelled(energy=1.0)
    atoms.arrays["force_weight"] = np.array([1.0, -1.0])
    with pytest.raises(InputError, match="force_weight"):
        Weights().of_frame(atoms, read_labels(atoms, "frame 0"), "frame 0")


def test_large_forces_weigh_less():
    atoms = labelled(forces=[[0, 0, 3.0], [0, 0, 0]])
    weights = Weights(forces=2.0, large_force=1.5).of_frame(atoms, read_labels(atoms, "frame 0"), "frame 0")
    np.testing.assert_allclose(weights.forces, [2.0 / 5, 2.0])


def test_reproduces_the_published_copper_fit(shared):
    spec = BasisSpec(
        ["Cu"],
        bonds={"ALL": {"radbase": "SBessel", "radparameters": [5.25], "rcut": 6.0, "dcut": 0.01}},
        functions={"ALL": {"nradmax_by_orders": [8, 8, 4, 3, 2], "lmax_by_orders": [0, 4, 3, 2, 1]}},
    )
    result = fit(
        shared / "data/cu_ii_train.extxyz",
        spec,
        weights=Weights(energy=1, forces=1, virial=0),
        solver=Ridge(1e-5, scale_columns=False),
        e0=0.0,
        test_frames=shared / "data/cu_ii_test.extxyz",
    )
    train, test = result.metrics.quantities, result.test_metrics.quantities
    found = [train["energy"].mae, train["energy"].rmse, train["forces"].mae, train["forces"].rmse]
    np.testing.assert_allclose(found, [0.00364406, 0.00596766, 0.00667512, 0.01192091], rtol=1e-4)
    found = [test["energy"].mae, test["energy"].rmse, test["forces"].mae, test["forces"].rmse]
    np.testing.assert_allclose(found, [0.00299145, 0.00461705, 0.00598999, 0.01086428], rtol=1e-4)


def test_pruning_finds_the_functions_that_made_the_data(truth):
    coefficients = truth.coefficients.copy()
    coefficients[::3] = 0
    n_real = int(np.count_nonzero(coefficients))
    frames = make_frames(truth.with_coefficients(coefficients), 14, 11)
    result = fit(frames, truth, smoothness=0)
    pruned = prune_functions(result, n_real)
    assert sum(pruned.potential.n_functions.values()) == n_real
    errors = measure_errors(make_frames(truth.with_coefficients(coefficients), 3, 12), pruned.potential)
    assert errors.quantities["forces"].relative < 1e-3 and errors.quantities["energy"].rmse < 1e-3
    worse = prune_functions(result, n_real // 2)
    assert worse.loss_ratio > 10 * pruned.loss_ratio
    with pytest.raises(InputError, match="n_functions must be from 1"):
        prune_functions(result, 0)


def test_one_stoichiometry_tells_no_difference_of_elements(rng):
    """What no composition tells must not be decided by rounding: other compositions would be shifted by it."""
    spec = BasisSpec.simple(["Al", "Ni"], 4.0, nradmax=(3, 1), lmax=(0, 1))
    basis = spec.build()
    truth = basis.with_coefficients(rng.normal(size=len(basis.coefficients))).with_e0({"Al": -3.0, "Ni": -3.0})
    grid = np.array(np.meshgrid(*[range(2)] * 3)).reshape(3, 8).T

    def frames_of(symbols, n):
        made = [
            Atoms(symbols, positions=(grid + rng.uniform(-0.2, 0.2, (8, 3))) * 2.7, cell=[5.4] * 3, pbc=True)
            for _ in range(n)
        ]
        for atoms, prediction in zip(made, evaluate(made, truth), strict=True):
            atoms.calc = SinglePointCalculator(atoms, energy=prediction.energy, forces=prediction.forces)
        return made

    for solver in ("ridge", "blr"):
        result = fit(frames_of("Al4Ni4", 30), spec, solver=solver, test_frames=frames_of("Al2Ni6", 5))
        assert result.e0["Al"] == pytest.approx(result.e0["Ni"], abs=1e-6)
        assert result.test_metrics.quantities["energy"].rmse < 0.05


def test_an_up_fit_leaves_alone_what_its_frames_do_not_determine(truth):
    """Few frames of one composition: alone they determine little, from the old potential they change little."""
    other = truth.with_coefficients(1.02 * truth.coefficients)
    few, others = make_frames(other, 3, 41), make_frames(other, 12, 42)
    fitted = fit(few, truth, solver=Ridge(alpha=1e-6), start=truth)
    alone = fit(few, truth, solver=Ridge(alpha=1e-6))
    errors = [
        measure_errors(others, each).quantities["forces"].relative
        for each in (fitted.potential, truth, alone.potential)
    ]
    assert errors[0] < errors[1] < errors[2]
    assert fit(few, truth, solver=Ridge(alpha=1e6), start=truth).potential.coefficients == pytest.approx(
        truth.coefficients, abs=1e-5
    )


def test_an_up_fit_to_everything_is_the_fit_to_everything(truth):
    frames = make_frames(truth, 20, 43)
    start = truth.with_coefficients(np.zeros(len(truth.coefficients)) + 0.3)
    whole, up = fit(frames, truth, solver="ridge"), fit(frames, truth, solver="ridge", start=start)
    for one, other in zip(evaluate(frames, whole.potential), evaluate(frames, up.potential), strict=True):
        assert one.forces == pytest.approx(other.forces, abs=1e-5) and one.energy == pytest.approx(
            other.energy, abs=1e-5
        )


def test_an_up_fit_takes_over_functions_by_what_they_are(truth):
    """A start with fewer functions: the same ones, wherever they stand, and 0 for the others."""
    small = BasisSpec(
        ["Al", "Ni"],
        bonds={"ALL": {"radbase": "ChebExpCos", "radparameters": [4.0], "rcut": 4.5, "dcut": 0.1}},
        functions={"ALL": {"nradmax_by_orders": [4], "lmax_by_orders": [0]}},
    ).build()
    small = small.with_coefficients(np.arange(1.0, 1 + len(small.coefficients)))
    taken = starting_coefficients(truth, small)
    assert sorted(taken[taken != 0]) == sorted(small.coefficients) and (taken == 0).any()
    assert starting_coefficients(truth, truth.with_core_repulsion({})) == pytest.approx(truth.coefficients)


def test_what_cannot_be_started_from_is_refused(truth):
    frames = make_frames(truth, 2, 44)
    longer = BasisSpec.simple(["Al", "Ni"], 5.0, nradmax=(4, 2), lmax=(0, 1)).build()
    for start, options, message in (
        (longer, {}, "other radial functions for Al-Al"),
        (BasisSpec.simple(["Cu"], 5.0).build(), {}, "no function of the basis"),
        (truth.to_ctilde(), {}, "B-basis form"),
        (truth, {"solver": "ard"}, "cannot start from a potential"),
    ):
        with pytest.raises(InputError, match=message):
            fit(frames, truth, start=start, **options)


@pytest.mark.parametrize("e0", ["least_squares", 0.0])
def test_linear_algebra_of_a_fit_has_one_thread(truth, e0, monkeypatch):
    """Threads of BLAS change the last bits, and with them every decision of a study that comes after a fit."""
    import threadpoolctl

    from polypace.ace import row_compression

    factorise, threads = row_compression._annihilated, set()

    def watched(*args, **options):
        threads.update(p["num_threads"] for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas")
        return factorise(*args, **options)

    monkeypatch.setattr(row_compression, "_annihilated", watched)
    with threadpoolctl.threadpool_limits(limits=2, user_api="blas"):
        fit(make_frames(truth, 4, 45), truth, e0=e0)
    assert threads == {1}
