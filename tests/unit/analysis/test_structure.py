"""Structure functions on systems with known answers."""

from __future__ import annotations

import numpy as np
import pytest

import polypace as pp
from polypace.analysis import (
    angle_distribution,
    bond_distribution,
    chain_dimensions,
    density,
    density_of_series,
    dihedral_distribution,
    distribution_distance,
    find_backbones,
    rdf,
    structure_factor,
)
from polypace.errors import InputError
from polypace.trajectory import Topology


def chain_bonds(n_chains, n_beads):
    atoms = np.arange(n_chains * n_beads).reshape(n_chains, n_beads)
    return np.concatenate([atoms[:, k : k + 2] for k in range(n_beads - 1)])


def topology(n_chains, n_beads, types=None, mass=14.0):
    n = n_chains * n_beads
    return Topology(
        np.arange(1, n + 1),
        np.full(n, "A") if types is None else types,
        np.full(n, mass),
        None,
        chain_bonds(n_chains, n_beads),
    )


def random_walks(rng, n_frames, n_chains, n_beads, bond=1.5):
    steps = rng.normal(size=(n_frames, n_chains, n_beads, 3))
    steps *= bond / np.linalg.norm(steps, axis=-1, keepdims=True)
    return np.cumsum(steps, axis=2).reshape(n_frames, n_chains * n_beads, 3)


def test_ideal_gas_has_g_one(rng):
    positions = rng.uniform(0, 12, (200, 60, 3))
    types = np.array(["A"] * 20 + ["B"] * 40)
    gas = Topology(np.arange(1, 61), types, None, np.arange(60), np.zeros((0, 2)))
    result = rdf(pp.open_trajectory(positions, gas, cells=[12.0] * 3, coordinates="unwrapped"), 6.0, 0.5)
    assert result.pairs == (("all", "all"), ("A", "A"), ("A", "B"), ("B", "B"))
    for curve, error in ((result.total, result.total_error), (result.inter, result.inter_error)):
        assert np.abs((curve - 1) / error)[:, 2:].max() < 6
        np.testing.assert_allclose(curve[:, -1], 1, atol=0.05)
    np.testing.assert_allclose(result.number_density, np.array([60, 20, 40, 40]) / 12**3)


def test_few_molecules_still_tend_to_one(rng):
    """Two rigid trimers: 9 of 15 pairs are between molecules; far apart g_inter is that of an ideal gas."""
    shape = np.array([[0.0, 0, 0], [1.1, 0, 0], [2.2, 0, 0]])
    centers = rng.uniform(0, 14, (3000, 2, 1, 3))
    positions = (centers + shape).reshape(3000, 6, 3)
    trajectory = pp.open_trajectory(positions, topology(2, 3), cells=[14.0] * 3, coordinates="unwrapped")
    result = rdf(trajectory, 7.0, 1.0)
    assert (np.abs(result.inter - 1) < 4 * result.inter_error)[0, 3:].all()
    assert result.inter_error[0, 3:].max() < 0.1
    assert result.inter_fraction[0] == pytest.approx(9 / 15)
    np.testing.assert_allclose(result.total, result.intra + result.inter_fraction[:, None] * result.inter, rtol=1e-10)
    # Within: two pairs at 1.1 Å and one at 2.2 Å in each molecule.
    shells = 4 / 3 * np.pi * np.diff(result.edges**3)
    pairs = result.intra[0] * shells * 15 / 14**3
    np.testing.assert_allclose(pairs[:4], [0, 4, 2, 0], atol=1e-9)


def test_chain_longer_than_half_the_box_meets_its_image_between_molecules():
    positions = np.column_stack([np.arange(9) * 1.1, np.full(9, 5.0), np.full(9, 5.0)])[None]
    trajectory = pp.open_trajectory(positions, topology(1, 9), cells=[11.0] * 3, coordinates="unwrapped")
    result = rdf(trajectory, 5.0, 0.5)
    shells = 4 / 3 * np.pi * np.diff(result.edges**3)
    within = result.intra[0] * shells * 36 / 11**3
    np.testing.assert_allclose(within[[2, 4, 6, 8]], [8, 7, 6, 5])
    total = result.total[0] * shells * 36 / 11**3
    np.testing.assert_allclose(total[[4, 6, 8]], [8, 8, 8])  # the image of the chain's end is 2.2, 3.3, 4.4 Å away


