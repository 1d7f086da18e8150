"""Functions of a file come in pacemaker's order and with its coupling coefficients."""

from __future__ import annotations

import numpy as np
import pytest

from polypace.ace import Potential

from .vectors import CASES, folder, load


@pytest.mark.parametrize("case", CASES)
def test_functions_are_those_of_the_reference(shared, case):
    reference = load(shared, case)
    potential = Potential.read(folder(shared) / reference["potential"])
    assert list(potential.elements) == sorted(reference["elements"])
    for mu, element in enumerate(potential.elements):
        wanted = reference["basis"][element]
        coupled = potential.data.coupled_functions(mu)
        assert len(coupled) == len(wanted)
        for want, has, written in zip(wanted, coupled, potential.data.functions[mu], strict=True):
            species = [potential.elements.index(m) if isinstance(m, str) else m for m in want["mus"]]
            assert (has.mus, [n + 1 for n in has.ns], has.ls) == (species, want["ns"], want["ls"])
            assert (written.lint, written.coefficients) == (want["LS"], want["c"])
            assert len(has.weights) == want["num_ms_combs"]
            if "ms_combs" in want:
                assert has.ms == np.ravel(want["ms_combs"]).tolist()
                np.testing.assert_allclose(has.weights, want["gen_cgs"], rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("case", [c for c in CASES if c.endswith("asi") or c.startswith("syn")])
def test_active_sets_read_as_numpy_reads_them(shared, case):
    from polypace._core import formats

    path = folder(shared) / load(shared, case)["asi"]
    with np.load(path) as wanted:
        matrices = formats.read_asi(str(path))
        assert sorted(matrices) == sorted(wanted.files)
        for element in matrices:
            np.testing.assert_array_equal(matrices[element], wanted[element])
