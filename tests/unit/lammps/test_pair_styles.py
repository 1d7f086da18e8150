"""The pair_style lines and their element mapping."""

from __future__ import annotations

import pytest

from polypace.errors import InputError
from polypace.lammps import ace_pair_lines
from polypace.reference import DispersionTail


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
