"""The QM-22 reader: units, types, refusals."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from polypace.errors import FileFormatError
from polypace.reference import read_qm22

ETHANE = """ 8
 8065.54
C 0.0 0.0 0.0 0.01 0.0 -0.02
C 1.53 0.0 0.0 -0.01 0.0 0.02
H -0.4 1.0 0.0 0 0 0
H -0.4 -0.5 0.9 0 0 0
H -0.4 -0.5 -0.9 0 0 0
H 1.9 1.0 0.0 0 0 0
H 1.9 -0.5 0.9 0 0 0
H 1.9 -0.5 -0.9 0 0 0
"""


def test_units_and_types(tmp_path):
    path = tmp_path / "c02.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("c02.xyz", ETHANE + ETHANE.replace("8065.54", "80655.4"))
    frames = read_qm22(path)
    assert len(frames) == 2 and len(read_qm22(path, highest_energy=5.0)) == 1
    assert frames[0].get_potential_energy() == pytest.approx(1.0, rel=1e-5)
    assert frames[0].get_forces()[0] == pytest.approx([-0.514221, 0, 1.028441], rel=1e-5)
    assert list(frames[0].arrays["type_name"]) == ["CT3"] * 2 + ["HC3"] * 6
    assert frames[0].info["chain_length"] == 2 and not frames[0].pbc.any()


def test_refuses(tmp_path):
    path = tmp_path / "bad.xyz"
    for text, said in (
        (ETHANE[:60], "line 1 cannot be read"),
        (ETHANE + ETHANE.replace("1.53", "x"), "line 11 cannot be read"),
        (ETHANE.replace("1.53", "nan"), "not finite"),
        (ETHANE.replace("H 1.9 1.0", "O 1.9 1.0"), "not an n-alkane"),
    ):
        path.write_text(text)
        with pytest.raises(FileFormatError, match=said):
            read_qm22(path)


def test_the_public_set(shared):
    folder = shared / "data" / "qm22"
    if not folder.is_dir():
        pytest.skip("the QM-22 files are not there")
    frames = read_qm22(folder / "c04.zip")
    assert len(frames) == 1292
    assert sorted(frames[0].arrays["type_name"]) == ["CT2"] * 2 + ["CT3"] * 2 + ["HC2"] * 4 + ["HC3"] * 6
    ends = np.array(["3" in name for name in frames[0].arrays["type_name"]])
    assert (frames[0].arrays["chain_position"] == np.where(ends, 1, 2)).all()
    forces = np.concatenate([atoms.get_forces() for atoms in frames])
    assert 0.6 < np.sqrt(np.mean(forces**2)) < 0.95
    # Gradients of a molecule in no field sum to zero.
    assert np.abs([atoms.get_forces().sum(axis=0) for atoms in frames]).max() < 0.02
