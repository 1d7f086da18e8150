"""MaxVol and active sets against python-ace on the same data; the answers are compared before the times.

    python bench/bench_select.py train.extxyz --basis basis.yaml

Needs `pip install --pre 'polypace[pacemaker]'`.
"""

from __future__ import annotations

import argparse
import time

import ase.io
import numpy as np

from polypace.ace import projections
from polypace.ace.fitting import linear_basis
from polypace.select import maxvol


def timed(function, repeats):
    """(result, best wall time) of several calls."""
    best, result = np.inf, None
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        best = min(best, time.perf_counter() - start)
    return result, best


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data")
    arguments.add_argument("--basis", required=True)
    arguments.add_argument("--repeats", type=int, default=3)
    options = arguments.parse_args()
    from pyace.activelearning import maxvol as peer_maxvol

    potential = linear_basis(options.basis)
    rows = np.concatenate(projections(ase.io.read(options.data, ":"), potential))
    ours, our_time = timed(lambda: maxvol(rows, tolerance=1.01, max_iterations=300), options.repeats)
    (peer_rows, _), peer_time = timed(lambda: peer_maxvol(rows, tol=1.01, max_iters=300)[:2], options.repeats)

    volumes = [np.linalg.slogdet(rows[chosen])[1] for chosen in (ours.rows, np.asarray(peer_rows))]
    assert ours.converged and abs(volumes[0] - volumes[1]) < 0.02 * abs(volumes[1]), volumes
    print(f"matrix {rows.shape}, {ours.n_swaps} exchanges, log volume {volumes[0]:.4f} (peer {volumes[1]:.4f})")
    print(f"polypace {our_time:.2f} s, pyace {peer_time:.2f} s, ratio {peer_time / our_time:.1f}")


if __name__ == "__main__":
    main()