def test_fcc_shells():
    a = 4.0
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    grid = np.stack(np.meshgrid(*[np.arange(5)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    positions = ((grid + basis) * a).reshape(1, -1, 3)
    result = rdf(pp.open_trajectory(positions, cells=[5 * a] * 3), 7.0, 0.07)
    shells = 4 / 3 * np.pi * np.diff(result.edges**3)
    neighbors = result.total[0] * shells * (len(positions[0]) - 1) / (5 * a) ** 3
    found = {round(float(r), 1): n for r, n in zip(result.r, neighbors, strict=True) if n > 1e-9}
    shells_of_fcc = {a * np.sqrt(k / 2): n for k, n in ((1, 12), (2, 6), (3, 24), (4, 12), (5, 24), (6, 8))}
    assert list(found.values()) == pytest.approx(list(shells_of_fcc.values()))
    assert list(found) == pytest.approx(list(shells_of_fcc), abs=0.1)
    assert np.isnan(result.inter).all() and np.isnan(result.total_error).all()


def test_wrapping_does_not_change_anything(rng):
    # Bonds of a length that is not the edge of a bin.
    positions = random_walks(rng, 12, 8, 10, 1.503) + rng.uniform(0, 15, (1, 1, 3))
    types = np.array((["E"] + ["M"] * 8 + ["E"]) * 8)
    whole = pp.open_trajectory(positions, topology(8, 10, types), cells=[15.0] * 3, coordinates="unwrapped")
    wrapped = pp.open_trajectory(positions % 15, topology(8, 10, types), cells=[15.0] * 3)
    for function, arguments in (
        (rdf, (7.0, 0.2)), (bond_distribution, ()), (angle_distribution, ()), (dihedral_distribution, ()),
        (chain_dimensions, ()),
    ):  # fmt: skip
        a, b = function(whole, *arguments), function(wrapped, *arguments)
        for name, value in vars(a).items():
            if isinstance(value, np.ndarray):
                np.testing.assert_allclose(getattr(b, name), value, rtol=1e-8, atol=1e-9, err_msg=name)


def test_threads_do_not_matter(rng):
    positions = random_walks(rng, 12, 8, 10)
    trajectory = pp.open_trajectory(positions, topology(8, 10), cells=[15.0] * 3, coordinates="unwrapped")
    for function, arguments in ((rdf, (7.0, 0.2)), (chain_dimensions, ()), (structure_factor, (4.0,))):
        one, two = (vars(function(trajectory, *arguments, n_threads=n)) for n in (1, 2))
        for name, value in one.items():
            np.testing.assert_array_equal(two[name], value)


def test_distributions_of_random_walks(rng):
    """Freely jointed chains: density of angles ½ sin θ, dihedrals uniform, bonds all of one length."""
    types = np.array((["E"] + ["M"] * 18 + ["E"]) * 40)
    trajectory = pp.open_trajectory(random_walks(rng, 40, 40, 20), topology(40, 20, types))
    bonds = bond_distribution(trajectory)
    assert bonds.labels == ("all", "E-M", "M-M")
    assert bonds.counts.tolist() == [760, 80, 680]
    np.testing.assert_allclose(bonds.mean, 1.5, rtol=1e-12)
    assert (bonds.density * 0.01).sum(axis=1) == pytest.approx([1, 1, 1])
    angles = angle_distribution(trajectory, 10.0)
    want = 0.5 * np.diff(-np.cos(np.radians(angles.edges))) / 10
    assert np.abs((angles.density[0] - want) / angles.density_error[0]).max() < 5
    assert angles.mean[0] == pytest.approx(90, abs=5 * angles.mean_error[0])
    dihedrals = dihedral_distribution(trajectory, 10.0)
    assert np.abs((dihedrals.density[0] - 1 / 360) / dihedrals.density_error[0]).max() < 5
    for share in (dihedrals.trans, dihedrals.gauche_plus, dihedrals.gauche_minus):
        assert share[0] == pytest.approx(1 / 3, abs=0.01)
    assert dihedrals.index("M-M-M-E") == dihedrals.index("E-M-M-M")
    with pytest.raises(InputError, match="no angle 'X-X-X'"):
        angles.index("X-X-X")


def test_freely_jointed_chain(rng):
    """⟨R²⟩ = n l², ⟨R_g²⟩ = l² n (n+2) / (6 (n+1)), C_∞ = 1."""
    n, length = 29, 1.5
    result = chain_dimensions(pp.open_trajectory(random_walks(rng, 60, 50, n + 1), topology(50, n + 1)))
    assert result.end_to_end_squared == pytest.approx(n * length**2, abs=4 * result.end_to_end_squared_error)
    gyration = length**2 * n * (n + 2) / (6 * (n + 1))
    assert result.gyration_squared == pytest.approx(gyration, abs=4 * result.gyration_squared_error)
    np.testing.assert_allclose(result.characteristic_ratio, 1, atol=0.1)
    assert result.c_infinity == pytest.approx(1, abs=5 * result.c_infinity_error + 0.02)
    assert result.kuhn_length == pytest.approx(result.c_infinity * length)
    assert result.bond_length == pytest.approx(length)
    assert (np.abs(result.internal - result.separations * length**2) < 6 * result.internal_error + 1e-9).all()


def test_freely_rotating_chain(rng):
    """C_s = (1+c)/(1−c) − 2c(1−c^s)/(s(1−c)²) with c = −cos θ; straight chains have length n l sin(θ/2)."""
    theta, n = np.radians(114.0), 60
    c = -np.cos(theta)
    chains = []
    for _ in range(800):
        bonds = [np.array([0.0, 0, 1])]
        for _ in range(n - 1):
            v = rng.normal(size=3)
            normal = v - (v @ bonds[-1]) * bonds[-1]
            normal /= np.linalg.norm(normal)
            bonds.append(c * bonds[-1] + np.sqrt(1 - c * c) * normal)
        chains.append(np.cumsum([np.zeros(3), *bonds], axis=0))
    positions = 1.54 * np.array(chains).reshape(20, 40 * (n + 1), 3)
    result = chain_dimensions(pp.open_trajectory(positions, topology(40, n + 1)))
    s = result.separations
    exact = (1 + c) / (1 - c) - 2 * c * (1 - c**s) / (s * (1 - c) ** 2)
    np.testing.assert_allclose(result.characteristic_ratio[:20], exact[:20], rtol=0.05)
    assert result.c_infinity == pytest.approx((1 + c) / (1 - c), abs=5 * result.c_infinity_error)
    assert result.kuhn_length_extended == pytest.approx(result.kuhn_length / np.sin(theta / 2), rel=1e-3)


def test_backbones():
    """Hydrogens and side groups are not backbone; rings have none."""
    types = np.array(["C", "C", "C", "H", "C", "H"])
    bonds = np.array([[0, 1], [1, 2], [1, 3], [2, 4], [0, 5]])
    masses = np.where(types == "H", 1.008, 12.011)
    molecule = Topology(np.arange(1, 7), types, masses, None, bonds)
    assert find_backbones(molecule).beads.tolist() == [0, 1, 2, 4]
    branched = Topology(np.arange(1, 6), np.full(5, "C"), None, None, np.array([[3, 2], [2, 1], [1, 0], [2, 4]]))
    assert len(find_backbones(branched).beads) == 4
    two = find_backbones(topology(2, 3))
    assert two.lengths.tolist() == [3, 3] and two.n_chains == 2
    ring = Topology(np.arange(1, 4), np.full(3, "C"), None, None, np.array([[0, 1], [1, 2], [2, 0]]))
    with pytest.raises(InputError, match="atom 1 has a ring"):
        find_backbones(ring)
    with pytest.raises(InputError, match="chains need bonds"):
        find_backbones(Topology(np.arange(2), np.full(2, "C"), None, None, np.zeros((0, 2))))


def test_structure_factor_of_gas_and_crystal(rng):
    gas = structure_factor(pp.open_trajectory(rng.uniform(0, 12, (60, 100, 3)), cells=[12.0] * 3), 4.0, 0.1)
    assert np.abs((gas.values[0] - 1) / gas.error[0]).max() < 6
    assert gas.q[0] == pytest.approx(2 * np.pi / 12)
    grid = np.stack(np.meshgrid(*[np.arange(4) * 3.0] * 3, indexing="ij"), axis=-1).reshape(1, -1, 3)
    crystal = structure_factor(pp.open_trajectory(grid, cells=[12.0] * 3), 2.2, 0.05, vectors_per_shell=1000)
    bragg = np.argmax(crystal.values[0])
    assert crystal.q[bragg] == pytest.approx(2 * np.pi / 3, abs=0.05)
    assert crystal.values[0][crystal.q < 2.0].max() < 1e-9
    with pytest.raises(InputError, match="no reciprocal vector"):
        structure_factor(pp.open_trajectory(grid, cells=[12.0] * 3), 0.3)


def test_density_and_drift(rng):
    cells = (1000 * (1 + 0.01 * rng.normal(size=400))) ** (1 / 3)
    positions = np.zeros((400, 30, 3))
    trajectory = pp.open_trajectory(positions, topology(3, 10), cells=np.outer(cells, np.ones(3)), timestep=1.0)
    result = density(trajectory)
    assert result.mean == pytest.approx(30 * 14.0 / 1000 / 0.6022140762, rel=2e-3)
    assert result.is_stationary and result.drift_p_value > 0.01
    assert result.error == pytest.approx(result.values.std() / 20, rel=0.5)
    t = np.arange(400.0)
    drifting = density_of_series(t, 0.8 + 1e-4 * t + 0.001 * rng.normal(size=400))
    assert not drifting.is_stationary
    assert drifting.drift == pytest.approx(0.04, rel=0.1)
    relaxing = density_of_series(t, 0.8 - 0.1 * np.exp(-t / 15) + 0.001 * rng.normal(size=400))
    assert 20 <= relaxing.equilibrated_from <= 150
    assert density_of_series(t, np.full(400, 0.7)).is_stationary  # NVT


def test_correlated_density_has_a_larger_error(rng):
    noise = rng.normal(size=20000)
    x = np.zeros(20000)
    for k in range(1, 20000):
        x[k] = 0.95 * x[k - 1] + noise[k]
    result = density_of_series(np.arange(20000.0), 1 + 1e-3 * x)
    assert result.inefficiency == pytest.approx(39, rel=0.3)  # (1+a)/(1−a)


def shifted_angles(rng, shift, n_chains=30):
    trajectory = pp.open_trajectory(random_walks(rng, 30, n_chains, 20, 1.5 + shift), topology(n_chains, 20))
    return trajectory


def test_distances(rng):
    a, b, c = (shifted_angles(rng, shift) for shift in (0.0, 0.0, 0.1))
    same = distribution_distance(angle_distribution(a), angle_distribution(b))
    assert same.integrated == pytest.approx(same.noise, rel=0.5)
    assert same.unit == "degrees"
    bonds = distribution_distance(bond_distribution(a), bond_distribution(c))
    assert bonds.integrated == pytest.approx(1)
    assert bonds.wasserstein == pytest.approx(0.1, abs=0.01)
    dihedrals = distribution_distance(dihedral_distribution(a), dihedral_distribution(b))
    assert dihedrals.integrated < 3 * dihedrals.noise
    none = distribution_distance(dihedral_distribution(a), dihedral_distribution(a))
    assert none.integrated == none.wasserstein == none.largest == 0
    with pytest.raises(InputError, match="cannot compare bond length with angle"):
        distribution_distance(bond_distribution(a), angle_distribution(a))
    with pytest.raises(InputError, match="different bins"):
        distribution_distance(angle_distribution(a), angle_distribution(a, 2.0))


def test_distance_on_the_circle():
    """Peaks at +175 and −175 degrees are 10 degrees apart, not 350."""
    runs = []
    for degrees in (175.0, -175.0):
        phi = np.radians(degrees)
        end = [-np.sin(phi), np.cos(phi), 1.5]
        positions = np.array([[[0, 1, 0], [0, 0, 0], [0, 0, 1.5], end]])
        runs.append(dihedral_distribution(pp.open_trajectory(positions, topology(1, 4))))
    assert distribution_distance(*runs).wasserstein == pytest.approx(10)


def test_distance_of_rdfs(rng):
    runs = [rdf(pp.open_trajectory(rng.uniform(0, 12, (50, 60, 3)), cells=[12.0] * 3), 6.0, 0.2) for _ in range(2)]
    distance = distribution_distance(*runs)
    assert 0 < distance.integrated < 3 * distance.noise
    with pytest.raises(InputError, match="part must be"):
        distribution_distance(*runs, part="middle")


def test_bad_arguments_are_named(rng):
    trajectory = pp.open_trajectory(rng.uniform(0, 12, (3, 6, 3)), cells=[12.0] * 3)
    with pytest.raises(InputError, match=r"at most half the smallest height of the cell, 6 Å"):
        rdf(trajectory, 7.0)
    with pytest.raises(InputError, match="needs a density"):
        rdf(pp.open_trajectory(rng.uniform(0, 12, (3, 6, 3))), 3.0)
    with pytest.raises(InputError, match="no bonds are known"):
        bond_distribution(trajectory)
    with pytest.raises(InputError, match="masses are not known"):
        density(trajectory)
    chains = pp.open_trajectory(random_walks(rng, 2, 2, 5), topology(2, 5))
    with pytest.raises(InputError, match="must divide 60"):
        dihedral_distribution(chains, 7.0)
    with pytest.raises(InputError, match="no chains long enough"):
        dihedral_distribution(pp.open_trajectory(random_walks(rng, 2, 2, 3), topology(2, 3)))
