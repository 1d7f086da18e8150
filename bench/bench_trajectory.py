"""Reading LAMMPS dumps: text and binary, against MDAnalysis' text reader and the bare speed of the file.

    python bench/bench_trajectory.py [--atoms 10000] [--frames 200] [--threads 1]

The dumps are random positions written in LAMMPS's formats; both readers must give the same numbers before
they are timed. Rates are bytes of the file per second, from a file that the system holds in memory.
"""

from __future__ import annotations

import argparse
import struct
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

import polypace as pp


def write_dumps(folder: Path, n_frames: int, n_atoms: int) -> tuple[Path, Path, np.ndarray]:
    """The same frames as text and as binary dump; returns the last frame in the order of ids."""
    rng = np.random.default_rng(1)
    text, binary = folder / "bench.lammpstrj", folder / "bench.bin"
    length = 50.0
    with text.open("w") as lines, binary.open("wb") as raw:
        for frame in range(n_frames):
            ids = rng.permutation(n_atoms) + 1
            rows = rng.uniform(0, length, (n_atoms, 3)).round(4)
            lines.write(f"ITEM: TIMESTEP\n{frame * 100}\nITEM: NUMBER OF ATOMS\n{n_atoms}\n")
            lines.write("ITEM: BOX BOUNDS pp pp pp\n" + f"0.0 {length}\n" * 3 + "ITEM: ATOMS id type x y z\n")
            np.savetxt(lines, np.column_stack([ids, np.ones(n_atoms), rows]), fmt="%d %d %.4f %.4f %.4f")
            columns = b"id type x y z"
            raw.write(struct.pack("<q10siiq", -10, b"DUMPCUSTOM", 1, 2, 100 * frame))
            raw.write(struct.pack("<qi6i6d", n_atoms, 0, *(0,) * 6, *(0.0, length) * 3))
            raw.write(struct.pack("<iib", 5, 0, 0) + struct.pack("<i", len(columns)) + columns)
            raw.write(struct.pack("<ii", 1, 5 * n_atoms))
            raw.write(np.column_stack([ids, np.ones(n_atoms), rows]).astype("<f8").tobytes())
    return text, binary, rows[np.argsort(ids)]


def read_ours(path: Path, n_threads: int) -> tuple[float, float, np.ndarray]:
    """Seconds to find the frames, seconds to read them all, and the last frame."""
    begin = time.process_time()
    trajectory = pp.open_trajectory(path, timestep=0.001, n_threads=n_threads)
    opened = time.process_time()
    for _, positions in trajectory.blocks(32 << 20):
        last = positions[-1]
    return opened - begin, time.process_time() - opened, last


def read_mdanalysis(path: Path, n_frames: int) -> tuple[float, np.ndarray]:
    """Seconds to read the first `n_frames` frames with MDAnalysis, and the last of them."""
    import MDAnalysis

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = MDAnalysis.Universe(str(path), format="LAMMPSDUMP", topology_format="LAMMPSDUMP")
        begin = time.process_time()
        for frame in universe.trajectory[:n_frames]:
            last = frame.positions.copy()
    return time.process_time() - begin, last


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--atoms", type=int, default=10000)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text, binary, last = write_dumps(Path(folder), arguments.frames, arguments.atoms)
        few = max(2, arguments.frames // 20)
        seconds, theirs = read_mdanalysis(text, few)
        ours = pp.open_trajectory(text, timestep=0.001).read_block([few - 1])[0]
        assert np.abs(theirs - ours).max() < 1e-4  # MDAnalysis keeps single precision
        rate = text.stat().st_size * few / arguments.frames / seconds / 1e6
        print(f"MDAnalysis text    {rate:8.1f} MB/s")
        for name, path in (("text", text), ("binary", binary)):
            size = path.stat().st_size / 1e6
            begin = time.process_time()
            with path.open("rb", buffering=0) as file:
                while file.read(16 << 20):
                    pass
            bare = size / (time.process_time() - begin)
            opened, read, found = min(
                (read_ours(path, arguments.threads) for _ in range(3)), key=lambda timing: timing[1]
            )
            assert np.array_equal(found, last)
            print(
                f"polypace {name:8}  {size / read:8.1f} MB/s reading, {size / opened:8.1f} MB/s finding "
                f"({size:.0f} MB, {arguments.threads} threads; the file alone {bare:.0f} MB/s)"
            )


if __name__ == "__main__":
    main()
