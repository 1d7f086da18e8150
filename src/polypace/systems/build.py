"""Dense melts of linear chains from one seed."""

from __future__ import annotations

from collections.abc import Sequence

import ase
import numpy as np
import numpy.typing as npt

from polypace.errors import InputError
from polypace.forcefields import ForceField, get_force_field
from polypace.melt import Melt
from polypace.systems.beads import sample_beads
from polypace.systems.chains import Chain, chain_positions, linear_chain, resolution
from polypace.systems.conformations import sample_conformations, torsion_statistics
from polypace.systems.connectivity import check_seed
from polypace.systems.overlaps import ACCEPTED, relieve_overlaps
from polypace.systems.packing import pack_chains
from polypace.units import GRAM_PER_CM3

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Contacts are opened to this fraction of σ: repulsive there, but nothing MD cannot take.
_CONTACT = 0.72
_CONTACT_BEADS = 0.85


def build_melt(
    chain_length: int | Sequence[int],
    n_chains: int | None = None,
    density: float = 0.7,
    force_field: str | ForceField = "trappe-ua",
    seed: int = 0,
    temperature: float | None = None,
) -> Melt:
    """A cubic box of linear chains: random conformations, evenly packed, overlaps taken out.

    Conformations follow the force field's torsion statistics at `temperature`; bonds and angles are thermal.
    The same arguments give the same melt.

    Parameters
    ----------
    chain_length : int or sequence of int
        Carbons (beads) per chain; a sequence names every chain (blend, polydisperse), then `n_chains` is left
        out or is its length.
    n_chains : int, optional
        Number of chains.
    density : float
        g/cm³; for bead-spring chains beads per σ³.
    force_field : str or ForceField
        "trappe-ua" (united atoms), "opls-aa", "l-opls" (all atoms), "kremer-grest" (beads).
    seed : int
        All randomness comes from it.
    temperature : float, optional
        K, by default 400; for bead-spring chains ε/k, by default 1.

    Raises
    ------
    InputError
        for a chain length or number of chains below 1, a density outside of 0…1.2 g/cm³, an unknown force
        field, and where the overlaps cannot be taken out at this density.
    """
    force_field = get_force_field(force_field)
    beads = resolution(force_field) == "bead"
    lengths = _chain_lengths(chain_length, n_chains)
    if not 0 < density <= 1.2:
        raise InputError(
            "density must be above 0 and at most 1.2 (alkane melts 0.6 to 0.85 g/cm³, beads 0.85 per σ³), "
            f"got {density}"
        )
    if temperature is None:
        temperature = 1.0 if beads else 400.0
    if not 0 < temperature < np.inf:
        raise InputError(f"temperature must be above 0 and finite, got {temperature}")
    check_seed(seed)
    rng = np.random.default_rng(seed)
    templates = {length: linear_chain(length, force_field) for length in sorted(set(lengths.tolist()))}
    chains = [templates[length] for length in lengths.tolist()]
    mass = sum(force_field.atom_type(name).mass for chain in chains for name in chain.types)
    edge = (mass / (density * (1.0 if beads else GRAM_PER_CM3))) ** (1 / 3)
    if beads:
        backbones = sample_beads(lengths, force_field, temperature, rng)
    else:
        backbones = sample_conformations(lengths, torsion_statistics(force_field, temperature), rng)
    placed = pack_chains([chain_positions(backbone, force_field) for backbone in backbones], edge, rng)
    melt = assemble(np.concatenate(placed), np.eye(3) * edge, chains, force_field)
    wanted = _contacts(melt.type_names, force_field)
    relief = relieve_overlaps(melt, wanted, bonds_apart=2 if beads else 3)
    if relief.reached < ACCEPTED:
        raise InputError(
            f"chains cannot be packed without overlaps at density={density}: after {relief.sweeps} sweeps "
            f"a contact is at {relief.reached:.0%} of its least distance; "
            "build at a lower density and compress in MD"
        )
    return assemble(relief.positions, np.eye(3) * edge, chains, force_field)


def assemble(positions: Floats, cell: Floats, chains: Sequence[Chain], force_field: ForceField) -> Melt:
    """A melt of chains whose atoms follow each other; types, masses and molecules also stand in `atoms`."""
    types = [name for chain in chains for name in chain.types]
    sizes = [len(chain.types) for chain in chains]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    molecules = np.repeat(np.arange(len(chains)), sizes)
    kinds = {name: force_field.atom_type(name) for name in set(types)}
    atoms = ase.Atoms(
        symbols=[kinds[name].element for name in types],
        positions=positions,
        cell=cell,
        pbc=True,
        masses=[kinds[name].mass for name in types],
    )
    atoms.arrays["type_name"] = np.array(types)
    atoms.arrays["mol_id"] = molecules.copy()
    bonds = np.concatenate([chain.bonds + start for chain, start in zip(chains, starts, strict=True)])
    return Melt(atoms, bonds, molecules, tuple(types))


def _contacts(names: Sequence[str], force_field: ForceField) -> Floats:
    """(n, n) least distances (Å or σ) of the types."""
    fraction = _CONTACT_BEADS if resolution(force_field) == "bead" else _CONTACT
    return np.array([[fraction * force_field.mixed(first, second)[1] for second in names] for first in names])


def _chain_lengths(chain_length: int | Sequence[int], n_chains: int | None) -> Integers:
    if n_chains is not None and not (isinstance(n_chains, int | np.integer) and n_chains >= 1):
        raise InputError(f"n_chains must be a whole number of at least 1, got {n_chains!r}")
    lengths = np.asarray(chain_length)
    if lengths.ndim == 0:
        lengths = np.full(1 if n_chains is None else n_chains, lengths)
    if lengths.ndim != 1 or not len(lengths) or not np.issubdtype(lengths.dtype, np.integer):
        raise InputError(f"chain_length must be a whole number or a list of such, got {chain_length!r}")
    if lengths.min() < 1:
        raise InputError(f"chain_length must be at least 1, got {int(lengths.min())}")
    if n_chains is not None and len(lengths) != n_chains:
        raise InputError(f"chain_length lists {len(lengths)} chains, n_chains is {n_chains}; leave n_chains out")
    return lengths.astype(np.int64)
