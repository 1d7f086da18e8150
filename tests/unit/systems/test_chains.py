"""All-atom and bead chains, order along chains, distributions of lengths, internal distances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from polypace.errors import InputError
from polypace.forcefields import LOPLS, OPLSAA, TraPPEUA, kremer_grest
from polypace.melt import Melt
from polypace.systems import (
    backbones,
    build_melt,
    check_internal_distances,
    closest_contact,
    distance_windows,
    internal_distances,
    molecules_by_bonds,
    numbered_for_bond_swaps,
    schulz_zimm_lengths,
    target_internal_distances,
    topology,
    whole_molecules,
)
from polypace.systems.hydrogens import add_hydrogens
from polypace.systems.packing import pack_chains


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_all_atom_chains_are_alkanes(length):
    melt = build_melt(length, 8, 0.2, OPLSAA, seed=1)
    counts = melt.atoms.symbols.formula.count()
    assert (counts["C"], counts["H"]) == (8 * length, 8 * (2 * length + 2))
    assert len(melt.bonds) == 8 * (3 * length + 1)
    table = topology(melt, OPLSAA)
    assert len(table.angles) == 8 * 6 * length and len(table.dihedrals) == 8 * 9 * (length - 1)
    assert np.bincount(table.angle_kinds, minlength=3)[2] == 8 * (6 if length == 1 else length + 4)
    assert closest_contact(melt) > 1.5


def test_hydrogens_are_staggered_and_at_their_angles(rng):
    import ase

    zigzag = np.array([[0, 0, 0], [1.27, 0.85, 0], [2.54, 0, 0], [3.81, 0.85, 0.0]])
    atoms = ase.Atoms("CHHHCHHCHHCHHH", add_hydrogens(zigzag[None])[0])
    assert [atoms.get_distance(0, h) for h in (1, 2, 3)] == pytest.approx([1.09] * 3)
    assert atoms.get_angle(5, 4, 6) == pytest.approx(107.8) and atoms.get_angle(1, 0, 4) == pytest.approx(110.7)
    assert sorted(atoms.get_dihedral(h, 0, 4, 7) for h in (1, 2, 3)) == pytest.approx([60, 180, 300])
    ethane = ase.Atoms("CHHHCHHH", add_hydrogens(zigzag[None, :2])[0])
    turns = sorted(ethane.get_dihedral(1, 0, 4, h) for h in (5, 6, 7))
    assert turns == pytest.approx([60, 180, 300])


def test_backbone_order_and_bond_swap_numbers():
    melt = build_melt(6, 4, 0.3, LOPLS, seed=1)
    chains = backbones(melt)
    assert [melt.types[atom] for atom in chains[2]] == ["CT3", *["CT2"] * 4, "CT3"]
    beads = build_melt(6, 3, 0.3, kremer_grest(), seed=1)
    numbered = numbered_for_bond_swaps(beads)
    assert numbered.molecules.tolist() == [0, 1, 2, 2, 1, 0] * 3
    assert molecules_by_bonds(numbered).molecules.tolist() == beads.molecules.tolist()
    with pytest.raises(InputError, match="all are equal"):
        numbered_for_bond_swaps(build_melt([6, 7], density=0.1, force_field=kremer_grest()))


def test_whole_molecules_undoes_wrapping():
    melt = build_melt(12, 10, 0.5, seed=3)
    wrapped = molecules_by_bonds(melt)
    wrapped.atoms.wrap()
    whole = whole_molecules(wrapped)
    steps = whole.atoms.positions[melt.bonds[:, 1]] - whole.atoms.positions[melt.bonds[:, 0]]
    expected = melt.atoms.positions[melt.bonds[:, 1]] - melt.atoms.positions[melt.bonds[:, 0]]
    assert np.allclose(steps, expected)


def test_schulz_zimm_moments():
    lengths = np.array(schulz_zimm_lengths(100.0, 1.5, 20000, seed=1))
    assert lengths.mean() == pytest.approx(100, rel=0.02)
    assert np.mean(lengths**2) / lengths.mean() ** 2 == pytest.approx(1.5, rel=0.03)
    assert schulz_zimm_lengths(5.0, 2.0, 50, seed=1, shortest=3) == schulz_zimm_lengths(
        5.0, 2.0, 50, seed=1, shortest=3
    )
    assert min(schulz_zimm_lengths(5.0, 2.0, 50, seed=1, shortest=3)) == 3
    with pytest.raises(InputError, match="dispersity must be above 1"):
        schulz_zimm_lengths(10.0, 1.0, 5, seed=1)


def test_internal_distances_of_a_straight_chain():
    melt = build_melt(20, 2, 0.01, seed=1)
    melt.atoms.positions[:] = np.outer(np.tile(np.arange(20.0), 2), [1.0, 0, 0])
    found = internal_distances(melt)
    assert np.allclose(found.squared, found.separation**2)


def test_a_fresh_melt_has_its_target_distances_and_a_squeezed_one_is_told():
    melt = build_melt(100, 60, 0.77, seed=1, temperature=450.0)
    check = check_internal_distances(melt, TraPPEUA, 450.0)
    assert check.equilibrated and check.verdict.startswith("equilibrated")
    melt.atoms.positions[:, 0] *= 0.7
    check = check_internal_distances(melt, TraPPEUA, 450.0)
    assert not check.equilibrated and check.verdict.startswith("not equilibrated: internal distances over")


def test_targets_of_beads_reach_their_characteristic_ratio():
    for stiffness, ratio in ((0.0, 1.88), (1.5, 2.88)):
        target = target_internal_distances(kremer_grest(stiffness), 4000, 1.0)
        assert target.squared[-1] / (target.separation[-1] * 0.965**2) == pytest.approx(ratio, rel=0.01)
        assert target.squared[0] == pytest.approx(0.965**2)


def test_bonds_and_contacts_of_beads_meet_and_those_of_carbons_do_not():
    carbons = build_melt(20, 20, 0.7, seed=1)
    found = distance_windows(carbons, [carbons.atoms])
    assert found.separable and found.verdict.startswith("representable")
    kinds = {window.kind: window for window in found.windows}
    assert kinds["1-2"].longest < 1.8 and 2.1 < kinds["1-3"].shortest and kinds["contact"].shortest > 2.3
    assert kinds["contact"].shortest == pytest.approx(closest_contact(carbons))
    beads = build_melt(50, 40, 0.85, kremer_grest(), seed=1)
    found = distance_windows(beads, [beads.atoms], reach=1.5)
    assert not found.separable and "not representable without topology: X-X bonds reach" in found.verdict
    with pytest.raises(InputError, match="at least one frame"):
        distance_windows(carbons, [])


def test_packing_evens_the_density(rng):
    chains = [np.cumsum(rng.standard_normal((60, 3)), axis=0) for _ in range(40)]

    def fluctuation(placed):
        cells = np.floor(np.concatenate(placed) / 2.4).astype(int) % 5
        return np.var(np.bincount(cells @ [25, 5, 1], minlength=125))

    edge = 12.0
    random = [chain - chain.mean(axis=0) + rng.random(3) * edge for chain in chains]
    packed = pack_chains(chains, edge, rng)
    assert fluctuation(packed) < 0.6 * fluctuation(random)
    for chain, placed in zip(chains, packed, strict=True):
        assert np.allclose(pdist(chain), pdist(placed))


def test_chain_positions_count_from_the_nearer_end():
    melt = build_melt(5, 2, 0.3, "l-opls", seed=1)
    carbons = melt.atoms.numbers == 6
    places = melt.chain_positions()
    assert places[carbons].tolist() == [1, 2, 3, 2, 1] * 2
    neighbors = melt.neighbors()
    assert all(places[h] == places[neighbors[h][0]] for h in np.flatnonzero(~carbons))
    ring = Melt(melt.atoms[carbons][:3], [[0, 1], [1, 2], [0, 2]], np.zeros(3, int), ("CT2",) * 3)
    assert (ring.chain_positions() == 0).all()


@pytest.mark.parametrize(
    "bonds",
    [[[0, 1], [1, 2], [2, 3], [3, 0]], [[0, 1], [0, 2], [0, 3]], [[0, 1], [1, 2], [0, 2], [2, 3]]],
    ids=["ring", "branch", "ring with a tail"],
)
def test_only_chains_have_an_order(bonds):
    melt = build_melt(4, 1, 0.05, seed=1)
    other = Melt(melt.atoms, bonds, melt.molecules, melt.types)
    with pytest.raises(InputError, match="rings or branches"):
        backbones(other)
