"""LAMMPS dumps, text or binary, read by the compiled core."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from polypace import _core
from polypace.errors import FileFormatError, InputError
from polypace.trajectory.bytes import ByteSource, first_bytes, open_bytes
from polypace.trajectory.dump_index import DumpIndex, Header, index_dumps, is_binary_dump
from polypace.trajectory.notes import warn
from polypace.trajectory.source import LENGTH_UNITS, TIME_UNITS, Block, Coordinates, Float, FrameTable, Int

# Most continuous first: with image flags, wrapped coordinates say more than unwrapped ones (see unwrap.py).
CHOICES = (
    (("x", "y", "z"), True, False, Coordinates.IMAGES),
    (("xs", "ys", "zs"), True, True, Coordinates.IMAGES),
    (("xu", "yu", "zu"), False, False, Coordinates.LATTICE),
    (("xsu", "ysu", "zsu"), False, True, Coordinates.LATTICE),
    (("x", "y", "z"), False, False, Coordinates.WRAPPED),
    (("xs", "ys", "zs"), False, True, Coordinates.WRAPPED),
)
IMAGE_COLUMNS = ("ix", "iy", "iz")
STATIC_COLUMNS = ("id", "type", "mol", "element", "mass")
IDENTIFIER, SKIPPED = 6, -1
UNWANTED, UNKNOWN = -1, -2
LARGEST_ID_TABLE = 1 << 27
# Small enough for the cache, so that bytes are parsed where they were just put.
BATCH_BYTES = 2 << 20
LARGEST_BATCH_BYTES = 256 << 20


class DumpSource:
    """Frames of LAMMPS dumps (text, gzip, zstd, binary; `custom` and `atom`), in the order of ids.

    Raises
    ------
    FileFormatError
        naming file, step and line where atoms are lost, repeated, not finite or not numbers.
    """

    def __init__(self, paths: Sequence[Path], *, units: str | None = None, n_threads: int = 0) -> None:
        self._bytes = [open_bytes(path) for path in paths]
        self._index = index_dumps(self._bytes)
        self._binary = [_is_binary(source) for source in self._bytes]
        self._threads = _core.resolve_n_threads(n_threads)
        self._buffer = np.empty(0, dtype=np.uint8)
        self._open_file = 0
        self.name = ", ".join(str(path) for path in paths)
        self.notes = self._index.notes
        self.units = _units(self._index.headers, units, self.name)
        self._length = LENGTH_UNITS.get(self.units, 1.0)
        self.n_atoms = int(self._index.n_atoms[0])
        self._check_headers()
        self.notes += self._warn_of_lost_atoms()
        self.coordinates, self._slots, self._scaled = _layout(self._columns, self.name)
        self.table = _table(self._index, self.units, self._length)
        self.columns, self.ids, self.has_ids = self._first_frame()
        if not self.has_ids:
            self.notes += (
                warn(
                    f"{self.name}: has no column id: atoms are taken to be in the same order in every frame, which LAMMPS "
                    "keeps only with 'dump_modify … sort'; dump the column id"
                ),
            )
        self._tables: dict[bytes, npt.NDArray[np.int32]] = {}

    @property
    def _columns(self) -> tuple[str, ...]:
        return self._index.headers[int(self._index.header_of[0])].columns

    def _check_headers(self) -> None:
        index = self._index
        for k in range(1, len(index.headers)):
            header = index.headers[k]
            used = np.flatnonzero(index.header_of == k)
            if used.size and (header.columns, header.pbc) != (self._columns, index.headers[0].pbc):
                raise FileFormatError(
                    f"{self._place(int(used[0]))} has columns {' '.join(header.columns)} and pbc "
                    f"{header.pbc}, the first "
                    f"frame {' '.join(self._columns)} and {index.headers[0].pbc}; open such files separately"
                )

    def _warn_of_lost_atoms(self) -> tuple[str, ...]:
        """Frames before the loss can still be read; the others are errors when they are."""
        lost = np.flatnonzero(self._index.n_atoms != self.n_atoms)
        return (warn(f"{self._lost(int(lost[0]))}; only the frames before it can be read"),) if lost.size else ()

    def _lost(self, frame: int) -> str:
        return (
            f"{self._place(frame)} has {self._index.n_atoms[frame]} atoms, the first frame {self.n_atoms}: "
            "atoms were lost or the dumped group changed"
        )

    def _place(self, frame: int) -> str:
        path = self._bytes[int(self._index.files[frame])].path
        return f"{path}: frame {frame} (step {self._index.steps[frame]})"

    def _first_frame(self) -> tuple[dict[str, npt.NDArray[np.str_]], Int, bool]:
        """Per-atom texts of the first frame in the order of ids, and the ids."""
        columns = self._first_columns()
        has_ids = "id" in columns
        ids = self._integers(columns["id"], "id") if has_ids else np.arange(self.n_atoms)
        order = np.argsort(ids, kind="stable")
        ids = ids[order]
        if ids.size and (np.diff(ids) == 0).any():
            twice = int(ids[:-1][np.diff(ids) == 0][0])
            raise FileFormatError(f"{self._place(0)}: atom id {twice} appears twice")
        if ids.size and (ids[0] < 0 or ids[-1] >= LARGEST_ID_TABLE):
            raise FileFormatError(
                f"{self._place(0)}: atom ids must be 0…{LARGEST_ID_TABLE - 1}, got {ids[0]}…{ids[-1]}"
            )
        if "mol" in columns:
            columns["mol"] = self._integers(columns["mol"], "mol").astype(np.str_)
        return {name: words[order] for name, words in columns.items() if name != "id"}, ids, has_ids

    def _integers(self, words: npt.NDArray[np.str_], column: str) -> Int:
        try:
            # Through floating point, because binary dumps hold nothing else.
            values = words.astype(np.float64)
            with np.errstate(invalid="raise"):
                return values.astype(np.int64)
        except (ValueError, FloatingPointError):
            raise FileFormatError(f"{self._place(0)}: the column {column} must hold integers") from None

    def _first_columns(self) -> dict[str, npt.NDArray[np.str_]]:
        """The columns of the first frame that are not coordinates, in the order of the file."""
        index, n_columns = self._index, len(self._columns)
        kept = {name: k for k, name in enumerate(self._columns) if name in STATIC_COLUMNS}
        buffer = bytearray(int(index.ends[0] - index.begins[0]))
        self._bytes[int(index.files[0])].read(int(index.begins[0]), memoryview(buffer))
        if self._binary[int(index.files[0])]:
            rows, place = [], 0
            while place < len(buffer):
                n = int(np.frombuffer(buffer, np.int32, 1, place)[0])
                rows.append(np.frombuffer(buffer, np.float64, n, place + 4).reshape(-1, n_columns))
                place += 4 + 8 * n
            table = np.concatenate(rows)
            return {name: np.array([f"{value:.12g}" for value in table[:, k]]) for name, k in kept.items()}
        words = buffer.decode(errors="replace").split()
        if len(words) != self.n_atoms * n_columns:
            raise FileFormatError(
                f"{self._place(0)}: {len(words)} values for {self.n_atoms} atoms of {n_columns} columns"
            )
        return {name: np.array(words[k::n_columns], dtype=np.str_) for name, k in kept.items()}

    def read(self, frames: Int, atoms: Int | None) -> Block:
        """Positions (Å) and image flags of `frames` and `atoms` (ascending indices; None: all)."""
        n_out = self.n_atoms if atoms is None else len(atoms)
        has_images = self.coordinates is Coordinates.IMAGES
        positions = np.empty((len(frames), n_out, 3))
        images = np.empty(positions.shape if has_images else (0, 0, 3), dtype=np.int32)
        lost = frames[self._index.n_atoms[frames] != self.n_atoms]
        if lost.size:
            remedy = f"read the frames before it, trajectory[:{lost[0]}] or --frames :{lost[0]}"
            raise FileFormatError(f"{self._lost(int(lost[0]))}; {remedy}")
        rows = self._row_table(atoms)
        for begin, end in self._batches(frames):
            self._read_batch(frames[begin:end], rows, positions[begin:end], images[begin:end])
        return Block(positions, images if has_images else None)

    def _batches(self, frames: Int) -> list[tuple[int, int]]:
        """Runs of frames of one file: as many as stay in the cache, but one for every thread."""
        sizes = (self._index.ends - self._index.begins)[frames].astype(np.int64)
        files = self._index.files[frames]
        batches, begin, total = [], 0, 0
        for k in range(len(frames)):
            full = total + sizes[k] > BATCH_BYTES and k - begin >= self._threads
            if k > begin and (full or total + sizes[k] > LARGEST_BATCH_BYTES or files[k] != files[begin]):
                batches.append((begin, k))
                begin, total = k, 0
            total += int(sizes[k])
        return [*batches, (begin, len(frames))] if len(frames) else []

    def _read_batch(
        self, frames: Int, rows: npt.NDArray[np.int32], positions: Float, images: npt.NDArray[np.int32]
    ) -> None:
        index = self._index
        file = int(index.files[frames[0]])
        if file != self._open_file:
            self._bytes[self._open_file].close()
            self._open_file = file
        bounds = self._load(file, frames)
        failure = _core.trajectory.read_dump_rows(
            self._buffer,
            bounds,
            np.ascontiguousarray(index.first_lines[frames]),
            self.n_atoms,
            self._slots,
            self._scaled,
            self._length,
            rows,
            np.ascontiguousarray(self.table.cells[frames].reshape(-1, 9)),
            np.ascontiguousarray(self.table.origins[frames]),
            positions,
            images,
            self._binary[file],
            self._threads,
        )
        if failure is not None:
            frame, message = failure
            raise FileFormatError(f"{self._place(int(frames[frame]))}: {message}")

    def _load(self, file: int, frames: Int) -> npt.NDArray[np.uint64]:
        """Bring the bytes of `frames` into the buffer; returns where each begins and ends in it."""
        extents = np.stack([self._index.begins[frames], self._index.ends[frames]], axis=1)
        sizes = extents[:, 1] - extents[:, 0]
        first, span = extents[0, 0], int(extents[-1, 1] - extents[0, 0])
        # Headers between frames cost less than a read for every frame.
        together = span <= 1.25 * sizes.sum() + 4096 * len(frames)
        bounds = extents - first
        if not together:
            bounds[:, 1] = np.cumsum(sizes)
            bounds[:, 0] = bounds[:, 1] - sizes
        total = int(bounds[-1, 1])
        if len(self._buffer) < total:
            self._buffer = np.empty(total, dtype=np.uint8)
        view = self._buffer.data
        reads = [(int(first), 0, total)] if together else zip(extents[:, 0].tolist(), *bounds.T.tolist(), strict=True)
        for begin, low, high in reads:
            if self._bytes[file].read(begin, view[low:high]) != high - low:
                raise FileFormatError(f"{self._bytes[file].path}: became shorter while it was read")
        return np.ascontiguousarray(bounds)

    def _row_table(self, atoms: Int | None) -> npt.NDArray[np.int32]:
        key = b"" if atoms is None else atoms.tobytes()
        if key not in self._tables:
            table = np.full(int(self.ids[-1]) + 1 if self.n_atoms else 0, UNKNOWN, dtype=np.int32)
            if atoms is None:
                table[self.ids] = np.arange(self.n_atoms)
            else:
                table[self.ids] = UNWANTED
                table[self.ids[atoms]] = np.arange(len(atoms))
            self._tables = {key: table}
        return self._tables[key]


def _is_binary(source: ByteSource) -> bool:
    binary = is_binary_dump(first_bytes(source))
    source.close()
    return binary


def _units(headers: tuple[Header, ...], units: str | None, name: str) -> str:
    """The unit style: what the dump says, else what the caller says, else Å and no time unit."""
    named = {header.units for header in headers if header.units}
    for unit, where in ((units, "units"), *((unit, f"{name}: the units of the dump") for unit in sorted(named))):
        if unit is not None and unit not in LENGTH_UNITS:
            raise InputError(f"{where} must be one of {', '.join(LENGTH_UNITS)}, got {unit!r}")
    if len(named) > 1 or (units is not None and named - {units}):
        raise InputError(f"{name}: the dump is in units {', '.join(sorted(named))}, but units={units!r} was given")
    return named.pop() if named else units or ""


def _layout(columns: tuple[str, ...], name: str) -> tuple[Coordinates, list[int], bool]:
    has_images = all(column in columns for column in IMAGE_COLUMNS)
    for wanted, needs_images, scaled, coordinates in CHOICES:
        if all(column in columns for column in wanted) and (has_images or not needs_images):
            names = [*wanted, *IMAGE_COLUMNS] if needs_images else [*wanted]
            slots = [SKIPPED] * len(columns)
            for slot, column in enumerate(names):
                slots[columns.index(column)] = slot
            if "id" in columns:
                slots[columns.index("id")] = IDENTIFIER
            return coordinates, slots, scaled
    if not columns:
        raise FileFormatError(
            f"{name}: the binary dump names no columns (LAMMPS before 2021); convert it with LAMMPS's binary2txt"
        )
    raise FileFormatError(
        f"{name}: the columns '{' '.join(columns)}' hold no positions; dump x y z, xs ys zs, xu yu zu or xsu ysu zsu"
    )


def _table(index: DumpIndex, units: str, length: float) -> FrameTable:
    times = None
    if np.isfinite(index.times).all() and units:
        times = index.times * TIME_UNITS[units]
    return FrameTable(
        steps=index.steps,
        times=times,
        cells=length * index.cells.reshape(-1, 3, 3),
        origins=length * index.origins,
        pbc=index.headers[0].pbc,
    )
