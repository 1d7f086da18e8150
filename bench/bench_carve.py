"""1000 H-capped clusters out of an all-atom polyethylene melt of 100 000 atoms: against ASE + SciPy.

The peer is what one would write with well-kept libraries: a periodic k-d tree (SciPy) for the spheres,
adjacency lists for the bonds, ASE for shortest images and for the atoms. It obeys the same rules, without
several images of one atom in a cluster, skewed cells, weights, types and checks. Kept atoms, cut bonds and
caps are compared before times are printed.

    python bench/bench_carve.py [n_clusters]
"""

from __future__ import annotations

import os
import sys
import time

import ase
import numpy as np
from ase.geometry import find_mic
from scipy.spatial import cKDTree

from polypace.carve import carve_clusters
from polypace.melt import Melt
from polypace.systems import build_melt

CORE, BUFFER, CORE_BONDS, CAP = 2.0, 7.0, 3, 1.09


def repeated(melt: Melt, n: int) -> Melt:
    """n × n × n copies in one cell."""
    copies, size = n**3, len(melt.atoms)
    bonds = np.concatenate([melt.bonds + k * size for k in range(copies)])
    molecules = np.concatenate([melt.molecules + k * (melt.molecules.max() + 1) for k in range(copies)])
    return Melt(melt.atoms.repeat(n), bonds, molecules, melt.types * copies)


class Peer:
    """ASE + SciPy; `carve(seed)` gives the cluster as ase.Atoms with the kept atoms and the cut bonds."""

    def __init__(self, melt: Melt) -> None:
        self.melt = melt
        self.cell = melt.atoms.cell
        self.edges = self.cell.lengths()
        self.wrapped = melt.atoms.get_positions(wrap=True) % self.edges
        self.tree = cKDTree(self.wrapped, boxsize=self.edges)
        self.hydrogen = (melt.atoms.numbers == 1).tolist()
        self.neighbors = melt.neighbors()
        self.heavy = [[j for j in ends if not self.hydrogen[j]] for ends in self.neighbors]

    def carve(self, seed: int) -> tuple[ase.Atoms, list[int], list[tuple[int, int]]]:
        kept = self.spheres(seed)
        self.complete(kept)
        while wanted := self.bridges(kept) or self.ends(kept) or self.pairs(kept, seed):
            kept |= wanted
            self.complete(kept)
        order = sorted(kept)
        cuts = [(i, j) for i in order for j in self.neighbors[i] if j not in kept]
        return self.capped(seed, order, cuts), order, cuts

    def spheres(self, seed: int) -> set[int]:
        core = set(self.tree.query_ball_point(self.wrapped[seed], CORE))
        kept = {i for i in self.tree.query_ball_point(self.wrapped[seed], BUFFER) if not self.hydrogen[i]}
        shell = set(core)
        for _ in range(CORE_BONDS):
            shell |= {j for i in shell for j in self.neighbors[i]}
        return kept | shell

    def complete(self, kept: set[int]) -> None:
        for i in list(kept):
            if self.hydrogen[i]:
                kept.update(self.neighbors[i])
        for i in list(kept):
            kept.update(j for j in self.neighbors[i] if self.hydrogen[j])

    def bridges(self, kept: set[int]) -> set[int]:
        wanted = set()
        for i in kept:
            for first in self.heavy[i]:
                if first in kept:
                    continue
                for second in self.heavy[first]:
                    if second == i:
                        continue
                    if second in kept:
                        wanted.add(first)
                    elif any(third in kept for third in self.heavy[second]):
                        wanted |= {first, second}
        return wanted

    def ends(self, kept: set[int]) -> set[int]:
        return {j for i in kept for j in self.heavy[i] if j not in kept and len(self.heavy[j]) == 1}

    def pairs(self, kept: set[int], seed: int) -> set[int]:
        wanted = set()
        for i in kept:
            heavy = self.heavy[i]
            if self.hydrogen[i] or not heavy or any(j in kept for j in heavy):
                continue
            vectors = self.wrapped[heavy] - self.wrapped[seed]
            wanted.add(heavy[int(np.argmin(find_mic(vectors, self.cell)[1]))])
        return wanted

    def capped(self, seed: int, order: list[int], cuts: list[tuple[int, int]]) -> ase.Atoms:
        positions, _ = find_mic(self.wrapped[order] - self.wrapped[seed], self.cell)
        numbers = self.melt.atoms.numbers[order]
        if cuts:
            ends, removed = np.array(cuts).T
            bonds, lengths = find_mic(self.wrapped[removed] - self.wrapped[ends], self.cell)
            caps = positions[np.searchsorted(order, ends)] + CAP * bonds / lengths[:, None]
            positions = np.concatenate([positions, caps])
            numbers = np.concatenate([numbers, np.ones(len(caps), dtype=int)])
        atoms = ase.Atoms(numbers, positions)
        atoms.center(vacuum=10.0)
        return atoms


def compare(clusters, answers) -> None:
    for cluster, (atoms, order, cuts) in zip(clusters, answers, strict=True):
        assert cluster.provenance["kept"] == order
        assert [tuple(bond) for bond in cluster.provenance["cut_bonds"]] == cuts
        np.testing.assert_allclose(cluster.atoms.positions, atoms.positions, atol=1e-9)


def best_of(function, repeats: int):
    """Least wall and processor seconds of several calls, and the answer."""
    walls, processors = [], []
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        result = function()
        walls.append(time.perf_counter() - start[0])
        processors.append(time.process_time() - start[1])
    return (min(walls), min(processors)), result


def main(n_clusters: int = 1000) -> None:
    melt = repeated(build_melt(100, 13, density=0.75, force_field="l-opls", seed=1), 3)
    carbons = np.flatnonzero(melt.atoms.numbers == 6)
    seeds = np.sort(np.random.default_rng(0).choice(carbons, n_clusters, replace=False)).tolist()
    load = os.getloadavg()[0]
    print(f"{len(melt.atoms)} atoms, {n_clusters} clusters, core {CORE} Å, buffer {BUFFER} Å, load {load:.1f}")

    ours = {}
    for threads in (1, 2):
        ours[threads], clusters = best_of(
            lambda threads=threads: carve_clusters(melt, seeds, CORE, BUFFER, merge=False, n_threads=threads),
            5,
        )

    def run_peer():
        peer = Peer(melt)
        return [peer.carve(seed) for seed in seeds]

    theirs, answers = best_of(run_peer, 2)
    compare(clusters, answers)
    sizes = [len(cluster.atoms) for cluster in clusters]
    print(f"the same {sum(sizes)} atoms and caps; {np.mean(sizes):.0f} atoms a cluster")
    print("                         wall (s)   ratio   processor (s)   ratio")
    print(f"ASE + SciPy            {theirs[0]:10.3f}           {theirs[1]:12.3f}")
    for threads, (wall, processor) in ours.items():
        print(
            f"polypace, {threads} thread(s)  {wall:10.3f} {theirs[0] / wall:7.1f} {processor:15.3f} "
            f"{theirs[1] / processor:7.1f}"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
