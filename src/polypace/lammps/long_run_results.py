"""What a long run left: its segments joined into one trajectory, one thermo table, one history of grades."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from polypace.durable import file_hash, write_text
from polypace.errors import FileFormatError, InputError
from polypace.lammps.alarms import alarm_grades
from polypace.lammps.frames import COMPRESSIONS
from polypace.lammps.gamma import HISTOGRAM, GammaHistogram, read_histograms
from polypace.lammps.log import read_log
from polypace.lammps.run import LOG
from polypace.lammps.segments import RESTART, Segment, read_segments

if TYPE_CHECKING:
    from polypace.lammps.log import ThermoTable

MANIFEST, SEGMENTS, CURRENT = "manifest.json", "segments", "current"
THERMO, GAMMA = "thermo.csv", "gamma.csv"


@dataclass(frozen=True)
class LongRun:
    """A run in segments, finished or not.

    status is "finished", "halted" (by `GammaWatch.halt` or `.enough`) or "paused" (the same call goes on);
    steps are those asked for, `segments` what is there. `manifest` holds the protocol, versions, seed, and SHA-256
    of every input.
    """

    folder: Path
    status: str
    steps: int
    segments: tuple[Segment, ...]
    manifest: dict[str, Any]

    @property
    def step(self) -> int:
        """The step that was reached."""
        return self.segments[-1].end if self.segments else 0

    @property
    def folders(self) -> list[Path]:
        """Folders of the segments in order."""
        return [self.folder / SEGMENTS / segment.folder_name for segment in self.segments]

    @property
    def trajectory(self) -> list[Path]:
        """The trajectory's files in order, as `polypace.open_trajectory` reads them."""
        return self.dumps("dump")

    @property
    def labels(self) -> list[Path]:
        """The files of labelled frames in order."""
        return self.dumps("labels")

    def dumps(self, which: str) -> list[Path]:
        """Files of the protocol's `dump` or `labels` that hold frames, in order."""
        dump = self.manifest[which]
        if dump is None:
            return []
        return self._files(dump["file"] + COMPRESSIONS[dump["compression"]])

    @property
    def extrapolating(self) -> list[Path]:
        """Dumps of the frames whose grades were above `GammaWatch.select`."""
        return self._files(self.manifest["gamma"]["file"]) if self.manifest["gamma"] else []

    def _files(self, name: str) -> list[Path]:
        """Those that are not empty, once compressed: an empty segment has no frames."""
        paths = [folder / name for folder in self.folders]
        return [path for path in paths if path.is_file() and path.stat().st_size > 0]

    @property
    def msd(self) -> Path | None:
        """The newest table of `fix polypace/msd`, which covers the whole run."""
        if not self.manifest["msd"] or not self.segments:
            return None
        return self.folders[-1] / str(self.manifest["msd"]["file"])

    @property
    def alarms(self) -> list[int]:
        """Steps with a grade above `GammaWatch.alarm`, those of the segment that is being made included."""
        steps = [step for segment in self.segments for step in segment.alarms]
        watch = self.manifest["gamma"]
        return steps + list(alarm_grades(self.current, watch["alarm"], self.step)) if watch else steps

    @property
    def current(self) -> ThermoTable:
        """The thermo table so far of the segment that is being made, or was when the run was stopped."""
        log = self.folder / SEGMENTS / CURRENT / LOG
        tables = read_log(log) if log.is_file() else []
        return tables[-1] if tables else {}

    @property
    def reached(self) -> int:
        """Step that LAMMPS got to; what is behind `step` is made again after a stop."""
        now = self.current
        return max(self.step, int(now["Step"][-1])) if now and len(now["Step"]) else self.step

    @property
    def restart(self) -> Path | None:
        """The newest restart file."""
        return self.folders[-1] / RESTART if self.segments else None

    @property
    def atom_steps_per_second(self) -> float:
        """Over all segments, starts of LAMMPS included."""
        work = sum((segment.end - segment.start) * segment.n_atoms for segment in self.segments)
        seconds = sum(segment.seconds for segment in self.segments)
        return work / seconds if seconds > 0 else float("nan")

    @property
    def seconds_left(self) -> float:
        """Wall time to the end at the speed of the last segment."""
        if not self.segments:
            return float("nan")
        last = self.segments[-1]
        return (self.steps - self.step) * last.seconds / max(1, last.end - last.start)

    @property
    def thermo(self) -> ThermoTable:
        """The thermo table of the whole run, each step once: {column: values}."""
        manifest = self.manifest
        every = manifest["gamma"]["every"] if manifest["gamma"] else manifest["thermo_every"]
        pieces = []
        for segment, folder in zip(self.segments, self.folders, strict=True):
            table = read_log(folder / "log.lammps")[-1]
            steps = table["Step"]
            kept = (steps % every == 0) & ((steps > segment.start) | (steps == 0))
            kept |= (steps == segment.end) & (segment is self.segments[-1])
            pieces.append({name: values[kept] for name, values in table.items()})
        if not pieces:
            return {}
        if any(list(piece) != list(pieces[0]) for piece in pieces):
            raise FileFormatError(f"{self.folder}: the segments' thermo tables have different columns")
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}

    @property
    def gamma(self) -> GammaHistogram | None:
        """Histograms of the grades over time, None where none were asked for."""
        if not self.manifest["gamma"] or not self.manifest["gamma"]["histogram_every"]:
            return None
        return read_histograms(self._files(HISTOGRAM))

    def join(self, which: str, target: str | os.PathLike[str]) -> None:
        """Write the files of `dump` or `labels` as one: text, binary and compressed files may be strung together."""
        with Path(target).open("wb") as joined:
            for path in self.dumps(which):
                with path.open("rb") as stream:
                    shutil.copyfileobj(stream, joined, 1 << 20)

    def verify(self) -> None:
        """Read every file again.

        Raises
        ------
        FileFormatError
            naming the first file that is missing or differs from what was written.
        """
        for segment, folder in zip(self.segments, self.folders, strict=True):
            for name, expected in segment.files.items():
                path = folder / name
                if not path.is_file():
                    if name == RESTART:
                        continue  # old ones are removed
                    raise FileFormatError(f"{path} is missing")
                if path.stat().st_size != expected["bytes"] or file_hash(path) != expected["sha256"]:
                    raise FileFormatError(f"{path} has changed since it was written")

    def write_tables(self) -> None:
        """Write thermo.csv and, with histograms, gamma.csv beside the manifest."""
        thermo = self.thermo
        if thermo:
            write_text(self.folder / THERMO, _csv(thermo))
        gamma = self.gamma
        if gamma is not None:
            columns = {"last_step": gamma.steps}
            for k in range(gamma.counts.shape[1]):
                columns[f"{gamma.edges[k]:.4g}_to_{gamma.edges[k + 1]:.4g}"] = gamma.counts[:, k]
            write_text(self.folder / GAMMA, _csv(columns))


