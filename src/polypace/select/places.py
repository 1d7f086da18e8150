"""What an environment is: its species, its place along the chain, the length of its chain."""

from __future__ import annotations

import ase
import numpy as np
import numpy.typing as npt

PLACES = ("end", "next", "middle")

Names = npt.NDArray[np.str_]
Int = npt.NDArray[np.int64]


def environment_names(atoms: ase.Atoms) -> dict[str, Names]:
    """{group: (n_atoms,) name of every atom in it, "" where it has none}."""
    symbols = np.array(atoms.get_chemical_symbols())
    names: dict[str, Names] = {"all": np.full(len(atoms), "all"), "species": symbols}
    if "type_name" in atoms.arrays:
        names["type"] = atoms.arrays["type_name"].astype(str)
    if "mol_id" in atoms.arrays:
        molecules, backbone = np.unique(atoms.arrays["mol_id"], return_inverse=True)[1].reshape(-1), symbols != "H"
        given = atoms.arrays.get("place")
        places = chain_places(molecules, backbone) if given is None else np.asarray(given).astype(str)
        lengths = np.bincount(molecules[backbone], minlength=molecules.max(initial=0) + 1)[molecules].astype(str)
        together = np.char.add(np.char.add(np.char.add("C", lengths), " "), places)
        names |= {"place": places, "chain_length": lengths}
        names["place_by_length"] = np.where(places == "", "", together)
    return names


def chain_places(molecules: Int, is_backbone: npt.NDArray[np.bool_]) -> Names:
    """(n_atoms,) "end", "next", "middle" of backbone atoms, "" of others, and of molecules of fewer than 3.

    The backbone atoms of a molecule stand in chain order.
    """
    places = np.full(len(molecules), "", dtype="<U6")
    chain = np.flatnonzero(is_backbone)
    chain = chain[np.argsort(molecules[chain], kind="stable")]
    numbers = molecules[chain]
    first = np.searchsorted(numbers, numbers, side="left")
    behind = np.searchsorted(numbers, numbers, side="right")
    rank = np.arange(len(chain)) - first
    from_end = np.minimum(rank, behind - 1 - np.arange(len(chain)))
    places[chain] = np.where(behind - first < 3, "", np.array(PLACES)[np.minimum(from_end, 2)])
    return places


def bonded_places(bonds: Int, is_backbone: npt.NDArray[np.bool_]) -> Names:
    """The same from bonds, whatever the order of the atoms; a hydrogen has the place of the atom that holds it."""
    n = len(is_backbone)
    along = bonds[is_backbone[bonds].all(axis=1)]
    n_bonded = np.bincount(along.ravel(), minlength=n)
    end = is_backbone & (n_bonded <= 1)
    beside = np.zeros(n, dtype=bool)
    for a, b in ((0, 1), (1, 0)):
        beside[along[end[along[:, a]], b]] = True
    places = np.where(end, "end", np.where(beside & ~end, "next", "middle")).astype("<U6")
    alone = end & ((n_bonded == 0) | beside)  # molecules of one or two backbone atoms
    places[~is_backbone | alone] = ""
    for a, b in ((0, 1), (1, 0)):
        held = bonds[~is_backbone[bonds[:, a]] & is_backbone[bonds[:, b]]]
        places[held[:, a]] = places[held[:, b]]
    return places
