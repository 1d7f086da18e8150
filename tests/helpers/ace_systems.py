"""Random ACE potentials and structures for tests of the evaluator."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from polypace.ace import BasisSpec, Potential

SMALL = {"nradmax_by_orders": [4, 2, 2, 1], "lmax_by_orders": [0, 2, 2, 1]}
DEEP = {"nradmax_by_orders": [3, 2, 1, 1, 1, 1], "lmax_by_orders": [0, 2, 1, 1, 1, 1]}
TWO_DENSITIES = {"ndensity": 2, "fs_parameters": [1, 1, 0.5, 0.5], "npot": "FinnisSinclairShiftedScaled"}

# Name → elements, bond, embedding, limits: every radial basis, inner cutoff, core repulsion and embedding.
SETTINGS = {
    "exponential": (["Cu"], {"radbase": "ChebExpCos", "radparameters": [5.25], "dcut": 0.8}, {}, SMALL),
    "power, ranks to 6": (["Cu"], {"radbase": "ChebPow", "radparameters": [2.0]}, TWO_DENSITIES, DEEP),
    "bessel, inner cutoff": (
        ["Al", "Ni"],
        {"radbase": "SBessel", "r_in": 1.9, "delta_in": 0.7, "core-repulsion": [50.0, 0.6]},
        {**TWO_DENSITIES, "rho_core_cut": 3.0, "drho_core_cut": 2.5},
        SMALL,
    ),
    "zbl": (
        ["H", "C"],
        {"radbase": "ChebExpCos", "radparameters": [4.0], "dcut": 0.5, "inner_cutoff_type": "zbl"}
        | {"r_in": 1.9, "delta_in": 0.9, "core-repulsion": [1.0, 1.0]},
        {"ndensity": 2, "fs_parameters": [1, 1, 0.3, 0.7], "npot": "FinnisSinclair"},
        SMALL,
    ),
    "density, three elements": (
        ["Al", "Cu", "Zn"],
        {"radbase": "ChebLinear", "inner_cutoff_type": "density", "core-repulsion": [2.0, 0.5]},
        {},
        {"nradmax_by_orders": [2, 1, 1], "lmax_by_orders": [0, 1, 1]},
    ),
}


def random_potential(name: str, rng: np.random.Generator, cutoff: float = 4.2) -> Potential:
    """The basis of a setting with random coefficients of functions and of radial functions."""
    elements, bond, embedding, limits = SETTINGS[name]
    bond = {"radparameters": [1.0], "dcut": 0.1, **bond, "rcut": cutoff}
    embeddings = {"npot": "FinnisSinclairShiftedScaled", "fs_parameters": [1, 1], "ndensity": 1, **embedding}
    basis = BasisSpec(elements, {"ALL": bond}, {"ALL": limits}, {"ALL": embeddings}).build()
    data = basis.with_coefficients(rng.normal(size=basis.coefficients.size) * 0.1).data.copy()
    bonds = data.bonds
    for i, one in enumerate(bonds):
        if i % (len(elements) + 1) == 0 or i < len(elements):
            one.coefficients = (np.asarray(one.coefficients) + 0.3 * rng.normal(size=len(one.coefficients))).tolist()
    data.bonds = bonds
    return Potential(data)


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    return q * np.sign(np.diag(r))  # may be a reflection


def random_structures(elements: list[str], rng: np.random.Generator) -> list[Atoms]:
    """A cluster, a skewed cell, a cell smaller than the cutoff, a slab; atoms at least 1.6 Å apart."""
    cells = {
        "cluster": (np.diag([9.0, 9.0, 9.0]), 7, False),
        "skewed": (np.array([[5.1, 0.0, 0.0], [2.2, 4.6, 0.0], [-1.3, 1.1, 5.4]]), 4, True),
        "tiny": (np.array([[2.7, 0.3, 0.0], [0.4, 2.5, 0.2], [0.1, -0.3, 2.9]]), 1, True),
        "slab": (np.array([[4.5, 0.0, 0.0], [0.7, 4.1, 0.0], [0.2, 0.3, 12.0]]), 4, [True, True, False]),
    }
    frames = []
    for cell, n, pbc in cells.values():
        rotation = random_rotation(rng)
        atoms = Atoms("H" * 0, cell=cell @ rotation, pbc=pbc)
        while len(atoms) < n:
            candidate = atoms.copy()
            candidate.append("H")
            candidate.positions[-1] = (
                rng.uniform(0, 1, 3) * [1, 1, 0.4 if pbc is not True else 1] @ np.asarray(atoms.cell)
            )
            distances = candidate.get_distances(-1, range(len(atoms)), mic=True) if len(atoms) else np.array([9.0])
            if distances.min() > 1.6:
                atoms = candidate
        atoms.symbols = rng.choice(elements, n)
        frames.append(atoms)
    return frames
