"""Runs that outlive their processes: made in segments, stopped by limits and kills, continued by the same call."""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from polypace import __version__
from polypace.durable import file_hash, locked, write_json
from polypace.errors import InputError, InterruptedRunError, PolypaceError, ProgramError
from polypace.lammps.alarms import AlarmBell, alarm_grades
from polypace.lammps.failure import FULL
from polypace.lammps.find import find_lammps
from polypace.lammps.log import parse_loops
from polypace.lammps.long_run_results import CURRENT, MANIFEST, SEGMENTS, LongRun, read_long_run, status_of
from polypace.lammps.processes import end_programs_in
from polypace.lammps.program import LammpsProgram
from polypace.lammps.protocols import MolecularDynamics
from polypace.lammps.run import LOG, LammpsRun, run_lammps
from polypace.lammps.segments import RESTART, Segment, commit, count_kept, read_segments, usable_restart

INPUTS, DAMAGED = "inputs", "damaged"
# Part of the time to Slurm's end of a job that is left for checks and copies.
MARGIN = 60.0
# A segment is begun when this many times its expected time is left.
CAUTION = 1.15


def run_long(
    protocol: MolecularDynamics,
    folder: str | os.PathLike[str],
    inputs: Sequence[str | os.PathLike[str]],
    *,
    segment_steps: int = 100_000,
    program: LammpsProgram | None = None,
    n_ranks: int = 1,
    n_threads: int = 1,
    wall_time: float | None = None,
    stall_timeout: float | None = 1800.0,
    retries: int = 1,
    keep_restarts: int = 2,
) -> LongRun:
    """Run `protocol` in segments in `folder`, or go on where an earlier call of the same run was stopped.

    Every segment is a LAMMPS process of its own that starts from the restart file before it. A kill at any moment
    costs the unfinished segment; the next call makes it again, so that the result does not depend on how often and
    when the run was stopped. Segments begin at multiples of `segment_steps`: on equal ranks and the same LAMMPS an
    interrupted run gives the same bits as an uninterrupted one.

    Parameters
    ----------
    protocol : MolecularDynamics
        What to run; its script names files of `inputs` without folders. More `steps` than in an earlier call
        prolong that run.
    folder : path
        Holds manifest.json, inputs/, segments/ and, when a call ends, thermo.csv and gamma.csv.
    inputs : sequence of paths
        Data file, potential, active set: copied into the folder, with their SHA-256 in the manifest.
    segment_steps : int
        MD steps between restart files. Each segment starts a LAMMPS (about a second).
    wall_time : float, optional
        Seconds for this call. Inside a Slurm job its end (SLURM_JOB_END_TIME) is a limit as well, unless this is
        infinite. No segment is begun that would not fit.
    stall_timeout : float, optional
        Seconds without a change of any file after which LAMMPS is taken for hung.
    retries : int
        How often in a row a segment is tried again after a rank was killed or hung.
    keep_restarts : int
        How many of the newest restart files are kept, at least 1.

    Returns
    -------
    LongRun
        With `status` "finished", "paused" (a limit; call again) or "halted" (by its grades).

    Raises
    ------
    InputError
        when `folder` holds another run, naming what differs, or is being run by another process.
    UnstableRunError, InterruptedRunError, ProgramError
        as `run_lammps`; or when the limit does not suffice for one segment, or a file is not whole (full disk).
        What was finished before stays, and the same call goes on.
    """
    if segment_steps < 1 or keep_restarts < 1 or retries < 0:
        raise InputError(
            "segment_steps and keep_restarts must be at least 1 and retries not negative, got "
            f"{segment_steps}, {keep_restarts}, {retries}"
        )
    root = Path(folder).resolve()
    program = program if program is not None else find_lammps()
    runner = _Runner(
        root, protocol, segment_steps, program, n_ranks, n_threads, _deadline(wall_time), stall_timeout, keep_restarts
    )
    with locked(root):
        _claim(root, protocol, segment_steps, [Path(path) for path in inputs])
        try:
            runner.run(retries)
        except BaseException:
            with contextlib.suppress(OSError, PolypaceError):  # the first error is the one to tell
                read_long_run(root).write_tables()
            raise
        result = read_long_run(root)
        result.write_tables()
    return result


