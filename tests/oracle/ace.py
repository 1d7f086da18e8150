"""The Atomic Cluster Expansion written down: full sums over m, analytic radial functions, no derivative."""

from __future__ import annotations

import itertools
from functools import cache
from math import factorial, sqrt

import numpy as np
from ase.data import atomic_numbers
from scipy.special import eval_chebyt, lpmv

from tests.oracle.neighbors import neighbor_pairs


def switch(r, a, d):
    if r <= a - d:
        return 1.0
    if r >= a:
        return 0.0
    x = 1 - 2 * (1 + (r - a) / d)
    return 0.5 + 15 / 4 * (x / 4 - x**3 / 6 + x**5 / 20)


def basis_functions(bond, r):
    """g_k(r) for k = 0 … k_max − 1, without the inner cutoff."""
    k = np.arange(bond.k_max)
    if r >= bond.r_cut:
        return np.zeros(len(k))
    lam, x = bond.radial_parameters[0], r / bond.r_cut
    if bond.basis_name == "ChebExpCos":
        envelope = (1 + np.cos(np.pi * x)) / 2
        if r > bond.r_cut - bond.d_cut:
            envelope *= (1 + np.cos(np.pi * (r - bond.r_cut + bond.d_cut) / bond.d_cut)) / 2
        y = 1 - 2 * (np.exp(-lam * x) - np.exp(-lam)) / (1 - np.exp(-lam))
        return np.where(k == 0, 1.0, (1 - eval_chebyt(k, y)) / 2) * envelope
    if bond.basis_name == "ChebPow":
        return (1 - eval_chebyt(k + 1, 2 * (1 - (1 - x) ** lam) - 1)) / 2
    if bond.basis_name == "ChebLinear":
        return (1 - eval_chebyt(k + 1, 1 - x)) / 2
    assert bond.basis_name == "SBessel"
    g, d_before = [], 1.0
    for n in k:
        f = (-1.0) ** n * sqrt(2) * np.pi / bond.r_cut**1.5 * (n + 1) * (n + 2) / sqrt((n + 1) ** 2 + (n + 2) ** 2)
        f *= np.sinc((n + 1) * x) + np.sinc((n + 2) * x)
        e = n**2 * (n + 2) ** 2 / (4 * (n + 1) ** 4 + 1)
        d = 1 - e / d_before if n else 1.0
        g.append((f + (sqrt(e / d_before) * g[-1] if n else 0)) / sqrt(d))
        d_before = d
    return np.array(g)


def radial(bond, r):
    """g_k and R_nl with the inner cutoff."""
    g = basis_functions(bond, r)
    if bond.inner.name == "distance":
        g = g * (1 - switch(r, bond.r_in, bond.delta_in))
    elif bond.inner.name == "density" and r <= bond.r_in - bond.delta_in:
        g = 0 * g
    c = np.reshape(bond.coefficients, (bond.n_max, bond.l_max + 1, bond.k_max))
    return g, c @ g


def core(bond, symbols, r):
    if r >= bond.r_cut or bond.core_prefactor == 0:
        return 0.0
    if bond.inner.name != "zbl":
        value = abs(bond.core_prefactor) * np.exp(-abs(bond.core_lambda) * r * r) / r
        value *= (1 + np.cos(np.pi * r / bond.r_cut)) / 2
        return value * (switch(r, bond.r_in, bond.delta_in) if bond.inner.name == "distance" else 1)
    z = [atomic_numbers[s] for s in symbols]
    a = 0.46850 / (z[0] ** 0.23 + z[1] ** 0.23)

    def coulomb(r, order):
        """φ(r/a)/r or its first or second derivative, by the product rule."""
        terms = [(0.18175, 3.19980), (0.50986, 0.94229), (0.28022, 0.40290), (0.02817, 0.20162)]
        phi = [sum(c * (-e / a) ** n * np.exp(-e * r / a) for c, e in terms) for n in range(3)]
        return [
            phi[0] / r,
            phi[1] / r - phi[0] / r**2,
            phi[2] / r - 2 * phi[1] / r**2 + 2 * phi[0] / r**3,
        ][order]

    end, width = bond.r_cut, bond.d_cut
    e0, e1, e2 = (coulomb(end, n) for n in range(3))
    shift = -e0 + width * e1 / 2 - width**2 * e2 / 12
    x = max(0.0, r - (end - width))
    shift += (-3 * e1 + width * e2) / width**2 / 3 * x**3 + (2 * e1 - width * e2) / width**3 / 4 * x**4
    value = coulomb(r, 0) + shift
    return bond.core_prefactor * 14.399645351950543 / 2 * z[0] * z[1] * value * switch(r, end, width)


def harmonic(ell, m, unit):
    """√(4π) times the orthonormal spherical harmonic with the Condon–Shortley phase."""
    if m < 0:
        return (-1) ** m * np.conj(harmonic(ell, -m, unit))
    norm = sqrt((2 * ell + 1) * factorial(ell - m) / factorial(ell + m))
    return norm * lpmv(m, ell, unit[2]) * np.exp(1j * m * np.arctan2(unit[1], unit[0]))


