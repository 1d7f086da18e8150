"""Quantum references on small alkanes; skipped where their extras are not installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from ase.build import molecule

from polypace.errors import InputError, MissingProgramError
from polypace.reference import Status, compute_label, label_frames, quantum_calculator, quantum_method

HAS_XTB = importlib.util.find_spec("tblite") is not None
HAS_DFT = importlib.util.find_spec("pyscf") is not None


@pytest.fixture
def one_thread():
    """Small molecules gain nothing from threads, and threads that wait for each other cost a busy machine
    much.
    """
    from pyscf import lib

    with lib.with_omp_threads(1):
        yield


def _slope(atoms, reference, atom, axis, h=1e-3):
    moved = [atoms.copy() for _ in range(2)]
    for frame, sign in zip(moved, (1, -1), strict=True):
        frame.positions[atom, axis] += sign * h
    up, down = (frame.get_potential_energy() for frame in label_frames(moved, reference).frames)
    return -(up - down) / (2 * h)


@pytest.mark.skipif(not HAS_XTB, reason="needs tblite: pip install 'polypace[xtb]'")
def test_gfn2_xtb_energy_and_forces(tmp_path):
    butane = molecule("trans-butane")
    butane.rattle(0.05, seed=1)
    result = label_frames([butane], "gfn2-xtb")
    assert not result.failures and result.frames[0].info["label_method"] == "gfn2-xtb"
    # GFN2-xTB, one C4H10: −13.6 Hartree by electron count and element energies; −371 eV.
    assert -380 < result.frames[0].get_potential_energy() < -360
    assert result.frames[0].get_forces()[3, 1] == pytest.approx(_slope(butane, "gfn2-xtb", 3, 1), abs=2e-3)


@pytest.mark.skipif(not HAS_XTB, reason="needs tblite: pip install 'polypace[xtb]'")
def test_gfn2_xtb_failure_is_a_status():
    method = quantum_method("gfn2-xtb", max_iterations=1)
    label = compute_label(molecule("C2H6"), method, quantum_calculator(method))
    assert label.status is Status.FAILED and label.reason


@pytest.mark.skipif(not HAS_DFT, reason="needs pyscf: pip install 'polypace[dft]'")
def test_dft_energy_and_forces(one_thread):
    methane = molecule("CH4")
    methane.rattle(0.05, seed=1)
    method = quantum_method("pyscf-dft", xc="pbe", basis="sto-3g", grid_level=1)
    result = label_frames([methane], method)
    assert not result.failures
    forces = result.frames[0].get_forces()
    # The integration grid moves with the atoms: derivatives agree to its error.
    assert forces[2, 0] == pytest.approx(_slope(methane, method, 2, 0), abs=0.02)
    assert np.abs(forces.sum(axis=0)).max() < 0.02


@pytest.mark.skipif(not HAS_DFT, reason="needs pyscf: pip install 'polypace[dft]'")
def test_dft_dispersion_binds_two_methanes(one_thread):
    pair = molecule("CH4")
    other = pair.copy()
    other.positions += [4.2, 0, 0]
    pair += other
    methods = [
        quantum_method("pyscf-dft", xc="pbe", basis="sto-3g", grid_level=0, dispersion=dispersion)
        for dispersion in ("", "d3bj")
    ]
    plain, bound = (label_frames([pair], method).frames[0] for method in methods)
    assert bound.get_potential_energy() < plain.get_potential_energy() - 0.01
    assert bound.get_forces()[0, 0] != plain.get_forces()[0, 0]


@pytest.mark.skipif(not HAS_DFT, reason="needs pyscf: pip install 'polypace[dft]'")
def test_dft_of_a_periodic_frame_is_a_failure():
    methane = molecule("CH4", cell=[9.0, 9.0, 9.0], pbc=True)
    result = label_frames([methane], quantum_method("pyscf-dft", basis="sto-3g"))
    assert "periodic" in result.failures[0].reason


def test_missing_extra_says_how_to_get_it(monkeypatch):
    import importlib

    def refuse(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    for name, extra in (("gfn2-xtb", "xtb"), ("pyscf-dft", "dft")):
        with pytest.raises(MissingProgramError, match=rf"polypace\[{extra}\]"):
            quantum_calculator(quantum_method(name))


def test_unknown_setting():
    with pytest.raises(InputError, match="no settings functional; there are: xc, basis"):
        quantum_method("pyscf-dft", functional="pbe")
