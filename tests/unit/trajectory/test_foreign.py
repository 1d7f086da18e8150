"""Formats that other libraries read, and arrays."""

from __future__ import annotations

import warnings

import ase
import ase.io
import numpy as np
import pytest

import polypace as pp
from polypace.errors import FileFormatError, InputError
from polypace.trajectory import Topology, TrajectoryWarning


@pytest.fixture
def positions(rng):
    return np.cumsum(rng.normal(0, 0.1, (8, 5, 3)), axis=0) + 5


@pytest.mark.parametrize("suffix", ["dcd", "xtc", "trr"])
def test_mdanalysis_formats(tmp_path, positions, suffix):
    import MDAnalysis

    path = tmp_path / f"a.{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = MDAnalysis.Universe.empty(5, trajectory=True)
        with MDAnalysis.Writer(str(path), 5, dt=2.0) as writer:
            for k, frame in enumerate(positions):
                universe.atoms.positions = frame
                universe.dimensions = [10 + 0.1 * k, 10, 10, 90, 90, 90]
                universe.trajectory.ts.frame = k
                universe.trajectory.ts.time = 2.0 * k
                universe.trajectory.ts.data["step"] = 100 * k
                writer.write(universe.atoms)
    trajectory = pp.open_trajectory(path)
    np.testing.assert_allclose(trajectory.read_block(), positions, atol=6e-3 if suffix == "xtc" else 1e-5)
    np.testing.assert_allclose(trajectory.times, 2.0 * np.arange(8), rtol=1e-4)
    np.testing.assert_allclose(trajectory.cells[:, 0, 0], 10 + 0.1 * np.arange(8), rtol=1e-5)
    np.testing.assert_allclose(trajectory.read_block([2], [4, 1]), trajectory.read_block()[[2]][:, [4, 1]])
    assert trajectory.unwrapped().read_block().shape == (8, 5, 3)


def write_dcd(path, positions, first=0, every=50, remarks="Written by LAMMPS"):
    from MDAnalysis.lib.formats.libdcd import DCDFile

    with DCDFile(str(path), "w") as file:
        file.write_header(remarks, positions.shape[1], first, every, 0.001, 1)
        for frame in positions:
            file.write(frame.astype(np.float32), [10.0, 90.0, 10.0, 90.0, 90.0, 10.0])


def test_dcd_of_lammps_holds_times_in_units_that_it_does_not_name(tmp_path, positions):
    """Taken for CHARMM's unit, as others do, they are wrong by 20 (metal) or 49 (real)."""
    write_dcd(tmp_path / "a.dcd", positions)
    unknown = pp.open_trajectory(tmp_path / "a.dcd")
    assert unknown.steps.tolist() == list(range(0, 400, 50)) and not unknown.has_times
    with pytest.raises(InputError, match=r"--timestep.*--units"):
        _ = unknown.times
    for settings, dt in (({"units": "metal"}, 0.05), ({"units": "real"}, 5e-5), ({"timestep": 0.002}, 0.1)):
        times = pp.open_trajectory(tmp_path / "a.dcd", **settings).times
        np.testing.assert_allclose(times, dt * np.arange(8), rtol=1e-12)
    charmm = tmp_path / "charmm.dcd"
    write_dcd(charmm, positions, remarks="")
    np.testing.assert_allclose(pp.open_trajectory(charmm).times, 50 * 0.001 * 0.04888821 * np.arange(8), rtol=1e-6)
    write_dcd(tmp_path / "b.dcd", positions[4:] + 1, first=200)
    with pytest.warns(TrajectoryWarning, match="4 frames were written again by a restart"):
        joined = pp.open_trajectory([tmp_path / "a.dcd", tmp_path / "b.dcd"], units="metal")
    assert joined.steps.tolist() == list(range(0, 400, 50))
    expected = np.concatenate([positions[:4], positions[4:] + 1])
    np.testing.assert_allclose(joined.read_block(), expected, atol=1e-5)


def test_xtc_in_reduced_units_is_not_nanometres(tmp_path, positions):
    import MDAnalysis

    universe = MDAnalysis.Universe.empty(5, trajectory=True)
    universe.load_new((10 * positions).astype(np.float32))  # the writer divides by ten
    with MDAnalysis.Writer(str(tmp_path / "a.xtc"), 5) as writer:
        for _ in universe.trajectory:
            universe.dimensions = [100, 100, 100, 90, 90, 90]
            writer.write(universe.atoms)
    trajectory = pp.open_trajectory(tmp_path / "a.xtc", units="lj")
    assert trajectory.is_reduced
    np.testing.assert_allclose(trajectory.read_block(), positions, atol=1e-3)
    np.testing.assert_allclose(trajectory.cells[0], 10 * np.eye(3), rtol=1e-6)