@cache
def clebsch_gordan(j1, m1, j2, m2, j, m):
    if m1 + m2 != m or not abs(j1 - j2) <= j <= j1 + j2 or abs(m) > j or abs(m1) > j1 or abs(m2) > j2:
        return 0.0
    f = factorial
    delta = f(j + j1 - j2) * f(j - j1 + j2) * f(j1 + j2 - j) / f(j1 + j2 + j + 1)
    moments = f(j + m) * f(j - m) * f(j1 - m1) * f(j1 + m1) * f(j2 - m2) * f(j2 + m2)
    total = 0.0
    for k in range(j1 + j2 - j + 1):
        arguments = (k, j1 + j2 - j - k, j1 - m1 - k, j2 + m2 - k, j - j2 + m1 + k, j - j1 - m2 + k)
        if min(arguments) >= 0:
            total += (-1) ** k / np.prod([float(f(n)) for n in arguments])
    return sqrt((2 * j + 1) * delta * moments) * total


# Per rank the couplings (left, right → result): numbers are factors, then intermediates in order of creation.
TREES = {
    2: [(0, 1)],
    3: [(0, 1), (3, 2)],
    4: [(0, 1), (2, 3), (4, 5)],
    5: [(0, 1), (2, 3), (5, 6), (7, 4)],
    6: [(0, 1), (2, 3), (4, 5), (6, 7), (9, 8)],
}


def invariant(function, leaf):
    """B of one function; leaf(mu, n, l, m) is the atomic basis."""
    rank = len(function.mus)
    momenta = [*function.ls, *function.lint, 0]
    value = 0.0
    for ms in itertools.product(*(range(-ell, ell + 1) for ell in function.ls)):
        if sum(ms) != 0:
            continue
        m, weight = list(ms), 1.0
        for step, (a, b) in enumerate(TREES[rank]):
            m.append(m[a] + m[b])
            weight *= clebsch_gordan(momenta[a], m[a], momenta[b], m[b], momenta[rank + step], m[-1])
        if weight != 0:
            factors = zip(function.mus, function.ns, function.ls, ms, strict=True)
            value += weight * np.prod([leaf(*factor) for factor in factors]).real
    return value


def embedded(embedding, densities):
    total = 0.0
    for rho, (w, m) in zip(densities, np.reshape(embedding.parameters, (-1, 2)), strict=True):
        a = abs(rho)
        if embedding.kind.name == "FinnisSinclair":
            g = np.exp(-((1e6 * a) ** 3)) if (1e6 * a) ** 3 <= 30 else 0.0
            f = (1 - g) * a**m + 1e6 ** (1 - m) * g * a
        elif m == 1:
            f = a
        else:
            nu = 1 / m
            f = (nu ** (nu / (1 - nu)) * np.exp(-a) + a) ** m - nu ** (1 / (1 - nu)) * np.exp(-a)
        total += w * np.sign(rho) * f
    return total


def atom(data, species, neighbors):
    """Energy and projections of one atom; neighbors: list of (species, displacement)."""
    pairs = []
    for mu, d in neighbors:
        bond, r = data.bonds[species * len(data.elements) + mu], np.linalg.norm(d)
        if bond.defined and r < bond.r_cut:
            pairs.append((mu, d / r, r, bond, *radial(bond, r)))

    @cache
    def leaf(mu, n, ell, m):
        return sum(R[n, ell] * harmonic(ell, m, unit) for nu, unit, _, _, _, R in pairs if nu == mu) + 0j

    functions = data.functions[species]
    projections = np.array(
        [
            sum(g[f.ns[0]] for nu, _, _, _, g, _ in pairs if nu == f.mus[0]) if len(f.mus) == 1 else invariant(f, leaf)
            for f in functions
        ]
    )
    embedding = data.embeddings[species]
    coefficients = np.array([f.coefficients for f in functions]).reshape(len(functions), embedding.n_densities)
    energy = embedded(embedding, projections @ coefficients)
    el = data.elements
    repulsion = sum(core(bond, (el[species], el[mu]), r) for mu, _, r, bond, _, _ in pairs)
    if pairs and pairs[0][3].inner.name == "zbl":
        _, _, r, bond, _, _ = min(pairs, key=lambda pair: pair[2] - pair[3].r_in + pair[3].delta_in)
        cut = switch(bond.r_in - r, bond.delta_in, bond.delta_in)
        return energy * cut + repulsion * (1 - cut), projections
    return energy * switch(repulsion, embedding.rho_core_cut, embedding.drho_core_cut) + repulsion, projections


def structure(data, atoms):
    """Energies (N,) and list of projections of a B-basis potential's data for ase.Atoms."""
    species = [list(data.elements).index(s) for s in atoms.get_chemical_symbols()]
    cutoff = max(bond.r_cut for bond in data.bonds if bond.defined)
    cell = np.asarray(atoms.cell.complete())
    neighbors = [[] for _ in species]
    for i, j, shift in sorted(neighbor_pairs(atoms.positions, cell, atoms.pbc, cutoff)):
        displacement = atoms.positions[j] - atoms.positions[i] + np.array(shift) @ cell
        neighbors[i].append((species[j], displacement))
    results = [atom(data, mu, around) for mu, around in zip(species, neighbors, strict=True)]
    return np.array([energy for energy, _ in results]), [row for _, row in results]
