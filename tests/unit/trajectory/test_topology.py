"""Topology from LAMMPS data files, melts and universes."""

from __future__ import annotations

import ase
import numpy as np
import pytest

import polypace as pp
from polypace.errors import FileFormatError, InputError
from polypace.melt import Melt
from polypace.trajectory import Topology, read_topology
from tests.helpers.dumps import text_dump

DATA = """title line

5 atoms
3 bonds
2 atom types

0 10 xlo xhi
0 10 ylo yhi
0 10 zlo zhi

Masses

1 15.035 # CH3
2 14.027 # CH2

Pair Coeffs # lj/cut

1 0.1 3.0

Atoms # full

3 4 2 0.0 3 0 0 0 0 0
1 4 1 0.0 1 0 0 0 0 0
2 4 2 0.0 2 0 0
7 9 1 0.0 7 0 0 0 0 0
5 9 1 0.0 5 0 0 0 0 0

Velocities

1 0 0 0

Bonds

1 1 1 2
2 1 3 2   # comment
3 1 5 7
"""


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "a.data"
    path.write_text(DATA)
    return path


def test_data_file(data):
    topology = read_topology(data)
    assert topology.ids.tolist() == [1, 2, 3, 5, 7]
    assert topology.types.tolist() == ["CH3", "CH2", "CH2", "CH3", "CH3"]
    np.testing.assert_allclose(topology.masses, [15.035, 14.027, 14.027, 15.035, 15.035])
    assert topology.molecules.tolist() == [0, 0, 0, 1, 1]
    assert topology.bonds.tolist() == [[0, 1], [2, 1], [3, 4]]
    assert topology.angles.tolist() == [[0, 1, 2]]
    assert topology.dihedrals.shape == (0, 4)


def test_type_labels(tmp_path):
    text = (
        DATA.replace(" # CH3", "").replace(" # CH2", "").replace("Masses", "Atom Type Labels\n\n1 CH3\n2 CH2\n\nMasses")
    )
    path = tmp_path / "labels.data"
    path.write_text(text)
    assert read_topology(path).types.tolist() == ["CH3", "CH2", "CH2", "CH3", "CH3"]
    text = text.replace("1 15.035", "CH3 15.035").replace("2 14.027", "CH2 14.027").replace("4 2 0.0", "4 CH2 0.0")
    path.write_text(text)
    topology = read_topology(path)
    assert topology.types.tolist() == ["CH3", "CH2", "CH2", "CH3", "CH3"]
    assert topology.masses[1] == 14.027


def test_dump_of_a_part_of_the_atoms(data, tmp_path):
    rows = [[7, 7.0, 0, 0], [2, 2.0, 0, 0], [3, 3.0, 0, 0]]
    path = tmp_path / "part.dump"
    path.write_text(text_dump([rows], columns="id x y z"))
    trajectory = pp.open_trajectory(path, data)
    assert trajectory.ids.tolist() == [2, 3, 7]
    assert trajectory.bonds.tolist() == [[1, 0]]
    assert trajectory.molecules.tolist() == [0, 0, 1]
    path.write_text(text_dump([[[4, 0, 0, 0]]], columns="id x y z"))
    with pytest.raises(InputError, match="atom id 4, which is not in the topology"):
        pp.open_trajectory(path, data)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("3 1 5 7", "3 1 5 8", "line 36: bond 3 1 5 8 names an atom"),
        ("1 15.035", "1 heavy", "line 13: expected a type and its mass"),
        ("3 4 2 0.0 3", "x 4 2 0.0 3", "line 22: expected an integer, got 'x'"),
        ("# full", "# dipole", "atom style 'dipole'"),
        ("3 4 2 0.0 3", "3 4 9 0.0 3", "no entry for atom type 9"),
        ("Atoms # full", "Nothing", "has no Atoms section"),
    ],
)
def test_bad_data_is_named(tmp_path, old, new, message):
    path = tmp_path / "bad.data"
    path.write_text(DATA.replace(old, new))
    with pytest.raises(FileFormatError, match=message):
        read_topology(path)


def test_melt_and_universe():
    melt = Melt(
        ase.Atoms("C3", positions=np.eye(3), cell=[9] * 3, pbc=True),
        [[0, 1], [1, 2]],
        [0, 0, 0],
        ("CH3", "CH2", "CH3"),
    )
    topology = read_topology(melt)
    assert topology.types.tolist() == ["CH3", "CH2", "CH3"]
    assert topology.angles.tolist() == melt.angles().tolist()
    import MDAnalysis

    universe = MDAnalysis.Universe.empty(3, trajectory=True)
    universe.add_TopologyAttr("types", ["A", "B", "A"])
    universe.add_TopologyAttr("masses", [1.0, 2.0, 1.0])
    universe.add_TopologyAttr("bonds", [(0, 1)])
    topology = read_topology(universe)
    assert topology.types.tolist() == ["A", "B", "A"]
    assert topology.molecules.tolist() == [0, 0, 1]


def test_arguments_are_checked():
    with pytest.raises(InputError, match="does not exist"):
        read_topology("nowhere.data")
    with pytest.raises(InputError, match="topology must be"):
        read_topology(3)
    with pytest.raises(InputError, match="bonds must join"):
        Topology(np.arange(2), np.full(2, "A"), None, None, np.array([[0, 2]]))
