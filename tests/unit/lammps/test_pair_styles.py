"""The pair_style lines and their element mapping."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from polypace.errors import InputError, ProgramError
from polypace.lammps import ace_pair_lines, mliap_pair_lines
from polypace.lammps.single_point import lammps_single_point
from polypace.reference import DispersionTail
from tests.helpers.potentials import random_potential


def test_plain_and_graded():
    assert ace_pair_lines("p.yace", ["H", "O"], {"O": "O", "H": "H"}) == (
        "# atom types: 1 H = H, 2 O = O\npair_style pace\npair_coeff * * p.yace H O\n"
    )
    assert "pair_coeff * * p.yaml p.asi C C" in ace_pair_lines(
        "p.yaml", ["CH2", "CH3"], {"CH2": "C", "CH3": "C"}, "p.asi"
    )


def test_with_tail():
    lines = ace_pair_lines("p.yaml", ["CH2", "CH3"], {"CH2": "C", "CH3": "C"}, overlay=DispersionTail()).splitlines()
    assert lines[1:3] == [
        "pair_style hybrid/overlay pace lj/mdf/tail 4.6 7.0 10.0 12.0",
        "pair_coeff * * pace p.yaml C C",
    ]
    assert [line.split()[:4] for line in lines[3:]] == [
        ["pair_coeff", i, j, "lj/mdf/tail"] for i, j in ("11", "12", "22")
    ]


def test_mapping_errors_name_type_and_element():
    with pytest.raises(InputError, match="atom type CH2"):
        ace_pair_lines("p.yace", ["CH2"], {"CH3": "C"})
    with pytest.raises(InputError, match="CH2 is mapped to the element N, which"):
        ace_pair_lines("p.yace", ["CH2"], {"CH2": "N"}, known_elements=["C", "H"])


def test_mliap_lines():
    assert mliap_pair_lines("m.pkl", ["CH2", "CH3"], {"CH2": "C", "CH3": "C"}) == (
        "# atom types: 1 CH2 = C, 2 CH3 = C\npair_style mliap unified m.pkl 0\npair_coeff * * C C\n"
    )


@pytest.mark.program
def test_a_data_file_with_swapped_types_is_refused(tmp_path):
    """The numbers of a data file's types are compared with pair_coeff by name, inside of LAMMPS."""
    potential = tmp_path / "p.yaml"
    potential.write_text(random_potential(np.random.default_rng(7)))
    atoms = bulk("C", "diamond", cubic=True)
    atoms.symbols[:3] = "H"
    elements = {"C": "C", "H": "H"}
    right = lammps_single_point(atoms, ace_pair_lines(potential, ["C", "H"], elements, labelled=True), ["C", "H"])
    other = lammps_single_point(atoms, ace_pair_lines(potential, ["H", "C"], elements, labelled=True), ["H", "C"])
    assert other.energy == pytest.approx(right.energy, abs=1e-10)
    with pytest.raises(ProgramError, match="another atom type 1 than C: its types are in another order"):
        lammps_single_point(atoms, ace_pair_lines(potential, ["C", "H"], elements, labelled=True), ["H", "C"])
