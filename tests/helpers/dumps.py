"""Dumps written by hand, and the names of those that LAMMPS writes."""

from __future__ import annotations

FORMATS = (
    "images.dump", "unwrapped.dump.gz", "scaled.dump", "images.bin", "scaled.dump.zst", "unwrapped.bin",
    "wrapped.lammpstrj", "wrapped.bin",
)  # fmt: skip


def text_dump(frames, *, columns="id type x y z", box="0 10", steps=None) -> str:
    """Text dump of frames given as lists of rows."""
    pieces = []
    for k, rows in enumerate(frames):
        step = k if steps is None else steps[k]
        pieces.append(
            f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(rows)}\nITEM: BOX BOUNDS pp pp pp\n"
            + f"{box}\n" * 3
            + f"ITEM: ATOMS {columns}\n"
            + "".join(" ".join(str(value) for value in row) + "\n" for row in rows)
        )
    return "".join(pieces)
