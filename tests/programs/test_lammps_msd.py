"""fix polypace/msd: g1, g2, g3 while running, against the definition applied to a dump of every sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polypace.errors import ProgramError
from polypace.lammps import run_lammps

pytestmark = pytest.mark.program

N_CHAINS, LENGTH, EVERY, DT = 12, 5, 2, 0.01

# Bead-spring chains in a box so small that they cross its faces all the time.
START = f"""units lj
atom_style bond
region box block 0 4.6 0 4.6 0 4.6
create_box 2 box bond/types 1 extra/bond/per/atom 2 extra/special/per/atom 4
molecule chain chain.mol
create_atoms 0 random {N_CHAINS} 71 NULL mol chain 31 overlap 0.5
mass 1 1
mass 2 2
pair_style soft 1.1
pair_coeff * * 20
bond_style harmonic
bond_coeff 1 200 0.9
velocity all create 2 99 loop geom
timestep {DT}
minimize 0 0.1 100 200
reset_timestep 0
velocity all create 2 99 loop geom
"""
RUN = "fix nve all nve\nfix msd all polypace/msd 2 100 msd.txt points 8 ratio 2\n"
DUMP = "dump all all custom 2 all.dump id mol mass xu yu zu\ndump_modify all sort id format float %.17g\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    beads = range(1, LENGTH + 1)
    lines = [f"a chain\n\n{LENGTH} atoms\n{LENGTH - 1} bonds\n\nCoords\n"]
    lines += [f"{i} {0.9 * i} 0 0" for i in beads] + ["\nTypes\n"] + [f"{i} {1 + i % 2}" for i in beads]
    lines += ["\nBonds\n"] + [f"{i} 1 {i} {i + 1}" for i in beads[:-1]]
    (tmp_path / "chain.mol").write_text("\n".join(lines) + "\n")
    return tmp_path


def read_dump(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions (frames, beads, 3), molecules and masses."""
    n = N_CHAINS * LENGTH
    rows = [line.split() for line in path.read_text().splitlines()]
    table = np.array([row for row in rows if len(row) == 6 and row[0] != "ITEM:"], dtype=float)
    frames = table.reshape(-1, n, 6)
    return frames[:, :, 3:], frames[0, :, 1].astype(int), frames[0, :, 2]


def definition(positions, molecules, masses, lag: int, stride: int) -> np.ndarray:
    """g1, g2, g3 at one lag, over origins 0, stride, 2 stride, … (in samples)."""
    chains = np.equal.outer(np.unique(molecules), molecules) * masses
    centers = np.einsum("cb,fbd->fcd", chains / chains.sum(axis=1, keepdims=True), positions)
    relative = positions - centers[:, np.searchsorted(np.unique(molecules), molecules)]
    origins = np.arange(0, len(positions) - lag, stride)
    return np.array([((x[origins + lag] - x[origins]) ** 2).sum(-1).mean() for x in (positions, relative, centers)])


def expected_strides(lag: int, points: int = 8, ratio: int = 2) -> int:
    stride = 1
    while lag >= points * stride:
        stride *= ratio
    return stride


@pytest.mark.parametrize("n_ranks", [1, 2])
def test_equals_the_definition(folder, n_ranks):
    run_lammps(START + RUN + DUMP + "run 301\n", folder, n_ranks=n_ranks)
    trajectory = read_dump(folder / "all.dump")
    table = np.loadtxt(folder / "msd.txt")
    lags = np.rint(table[:, 0] / (EVERY * DT)).astype(int)
    wanted = [1, 2, 3, 4, 5, 6, 7, *(k * 2**level for level in range(1, 5) for k in range(4, 8)), 128]
    assert lags.tolist() == wanted
    for lag, row in zip(lags, table, strict=True):
        stride = expected_strides(lag)
        np.testing.assert_allclose(row[1:4], definition(*trajectory, lag, stride), rtol=1e-11)
        assert row[4] == len(range(0, 151 - lag, stride))


@pytest.mark.parametrize(
    ("style", "header", "time", "length"),
    [
        ("lj", "# lag_tau g1_sigma2 g2_sigma2 g3_sigma2 origins", 1, 1),
        ("real", "# lag_ps g1_A2 g2_A2 g3_A2 origins", 1e-3, 1),
        ("metal", "# lag_ps g1_A2 g2_A2 g3_A2 origins", 1, 1),
        ("nano", "# lag_ps g1_A2 g2_A2 g3_A2 origins", 1e3, 10),
    ],
)
def test_the_file_is_in_ps_and_angstrom_whatever_the_units_of_the_run(folder, style, header, time, length):
    start = START.replace("units lj", f"units {style}").replace(f"timestep {DT}", "timestep 1e-4")
    run_lammps(start + RUN + DUMP + "run 20\n", folder)
    assert (folder / "msd.txt").read_text().splitlines()[1] == header
    first = np.loadtxt(folder / "msd.txt")[0]
    assert first[0] == pytest.approx(EVERY * 1e-4 * time)
    np.testing.assert_allclose(first[1:4], length**2 * definition(*read_dump(folder / "all.dump"), 1, 1), rtol=1e-6)


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_restart_goes_on_without_a_seam(folder, before, after):
    run_lammps(START + RUN + DUMP + "run 300\n", folder, n_ranks=before)
    trajectory = read_dump(folder / "all.dump")
    script = START + RUN + "write_restart early.restart\nrun 140\nrun 30\nwrite_restart half.restart\n"
    run_lammps(script, folder, n_ranks=before)
    styles = "pair_style soft 1.1\npair_coeff * * 20\nbond_style harmonic\nbond_coeff 1 200 0.9\n"
    again = f"read_restart half.restart\n{styles}timestep {DT}\n{RUN}"
    run_lammps(again + "run 130\n", folder, n_ranks=after)
    table = np.loadtxt(folder / "msd.txt")
    for row in table:
        lag = round(row[0] / (EVERY * DT))
        assert row[4] == len(range(0, 151 - lag, expected_strides(lag)))
        # The trajectories themselves part slowly where LAMMPS sums in another order after its restart.
        np.testing.assert_allclose(row[1:4], definition(*trajectory, lag, expected_strides(lag)), rtol=1e-6)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("fix msd all polypace/msd 10 15 f", "Nwrite a multiple of it, got 10 15"),
        ("fix msd all polypace/msd 10 100 f levels 3", "unknown keyword 'levels', known are: points ratio"),
        ("fix msd all polypace/msd 10 100 f points 9", "points 9 ratio 2"),
        ("fix msd all polypace/msd 10 100 f\nfix 1 all npt temp 1 1 1 iso 0 0 1\nrun 1", "the box changes"),
        ("fix msd all polypace/msd 1 1 f\nrun 1\ntimestep 1\nrun 1", "the timestep changed from 0.01 to 1"),
        ("fix msd all polypace/msd 1 1 f\nrun 1\nreset_timestep 0", "reset_timestep"),
    ],
)
def test_wrong_use(folder, line, message):
    with pytest.raises(ProgramError, match=message):
        run_lammps(START + line + "\n", folder)
