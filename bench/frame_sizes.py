"""Bytes per atom and frame of every form of frames, and the largest error of what is read back.

    python bench/frame_sizes.py

C16 melt of 4096 united atoms, its classical force field, twenty-one frames 20 fs apart; the error is against 17 digits.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from polypace.lammps import Dump, MolecularDynamics, run_long
from polypace.lammps.frames import UNWRAPPED, WITH_IMAGES
from polypace.reference import force_field_interactions
from polypace.systems import build_melt, write_lammps_data
from polypace.trajectory import open_trajectory

BARE = ("id", "xu", "yu", "zu")
FORMS = (
    ("text, 17 digits", Dump("t.dump", 20, UNWRAPPED, 17)),
    ("text, 9 digits", Dump("t.dump", 20, UNWRAPPED, 9)),
    ("text, 9 digits, image flags", Dump("t.dump", 20, WITH_IMAGES, 9)),
    ("text, 9 digits, gzip", Dump("t.dump", 20, UNWRAPPED, 9, compression="gzip")),
    ("text, 9 digits, zstd", Dump("t.dump", 20, UNWRAPPED, 9, compression="zstd")),
    ("id xu yu zu, 7 digits, zstd", Dump("t.dump", 20, BARE, 7, compression="zstd")),
    ("binary", Dump("t.bin", 20)),
    ("binary, zstd", Dump("t.bin", 20, compression="zstd")),
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder))


def compare(folder: Path) -> None:
    melt = build_melt(16, 256, 0.72, "trappe-ua", 1)
    write_lammps_data(melt, folder / "start.data", "trappe-ua")
    lines = force_field_interactions("trappe-ua", melt.type_names)
    start = [f"units {lines.units}", f"atom_style {lines.atom_style}", "read_data start.data", *lines.lines]
    exact = None
    print("| frames | bytes per atom and frame | largest error (Å) |\n|---|---|---|")
    for k, (name, dump) in enumerate(FORMS):
        protocol = MolecularDynamics(start, 400.0, 0.001, 400, 1, dump=dump, thermo_every=1000)
        run = run_long(protocol, folder / str(k), [folder / "start.data"])
        positions = open_trajectory(run.trajectory).unwrapped().read_block()
        exact = positions if exact is None else exact
        size = sum(path.stat().st_size for path in run.trajectory) / positions[..., 0].size
        print(f"| {name} | {size:.1f} | {np.abs(positions - exact).max():.1g} |", flush=True)


if __name__ == "__main__":
    main()