def _deadline(wall_time: float | None) -> float | None:
    """On the clock of time.time()."""
    limits = []
    if wall_time == math.inf:
        return None
    if wall_time is not None:
        if not wall_time > 0:
            raise InputError(f"wall_time must be positive (s), got {wall_time}")
        limits.append(time.time() + wall_time)
    end = os.environ.get("SLURM_JOB_END_TIME", "")
    if end.isdigit():
        limits.append(float(end) - MARGIN)
    return min(limits, default=None)


def _claim(root: Path, protocol: MolecularDynamics, segment_steps: int, inputs: Sequence[Path]) -> None:
    """Write the manifest and the inputs of a new run, or make sure that the folder holds the same one."""
    named = {path.name: path for path in inputs}
    missing = [str(path) for path in inputs if not path.is_file()]
    if missing or len(named) != len(inputs):
        raise InputError(f"inputs must be files of different names; missing: {', '.join(missing) or 'none'}")
    data_file = protocol.data_file
    if data_file not in named:
        bare = Path(data_file).name
        remedy = f"; write read_data {bare}: inputs are copied beside the script" if bare in named else ""
        raise InputError(f"the script reads {data_file}, which is not among the inputs: {', '.join(named)}{remedy}")
    described = {name: {"bytes": path.stat().st_size, "sha256": file_hash(path)} for name, path in named.items()}
    new = json.loads(json.dumps({**asdict(protocol), "segment_steps": segment_steps, "inputs": described}))
    known = _known_manifest(root)
    if known is not None:
        _compare(root, known, new)
        new = {**known, "steps": max(new["steps"], known["steps"])}
        if new == known:
            return
    else:
        (root / INPUTS).mkdir(exist_ok=True)
        for name, path in named.items():
            shutil.copyfile(path, root / INPUTS / name)
        (root / SEGMENTS).mkdir(exist_ok=True)
        new |= {"format": 1, "polypace": __version__}
    write_json(root / MANIFEST, new)


def _known_manifest(root: Path) -> dict[str, Any] | None:
    path = root / MANIFEST
    if not path.is_file():
        if (root / SEGMENTS).is_dir() and any((root / SEGMENTS).iterdir()):
            raise InputError(f"{root} has segments but no {MANIFEST}: bring it back or give another folder")
        return None
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} cannot be read ({error}); give another folder") from None
    return manifest


def _compare(root: Path, known: dict[str, Any], new: dict[str, Any]) -> None:
    free = {"steps", "title", "format", "polypace"}
    differing = [key for key in sorted(set(known) | set(new)) if key not in free and known.get(key) != new.get(key)]
    if differing:
        key = differing[0]
        raise InputError(
            f"{root} holds another run: {', '.join(differing)} differ ({key} was {known.get(key)!r}, now "
            f"{new.get(key)!r}); give another folder, or the same arguments to go on with it"
        )
    for name, expected in known["inputs"].items():
        path = root / INPUTS / name
        if not path.is_file() or file_hash(path) != expected["sha256"]:
            raise InputError(f"{path} is missing or has changed since the run began; bring the original back")


