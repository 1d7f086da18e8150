"""MaxVol, and active sets from files to file, against python-ace on the same data; answers are compared before times.

    python bench/bench_select.py train.extxyz --basis basis.yaml

Reading is compared with ASE. MaxVol runs in this process on one matrix. End to end means the commands
`polypace select DATA -p POT -o SET.asi` and `pace_activeset -a -d DATA POT`, from the start of the process to the file;
both with the same number of threads. Needs `pip install --pre 'polypace[pacemaker]'`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ase.io
import numpy as np

from polypace.ace import projections
from polypace.ace.fitting import linear_basis
from polypace.ace.pacemaker import write_dataset
from polypace.extxyz import iterate_extxyz
from polypace.select import ActiveSet, extrapolation_grade, maxvol
from polypace.select.copies import occurs_in


def processor_time():
    """Seconds of this process and of the programs that it ran."""
    return sum(os.times()[:4])


def timed(function, repeats):
    """(result, (least wall time, least processor time)) of several calls."""
    walls, processors, result = [], [], None
    for _ in range(repeats):
        start = time.perf_counter(), processor_time()
        result = function()
        walls.append(time.perf_counter() - start[0])
        processors.append(processor_time() - start[1])
    return result, (min(walls), min(processors))


def report(name, ours, peer_name, peer):
    for kind, a, b in zip(("wall", "processor"), ours, peer, strict=True):
        print(f"  {kind:9s} {name} {a:.2f} s, {peer_name} {b:.2f} s, ratio {b / a:.1f}")


def compare_reading(path, repeats):
    ours, our_time = timed(lambda: list(iterate_extxyz(path)), repeats)
    peers, peer_time = timed(lambda: ase.io.read(path, ":"), repeats)
    assert all(a == b and a.calc.results.keys() == b.calc.results.keys() for a, b in zip(ours, peers, strict=True))
    print(f"reading {path}: the same {len(ours)} frames")
    report("polypace", our_time, "ASE", peer_time)


def compare_maxvol(frames, potential, repeats, threads):
    from pyace.activelearning import maxvol as peer_maxvol

    rows = np.concatenate(projections(frames, potential))
    ours, our_time = timed(lambda: maxvol(rows, tolerance=1.01, max_iterations=300, n_threads=threads), repeats)
    (peer_rows, _), peer_time = timed(lambda: peer_maxvol(rows, tol=1.01, max_iters=300)[:2], repeats)
    peer_rows = np.asarray(peer_rows)
    copies = occurs_in(rows[ours.rows], rows[peer_rows]) & occurs_in(rows[peer_rows], rows[ours.rows])
    assert ours.converged and copies.all()  # crystals have equal environments, of which either may be taken
    print(
        f"MaxVol of {rows.shape}: the same environments after {ours.n_swaps} exchanges, |C| ≤ {ours.largest_grade:.5f}"
    )
    report("polypace", our_time, "pyace", peer_time)


def compare_programs(data, frames, potential, repeats, threads):
    scripts = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        potential.write(folder / "pot.yaml")
        write_dataset(frames, folder / "data.pckl.gzip")
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}

        def run(*command):
            subprocess.run([*map(str, command)], cwd=folder, env=environment, check=True, capture_output=True)

        _, our_time = timed(
            lambda: run(scripts / "polypace", "select", Path(data).resolve(), "-p", "pot.yaml", "-o", "ours.asi"),
            repeats,
        )
        _, peer_time = timed(lambda: run(scripts / "pace_activeset", "-a", "-d", "data.pckl.gzip", "pot.yaml"), 1)
        ours, peer = ActiveSet.read(folder / "ours.asi"), ActiveSet.read(folder / "pot.asi")
    grades, peer_grades = (np.concatenate(extrapolation_grade(frames, potential, active)) for active in (ours, peer))
    deviation = np.abs(grades / peer_grades - 1).max()
    assert deviation < 1e-4, deviation
    print(f"active set of {data}: γ of {len(grades)} environments equal to {deviation:.1e}")
    report("polypace select", our_time, "pace_activeset", peer_time)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data")
    arguments.add_argument("--basis", required=True)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--threads", type=int, default=os.cpu_count())
    options = arguments.parse_args()
    potential = linear_basis(options.basis)
    # pyace refuses functions with coefficients that are all zero.
    potential = potential.with_coefficients(np.random.default_rng(0).normal(size=len(potential.coefficients)))
    frames = ase.io.read(options.data, ":")
    compare_reading(Path(options.data), options.repeats)
    compare_maxvol(frames, potential, options.repeats, options.threads)
    compare_programs(options.data, frames, potential, options.repeats, options.threads)


if __name__ == "__main__":
    main()