def test_xyz_has_neither_times_nor_a_cell(tmp_path, positions):
    path = tmp_path / "a.xyz"
    lines = [f"5\nTimestep {k}\n" + "".join(f"C {x} {y} {z}\n" for x, y, z in r) for k, r in enumerate(positions)]
    path.write_text("".join(lines))
    with pytest.warns(TrajectoryWarning, match="holds no cell"):
        trajectory = pp.open_trajectory(path)
    assert not trajectory.has_times
    bonds = Topology(np.arange(1, 6), np.array(["C"] * 5), None, None, np.array([[0, 1], [1, 2], [2, 3], [3, 4]]))
    straight = np.arange(5)[:, None] * [1.0, 0, 0] + np.zeros((8, 1, 1))
    straight[3:, 4] -= 20
    path.write_text("".join("5\n\n" + "".join(f"C {x} {y} {z}\n" for x, y, z in r) for r in straight))
    with (
        pytest.warns(TrajectoryWarning),
        pytest.raises(InputError, match=r"frame 3: the bond of atoms 4 and 5 .*wrapped"),
    ):
        pp.open_trajectory(path, bonds)


def test_units_of_formats_that_have_their_own(tmp_path, positions):
    assert pp.open_trajectory(positions, units="lj").is_reduced
    with pytest.raises(InputError, match="units='nano' is for LAMMPS dumps"):
        pp.open_trajectory(positions, units="nano")
    with pytest.raises(InputError, match="units must be one of real, metal"):
        pp.open_trajectory(positions, units="reel")


def test_h5md(tmp_path, positions):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.h5md"
    with h5py.File(path, "w") as file:
        file.create_group("h5md").attrs["version"] = (1, 1)
        group = file.create_group("particles/trajectory")
        group.create_group("box").attrs.update(dimension=3, boundary=["periodic"] * 3)
        steps, times = 10 * np.arange(8), 0.5 * np.arange(8)
        for name, values, unit in (
            ("position", positions, "Angstrom"),
            ("box/edges", np.broadcast_to(np.diag([10.0, 11, 12]), (8, 3, 3)), "Angstrom"),
        ):  # fmt: skip
            element = group.create_group(name)
            element["step"], element["time"], element["value"] = steps, times, values
            element["time"].attrs["unit"], element["value"].attrs["unit"] = "ps", unit
    trajectory = pp.open_trajectory(path)
    np.testing.assert_allclose(trajectory.read_block(), positions, atol=1e-5)
    np.testing.assert_allclose(trajectory.times, times)
    assert trajectory.steps.tolist() == steps.tolist()
    np.testing.assert_allclose(trajectory.volumes, 10 * 11 * 12, rtol=1e-6)


def test_universe(positions):
    import MDAnalysis

    universe = MDAnalysis.Universe.empty(5, trajectory=True)
    universe.add_TopologyAttr("types", list("ABABA"))
    universe.load_new(positions.astype(np.float32))
    trajectory = pp.open_trajectory(universe)
    np.testing.assert_allclose(trajectory.read_block(), positions, rtol=1e-6)
    assert trajectory.types.tolist() == list("ABABA")


def write_extxyz(path, positions):
    frames = []
    for k, r in enumerate(positions):
        atoms = ase.Atoms("CHCHC", positions=r, cell=[10, 11, 12], pbc=True)
        atoms.info["step"] = 5 * k
        atoms.arrays["mol_id"] = np.array([0, 0, 0, 1, 1])
        frames.append(atoms)
    ase.io.write(path, frames, format="extxyz")


def test_extxyz(tmp_path, positions):
    path = tmp_path / "a.extxyz"
    write_extxyz(path, positions)
    trajectory = pp.open_trajectory(path, timestep=0.1)
    np.testing.assert_allclose(trajectory.read_block(), positions, atol=1e-7)
    np.testing.assert_allclose(trajectory.times, 0.5 * np.arange(8))
    assert trajectory.types.tolist() == list("CHCHC")
    assert trajectory.molecules.tolist() == [0, 0, 0, 1, 1]
    np.testing.assert_allclose(trajectory.masses[:2], [12.011, 1.008])
    cut = path.read_text()[:-100]
    path.write_text(cut)
    with pytest.warns(TrajectoryWarning, match="breaks off"):
        assert pp.open_trajectory(path).n_frames == 7
    path.write_text(cut.replace("5\n", "x\n", 1))
    with pytest.raises(FileFormatError, match="line 1: expected a number of atoms"):
        pp.open_trajectory(path)


def test_arrays(positions):
    trajectory = pp.open_trajectory(positions, cells=[10.0, 11.0, 12.0], timestep=0.25)
    np.testing.assert_allclose(trajectory.cells[3], np.diag([10, 11, 12]))
    np.testing.assert_allclose(trajectory.times, 0.25 * np.arange(8))
    assert trajectory.frame(-1).time == 1.75
    with pytest.raises(InputError, match=r"positions must have shape \(any, any, 3\)"):
        pp.open_trajectory(positions[0])
    with pytest.raises(InputError, match="cells must have shape"):
        pp.open_trajectory(positions, cells=np.zeros((2, 3)))
    with pytest.raises(InputError, match="must be finite"):
        pp.open_trajectory(np.full((2, 2, 3), np.nan))
    with pytest.raises(InputError, match="sliced"):
        trajectory[3]


def test_unknown_file(tmp_path):
    path = tmp_path / "a.unknown"
    path.write_text("what is this\n")
    with pytest.raises((InputError, FileFormatError), match="unknown"):
        pp.open_trajectory(path)
