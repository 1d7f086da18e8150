"""The label store and labels from ASE calculators."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import ase
import numpy as np
import pytest
from ase.build import molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT

from polypace.ace import ACECalculator, BasisSpec
from polypace.errors import FileFormatError, InputError
from polypace.reference import Label, LabelStore, Method, Status, TraPPEUA, force_field_method, label_frames, label_key

METHOD = Method("toy", {"k": 1.0})


class Counting(EMT):
    """EMT that counts its calls and fails where two atoms coincide."""

    calls = 0

    def calculate(self, *arguments, **keywords):
        type(self).calls += 1
        super().calculate(*arguments, **keywords)


@pytest.fixture
def frames(rng):
    base = molecule("C2H6")
    base.set_cell([9.0, 9.0, 9.0])
    base.pbc = True
    made = []
    for _ in range(3):
        atoms = base.copy()
        atoms.positions += 0.05 * rng.standard_normal((8, 3))
        made.append(atoms)
    return made


def test_round_trip_to_the_last_bit(tmp_path, frames, rng):
    store, atoms = LabelStore(tmp_path / "store"), frames[0]
    label = Label(Status.DONE, METHOD, 0.5, -1.0 / 3.0, rng.standard_normal((8, 3)), rng.standard_normal(6))
    key = store.key(atoms, METHOD)
    assert store.get(key) is None and key not in store
    store.put(key, atoms, label)
    again = LabelStore(tmp_path / "store").get(key)
    assert again.energy == label.energy and np.array_equal(again.forces, label.forces)
    assert np.array_equal(again.stress, label.stress) and again.method == METHOD and len(store) == 1
    assert store.missing(frames, METHOD) == [1, 2] and list(store.keys()) == [key]
    assert store.collect(frames, METHOD)[0].get_potential_energy() == label.energy


def test_key_sees_geometry_types_and_settings(tmp_path, frames):
    store, atoms = LabelStore(tmp_path), frames[0]
    base = store.key(atoms, METHOD)
    assert store.key(atoms.copy(), Method("toy", {"k": 1.0}, {"ase": "9"})) == base
    changed = [atoms.copy() for _ in range(4)]
    changed[0].positions[3, 1] = np.nextafter(changed[0].positions[3, 1], 10)
    changed[1].pbc = False
    changed[2].set_cell(atoms.cell.array * 1.001)
    changed[3].set_array("type_name", np.array(["CT3"] * 8))
    keys = {store.key(other, METHOD) for other in changed}
    keys |= {base, store.key(atoms, Method("toy", {"k": 2.0}))}
    assert len(keys) == 6


def test_nothing_is_labelled_twice(tmp_path, frames):
    store = LabelStore(tmp_path)
    Counting.calls = 0
    first = label_frames([*frames, frames[0]], Counting(), store)
    assert (first.computed, first.reused, len(first.frames)) == (3, 1, 4)
    calls = Counting.calls
    second = label_frames(frames, Counting(), LabelStore(tmp_path))
    assert Counting.calls == calls and (second.computed, second.reused) == (0, 3)
    assert np.array_equal(second.frames[2].get_forces(), first.frames[2].get_forces())
    assert second.frames[0].get_stress().shape == (6,)
    expected = frames[1].copy()
    expected.calc = EMT()
    energy = expected.get_potential_energy()
    assert second.frames[1].get_potential_energy() == pytest.approx(energy, rel=1e-12)


class Failing(Calculator):
    """Fails, or returns what is not a number, for frames that say so."""

    implemented_properties = ("energy", "forces")
    default_parameters = {"limit": 50}  # noqa: RUF012 - as ASE declares it

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        if atoms.positions[0, 0] > 50:
            raise RuntimeError("SCF not converged")
        energy = float("nan") if atoms.positions[0, 0] > 20 else 1.0
        self.results = {"energy": energy, "forces": np.zeros((len(atoms), 3))}


def test_labels_of_two_models_of_one_class_are_two_labels(tmp_path):
    """A calculator's class does not say what it computes."""
    frames = [ase.Atoms("C2", [[0, 0, 0], [0, 0, 1.5]])]
    basis = BasisSpec.simple(["C"], cutoff=4.0, nradmax=[3], lmax=[0]).build()
    store = LabelStore(tmp_path)
    energies = []
    for scale in (1.0, 2.0):
        model = ACECalculator(basis.with_coefficients(np.full(3, scale)))
        result = label_frames(frames, model, store)
        assert result.computed == 1 and label_frames(frames, model, store).reused == 1
        energies.append(result.frames[0].get_potential_energy())
    assert energies[1] == pytest.approx(2 * energies[0])
    silent = ACECalculator(basis)
    silent.parameters.clear()
    with pytest.raises(InputError, match=r"ACECalculator has no parameters .*calculator="):
        label_frames(frames, silent, store)
    named = Method("ace", {"model": "zero"})
    assert label_frames(frames, named, store, calculator=silent).computed == 1
    assert label_frames(frames, named, store, calculator=silent).reused == 1
    with pytest.raises(InputError, match="belongs to a Method"):
        label_frames(frames, "gfn2-xtb", store, calculator=silent)