@dataclass(frozen=True)
class _Runner:
    root: Path
    protocol: MolecularDynamics
    segment_steps: int
    program: LammpsProgram
    n_ranks: int
    n_threads: int
    deadline: float | None
    stall_timeout: float | None
    keep_restarts: int

    def run(self, retries: int) -> None:
        segments = self._usable_segments()
        n_before, attempts = len(segments), 0
        while not self._complete(segments) and self._fits(segments, n_before):
            try:
                segments.append(self._make(segments))
            except InterruptedRunError as error:
                if self.deadline is not None and time.time() >= self.deadline:
                    if len(segments) == n_before:
                        raise self._too_short(segments, error) from None
                    return
                attempts += 1
                if attempts > retries:
                    raise
                continue
            attempts = 0
            for old in segments[: -self.keep_restarts]:
                (self._folder(old) / RESTART).unlink(missing_ok=True)

    def _folder(self, segment: Segment) -> Path:
        return self.root / SEGMENTS / segment.folder_name

    def _usable_segments(self) -> list[Segment]:
        """Finished segments up to the last restart file that is whole; what follows is set aside."""
        segments = read_segments(self.root / SEGMENTS)
        while segments and not self._complete(segments) and not usable_restart(self.root / SEGMENTS, segments[-1]):
            last = segments[-1]
            if len(segments) > 1 and not (self._folder(segments[-2]) / RESTART).is_file():
                raise ProgramError(
                    f"{self._folder(last) / RESTART} is missing or damaged and no older restart file is left; "
                    "bring it back from a copy, or start anew in another folder"
                )
            aside = self.root / DAMAGED / f"{last.folder_name}.{time.time_ns()}"
            aside.parent.mkdir(exist_ok=True)
            self._folder(last).rename(aside)
            segments.pop()
        return segments

    def _complete(self, segments: Sequence[Segment]) -> bool:
        enough = self.protocol.gamma.enough if self.protocol.gamma is not None else None
        return status_of(segments, self.protocol.steps, enough) != "paused"

    def _next_end(self, start: int) -> int:
        return min(self.protocol.steps, start - start % self.segment_steps + self.segment_steps)

    def _fits(self, segments: Sequence[Segment], n_before: int) -> bool:
        """Whether the next segment fits into the time that is left, and onto the disk.

        Raises
        ------
        InterruptedRunError
            when it does not fit and nothing was done in this call: called again and again, it would never end.
        """
        if not segments:
            return True
        last, start = segments[-1], segments[-1].end
        share = (self._next_end(start) - start) / max(1, last.end - last.start)
        size = share * sum(entry["bytes"] for entry in last.files.values())
        free = shutil.disk_usage(self.root).free
        if free < size:
            raise ProgramError(
                f"the next segment of {self.root} needs about {size / 1e6:.0f} MB, {free / 1e6:.0f} MB are free: {FULL}"
            )
        if self.deadline is None or time.time() + CAUTION * share * last.seconds < self.deadline:
            return True
        if len(segments) == n_before:
            raise self._too_short(segments, None)
        return False

    def _too_short(self, segments: Sequence[Segment], error: Exception | None) -> InterruptedRunError:
        start = segments[-1].end if segments else 0
        what = f"; LAMMPS got from step {start} to {read_long_run(self.root).reached}" if error is not None else ""
        if segments:
            what += f"; the last segment took {segments[-1].seconds:.0f} s"
        return InterruptedRunError(
            f"the time left for {self.root} does not suffice for one segment of {self.segment_steps} steps{what}: "
            "allow more time, or start anew with a smaller segment_steps"
        )

    def _make(self, segments: Sequence[Segment]) -> Segment:
        start = segments[-1].end if segments else 0
        end = self._next_end(start)
        work = self.root / SEGMENTS / CURRENT
        end_programs_in(work, Path(self.program.command[0]).name)  # of a launcher that was killed with its caller
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        for name in sorted(os.listdir(self.root / INPUTS)):
            (work / name).symlink_to(Path("../..") / INPUTS / name)
        for name, dump in self.protocol.dumps.items():
            if dump.blocks is not None:
                (work / f"{name}.steps").write_text(dump.step_list(start, end))
        restart = f"../{segments[-1].folder_name}/{RESTART}" if segments else None
        left = None if self.deadline is None else max(1.0, self.deadline - time.time())
        run = run_lammps(
            self.protocol.segment(start, end, restart, RESTART),
            work, self.program, self.n_ranks, left, self.n_threads, self.stall_timeout, self._bell(work, start),
        )  # fmt: skip
        segment = self._describe(run, len(segments), start, end)
        return commit(work, self._folder(segment), segment, self.protocol.dumps)

    def _bell(self, work: Path, start: int) -> Callable[[], None] | None:
        watch = self.protocol.gamma
        return AlarmBell(work / LOG, watch.alarm, start).look if watch is not None and watch.alarm is not None else None

    def _describe(self, run: LammpsRun, number: int, start: int, end: int) -> Segment:
        loops = parse_loops(run.log.read_text())
        if not loops:
            raise ProgramError(f"{run.log} does not tell how many steps were made: {FULL}")
        n_steps, n_atoms = loops[-1].n_steps, loops[-1].n_atoms
        watch = self.protocol.gamma
        return Segment(
            number=number,
            start=start,
            end=start + n_steps,
            halted=start + n_steps < end,
            seconds=round(run.seconds, 3),
            n_ranks=run.n_ranks,
            n_atoms=n_atoms,
            lammps=self.program.version,
            polypace=__version__,
            host=platform.node(),
            alarms=tuple(alarm_grades(run.thermo[-1], watch.alarm, start)) if watch is not None else (),
            kept_frames=count_kept(run.folder / watch.file, n_atoms) if watch is not None and watch.select else 0,
            warnings=run.warnings,
            files={},
        )
