"""Where the frames of LAMMPS dumps lie: one pass over the files, restarts joined, broken frames dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from polypace import _core
from polypace.errors import FileFormatError, InputError
from polypace.trajectory.bytes import ByteSource, first_bytes
from polypace.trajectory.notes import warn
from polypace.trajectory.source import Float, Int

CHUNK = 16 << 20
ARRAYS = ("steps", "n_atoms", "times", "cells", "origins", "begins", "ends", "first_lines")


@dataclass(frozen=True)
class Header:
    """What the headers of a run of frames share."""

    pbc: tuple[bool, bool, bool]
    units: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class DumpIndex:
    """Frames of one or more dumps: arrays with one entry per frame, and the header of each frame."""

    steps: Int
    n_atoms: Int
    times: Float
    cells: Float  # (n_frames, 9), length units of the dump
    origins: Float
    begins: np.ndarray[Any, np.dtype[np.uint64]]
    ends: np.ndarray[Any, np.dtype[np.uint64]]
    first_lines: np.ndarray[Any, np.dtype[np.uint64]]
    files: Int
    headers: tuple[Header, ...]
    header_of: Int
    notes: tuple[str, ...]

    def take(self, frames: Int, note: str | None = None) -> DumpIndex:
        """The same with only `frames`."""
        arrays = {name: getattr(self, name)[frames] for name in (*ARRAYS, "files", "header_of")}
        notes = self.notes if note is None else (*self.notes, note)
        return DumpIndex(**arrays, headers=self.headers, notes=notes)


def is_binary_dump(head: bytes) -> bool:
    """Whether the first bytes are those of a binary dump: a new-style magic, or a header that starts with a
    step.
    """
    if head[8:18] == b"DUMPCUSTOM" or head[8:16] == b"DUMPATOM":
        return True
    return len(head) >= 16 and not head.lstrip().startswith(b"ITEM:") and b"\0" in head[:16]


def index_dumps(sources: list[ByteSource]) -> DumpIndex:
    """Index of all frames of `sources` in order; steps that a later frame repeats or undercuts are superseded
    by it.

    Raises
    ------
    FileFormatError
        naming file and line where a file is not a dump of atoms, or holds no whole frame.
    """
    pieces: list[dict[str, Any]] = []
    headers: list[Header] = []
    notes: list[str] = []
    buffer = bytearray(CHUNK)
    for number, source in enumerate(sources):
        n_before = len(pieces)
        for scan in _scans(source, buffer):
            pieces.append(_piece(scan, number, headers))
            for step, place in zip(scan["truncated_steps"], scan["truncated_places"], strict=True):
                notes.append(
                    warn(f"{source.path}: the frame of step {step} (at line or byte {place}) breaks off; dropped")
                )
        source.close()
        if not any(len(piece["steps"]) for piece in pieces[n_before:]):
            raise FileFormatError(f"{source.path}: holds no whole frame")
    arrays = {name: np.concatenate([piece[name] for piece in pieces]) for name in (*ARRAYS, "files", "header_of")}
    index = DumpIndex(**arrays, headers=tuple(headers), notes=tuple(notes))
    return _join_restarts(index, sources)


def _scans(source: ByteSource, buffer: bytearray) -> Iterator[dict[str, Any]]:
    """Scan a file chunk by chunk; a frame that does not fit makes the chunk grow."""
    binary = is_binary_dump(first_bytes(source))
    offset, line, size = 0, 0, CHUNK
    while True:
        if len(buffer) < size:
            buffer = bytearray(size)
        view = memoryview(buffer)[:size]
        got = source.read(offset, view)
        last = got < size
        try:
            if binary:
                scan = _core.trajectory.scan_binary_dump(view[:got], offset, last)
            else:
                scan = _core.trajectory.scan_text_dump(view[:got], offset, line, last)
        except ValueError as error:
            raise FileFormatError(f"{source.path}: {error}") from None
        yield scan
        if last:
            return
        offset += scan["consumed"]
        line += scan["lines"]
        # A frame larger than half a chunk would be read twice each time.
        size = 2 * size if scan["consumed"] < size // 2 else size


def _piece(scan: dict[str, Any], number: int, headers: list[Header]) -> dict[str, Any]:
    n = len(scan["steps"])
    header_of = np.zeros(n, dtype=np.int64)
    for first, pbc, units, columns in scan["headers"]:
        # ITEM: UNITS is written once per run; the frames behind it have the same units.
        if not units and headers:
            units = headers[-1].units
        header = Header(tuple(pbc), units, tuple(columns.split()))
        if header not in headers:
            headers.append(header)
        header_of[first:] = headers.index(header)
    return {**{name: scan[name] for name in ARRAYS}, "files": np.full(n, number), "header_of": header_of}


def _join_restarts(index: DumpIndex, sources: list[ByteSource]) -> DumpIndex:
    """Keep, of frames whose steps do not increase, those written later."""
    steps = index.steps
    if (np.diff(steps) > 0).all():
        return index
    # A frame survives when every later frame has a larger step.
    smallest_later = np.minimum.accumulate(steps[::-1])[::-1]
    keep = np.ones(len(steps), dtype=bool)
    keep[:-1] = steps[:-1] < smallest_later[1:]
    for number, source in enumerate(sources):
        mine = index.files == number
        if mine.sum() > 1 and not keep[mine].any():
            first = int(steps[mine][0])
            raise InputError(
                f"the steps start over behind {source.path} (from step {first} on): the files given after it "
                f"are not "
                "continuations of it but repeat all of it; open them as separate trajectories or in the "
                "right order"
            )
    dropped = steps[~keep]
    note = warn(
        f"{len(dropped)} frames (steps {dropped.min()}…{dropped.max()}) were written again by a restart; "
        "the frames written later are used"
    )
    return index.take(np.flatnonzero(keep), note)
