"""Energies, forces, virials, projections and grades against the numbers of pacemaker."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms

from polypace.ace import Potential, evaluate, projections
from tests.unit.formats.vectors import CASES, folder, load


def frames_of(case):
    return [Atoms(s["symbols"], positions=s["positions"], cell=s["cell"], pbc=s["pbc"]) for s in case["structures"]]


def assert_close(ours, theirs, tolerance):
    """Relative to the largest number of the array: small components carry the noise of the large ones."""
    theirs = np.asarray(theirs, dtype=float)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(1.0, np.abs(theirs).max(initial=0)))


# Coefficients of this one cancel, so that sums of the same terms in another order differ by more.
FORCE_TOLERANCE = {"cu_rank6_chebpow": 1e-9}


@pytest.mark.parametrize("name", CASES)
def test_spline_results(name, shared):
    case = load(shared, name)
    active_set = folder(shared) / case["asi"] if case["asi"] else None
    potential = Potential.read(folder(shared) / case["potential"])
    predictions = evaluate(frames_of(case), potential, active_set)
    rows = projections(frames_of(case), potential)
    for want, got, b in zip(case["structures"], predictions, rows, strict=True):
        assert_close(got.energies, want["energies"], 1e-11)
        assert_close(got.forces, want["forces"], FORCE_TOLERANCE.get(name, 1e-10))
        if any(want["pbc"]):
            assert_close(got.virial, want["virial_xx_yy_zz_xy_xz_yz"], FORCE_TOLERANCE.get(name, 1e-10))
            assert_close(got.stress, want["stress_voigt_ase"], FORCE_TOLERANCE.get(name, 1e-10))
        for row, b_i in zip(want["projections"], b, strict=True):
            assert_close(b_i[: len(row)], row, 1e-12)
        if active_set:
            noise = np.maximum(want["gamma_abs_noise"], 1e-12 * np.maximum(1, want["gamma"]))
            np.testing.assert_array_less(np.abs(got.gamma - want["gamma"]), noise)


@pytest.mark.parametrize("name", CASES)
def test_analytic_results_equal_ten_times_finer_splines(name, shared):
    case = load(shared, name)
    predictions = evaluate(frames_of(case), folder(shared) / case["potential"], radial="analytic")
    for want, got in zip(case["structures"], predictions, strict=True):
        assert_close(got.energies, want["fine"]["energies"], 1e-10)
        assert_close(got.forces, want["fine"]["forces"], 1e-9)


@pytest.mark.parametrize("name", CASES)
def test_ctilde_form(name, shared):
    case = load(shared, name)
    if not case["yace"]:
        pytest.skip("case without a .yace file")
    predictions = evaluate(frames_of(case), folder(shared) / case["yace"])
    shifted = evaluate(frames_of(case), folder(shared) / case["yace_e0"])
    for want, got, with_e0 in zip(case["structures"], predictions, shifted, strict=True):
        assert_close(got.energies, want["yace"]["energies"], 1e-11)
        assert_close(got.forces, want["yace"]["forces"], 1e-10)
        assert_close(with_e0.energies, want["yace_e0_energies"], 1e-11)
