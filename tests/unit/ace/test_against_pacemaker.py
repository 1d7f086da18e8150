"""Random potentials on random structures against the real pacemaker (python-ace)."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from polypace._core import formats
from polypace.ace import evaluate, projections
from tests.helpers.ace_systems import SETTINGS, random_potential, random_structures


@pytest.fixture(scope="module")
def pyace():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("pyace", reason="needs the real pacemaker: pip install 'polypace[pacemaker]'")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SETTINGS)
def test_energies_forces_projections_grades(name, pyace, rng, tmp_path):
    potential = random_potential(name, rng)
    data = potential.data.copy()
    bonds = data.bonds
    n_elements = len(potential.elements)
    for i in range(n_elements):  # a file must have the same radial functions in both directions
        for j in range(i):
            bonds[i * n_elements + j].coefficients = bonds[j * n_elements + i].coefficients
    data.bonds = bonds
    potential = type(potential)(data)
    frames = [a for a in random_structures(list(potential.elements), rng) if all(a.pbc) or not any(a.pbc)]
    n = potential.n_functions
    inverse = {el: np.eye(n[el]) + 0.1 * rng.normal(size=(n[el], n[el])) for el in potential.elements}
    potential.write(tmp_path / "p.yaml")
    formats.write_asi(inverse, str(tmp_path / "p.asi"))
    peer = pyace.PyACECalculator(str(tmp_path / "p.yaml"))
    peer.set_active_set(str(tmp_path / "p.asi"))
    n_compared = 0
    ours, rows = evaluate(frames, potential, inverse), projections(frames, potential)
    for atoms, prediction, b in zip(frames, ours, rows, strict=True):
        atoms = atoms.copy()
        try:
            peer.calculate(atoms, ["energy", "forces", "stress"])
        except RuntimeError as error:  # it cannot make neighbour lists of some cells, which we can
            assert "Extreme shape" in str(error)
            continue
        n_compared += 1
        scale = max(1.0, np.abs(peer.results["forces"]).max())
        assert prediction.energy == pytest.approx(float(np.squeeze(peer.results["energy"])), rel=1e-10, abs=1e-10)
        np.testing.assert_allclose(prediction.forces, peer.results["forces"], rtol=0, atol=1e-9 * scale)
        np.testing.assert_allclose(prediction.gamma, peer.results["gamma"], rtol=1e-9)
        for i, el in enumerate(atoms.get_chemical_symbols()):
            np.testing.assert_allclose(b[i, : n[el]], peer.projections[i][: n[el]], rtol=1e-10, atol=1e-10)
    assert n_compared >= 1