def test_charges_are_part_of_a_structure():
    neutral = ase.Atoms("H2", [[0, 0, 0], [0, 0, 0.7]])
    ion, polar = neutral.copy(), neutral.copy()
    ion.set_initial_charges([1, 0])
    polar.set_initial_magnetic_moments([1, 0])
    assert len({label_key(atoms, METHOD) for atoms in (neutral, ion, polar)}) == 3
    ion.set_initial_charges([0, 0])
    assert label_key(ion, METHOD) == label_key(neutral, METHOD)


def test_failures_are_recorded_and_skipped(tmp_path):
    frames = [ase.Atoms("H", [[x, 0, 0]]) for x in (60.0, 0.0, 30.0)]
    store = LabelStore(tmp_path)
    result = label_frames(frames, Failing(), store)
    assert result.places == (1,) and [failure.place for failure in result.failures] == [0, 2]
    assert "SCF not converged" in result.failures[0].reason and "not finite" in result.failures[1].reason
    assert label_frames(frames, Failing(), store).computed == 0
    assert label_frames(frames, Failing(), store, retry_failed=True).computed == 2
    assert label_frames(frames, Failing()).computed == 3


def test_kill_leaves_whole_labels(tmp_path):
    """A process killed while it writes leaves labels that can be read, and nothing else that counts."""
    program = (
        "import sys, ase, numpy as np\n"
        "from polypace.reference import Label, LabelStore, Method, Status\n"
        "store, method = LabelStore(sys.argv[1]), Method('toy')\n"
        "for n in range(100000):\n"
        "    atoms = ase.Atoms('H' * 400, np.full((400, 3), float(n)))\n"
        "    label = Label(Status.DONE, method, 0.1, 1.0, np.ones((400, 3)))\n"
        "    store.put(store.key(atoms, method), atoms, label)\n"
        "    print(n, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        for _ in range(20):
            writer.stdout.readline()
        writer.kill()
    store = LabelStore(tmp_path)
    assert len(store) >= 20
    assert all(store.get(key).energy == 1.0 for key in store.keys())


def test_methods_of_force_fields_differ_where_their_numbers_do():
    methods = [force_field_method(field) for field in (TraPPEUA, TraPPEUA.mdf(8, 10), TraPPEUA.original(), "l-opls")]
    assert len({method.identity for method in methods}) == 4
    softer = replace(TraPPEUA, bonds=(replace(TraPPEUA.bonds[0], coefficients=(19.0, 1.54)),))
    assert force_field_method(softer).identity != methods[0].identity
    assert force_field_method("trappe-ua").identity == methods[0].identity


def test_refuses(tmp_path, frames):
    store = LabelStore(tmp_path)
    key = store.key(frames[0], METHOD)
    with pytest.raises(InputError, match="not finite"):
        store.put(key, frames[0], Label(Status.DONE, METHOD, 0.1, float("inf"), np.zeros((8, 3))))
    with pytest.raises(InputError, match="missing"):
        store.put(key, frames[0], Label(Status.DONE, METHOD, 0.1, 1.0, np.zeros((7, 3))))
    with pytest.raises(InputError, match="64 hexadecimal"):
        store.get("../secret")
    with pytest.raises(InputError, match="JSON values"):
        Method("toy", {"function": len})
    with pytest.raises(InputError, match="unknown quantum method 'gfn9'; there are: gfn2-xtb"):
        label_frames(frames, "gfn9")
    store.put(key, frames[0], Label(Status.FAILED, METHOD, 0.1, reason="power"))
    file = next(tmp_path.glob("*/*.json"))
    assert json.loads(file.read_text())["label"]["reason"] == "power"
    file.write_text(file.read_text()[:40])
    with pytest.raises(FileFormatError, match="delete the file"):
        store.get(key)
