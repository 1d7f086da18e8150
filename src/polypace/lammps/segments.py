"""Segments of a long run: folders that are whole once they have their name.

A segment goes from one restart file to the next. It is made under a temporary name, checked, brought to the disk and
renamed, so whatever ends it in between costs that segment's work and nothing else: the next one starts from the last
restart file that has a name, and no frame, thermo row or histogram of a broken segment is ever seen.
"""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from polypace import _core
from polypace.durable import file_hash, publish_folder, write_json
from polypace.errors import FileFormatError, ProgramError
from polypace.lammps.failure import FULL
from polypace.lammps.frames import Dump, Int

RESTART, RECORD = "end.restart", "segment.json"
RESTART_MAGIC = b"LammpS RestartT\0"  # begins and ends a restart file
CHUNK = 16 << 20


@dataclass(frozen=True)
class Segment:
    """A finished part of a run, from step `start` to `end`; `halted` where it ended before it should have.

    `seconds` of wall time on `n_ranks`, versions of the programs, the host, steps with alarms and number of kept
    frames (both by grades), and of every file its size and SHA-256 (old restart files are removed later).
    """

    number: int
    start: int
    end: int
    halted: bool
    seconds: float
    n_ranks: int
    n_atoms: int
    lammps: str
    polypace: str
    host: str
    alarms: tuple[int, ...]
    kept_frames: int
    warnings: tuple[str, ...]
    files: dict[str, dict[str, Any]]

    @property
    def folder_name(self) -> str:
        """Name of the folder inside of `segments/`."""
        return f"{self.number:06d}"


def read_segments(root: Path) -> list[Segment]:
    """Finished segments in order.

    Raises
    ------
    FileFormatError
        where one is missing between others, or its record cannot be read.
    """
    found: list[Segment] = []
    for folder in sorted(path for path in root.glob("[0-9]*") if path.is_dir()):
        try:
            raw = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            raw["alarms"], raw["warnings"] = tuple(raw["alarms"]), tuple(raw["warnings"])
            segment = Segment(**raw)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise FileFormatError(f"{folder / RECORD} cannot be read ({error}); remedy: {_go_back(folder)}") from None
        before = found[-1].end if found else 0
        if segment.number != len(found) or segment.start != before:
            raise FileFormatError(
                f"{folder} begins at step {segment.start}, but the segments before it end at step {before}: a folder "
                f"is missing; bring it back, or {_go_back(folder)}"
            )
        found.append(segment)
    return found


def _go_back(folder: Path) -> str:
    return f"remove {folder} and what follows it, and run again: it goes on from the restart file before"


def usable_restart(root: Path, segment: Segment) -> bool:
    """Whether the restart file at a segment's end is the one that was written."""
    path, known = root / segment.folder_name / RESTART, segment.files.get(RESTART, {})
    if not path.is_file() or path.stat().st_size != known.get("bytes"):
        return False
    return bool(file_hash(path) == known["sha256"])


def commit(work: Path, target: Path, segment: Segment, dumps: dict[str, Dump]) -> Segment:
    """Check what a finished LAMMPS left in `work`, compress, record and publish it as `target`.

    Raises
    ------
    ProgramError
        where the restart file or a dump is not whole: LAMMPS does not notice a full disk.
    """
    check_restart(work / RESTART)
    for dump in dumps.values():
        check_dump(work / dump.file, dump.steps(segment.start, segment.end), segment.n_atoms, dump.binary)
        compress(work / dump.file, dump)
    paths = sorted(path for path in work.iterdir() if path.is_file() and not path.is_symlink())
    files = {path.name: {"bytes": path.stat().st_size, "sha256": file_hash(path)} for path in paths}
    complete = Segment(**{**vars(segment), "files": files})
    write_json(work / RECORD, asdict(complete))
    publish_folder(work, target)
    return complete


def check_restart(path: Path) -> None:
    """Refuse a restart file that is not whole."""
    size = path.stat().st_size if path.is_file() else 0
    ends = b""
    if size > 2 * len(RESTART_MAGIC):
        with path.open("rb") as stream:
            ends = stream.read(len(RESTART_MAGIC))
            stream.seek(-len(RESTART_MAGIC), 2)
            ends += stream.read()
    if ends != 2 * RESTART_MAGIC:
        raise ProgramError(f"{path} ({size} bytes) is not a whole restart file: {FULL}")


def check_dump(path: Path, steps: Int, n_atoms: int, binary: bool) -> None:
    """Refuse a dump that has other frames than those of `steps`, or frames that break off."""
    found, broken = dumped_steps(path, n_atoms, binary)
    missing, doubled = sorted(set(steps.tolist()) - set(found)), len(found) - len(set(found))
    if found == steps.tolist() and not broken:
        return
    what = f"its frame of step {broken[0]} breaks off" if broken else f"{len(found)} frames, expected {len(steps)}"
    if missing and not broken:
        what += f"; the first missing one is step {missing[0]}"
    if doubled:
        what += f"; {doubled} stand there twice"
    raise ProgramError(f"{path}: {what}, although LAMMPS ended without an error: {FULL}")


def count_kept(path: Path, n_atoms: int) -> int:
    """Frames in a dump of those that were worth keeping, which may have none."""
    whole, broken = dumped_steps(path, n_atoms, binary=False)
    if broken:
        raise ProgramError(f"{path}: its frame of step {broken[0]} breaks off: {FULL}")
    return len(whole)


def dumped_steps(path: Path, n_atoms: int, binary: bool) -> tuple[list[int], list[int]]:
    """Steps of the whole frames of a dump, and of those that break off or lost atoms."""
    whole: list[int] = []
    broken: list[int] = []
    size, offset, line, last = CHUNK, 0, 0, not path.is_file()
    while not last:
        with path.open("rb") as stream:
            stream.seek(offset)
            chunk = stream.read(size)
        last = len(chunk) < size
        try:
            if binary:
                found = _core.trajectory.scan_binary_dump(memoryview(chunk), offset, last)
            else:
                found = _core.trajectory.scan_text_dump(memoryview(chunk), offset, line, last)
        except ValueError as error:
            raise ProgramError(f"{path}: {error}") from None
        lost = np.asarray(found["n_atoms"]) != n_atoms
        whole += np.asarray(found["steps"])[~lost].tolist()
        broken += [*np.asarray(found["steps"])[lost].tolist(), *map(int, found["truncated_steps"])]
        offset, line = offset + found["consumed"], line + found["lines"]
        size = 2 * size if found["consumed"] < size // 2 else size
    return whole, broken


def compress(path: Path, dump: Dump) -> None:
    """Replace a dump by its compressed form."""
    if not dump.compression:
        return
    target = path.with_name(dump.kept_as)
    with path.open("rb") as source, target.open("wb") as raw, _compressor(raw, dump.compression) as stream:
        shutil.copyfileobj(source, stream, 1 << 20)
    path.unlink()


def _compressor(raw: IO[bytes], compression: str) -> IO[bytes]:
    if compression == "gzip":  # without name and date: same frames, same bytes
        return cast(IO[bytes], gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0))
    import zstandard

    return cast(IO[bytes], zstandard.ZstdCompressor(level=3).stream_writer(raw, closefd=False))
