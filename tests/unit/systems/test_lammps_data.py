"""Data files: what is written is read back, also by LAMMPS and MDAnalysis."""

from __future__ import annotations

import numpy as np
import pytest

from polypace.errors import FileFormatError, InputError
from polypace.systems import build_melt, read_lammps_data, to_universe, write_lammps_data
from tests.helpers.lmp import run_script


def test_round_trip(tmp_path):
    melt = build_melt(12, 20, 0.7, seed=1)
    write_lammps_data(melt, tmp_path / "a.data", "trappe-ua")
    again = read_lammps_data(tmp_path / "a.data")
    assert again.types == melt.types and np.array_equal(again.bonds, melt.bonds)
    assert np.array_equal(again.molecules, melt.molecules)
    assert np.allclose(again.atoms.positions, melt.atoms.positions, rtol=0, atol=1e-12)
    assert np.allclose(again.atoms.cell.array, melt.atoms.cell.array, rtol=0, atol=1e-12)
    assert set(again.atoms.symbols) == {"C"} and np.array_equal(again.atoms.get_masses(), melt.atoms.get_masses())
    assert list(again.atoms.arrays["type_name"]) == list(melt.types)


def test_names_survive_lammps(tmp_path):
    melt = build_melt(5, 10, 0.5, seed=2)
    melt.atoms.set_cell(melt.atoms.cell.array + np.array([[0, 0, 0], [1.5, 0, 0], [-2.0, 1.0, 0]]))
    write_lammps_data(melt, tmp_path / "a.data", "trappe-ua")
    run_script(
        "units metal\natom_style molecular\nread_data a.data\npair_style zero 5.0\npair_coeff * *\n"
        "bond_style zero\nbond_coeff *\nangle_style zero\nangle_coeff *\ndihedral_style zero\n"
        "dihedral_coeff *\nvelocity all create 300 1\nrun 0\nwrite_data b.data nocoeff\n"
        "write_data c.data nocoeff types labels\n",
        tmp_path,
    )
    for name in ("b.data", "c.data"):
        again = read_lammps_data(tmp_path / name)
        assert again.types == melt.types
        assert np.allclose(again.atoms.positions, melt.atoms.positions, rtol=0, atol=1e-9)
        ends = {tuple(sorted(pair)) for pair in again.bonds.tolist()}
        assert ends == {tuple(sorted(pair)) for pair in melt.bonds.tolist()}
        assert again.atoms.get_temperature() == pytest.approx(300, rel=0.05)


def test_without_bonded_terms(tmp_path):
    melt = build_melt(5, 10, 0.5, seed=2)
    write_lammps_data(melt, tmp_path / "a.data", "trappe-ua", bonded=False)
    again = read_lammps_data(tmp_path / "a.data")
    assert len(again.bonds) == 0 and np.array_equal(again.molecules, melt.molecules)


def test_other_programs_read_it(tmp_path):
    import MDAnalysis

    melt = build_melt(6, 4, 0.4, seed=2)
    write_lammps_data(melt, tmp_path / "a.data", "trappe-ua")
    universe = MDAnalysis.Universe(str(tmp_path / "a.data"), format="DATA", to_guess=())
    assert len(universe.atoms) == 24 and len(universe.bonds) == 20 and len(universe.dihedrals) == 12


def test_views_in_other_libraries(tmp_path):
    import ase.io

    melt = build_melt(6, 4, 0.4, seed=2)
    universe = to_universe(melt)
    assert len(universe.residues) == 4 and len(universe.bonds) == 20
    assert list(universe.atoms.types) == list(melt.types)
    assert np.allclose(universe.atoms.positions, melt.atoms.positions, atol=1e-4)
    assert universe.atoms.total_mass() == pytest.approx(melt.atoms.get_masses().sum())
    assert np.allclose(universe.dimensions[:3], melt.atoms.cell.lengths(), rtol=1e-6)
    ase.io.write(tmp_path / "a.extxyz", melt.atoms)
    again = ase.io.read(tmp_path / "a.extxyz")
    assert list(again.arrays["type_name"]) == list(melt.types)
    assert np.array_equal(again.arrays["mol_id"], melt.molecules)


def test_refuses(tmp_path):
    melt = build_melt(5, 10, 0.5, seed=2)
    melt.atoms.set_cell(melt.atoms.cell.array + np.array([[0, 2.0, 0], [0, 0, 0], [0, 0, 0]]))
    with pytest.raises(InputError, match="standard_form"):
        write_lammps_data(melt, tmp_path / "a.data", "trappe-ua")
    (tmp_path / "bad.data").write_text("no data\n\n3 atoms\n")
    with pytest.raises(FileFormatError, match=r"bad\.data"):
        read_lammps_data(tmp_path / "bad.data")
    with pytest.raises(FileFormatError, match=r"none\.data"):
        read_lammps_data(tmp_path / "none.data")
