"""Unwrapping against walks that are known exactly, under boxes that fluctuate, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

import polypace as pp
from polypace.errors import InputError
from polypace.trajectory import Topology, unwrap
from tests.helpers.dumps import text_dump
from tests.oracle.structure import toroidal_walk

CELL = np.array([[12.0, 0, 0], [3.0, 11.0, 0], [-2.0, 1.5, 10.0]])


def fluctuating_cells(rng, n, size=0.03):
    scale = 1 + size * np.cumsum(rng.normal(size=n)) / np.sqrt(n)
    return scale[:, None, None] * CELL


def wrap(positions, cells):
    """Into the cell of each frame: (wrapped, image flags)."""
    s = np.einsum("fni,fij->fnj", positions, np.linalg.inv(cells))
    images = np.floor(s).astype(int)
    return positions - np.einsum("fni,fij->fnj", images, cells), images


def chain_topology(n_chains, n_beads):
    atoms = np.arange(n_chains * n_beads).reshape(n_chains, n_beads)
    bonds = np.concatenate([atoms[:, k : k + 2] for k in range(n_beads - 1)])
    n = atoms.size
    return Topology(np.arange(1, n + 1), np.full(n, "A"), np.ones(n), None, bonds)


def chains(rng, n_frames, n_chains, n_beads, step=0.3):
    """Centres that walk, and stiff shapes around them."""
    centers = np.cumsum(rng.normal(0, step, (n_frames, n_chains, 3)), axis=0) + rng.uniform(0, 12, (n_chains, 3))
    shape = np.cumsum(rng.normal(0, 0.5, (n_frames, n_chains, n_beads, 3)), axis=2)
    shape -= shape.mean(axis=2, keepdims=True)
    return centers, (centers[:, :, None] + shape).reshape(n_frames, n_chains * n_beads, 3)


def test_constant_box_gives_the_walk_back(rng):
    walk = np.cumsum(rng.normal(0, 0.4, (300, 20, 3)), axis=0)
    cells = np.broadcast_to(CELL, (300, 3, 3))
    wrapped, _ = wrap(walk, cells)
    trajectory = pp.open_trajectory(wrapped, cells=CELL, timestep=1.0).unwrapped()
    path = trajectory.read_block()
    np.testing.assert_allclose(path - path[0], walk - walk[0], atol=1e-10)
    assert 0 < trajectory.unwrap_proof.longest_step < unwrap.LONGEST_STEP
    assert trajectory.unwrap_proof.frames_read == 300


def test_fluctuating_box_follows_the_toroidal_scheme(rng):
    walk = np.cumsum(rng.normal(0, 0.4, (300, 20, 3)), axis=0)
    cells = fluctuating_cells(rng, 300)
    wrapped, _ = wrap(walk, cells)
    path = pp.open_trajectory(wrapped, cells=cells, timestep=1.0).unwrapped().read_block()
    np.testing.assert_allclose(path, toroidal_walk(wrapped, cells), atol=1e-10)


def test_diffusion_under_npt_is_not_inflated(rng):
    """Particles that stand still, many images away: the lattice scheme makes them jump with the box."""
    n_frames = 400
    cells = np.eye(3) * 10 * (1 + 0.01 * rng.normal(size=n_frames))[:, None, None]
    fractional = rng.uniform(0.2, 0.8, (30, 3))
    wrapped = fractional * 10 + rng.normal(0, 1e-3, (n_frames, 30, 3))
    images = np.broadcast_to(rng.integers(-50, 50, (30, 3)), wrapped.shape)
    lattice = wrapped + np.einsum("fni,fij->fnj", images, cells)
    rows = [[[i + 1, *lattice[f, i]] for i in range(30)] for f in range(n_frames)]
    text = "".join(
        text_dump([frame], columns="id xu yu zu", box=f"0 {float(cell[0, 0])!r}", steps=[k])
        for k, (frame, cell) in enumerate(zip(rows, cells, strict=True))
    )
    return_path = _read(text, "dump")
    moved = return_path - return_path[0]
    assert np.abs(moved).max() < 0.02
    assert np.abs(lattice - lattice[0]).max() > 1


def _read(text, name, tmp="npt"):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix=tmp) as folder:
        path = Path(folder) / f"a.{name}"
        path.write_text(text)
        return pp.open_trajectory(path, timestep=1.0).unwrapped().read_block()


def test_molecules_keep_their_bonds_and_centres_walk(rng):
    """Whole molecules under a fluctuating box: exact bonds, centres on the toroidal walk."""
    cells = fluctuating_cells(rng, 200)
    centers, positions = chains(rng, 200, 6, 8)
    wrapped, _ = wrap(positions, cells)
    topology = chain_topology(6, 8)
    trajectory = pp.open_trajectory(wrapped, topology, cells=cells, timestep=1.0).unwrapped()
    path = trajectory.read_block()
    a, b = topology.bonds.T
    np.testing.assert_allclose(path[:, b] - path[:, a], positions[:, b] - positions[:, a], atol=1e-10)
    found = path.reshape(200, 6, 8, 3).mean(axis=2)
    want = toroidal_walk(wrap(centers, cells)[0], cells)
    np.testing.assert_allclose(found - found[0], want - want[0], atol=1e-9)
    assert "centre of mass" in trajectory.unwrap_proof.method


def test_blocks_in_any_order_give_the_same_path(rng, monkeypatch):
    cells = fluctuating_cells(rng, 150)
    _, positions = chains(rng, 150, 4, 5)
    wrapped, _ = wrap(positions, cells)
    open_it = lambda: pp.open_trajectory(wrapped, chain_topology(4, 5), cells=cells, timestep=1.0).unwrapped()  # noqa: E731
    want = open_it().read_block()
    monkeypatch.setattr(unwrap, "BATCH_BYTES", 24 * 20 * 7)  # seven frames at a time
    trajectory = open_it()
    np.testing.assert_array_equal(trajectory.read_block([140, 3, 77], [11, 2]), want[[140, 3, 77]][:, [11, 2]])
    np.testing.assert_array_equal(trajectory.read_block(slice(20, 30)), want[20:30])
    np.testing.assert_array_equal(trajectory[::10].read_block(), want[::10])


def test_image_flags_are_used_whatever_the_step(tmp_path, rng):
    walk = rng.uniform(-60, 60, (20, 3, 3))  # steps of many boxes
    s = np.floor(walk / 10).astype(int)
    rows = [[[i + 1, *(walk[f, i] - 10 * s[f, i]), *s[f, i]] for i in range(3)] for f in range(20)]
    path = tmp_path / "a.dump"
    path.write_text(text_dump(rows, columns="id x y z ix iy iz"))
    np.testing.assert_allclose(pp.open_trajectory(path).unwrapped().read_block(), walk, atol=1e-9)


def test_inconsistent_flags_are_mended_by_bonds(tmp_path):
    """Two bonded atoms whose flags do not say on which side of the box they are."""
    rows = []
    for k in range(6):
        first, second = 9.0 + 0.6 * k, 9.7 + 0.6 * k
        # The flag of the second atom is one too low in all frames.
        rows.append(
            [
                [1, first % 10, 5, 5, int(first // 10), 0, 0],
                [2, second % 10, 5, 5, int(second // 10) - 1, 0, 0],
            ]
        )
    path = tmp_path / "a.dump"
    path.write_text(text_dump(rows, columns="id x y z ix iy iz"))
    topology = Topology(np.array([1, 2]), np.array(["A", "A"]), None, None, np.array([[0, 1]]))
    positions = pp.open_trajectory(path, topology).unwrapped().read_block()
    np.testing.assert_allclose(positions[:, 0, 0], 9.0 + 0.6 * np.arange(6), atol=1e-9)
    np.testing.assert_allclose(positions[:, 1, 0] - positions[:, 0, 0], 0.7, atol=1e-9)


def test_steps_that_are_too_large_are_refused(rng):
    wrapped = rng.uniform(0, 10, (5, 4, 3))
    trajectory = pp.open_trajectory(wrapped, cells=[10.0, 10.0, 10.0], timestep=1.0).unwrapped()
    with pytest.raises(InputError, match=r"from frame \d .* to frame \d .* moves 0\.\d+ of a cell vector"):
        trajectory.read_block()
    # Whole molecules need no steps in time.
    assert pp.open_trajectory(wrapped, cells=[10.0] * 3, coordinates="unwrapped").unwrapped().read_block() is not None


def test_whole_molecules_need_bonds_or_flags(rng):
    trajectory = pp.open_trajectory(rng.uniform(0, 10, (5, 4, 3)), cells=[10.0] * 3)
    assert not trajectory.can_be_whole
    with pytest.raises(InputError, match="cannot be put together without bonds"):
        trajectory.whole()


def test_whole_frames_far_apart(rng):
    cells = np.broadcast_to(CELL, (4, 3, 3))
    _, positions = chains(rng, 4, 5, 6, step=40)
    topology = chain_topology(5, 6)
    whole = pp.open_trajectory(wrap(positions, cells)[0], topology, cells=CELL).whole().read_block()
    a, b = topology.bonds.T
    np.testing.assert_allclose(whole[:, b] - whole[:, a], positions[:, b] - positions[:, a], atol=1e-10)


def test_molecule_bonded_to_its_own_image_is_refused():
    positions = np.array([[[1.0, 5, 5], [4.0, 5, 5], [7.0, 5, 5]]])
    bonds = np.array([[0, 1], [1, 2], [2, 0]])
    topology = Topology(np.arange(1, 4), np.full(3, "A"), None, None, bonds)
    with pytest.raises(InputError, match="bonded to its own periodic image"):
        pp.open_trajectory(positions, topology, cells=[9.0, 10.0, 10.0]).whole().read_block()


def test_bond_as_long_as_half_the_box_is_refused():
    topology = Topology(np.arange(1, 3), np.full(2, "A"), None, None, np.array([[0, 1]]))
    positions = np.array([[[1.0, 5, 5], [5.5, 5, 5]]])
    with pytest.raises(InputError, match=r"bond of atoms 1 and 2: the bond spans 0\.45"):
        pp.open_trajectory(positions, topology, cells=[10.0] * 3).whole().read_block()


def test_ring_closes(rng):
    angles = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    ring = np.stack([9.5 + 1.4 * np.cos(angles), 0.3 + 1.4 * np.sin(angles), np.full(6, 5.0)], axis=1)
    bonds = np.array([[k, (k + 1) % 6] for k in range(6)])
    topology = Topology(np.arange(1, 7), np.full(6, "C"), None, None, bonds)
    whole = pp.open_trajectory(ring[None] % 10, topology, cells=[10.0] * 3).whole().read_block()[0]
    np.testing.assert_allclose(np.linalg.norm(whole[bonds[:, 0]] - whole[bonds[:, 1]], axis=1), 1.4, atol=1e-12)


def test_without_a_cell_nothing_is_wrapped(rng):
    positions = rng.normal(size=(6, 3, 3)) * 100
    trajectory = pp.open_trajectory(positions).unwrapped()
    np.testing.assert_array_equal(trajectory.read_block(), positions)
    assert "as given" in trajectory.unwrap_proof.method
