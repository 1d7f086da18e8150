"""Dense melts of linear chains from one seed."""

from __future__ import annotations

from collections.abc import Sequence

import ase
import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from polypace.errors import InputError
from polypace.forcefields import ForceField, get_force_field
from polypace.melt import Melt
from polypace.systems.conformations import sample_conformations, torsion_statistics
from polypace.systems.overlaps import relieve_overlaps
from polypace.units import GRAM_PER_CM3

Integers = npt.NDArray[np.int64]

#: Contacts are opened to this fraction of the smallest Lennard-Jones σ: repulsive there, but nothing MD
#: cannot take.
_CONTACT = 0.72


def build_melt(
    chain_length: int | Sequence[int],
    n_chains: int | None = None,
    density: float = 0.7,
    force_field: str | ForceField = "trappe-ua",
    seed: int = 0,
    temperature: float = 400.0,
) -> Melt:
    """A cubic box of linear n-alkanes: random conformations, places and orientations, overlaps taken out.

    Conformations follow the force field's torsion statistics at `temperature` (K); bonds and angles are
    thermal. The same arguments give the same melt.

    Parameters
    ----------
    chain_length : int or sequence of int
        Carbons per chain; a sequence names every chain (blend, polydisperse), then `n_chains` is left out or
        is its length.
    n_chains : int, optional
        Number of chains.
    density : float
        g/cm³.
    force_field : str or ForceField
        "trappe-ua".
    seed : int
        All randomness comes from it.

    Raises
    ------
    InputError
        for a chain length or number of chains below 1, a density outside of 0…1.2 g/cm³, an unknown force
        field, and where the overlaps cannot be taken out at this density.
    """
    force_field = get_force_field(force_field)
    lengths = _chain_lengths(chain_length, n_chains)
    if not 0 < density <= 1.2:
        raise InputError(
            f"density must be above 0 and at most 1.2 g/cm³ (a melt has 0.6 to 0.85), got {density}"
        )
    if not temperature > 0:
        raise InputError(f"temperature must be above 0 K, got {temperature}")
    rng = np.random.default_rng(seed)
    types = [name for length in lengths.tolist() for name in backbone_types(length)]
    mass = np.array([force_field.atom_type(name).mass for name in types])
    edge = (mass.sum() / (density * GRAM_PER_CM3)) ** (1 / 3)
    chains = sample_conformations(lengths, torsion_statistics(force_field, temperature), rng)
    positions = np.concatenate(_scatter(chains, edge, rng))
    melt = assemble(positions, np.eye(3) * edge, types, lengths, force_field)
    wanted = _CONTACT * min(force_field.atom_type(name).sigma for name in melt.type_names)
    relief = relieve_overlaps(melt, wanted)
    if relief.closest < 0.8 * wanted:
        raise InputError(
            f"chains cannot be packed without overlaps at density={density} g/cm³: after "
            f"{relief.sweeps} sweeps two atoms are still {relief.closest:.2f} Å apart; "
            "build at a lower density and compress in MD"
        )
    return assemble(relief.positions, np.eye(3) * edge, types, lengths, force_field)


def backbone_types(length: int) -> list[str]:
    """United-atom type names along a chain of `length` carbons."""
    if length == 1:
        return ["CH4"]
    return ["CH3", *["CH2"] * (length - 2), "CH3"]


def assemble(
    positions: npt.NDArray[np.float64],
    cell: npt.NDArray[np.float64],
    types: Sequence[str],
    lengths: Integers,
    force_field: ForceField,
) -> Melt:
    """A melt of linear chains whose atoms follow each other; types, masses and molecules also stand in
    `atoms`.
    """
    molecules = np.repeat(np.arange(len(lengths)), lengths)
    kinds = {name: force_field.atom_type(name) for name in set(types)}
    atoms = ase.Atoms(
        symbols=[kinds[name].element for name in types],
        positions=positions,
        cell=cell,
        pbc=True,
        masses=[kinds[name].mass for name in types],
    )
    atoms.set_array("type_name", np.array(types))
    atoms.set_array("mol_id", molecules)
    left = np.flatnonzero(molecules[1:] == molecules[:-1])
    return Melt(atoms, np.column_stack([left, left + 1]), molecules, tuple(types))


def _chain_lengths(chain_length: int | Sequence[int], n_chains: int | None) -> Integers:
    values = (
        [chain_length] * (1 if n_chains is None else n_chains) if np.isscalar(chain_length) else chain_length
    )
    lengths = np.asarray(values)
    if n_chains is not None and n_chains < 1:
        raise InputError(f"n_chains must be at least 1, got {n_chains}")
    if lengths.ndim != 1 or not len(lengths) or not np.issubdtype(lengths.dtype, np.integer):
        raise InputError(f"chain_length must be a whole number or a list of such, got {chain_length!r}")
    if lengths.min() < 1:
        raise InputError(f"chain_length must be at least 1 carbon, got {int(lengths.min())}")
    if n_chains is not None and len(lengths) != n_chains:
        raise InputError(
            f"chain_length lists {len(lengths)} chains and n_chains is {n_chains}; leave n_chains out"
        )
    return lengths.astype(np.int64)


def _scatter(
    chains: list[npt.NDArray[np.float64]], edge: float, rng: np.random.Generator
) -> list[npt.NDArray[np.float64]]:
    """Chains with random orientation and their centre at a random place in the box."""
    turns = Rotation.random(len(chains), random_state=rng)
    centers = rng.random((len(chains), 3)) * edge
    return [
        turn.apply(chain - chain.mean(axis=0)) + center
        for turn, chain, center in zip(turns, chains, centers, strict=True)
    ]
