"""Radial distribution function of many atoms against freud (pip install freud-analysis) and MDAnalysis.

    python bench/bench_structure.py [--atoms 100000] [--threads 1]

A liquid-like density (0.1 Å⁻³, random positions), r_max 12 Å, 240 bins. All programs must count the same
pairs (to the rounding of single precision) before they are timed. Times are CPU seconds per frame.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np

from polypace import _core

R_MAX, N_BINS, DENSITY = 12.0, 240, 0.1


def timed(call: Callable[[], np.ndarray], repeats: int) -> tuple[float, np.ndarray]:
    """Least CPU seconds of `repeats` calls, and the result."""
    seconds = []
    for _ in range(repeats):
        begin = time.process_time()
        result = call()
        seconds.append(time.process_time() - begin)
    return min(seconds), result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--atoms", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    n = arguments.atoms
    length = (n / DENSITY) ** (1 / 3)
    rng = np.random.default_rng(1)
    positions = rng.uniform(0, length, (n, 3))
    cell, types = np.eye(3) * length, np.zeros(n, dtype=np.int32)
    ours, counts = timed(
        lambda: _core.structure.count_pairs(positions, types, cell, (True,) * 3, R_MAX, N_BINS, 1, arguments.threads)[
            0
        ],
        3,
    )
    n_pairs = int(counts.sum())
    print(f"{n} atoms, {n_pairs} pairs, {arguments.threads} threads; CPU seconds per frame")
    print(f"polypace    {ours:8.3f} s  {n_pairs / ours / 1e6:7.1f} million pairs/s/core")
    for name, peer in (("freud", freud_counts), ("MDAnalysis", mdanalysis_counts)):
        try:
            seconds, theirs = timed(peer(positions, length, arguments.threads), 1)
        except ImportError:
            print(f"{name:10}  not installed")
            continue
        # Single precision moves pairs that lie on the edge of a bin into the next one.
        assert np.abs(np.cumsum(theirs) - np.cumsum(counts)).max() < 1e-5 * n_pairs
        print(f"{name:10}  {seconds:8.3f} s  {seconds / ours:7.1f} × ours")


def freud_counts(positions: np.ndarray, length: float, n_threads: int) -> Callable[[], np.ndarray]:
    """Pairs per bin by freud; it counts each pair twice."""
    import freud

    freud.parallel.set_num_threads(n_threads)
    box = freud.box.Box.cube(length)
    rdf = freud.density.RDF(bins=N_BINS, r_max=R_MAX)
    return lambda: rdf.compute((box, positions - length / 2)).bin_counts / 2


def mdanalysis_counts(positions: np.ndarray, length: float, n_threads: int) -> Callable[[], np.ndarray]:
    """Pairs per bin by MDAnalysis' capped distances and NumPy, as its InterRDF does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from MDAnalysis.lib.distances import self_capped_distance

    box = np.array([length, length, length, 90, 90, 90], dtype=np.float32)

    def count() -> np.ndarray:
        distances = self_capped_distance(positions.astype(np.float32), R_MAX, box=box)[1]
        return np.histogram(distances, bins=N_BINS, range=(0, R_MAX))[0]

    return count


if __name__ == "__main__":
    main()
