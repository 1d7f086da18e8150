"""Byte sources: plain files at any place, compressed files as forward streams; both read in bounded
memory.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import IO, Protocol, cast

from polypace.errors import FileFormatError, InputError

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class ByteSource(Protocol):
    """Bytes of one file, decompressed where it is compressed."""

    path: Path

    def read(self, offset: int, target: memoryview) -> int:
        """Fill `target` from `offset` on; returns how many bytes there were."""
        ...

    def close(self) -> None:
        """Let go of the file until the next read."""
        ...


class PlainFile:
    """An uncompressed file; open while it is read, so that thousands of them may be one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    def read(self, offset: int, target: memoryview) -> int:
        """Fill `target` from `offset` on; returns how many bytes there were."""
        if self._descriptor < 0:
            self._descriptor = os.open(self.path, os.O_RDONLY)
        done = 0
        while done < len(target):
            got = os.preadv(self._descriptor, [target[done:]], offset + done)
            if got == 0:
                break
            done += got
        return done

    def close(self) -> None:
        """Let go of the file until the next read."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()


class CompressedFile:
    """A gzip or zstd file: read forward; a step back starts again from the beginning."""

    def __init__(self, path: Path, magic: bytes) -> None:
        self.path = path
        self._zstd = magic.startswith(ZSTD_MAGIC)
        self._stream: IO[bytes] | None = None
        self._position = 0

    def close(self) -> None:
        """Let go of the file until the next read, which starts at its beginning."""
        if self._stream is not None:
            self._stream.close()
        self._stream, self._position = None, 0

    def __del__(self) -> None:
        self.close()

    def _open(self) -> IO[bytes]:
        if not self._zstd:
            return cast(IO[bytes], gzip.open(self.path, "rb"))
        import zstandard

        # LAMMPS writes one zstd frame per flush, so the stream goes on over the ends of frames.
        return zstandard.ZstdDecompressor().stream_reader(self.path.open("rb"), read_across_frames=True, closefd=True)

    def read(self, offset: int, target: memoryview) -> int:
        """Fill `target` from `offset` on; returns how many bytes there were."""
        if offset < self._position:
            self.close()
        if self._stream is None:
            self._stream = self._open()
        scratch = memoryview(bytearray(min(1 << 20, max(1, offset - self._position))))
        try:
            while self._position < offset:
                got = _fill(self._stream, scratch[: min(len(scratch), offset - self._position)])
                if got == 0:
                    return 0
                self._position += got
            got = _fill(self._stream, target)
        except Exception as error:
            raise FileFormatError(
                f"{self.path}: cannot be decompressed after byte {self._position}: {error}"
            ) from error
        self._position += got
        return got


def _fill(stream: IO[bytes], target: memoryview) -> int:
    """Read until `target` is full or the stream ends; a killed run leaves a stream without its end."""
    done = 0
    while done < len(target):
        try:
            # One raw read at a time: what lies before the end of a cut stream is kept.
            got = stream.readinto1(target[done : done + (1 << 20)])  # type: ignore[attr-defined]
        except EOFError:
            break
        if not got:
            break
        done += got
    return done


def open_bytes(path: Path) -> ByteSource:
    """The byte source that fits the first bytes of `path` (not its name).

    Raises
    ------
    InputError
        where there is no such file.
    """
    if not path.is_file():
        raise InputError(f"trajectory file {path} does not exist (or is not a file)")
    with path.open("rb") as file:
        magic = file.read(4)
    if magic.startswith((GZIP_MAGIC, ZSTD_MAGIC)):
        return CompressedFile(path, magic)
    return PlainFile(path)


def first_bytes(source: ByteSource, n: int = 4096) -> bytes:
    """The first `n` bytes, for guessing what the file is."""
    buffer = bytearray(n)
    return bytes(buffer[: source.read(0, memoryview(buffer))])
