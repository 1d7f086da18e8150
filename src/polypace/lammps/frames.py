"""Which steps of a run become frames, and what stands in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace.errors import InputError

Int = npt.NDArray[np.int64]

UNWRAPPED = ("id", "mol", "type", "xu", "yu", "zu")
#: Wrapped coordinates keep their digits however far atoms get; image flags make them continuous.
WITH_IMAGES = ("id", "mol", "type", "x", "y", "z", "ix", "iy", "iz")
COMPRESSIONS = {"": "", "gzip": ".gz", "zstd": ".zst"}


@dataclass(frozen=True)
class LogBlocks:
    """Logarithmically spaced frames, repeated in blocks: at the offsets 0, first, … < length of every block.

    length
        Steps of a block.
    first
        Smallest offset, in steps.
    per_decade
        Offsets in a factor of ten; those that fall on the same step are one.
    """

    length: int
    first: int = 1
    per_decade: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.first < self.length or self.per_decade < 1:
            raise InputError(
                "a block needs 1 <= first < length and per_decade >= 1, got "
                f"length={self.length}, first={self.first}, per_decade={self.per_decade}"
            )

    def offsets(self) -> Int:
        """Steps from a block's start to its frames, ascending."""
        n = int(np.ceil(self.per_decade * np.log10(self.length / self.first))) + 1
        values = np.rint(self.first * 10 ** (np.arange(n) / self.per_decade)).astype(np.int64)
        return np.unique(np.concatenate([[0], values[values < self.length]]))


@dataclass(frozen=True)
class Dump:
    """A trajectory of `dump custom`: `columns` every `every` steps, at the steps of `blocks`, or both.

    file
        In the run's folder; a name that ends in .bin is written in LAMMPS's binary form (64-bit numbers).
    columns
        `UNWRAPPED`, `WITH_IMAGES` or any that `dump custom` knows.
    digits
        Of text: 9 keep a 32-bit number exactly, 17 a 64-bit one.
    compression
        "gzip" or "zstd": files of finished segments are compressed (`run_long`).
    times
        Units and times stand beside the steps.
    """

    file: str
    every: int | None
    columns: tuple[str, ...] = UNWRAPPED
    digits: int = 10
    blocks: LogBlocks | None = None
    compression: str = ""
    times: bool = True

    def __post_init__(self) -> None:
        if self.every is None and self.blocks is None:
            raise InputError(f"the dump {self.file} needs every=, blocks= or both")
        if self.every is not None and self.every < 1:
            raise InputError(f"the dump {self.file}: every must be at least 1 step, got {self.every}")
        if not 1 <= self.digits <= 17:
            raise InputError(f"the dump {self.file}: digits must be 1…17, got {self.digits}")
        if self.compression not in COMPRESSIONS:
            known = ", ".join(repr(name) for name in COMPRESSIONS)
            raise InputError(f"the dump {self.file}: compression must be one of {known}, got {self.compression!r}")

    @property
    def binary(self) -> bool:
        """Whether LAMMPS writes its binary form."""
        return self.file.endswith(".bin")

    @property
    def kept_as(self) -> str:
        """Name of the file after compression."""
        return self.file + COMPRESSIONS[self.compression]

    def steps(self, start: int, end: int) -> Int:
        """Steps of the frames of a run from `start` to `end`: those after `start`, and step 0 itself."""
        pieces = [np.zeros(0, dtype=np.int64)]
        if self.every is not None:
            pieces.append(np.arange(start - start % self.every, end + 1, self.every))
        if self.blocks is not None:
            origins = np.arange(start - start % self.blocks.length, end + 1, self.blocks.length)
            pieces.append((origins[:, None] + self.blocks.offsets()).ravel())
        steps = np.unique(np.concatenate(pieces))
        return np.asarray(steps[((steps > start) | ((start == 0) & (steps == 0))) & (steps <= end)], dtype=np.int64)

    def lines(self, name: str, start: int) -> list[str]:
        """LAMMPS lines of the dump `name` in a run that begins at step `start`.

        Frames at other than regular steps follow the list in the file `NAME.steps` (`step_list`).
        """
        modify = f"dump_modify {name} sort id"
        if self.times:
            modify += " units yes time yes"
        if not self.binary:
            modify += f' format float "%.{self.digits}g"'
        lines = [f"dump {name} all custom {self.every or 1} {self.file} {' '.join(self.columns)}", modify]
        if self.blocks is not None:
            lines = [f"variable {name}_list file {name}.steps", f"variable {name}_step equal next({name}_list)", *lines]
            lines.append(f"dump_modify {name} every v_{name}_step first {'yes' if start == 0 else 'no'}")
        elif start > 0:
            lines.append(f"dump_modify {name} delay {start + 1}")  # the seam's frame stands in the segment before
        return lines

    def step_list(self, start: int, end: int) -> str:
        """Content of `NAME.steps`: the steps after `start` and one that is never reached."""
        steps = self.steps(start, end)
        return "".join(f"{step}\n" for step in [*steps[steps > start].tolist(), end + 1])
