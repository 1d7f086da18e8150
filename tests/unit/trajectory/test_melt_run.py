"""Chains that LAMMPS moves under NPT: what the dumps say with and without image flags is one and the same walk."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import polypace as pp
from polypace.analysis import bond_distribution, chain_dimensions, density, dihedral_distribution, rdf

pytestmark = pytest.mark.program

N_CHAINS, N_BEADS = 27, 8
BOX = np.array([18.0, 18.0, 36.0])

SCRIPT = """
units real
atom_style molecular
pair_style lj/cut 7
pair_modify shift yes
bond_style harmonic
special_bonds lj 0 1 1
read_data start.data
pair_coeff 1 1 0.05 3.0
bond_coeff 1 50 1.54
minimize 0 0 200 2000
velocity all create 300 1
fix 1 all npt temp 300 300 50 aniso 300 300 100
fix 2 all langevin 300 300 50 7
timestep 2
thermo_style custom step density
thermo 1000
run 500
reset_timestep 0
dump a all custom 20 images.dump id type mol x y z ix iy iz
dump b all custom 20 wrapped.bin id x y z
dump c all custom 20 unwrapped.dump.zst id mol xu yu zu
dump_modify c format float %.15g
run 4000
write_data end.data
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("melt")
    n = N_CHAINS * N_BEADS
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3) * BOX / 3
    # The first bead lies in the box, its neighbours may lie behind it: flags that disagree.
    bead = np.stack(
        [np.arange(N_BEADS) % 2 * 0.8, np.arange(N_BEADS) // 2 % 2 * 0.8, np.arange(N_BEADS) * 1.3], axis=-1
    )
    positions = (grid + np.array([0, 0, 5]) + bead).reshape(n, 3) % BOX
    atoms = [f"{i + 1} {i // N_BEADS + 1} 1 {x:.4f} {y:.4f} {z:.4f}" for i, (x, y, z) in enumerate(positions)]
    pairs = [(i + 1, i + 2) for i in range(n) if (i + 1) % N_BEADS]
    bonds = [f"{k + 1} 1 {a} {b}" for k, (a, b) in enumerate(pairs)]
    box = [f"0 {length} {axis}lo {axis}hi" for axis, length in zip("xyz", BOX, strict=True)]
    sizes = [f"{n} atoms", f"{len(pairs)} bonds", "1 atom types", "1 bond types"]
    (folder / "start.data").write_text(
        "\n".join(["chains", "", *sizes, "", *box, "", "Masses", "", "1 14.027 # CH2", "", "Atoms # molecular", ""])
        + "\n" + "\n".join(atoms) + "\n\nBonds\n\n" + "\n".join(bonds) + "\n"
    )  # fmt: skip
    (folder / "in.lmp").write_text(SCRIPT)
    program = Path(sys.executable).with_name("lmp")
    done = subprocess.run([str(program), "-in", "in.lmp"], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_one_walk(run):
    paths = []
    for name in ("images.dump", "wrapped.bin", "unwrapped.dump.zst"):
        trajectory = pp.open_trajectory(run / name, run / "start.data", timestep=0.002).unwrapped()
        path = trajectory.read_block()
        bonds = np.linalg.norm(path[:, trajectory.bonds[:, 0]] - path[:, trajectory.bonds[:, 1]], axis=2)
        assert bonds.max() < 2.6  # no bond is torn, whatever the box does
        assert np.ptp(trajectory.volumes) > 0.01 * trajectory.volumes.mean()
        paths.append(path - path[0])
    # Image flags of the start were zero although chains crossed the box: they are mended by the bonds.
    np.testing.assert_allclose(paths[1], paths[0], atol=1e-3)
    np.testing.assert_allclose(paths[2], paths[0], atol=1e-3)
    assert np.abs(paths[0]).max() > 5  # they did move


def test_structure_equals_mdanalysis(run):
    import MDAnalysis
    from MDAnalysis.analysis.rdf import InterRDF
    from MDAnalysis.lib.distances import calc_bonds, calc_dihedrals

    trajectory = pp.open_trajectory(run / "images.dump", run / "end.data", timestep=0.002)
    few = trajectory[::40]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = MDAnalysis.Universe.empty(trajectory.n_atoms, trajectory=True)
        lengths = np.array([np.diag(cell) for cell in few.cells])
        boxes = np.column_stack([lengths, np.full((len(few), 3), 90.0)])
        universe.load_new(few.read_block().astype(np.float32), dimensions=boxes.astype(np.float32))
        theirs = InterRDF(universe.atoms, universe.atoms, nbins=30, range=(0, 6), exclusion_block=(1, 1)).run()
        counts = theirs.results.count
        values = [
            (calc_bonds(*r[few.bonds.T], box=box), calc_dihedrals(*r[few.topology.dihedrals.T], box=box))
            for r, box in zip(few.read_block(), boxes, strict=True)
        ]
    g = rdf(few, 6.0, 0.2)
    shells = 4 / 3 * np.pi * np.diff(g.edges**3)
    n = trajectory.n_atoms
    # Both average counts over frames; ours weights them with the volume.
    want = counts / len(few) / (n * (n - 1)) * few.volumes.mean() / shells
    np.testing.assert_allclose(g.total[0], want, rtol=0.03, atol=0.02)
    bonds, dihedrals = (np.concatenate([value[k] for value in values]) for k in (0, 1))
    assert bond_distribution(few).mean[0] == pytest.approx(bonds.mean(), rel=1e-5)
    trans = np.mean(np.abs(np.degrees(dihedrals)) > 120)
    assert dihedral_distribution(few).trans[0] == pytest.approx(trans, abs=2e-3)


def test_density_is_that_of_the_log(run):
    result = density(pp.open_trajectory(run / "images.dump", run / "end.data", timestep=0.002))
    rows = [line.split() for line in (run / "log.lammps").read_text().splitlines()]
    logged = {int(row[0]): float(row[1]) for row in rows if len(row) == 2 and row[0].isdigit() and "." in row[1]}
    for step in (1000, 2000, 3000, 4000):
        assert result.values[step // 20] == pytest.approx(logged[step], rel=1e-5)


def test_chains(run):
    result = chain_dimensions(pp.open_trajectory(run / "wrapped.bin", run / "end.data", timestep=0.002))
    assert result.n_bonds.tolist() == [N_BEADS - 1] * N_CHAINS
    assert result.bond_length == pytest.approx(1.54, abs=0.1)
    assert 1 < result.end_to_end_squared / (7 * result.bond_length**2) < 4
