"""From the core's tables to clusters: type names, pieces, masses, labels, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ase
import numpy as np
import numpy.typing as npt
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_masses
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from polypace.carve.cluster import Cluster, Record
from polypace.carve.end_groups import EndGroups
from polypace.carve.settings import CarveSettings
from polypace.melt import Melt

Array = npt.NDArray[Any]
#: name → (rows of all clusters one after another, offsets of the clusters)
Tables = Mapping[str, tuple[Array, Array]]


def assemble_clusters(
    melt: Melt, tables: Tables, settings: CarveSettings, end_types: Mapping[str, str] | None
) -> list[Cluster]:
    """Clusters out of the tables of `polypace._core.carve.carve_clusters`."""
    rows = _AtomRows(melt, tables, settings, end_types)
    return [
        Cluster(rows.atoms(index), rows.bonds(index), _record(tables, index, settings))
        for index in range(len(tables["atoms"][1]) - 1)
    ]


class _AtomRows:
    """Per-atom columns of all clusters at once; `atoms(k)` cuts out one cluster."""

    def __init__(
        self, melt: Melt, tables: Tables, settings: CarveSettings, end_types: Mapping[str, str] | None
    ) -> None:
        table, self._offsets = tables["atoms"]
        self._tables, self._settings, self._melt = tables, settings, melt
        self._source, n_cuts = table[:, 0], table[:, 4]
        is_cap = self._source < 0
        self._numbers = np.where(is_cap, 1, melt.atoms.numbers[self._source])
        gained = n_cuts if settings.united else 0
        hydrogen = float(atomic_masses[1])
        self._masses = np.where(is_cap, hydrogen, melt.atoms.get_masses()[self._source] + gained * hydrogen)
        self._columns = {
            "force_weight": table[:, 6].astype(np.float64),
            "type_name": _type_names(melt, tables, settings.united, end_types),
            "mol_id": _pieces(tables),
            "source": self._source,
            "core": table[:, 5].astype(bool),
        }
        self._forces = None
        if settings.labels == "inherited":
            forces = np.asarray(melt.atoms.calc.results["forces"], dtype=np.float64)
            self._forces = np.where(is_cap[:, None], 0.0, forces[self._source])

    def atoms(self, index: int) -> ase.Atoms:
        rows = slice(self._offsets[index], self._offsets[index + 1])
        atoms = ase.Atoms(
            numbers=self._numbers[rows],
            positions=self._tables["positions"][0][rows],
            cell=self._tables["cells"][0][3 * index : 3 * index + 3],
            pbc=self._settings.mode == "periodic",
        )
        atoms.arrays["masses"] = self._masses[rows].copy()
        for name, column in self._columns.items():
            atoms.arrays[name] = column[rows].copy()
        atoms.info["config_type"] = "cluster"
        atoms.info["energy_weight"] = 0.0 if self._settings.labels == "inherited" else 1.0
        if self._settings.source:
            atoms.info["source"] = self._settings.source
        if self._forces is not None:
            atoms.calc = SinglePointCalculator(atoms, forces=self._forces[rows].copy())
        return atoms

    def bonds(self, index: int) -> Array:
        table, offsets = self._tables["bonds"]
        return np.array(table[offsets[index] : offsets[index + 1]])


def _global_bonds(tables: Tables) -> Array:
    """Bonds of all clusters, naming rows of the atom table."""
    bonds, offsets = tables["bonds"]
    return np.asarray(bonds + np.repeat(tables["atoms"][1][:-1], np.diff(offsets))[:, None])


def _pieces(tables: Tables) -> Array:
    """Bonded piece of every atom, counted from 0 in each cluster."""
    offsets = tables["atoms"][1]
    n_atoms = int(offsets[-1])
    if n_atoms == 0:
        return np.zeros(0, dtype=np.int64)
    first, second = _global_bonds(tables).T
    graph = coo_matrix((np.ones(len(first), dtype=np.int8), (first, second)), shape=(n_atoms, n_atoms))
    _, labels = connected_components(graph, directed=False)
    # Labels grow along the table, so a cluster's first atom has its smallest.
    return np.asarray(labels - np.repeat(labels[offsets[:-1]], np.diff(offsets)), dtype=np.int64)


def _type_names(melt: Melt, tables: Tables, united: bool, end_types: Mapping[str, str] | None) -> Array:
    groups = EndGroups(melt, united, end_types)
    table = tables["atoms"][0]
    source, n_cuts = table[:, 0], table[:, 4]
    codes = groups.codes[source]  # caps are overwritten below
    known: dict[tuple[int, int, int, int], int] = {}
    cut_rows = np.flatnonzero(n_cuts)
    keys = groups.signatures(source[cut_rows], n_cuts[cut_rows])
    for row, key in zip(cut_rows.tolist(), keys, strict=True):
        if key not in known:
            known[key] = groups.carbon_after_cuts(int(source[row]), int(n_cuts[row]))
        codes[row] = known[key]
    if not united:
        _retype_hydrogens(groups, table, codes, _global_bonds(tables))
    return np.array(groups.names)[codes]


def _retype_hydrogens(groups: EndGroups, table: Array, codes: Array, bonds: Array) -> None:
    """Hydrogens of cut carbons, caps included, get the type of hydrogens on the carbon's new type."""
    source, n_cuts = table[:, 0], table[:, 4]
    is_cap = source < 0
    both = np.concatenate([bonds, bonds[:, ::-1]])
    both = both[n_cuts[both[:, 0]] > 0]
    is_hydrogen = is_cap | groups.is_hydrogen[source]
    on_cut = both[is_hydrogen[both[:, 1]]]
    sibling = np.full(len(table), -1, dtype=np.int64)
    old = on_cut[~is_cap[on_cut[:, 1]]]
    sibling[old[:, 0]] = groups.codes[source[old[:, 1]]]
    known: dict[tuple[int, int], int] = {}
    pairs = zip(codes[on_cut[:, 0]].tolist(), sibling[on_cut[:, 0]].tolist(), strict=True)
    for row, key in zip(on_cut[:, 1].tolist(), pairs, strict=True):
        if key not in known:
            known[key] = groups.hydrogen_on(key[0], None if key[1] < 0 else key[1])
        codes[row] = known[key]


def _record(tables: Tables, index: int, settings: CarveSettings) -> Record:
    parts = {}
    for name in ("atoms", "cuts", "cap_parents", "seeds", "requests", "bridged", "promoted", "scalars"):
        rows, offsets = tables[name]
        parts[name] = rows[offsets[index] : offsets[index + 1]].copy()
    return Record(settings=settings, **parts)
