"""A long run that is killed again and again, against the same run left in peace.

    python bench/kill_and_resume.py [--kills 20] [--ranks 1] [--seed 1] [--longest 3]

kill -9 of the calling process with its group, of one rank, and of mpirun (with several ranks), at random times. Every
file (frames, labels, kept frames, histograms, MSD, restart files) must have the same SHA-256 as in the undisturbed
run, every thermo row the same numbers, and no process may be left.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from polypace.lammps import read_long_run
from tests.helpers.long_runs import fingerprint, go_on, kill_at_random


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--segment", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=3.0, help="seconds between a start and a kill, at most")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compare(options, Path(folder))


def compare(options: argparse.Namespace, folder: Path) -> None:
    start = time.monotonic()
    whole = fingerprint(go_on(folder / "whole", options.ranks, options.steps, segment_steps=options.segment))
    print(f"undisturbed: {time.monotonic() - start:.1f} s, {len(whole['files'])} files")
    rng, done, n_runs = np.random.default_rng(options.seed), 0, 0
    while done < options.kills:
        n_runs += 1
        place = folder / f"run{n_runs}"
        kills = kill_at_random(
            place, options.ranks, options.kills - done, rng, options.longest, options.steps, options.segment
        )
        done += len(kills)
        for how, seconds, step in kills:
            print(f"run {n_runs}: killed ({how}) {seconds:6.3f} s after its start, safe until step {step}")
        found = fingerprint(read_long_run(place / "run"))
        assert found == whole, f"run {n_runs} in {place} differs"
        print(f"run {n_runs}: equal to the undisturbed run in all {len(found['files'])} files and the thermo table")
    print(f"{done} kills, {n_runs} runs, nothing lost, nothing doubled")


if __name__ == "__main__":
    main()
