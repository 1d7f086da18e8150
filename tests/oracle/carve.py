"""Carving in plain Python: sets of (atom, cell) pairs, rules written out, every bond tested for rings."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from ase.geometry import find_mic
from ase.neighborlist import neighbor_list

from polypace.melt import Melt

Node = tuple[int, tuple[int, int, int]]


def plus(a, b):
    return tuple(x + y for x, y in zip(a, b, strict=True))


@dataclass
class Oracle:
    """The infinite system: `bonded(node)` lists neighbours, `position(node)` says where it is."""

    melt: Melt
    max_ring_size: int = 20
    longest: float = 6.5  # Å, of the spheres that will be asked for
    ends: dict[int, list[tuple[int, tuple[int, int, int], int]]] = field(default_factory=dict)

    def __post_init__(self):
        atoms = self.melt.atoms
        self.cell, self.numbers = np.array(atoms.cell), atoms.numbers
        self.united = not (self.numbers == 1).any()
        self.ends = {i: [] for i in range(len(atoms))}
        for row, (a, b) in enumerate(self.melt.bonds.tolist()):
            raw = atoms.positions[b] - atoms.positions[a]
            nearest, _ = find_mic(raw, atoms.cell, atoms.pbc)
            shift = tuple(int(x) for x in np.round((nearest - raw) @ np.linalg.inv(self.cell)))
            self.ends[a].append((b, shift, row))
            self.ends[b].append((a, tuple(-x for x in shift), row))

    def position(self, node: Node) -> np.ndarray:
        return self.melt.atoms.positions[node[0]] + np.array(node[1]) @ self.cell

    def bonded(self, node: Node) -> list[tuple[Node, int]]:
        return [((j, plus(node[1], shift)), row) for j, shift, row in self.ends[node[0]]]

    def heavy(self, node: Node) -> list[Node]:
        return [other for other, _ in self.bonded(node) if self.numbers[other[0]] != 1]

    def sphere(self, node: Node, radius: float) -> dict[Node, np.ndarray]:
        first, j, shift, vector = self.pairs()
        assert radius <= self.longest
        rows = range(first[node[0]], first[node[0] + 1])
        near = [k for k in rows if np.linalg.norm(vector[k]) < radius]
        return {(int(j[k]), plus(node[1], tuple(int(x) for x in shift[k]))): vector[k] for k in near}

    def pairs(self):
        if "_pairs" not in self.__dict__:
            i, j, shift, vector = neighbor_list("ijSD", self.melt.atoms, self.longest)
            order = np.argsort(i, kind="stable")
            first = np.searchsorted(i[order], np.arange(len(self.melt.atoms) + 1))
            self._pairs = first, j[order], shift[order], vector[order]
        return self._pairs

    def may_cut(self, a: Node, b: Node, row: int) -> bool:
        known = self.__dict__.setdefault("_may_cut", {})
        if row not in known:
            known[row] = self._may_cut_anew(a, b)
        return known[row]

    def _may_cut_anew(self, a: Node, b: Node) -> bool:
        if self.numbers[a[0]] != 6 or self.numbers[b[0]] != 6:
            return False
        if not self.united and len(self.ends[a[0]]) < 4 and len(self.ends[b[0]]) < 4:
            return False
        return not self.in_ring(a, b)

    def in_ring(self, a: Node, b: Node) -> bool:
        reached, front = {a}, {a}
        for _ in range(self.max_ring_size - 1):
            steps = {(x, y) for x in front for y, _ in self.bonded(x)} - {(a, b)}
            front = {y for _, y in steps} - reached
            if b in front:
                return True
            reached |= front
        return False


def select(oracle: Oracle, seeds: list[Node], core_radius, buffer_radius, core_bonds=3, bridge_length=2, cut=True):
    """Kept nodes, core nodes, cuts {(kept, removed)}."""
    core = set(seeds)
    kept = set(seeds)
    for seed in seeds:
        core |= set(oracle.sphere(seed, core_radius)) if core_radius else set()
        kept |= {n for n in oracle.sphere(seed, buffer_radius) if oracle.numbers[n[0]] != 1}
    shell = set(core)
    for _ in range(core_bonds):
        shell |= {other for node in shell for other, _ in oracle.bonded(node)}
    kept |= shell
    while True:
        closed(oracle, kept, cut)
        if not cut:
            break
        wanted = bridges(oracle, kept, bridge_length) or end_groups(oracle, kept) or pairs(oracle, kept, seeds)
        if not wanted:
            break
        kept |= wanted
    cuts = {(node, other) for node in kept for other, _ in oracle.bonded(node) if other not in kept}
    return kept, core, cuts


def closed(oracle: Oracle, kept: set[Node], cut: bool) -> None:
    while True:
        missing = {
            other
            for node in kept
            for other, row in oracle.bonded(node)
            if other not in kept and not (cut and oracle.may_cut(node, other, row))
        }
        if not missing:
            return
        kept |= missing


def bridges(oracle: Oracle, kept: set[Node], bridge_length: int) -> set[Node]:
    """Every removed heavy atom on a path of one or two, at most `bridge_length`, between two kept ones."""
    wanted = set()
    for node in kept:
        for first in oracle.heavy(node):
            if first in kept or bridge_length == 0:
                continue
            for second in oracle.heavy(first):
                if second == node:
                    continue
                if second in kept:
                    wanted |= {first}
                elif bridge_length > 1 and any(third in kept and third != first for third in oracle.heavy(second)):
                    wanted |= {first, second}
    return wanted


def end_groups(oracle: Oracle, kept: set[Node]) -> set[Node]:
    return {o for node in kept for o in oracle.heavy(node) if o not in kept and len(oracle.heavy(o)) == 1}


def pairs(oracle: Oracle, kept: set[Node], seeds: list[Node]) -> set[Node]:
    wanted = set()
    for node in kept:
        heavy = oracle.heavy(node)
        if oracle.numbers[node[0]] != 1 and heavy and not any(other in kept for other in heavy):
            distance = lambda n: min(np.linalg.norm(oracle.position(n) - oracle.position(s)) for s in seeds)  # noqa: E731
            wanted.add(min(heavy, key=distance))
    return wanted


def cap_positions(oracle: Oracle, cuts, length: float) -> list[np.ndarray]:
    """One hydrogen for each cut, at `length` from the kept carbon towards the removed one."""
    caps = []
    for kept, removed in cuts:
        bond = oracle.position(removed) - oracle.position(kept)
        caps.append(oracle.position(kept) + length * bond / np.linalg.norm(bond))
    return caps


def intact(oracle: Oracle, among, kept, cuts, cap_length: float, radius: float) -> set[Node]:
    """Nodes of `among` whose sphere holds the melt's neighbours and nothing else."""
    changed = {node for node, _ in cuts} if oracle.united else set()
    caps = [] if oracle.united else cap_positions(oracle, cuts, cap_length)
    whole = set()
    for node in among - changed:
        inside = set(oracle.sphere(node, radius))
        capped = any(np.linalg.norm(cap - oracle.position(node)) < radius for cap in caps)
        if inside <= kept and not inside & changed and not capped:
            whole.add(node)
    return whole