def _csv(table: ThermoTable | dict[str, Any]) -> str:
    rows = zip(*(values.tolist() for values in table.values()), strict=True)
    lines = [",".join(table), *(",".join(_number(value) for value in row) for row in rows)]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def read_long_run(folder: str | os.PathLike[str]) -> LongRun:
    """Look at a run of `run_long`, also while it goes on.

    Raises
    ------
    InputError
        where there is none; FileFormatError where a record cannot be read.
    """
    root = Path(folder).resolve()
    path = root / MANIFEST
    if not path.is_file():
        raise InputError(f"{root} holds no run: {MANIFEST} is missing")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        steps = int(manifest["steps"])
    except (ValueError, KeyError) as error:
        raise FileFormatError(f"{path} cannot be read ({error})") from None
    segments = tuple(read_segments(root / SEGMENTS))
    enough = manifest["gamma"]["enough"] if manifest["gamma"] else None
    return LongRun(root, status_of(segments, steps, enough), steps, segments, manifest)


def status_of(segments: Sequence[Segment], steps: int, enough: int | None) -> str:
    """Whether a run of `steps` is "finished", "halted" by its grades, or only "paused"."""
    if segments and segments[-1].halted:
        return "halted"
    if segments and segments[-1].end >= steps:
        return "finished"
    return "halted" if enough is not None and sum(s.kept_frames for s in segments) >= enough else "paused"
