"""Active sets, grades and the choice of frames."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase import Atoms

from polypace.ace import BasisSpec, Potential, evaluate, projections
from polypace.errors import InputError
from polypace.select import (
    ActiveSet,
    extrapolation_grade,
    select_active_set,
    select_frames,
    summarize_grades,
)
from polypace.select.embedding import embedding_derivatives
from polypace.select.selection import active_inverse, active_rows
from tests.oracle.maxvol import maxvol as slow_maxvol


@pytest.fixture(scope="module")
def potential():
    spec = BasisSpec(
        ["Al", "Ni"],
        bonds={"ALL": {"radbase": "ChebExpCos", "radparameters": [4.0], "rcut": 4.5, "dcut": 0.1}},
        functions={"ALL": {"nradmax_by_orders": [4, 2], "lmax_by_orders": [0, 1]}},
    )
    basis = spec.build()
    return basis.with_coefficients(np.random.default_rng(5).normal(size=len(basis.coefficients)))


def random_frames(n, seed, spread=0.3):
    rng = np.random.default_rng(seed)
    grid = np.array(np.meshgrid(*[range(2)] * 3)).reshape(3, 8).T
    return [
        Atoms("Al4Ni4", positions=(grid + rng.uniform(-spread, spread, grid.shape)) * 2.6, cell=[5.2] * 3, pbc=True)
        for _ in range(n)
    ]


def rows_of(frames, potential, element):
    rows = np.concatenate(projections(frames, potential))
    symbols = np.concatenate([atoms.get_chemical_symbols() for atoms in frames])
    return rows[symbols == element][:, : potential.n_functions[element]]


def test_equals_maxvol_of_all_rows(potential):
    frames = random_frames(60, 1)
    active = select_active_set(frames, potential)
    for element in ("Al", "Ni"):
        rows = rows_of(frames, potential, element)
        chosen, largest = slow_maxvol(rows, 1.01)
        np.testing.assert_allclose(active.inverses[element], np.linalg.pinv(rows[chosen], rcond=1e-15), rtol=1e-6)
        assert active.largest_grade[element] == pytest.approx(largest, rel=1e-6)
        origin = active.selected[element]
        again = [projections([frames[frame]], potential)[0][atom, : rows.shape[1]] for frame, atom in origin]
        np.testing.assert_array_equal(np.array(again), rows[chosen])


def test_grades_of_the_data_and_beyond(potential):
    frames = random_frames(60, 1)
    active = select_active_set(frames, potential)
    grades = extrapolation_grade(frames, potential, active)
    assert max(values.max() for values in grades) == pytest.approx(max(active.largest_grade.values()), rel=1e-6)
    for element in ("Al", "Ni"):
        for frame, atom in active.selected[element]:
            assert grades[frame][atom] == pytest.approx(1.0, rel=1e-6)
    squeezed = random_frames(1, 7)[0]
    squeezed.set_cell(squeezed.cell * 0.8, scale_atoms=True)
    assert extrapolation_grade([squeezed], potential, active)[0].max() > 2


def test_streamed_in_batches_spans_the_same_data(potential):
    frames = random_frames(150, 3)
    active = select_active_set(frames, potential, memory_limit=1.0)
    assert max(active.largest_grade.values()) < 1.2
    grades = extrapolation_grade(frames, potential, active)
    assert max(v.max() for v in grades) == pytest.approx(max(active.largest_grade.values()), rel=1e-6)
    one = select_active_set(frames, potential, memory_limit=1.0, n_threads=1)
    for element in ("Al", "Ni"):
        np.testing.assert_array_equal(one.selected[element], active.selected[element])


def test_a_column_of_zeros_is_regularised_as_pacemaker_does(shared):
    cases = json.loads((shared / "spec/vectors/maxvol_vectors.json").read_text())
    case = next(case for case in cases if "zero_column" in case)
    selected, rows, _ = active_rows(np.array(case["A"]), tolerance=case["tol"], max_iterations=case["max_iters"])
    assert rows.tolist() == case["rows"]
    np.testing.assert_allclose(selected, case["active_set"], rtol=1e-12)
    norms = np.linalg.norm(active_inverse(selected), axis=0)
    assert sorted(norms) == pytest.approx(sorted(case["pinv_norms"])) or sorted(
        np.linalg.norm(active_inverse(selected), axis=1)
    ) == pytest.approx(sorted(case["pinv_norms"]))


@pytest.mark.parametrize("name", ["cu1_rank5_asi", "agcu_2dens_asi", "syn_nial_linear"])
def test_recorded_grades(name, shared):
    folder = shared / "spec/vectors"
    potential, active = Potential.read(folder / f"{name}.yaml"), ActiveSet.read(folder / f"{name}.asi")
    assert active.kind(potential) == "linear"
    for case in json.loads((folder / f"{name}.json").read_text())["structures"]:
        atoms = Atoms(case["symbols"], positions=case["positions"], cell=case["cell"], pbc=case["pbc"])
        found = extrapolation_grade([atoms], potential, active)[0]
        assert (np.abs(found - case["gamma"]) <= 10 * np.array(case["gamma_abs_noise"]) + 1e-9 * np.abs(found)).all()


def test_full_active_set_weighs_with_the_embedding(shared):
    folder = shared / "spec/vectors"
    potential = Potential.read(folder / "ni_2dens_chebpow_fullasi.yaml")
    active = ActiveSet.read(folder / "ni_2dens_chebpow_fullasi.asi.nonlinear")
    assert active.kind(potential) == "full"
    for case in json.loads((folder / "ni_2dens_chebpow_fullasi.json").read_text())["structures"]:
        atoms = Atoms(case["symbols"], positions=case["positions"], cell=case["cell"], pbc=case["pbc"])
        found = extrapolation_grade([atoms], potential, active)[0]
        np.testing.assert_allclose(found, case["gamma"], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", ["FinnisSinclair", "FinnisSinclairShiftedScaled"])
def test_embedding_derivative_is_that_of_the_energy(exponent, name):
    from polypace._core import formats

    embedding = formats.Embedding()
    embedding.kind = getattr(formats.EmbeddingKind, name)
    embedding.parameters = [1.5, exponent]
    rho = np.array([[-2.0], [-0.3], [0.2], [1.7]])

    def energy(x):
        a, sign = np.abs(x), np.sign(x)
        if name == "FinnisSinclair" or exponent == 1:
            return 1.5 * sign * a**exponent
        nu = 1 / exponent
        shift = nu ** (nu / (1 - nu)) * np.exp(-a)
        return 1.5 * sign * ((shift + a) ** exponent - nu ** (1 / (1 - nu)) * np.exp(-a))

    numeric = (energy(rho + 1e-6) - energy(rho - 1e-6)) / 2e-6
    np.testing.assert_allclose(embedding_derivatives(embedding, rho), numeric, rtol=1e-7)


def test_files_survive(potential, tmp_path):
    active = select_active_set(random_frames(40, 2), potential)
    active.write(tmp_path / "pot.asi")
    again = ActiveSet.read(tmp_path / "pot.asi")
    assert again.elements == ("Al", "Ni")
    for element in again.elements:
        np.testing.assert_array_equal(again.inverses[element], active.inverses[element])
    with np.load(tmp_path / "pot.asi") as plain:
        np.testing.assert_array_equal(plain["Al"], active.inverses["Al"])


def test_frames_are_chosen_once_and_only_for_what_is_new(potential):
    frames = random_frames(30, 4)
    selected = select_frames([*frames, *frames], potential, 8)
    assert len(set(selected.frames)) == len(selected.frames) == 8
    assert max(selected.frames) < 30, "copies are no candidates"
    assert list(selected.counts) == sorted(selected.counts, reverse=True)
    for origin in selected.environments.values():
        assert len(np.unique(origin, axis=0)) == len(origin)
    assert sum(len(frames[frame]) for frame in select_frames(frames, potential, max_atoms=20).frames) <= 20
    known = select_active_set(frames, potential)
    assert select_frames(frames, potential, known=known).frames == ()
    squeezed = random_frames(1, 7)[0]
    squeezed.set_cell(squeezed.cell * 0.85, scale_atoms=True)
    assert select_frames([*frames, squeezed], potential, known=known).frames[0] == 30


def test_summary_by_place_and_chain_length():
    atoms = Atoms("C5C4", positions=np.zeros((9, 3)))
    atoms.arrays["mol_id"] = np.repeat([0, 1], [5, 4])
    grades = np.array([5.0, 2.0, 0.5, 2.0, 5.0, 5.0, 2.0, 2.0, 4.0])
    summary = summarize_grades([atoms], [grades])
    assert list(summary["place"]) == ["end", "next", "middle"]
    assert summary["place"]["end"].n == 4 and summary["place"]["end"].largest == 5.0
    assert summary["place"]["middle"].median == pytest.approx(0.5, rel=6e-4)
    assert summary["place"]["middle"].share_above_one == 0
    assert list(summary["chain_length"]) == ["4", "5"] and summary["all"]["all"].n == 9


def test_bad_input_is_named(potential, shared, tmp_path):
    frames = random_frames(40, 2)
    active = select_active_set(frames, potential)
    with pytest.raises(InputError, match="do not belong together"):
        extrapolation_grade(frames, Potential.read(shared / "spec/vectors/al_r4_linear.yaml"), active)
    with pytest.raises(InputError, match="do not belong together"):
        ActiveSet({"Al": np.eye(3), "Ni": np.eye(3)}).kind(potential)
    with pytest.raises(InputError, match="must be square"):
        ActiveSet({"Al": np.zeros((2, 3))})
    with pytest.raises(InputError, match="cannot determine"):
        select_active_set(frames[:1], potential)
    with pytest.raises(InputError, match="frame 0 contains Cu"):
        extrapolation_grade([Atoms("Cu", cell=[9] * 3, pbc=True)], potential, active)
    with pytest.raises(InputError, match="no candidate frames"):
        select_frames([], potential)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        ActiveSet.read(tmp_path / "none.asi")


def other_radial(potential):
    """The same functions of another radial basis: equal numbers, other projections."""
    spec = BasisSpec(
        ["Al", "Ni"],
        bonds={"ALL": {"radbase": "ChebExpCos", "radparameters": [4.1], "rcut": 4.5, "dcut": 0.1}},
        functions={"ALL": {"nradmax_by_orders": [4, 2], "lmax_by_orders": [0, 1]}},
    )
    return spec.build().with_coefficients(potential.coefficients)


def test_an_active_set_knows_its_functions(potential, tmp_path):
    """Equal numbers of functions do not make a pair; coefficients, e0 and core repulsion do not part one."""
    frames = random_frames(40, 2)
    select_active_set(frames, potential).write(tmp_path / "p.asi")
    active = ActiveSet.read(tmp_path / "p.asi")
    refitted = potential.with_coefficients(2 * potential.coefficients).with_e0({"Al": 1.0, "Ni": 2.0})
    for same in (potential, refitted, refitted.with_core_repulsion({("Al", "Al"): 1.5})):
        same.write(tmp_path / "p.yaml")
        assert active.kind(Potential.read(tmp_path / "p.yaml")) == "linear"
    other = other_radial(potential)
    for attempt in (
        lambda: active.kind(other),
        lambda: extrapolation_grade(frames[:1], other, active),
        lambda: evaluate(frames[:1], other, tmp_path / "p.asi"),
        lambda: evaluate(frames[:1], other, active),
    ):
        with pytest.raises(InputError, match=r"was made for a potential with other functions .*polypace select"):
            attempt()
    with np.load(tmp_path / "p.asi") as archive:  # what pacemaker's programs start from
        assert set(archive.files) == {"Al", "Ni"}
    np.savez(tmp_path / "theirs.npz", **active.inverses)
    assert ActiveSet.read(tmp_path / "theirs.npz").kind(other) == "linear", "a file of pacemaker does not say"


def test_a_full_active_set_knows_its_coefficients(tmp_path):
    spec = BasisSpec(
        ["Al", "Ni"],
        bonds={"ALL": {"radbase": "ChebExpCos", "radparameters": [4.0], "rcut": 4.5, "dcut": 0.1}},
        functions={"ALL": {"nradmax_by_orders": [3], "lmax_by_orders": [0]}},
        embeddings={"ALL": {"ndensity": 2, "fs_parameters": [1, 1, 1, 0.5]}},
    )
    basis = spec.build()
    potential = basis.with_coefficients(np.random.default_rng(5).normal(size=len(basis.coefficients)))
    active = select_active_set(random_frames(60, 2), potential, full=True)
    assert active.kind(potential) == "full"
    with pytest.raises(InputError, match="other coefficients, functions"):
        active.kind(potential.with_coefficients(2 * potential.coefficients))
