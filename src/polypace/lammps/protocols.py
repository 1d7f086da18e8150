"""Molecular dynamics protocols as LAMMPS input that a person can read and run again by hand.

A protocol knows nothing of force fields: it gets the lines that define the interactions (ACE or classical) as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from polypace.errors import InputError
from polypace.lammps.frames import Dump
from polypace.lammps.gamma import histogram_lines
from polypace.lammps.noise import reseeded


@dataclass(frozen=True)
class GammaWatch:
    """Extrapolation grades during MD.

    every
        Steps between grades; the largest is printed as thermo column `v_gamma_max`.
    select
        Frames with an atom above it go to `file`.
    alarm
        Above it `run_long` logs a warning within ten seconds and lists the step among the run's alarms.
    halt
        Above it the run ends softly.
    enough
        When so many frames were kept it is time for the next learning round: a run in one piece ends softly, `run_long`
        begins no further segment.
    histogram_every
        Steps between histograms of the grades of all atoms in that time (a multiple of `every`).
    """

    every: int
    select: float | None = None
    halt: float | None = None
    file: str = "extrapolating.dump"
    alarm: float | None = None
    histogram_every: int | None = None
    enough: int | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InputError(f"grades need every >= 1 steps, got {self.every}")
        if self.histogram_every is not None and self.histogram_every % self.every:
            raise InputError(f"histogram_every ({self.histogram_every}) must be a multiple of every ({self.every})")
        if self.enough is not None and self.select is None:
            raise InputError(f"enough={self.enough} counts the frames above select, which is not given")


@dataclass(frozen=True)
class RunningMSD:
    """Mean square displacements while the run goes on (`fix polypace/msd`), sampled every `every` steps.

    `points` lags in a level, each level `ratio` times as coarse as the one before.
    """

    every: int
    file: str = "msd.txt"
    points: int = 16
    ratio: int = 2
    write_every: int | None = None

    def line(self) -> str:
        """The fix's LAMMPS line."""
        write = self.write_every or 1000 * self.every
        return f"fix msd all polypace/msd {self.every} {write} {self.file} points {self.points} ratio {self.ratio}"


@dataclass(frozen=True)
class MolecularDynamics:
    """One run: initial velocities, a short Langevin part, then Nosé–Hoover NVT or NPT.

    Parameters
    ----------
    interactions
        LAMMPS lines that read the data file and define the interactions.
    temperature, pressure
        K and bar; no pressure means constant volume.
    timestep
        ps. United atoms with K = 19.5 eV/Å² bonds need 0.001.
    relax_steps, steps
        Langevin steps (damping 0.1 ps) first, because Nosé–Hoover keeps modes apart that start at different
        temperatures; then the steps that count.
    seed
        of velocities and Langevin noise.
    labels
        A dump of frames with forces, and full-precision energy and virial columns in the thermo table beside it:
        what `polypace.reference.read_labels` reads.
    """

    interactions: Sequence[str]
    temperature: float
    timestep: float
    steps: int
    seed: int
    pressure: float | None = None
    relax_steps: int = 0
    thermo_every: int = 100
    dump: Dump | None = None
    labels: Dump | None = None
    gamma: GammaWatch | None = None
    msd: RunningMSD | None = None
    final_data: str | None = "final.data"
    title: str = "molecular dynamics"
    extra: Sequence[str] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        if self.steps < 0 or self.relax_steps < 0 or self.timestep <= 0:
            raise InputError(
                f"steps ({self.steps}) and relax_steps ({self.relax_steps}) must not be negative and the timestep "
                f"({self.timestep} ps) must be positive"
            )

    @property
    def dumps(self) -> dict[str, Dump]:
        """The dumps by their names in the script."""
        named = {"trajectory": self.dump, "labels": self.labels}
        return {name: dump for name, dump in named.items() if dump is not None}

    @property
    def table_every(self) -> int:
        """Steps between rows of the thermo table: with grades, theirs."""
        return self.thermo_every if self.gamma is None else self.gamma.every

    def script(self) -> str:
        """Return the input text of the whole run.

        Raises
        ------
        InputError
            for frames in logarithmic blocks, which need the lists of steps that `run_long` writes.
        """
        if any(dump.blocks is not None for dump in self.dumps.values()):
            raise InputError("frames in logarithmic blocks need polypace.lammps.run_long")
        parts = [*self._begin(), *self._production(0), *self._enough_lines(), "", f"run {self.steps}"]
        if self.final_data:
            parts.append(f"write_data {self.final_data} nocoeff")
        return "\n".join(parts) + "\n"

    def segment(self, start: int, end: int, restart: str | None, end_restart: str) -> str:
        """Return the input text of the part from step `start` to `end`, which writes `end_restart`.

        It reads `restart` instead of the data file, except for the first part; fixes with noise of their own get other
        seeds in every part.
        """
        begin = self._begin() if restart is None else self._continue(restart)
        title = f"# steps {start} to {end} of {self.steps}"
        run = f"run {end} upto start 0 stop {self.steps}"
        parts = [title, *begin, *self._production(start), "", run, f"write_restart {end_restart}"]
        if self.final_data and end == self.steps:
            parts.append(f"write_data {self.final_data} nocoeff")
        return "\n".join(reseeded(parts, start)) + "\n"

    def _begin(self) -> list[str]:
        parts = [f"# {self.title}", *self.interactions, "", *self._settings()]
        parts += [f"velocity all create {self.temperature:.6g} {self.seed} mom yes rot no dist gaussian", ""]
        if self.relax_steps:
            parts += [
                "# Langevin first: every mode gets its temperature",
                "fix integrate all nve",
                f"fix bath all langevin {self.temperature:.6g} {self.temperature:.6g} 0.1 {self.seed + 1}",
                f"thermo {max(1, self.relax_steps // 10)}",
                f"run {self.relax_steps}",
                "unfix bath",
                "unfix integrate",
                "reset_timestep 0 time 0",
                "",
            ]
        return parts

    @property
    def data_file(self) -> str:
        """The file that `interactions` read.

        Raises
        ------
        InputError
            unless there is exactly one `read_data` line.
        """
        return self._reader.split()[1]

    @property
    def _reader(self) -> str:
        readers = [line for line in self.interactions if line.split()[:1] == ["read_data"]]
        if len(readers) != 1 or len(readers[0].split()) < 2:
            raise InputError(f"a run in segments needs exactly one read_data line, found {len(readers)}")
        return readers[0]

    def _continue(self, restart: str) -> list[str]:
        lines = [f"read_restart {restart}" if line == self._reader else line for line in self.interactions]
        return [f"# {self.title}", *lines, "", *self._settings()]

    def _settings(self) -> list[str]:
        return [
            f"timestep {self.timestep:.6g}",
            "neighbor 1.5 bin",
            "neigh_modify every 1 delay 5 check yes",
        ]

    def _production(self, start: int) -> list[str]:
        parts = [*self._ensemble(), *self._gamma_lines(start), *self._thermo()]
        for name, dump in self.dumps.items():
            parts += dump.lines(name, start)
        if self.msd is not None:
            parts.append(self.msd.line())
        return [*parts, *self.extra]

    def _ensemble(self) -> list[str]:
        t = f"{self.temperature:.6g} {self.temperature:.6g} {100 * self.timestep:.6g}"
        if self.pressure is None:
            return [f"fix integrate all nvt temp {t}", "fix still all momentum 1000 linear 1 1 1"]
        p = f"{self.pressure:.6g} {self.pressure:.6g} {500 * self.timestep:.6g}"
        return [f"fix integrate all npt temp {t} iso {p}", "fix still all momentum 1000 linear 1 1 1"]

    def _gamma_lines(self, start: int) -> list[str]:
        watch = self.gamma
        if watch is None:
            return []
        lines = [
            "",
            "# extrapolation grade of every atom, its maximum, and what to do about it",
            f"fix gamma all pair {watch.every} pace/extrapolation gamma 1",
            "compute gamma_max all reduce max f_gamma",
            "variable gamma_max equal c_gamma_max",
        ]
        if watch.select is not None:
            lines += [
                f"variable keep_out equal c_gamma_max<={watch.select:.6g}",
                f"dump extrapolating all custom {watch.every} {watch.file} id mol type x y z ix iy iz f_gamma",
                'dump_modify extrapolating sort id format float "%.12g" skip v_keep_out',
            ]
            if start > 0:
                lines.append(f"dump_modify extrapolating delay {start + 1}")
        if watch.histogram_every is not None:
            lines += histogram_lines(watch.every, watch.histogram_every)
        if watch.halt is not None:
            lines.append(f"fix halt all halt {watch.every} v_gamma_max > {watch.halt:.6g} error soft")
        return lines

    def _enough_lines(self) -> list[str]:
        watch = self.gamma
        if watch is None or watch.enough is None:
            return []
        return [
            "",
            "# the mean of 0 (not kept) and 1 (kept) over all looks so far, times the number of looks",
            f"variable extrapolates equal c_gamma_max>{watch.select:.6g}",
            f"fix kept all ave/time {watch.every} 1 {watch.every} v_extrapolates ave running",
            f'variable n_kept equal "f_kept*(floor(step/{watch.every})+1)"',
            f"fix enough all halt {watch.every} v_n_kept > {watch.enough - 0.5:.6g} error soft",
        ]

    def _thermo(self) -> list[str]:
        columns, lines = "step time temp press pe ke etotal density vol", [""]
        if self.gamma is not None:
            columns += " v_gamma_max"
        modify = "thermo_modify norm no flush yes"
        if self.labels is not None:
            columns += " " + " ".join(f"c_virial[{k}]" for k in range(1, 7))
            lines.append("compute virial all pressure NULL virial")
            modify += " format float %.17g"
        return [*lines, f"thermo_style custom {columns}", modify, f"thermo {self.table_every}"]


def label_dump(file: str, every: int) -> Dump:
    """The dump that `polypace.reference.read_labels` reads, in full precision."""
    return Dump(file, every, ("id", "type", "mol", "x", "y", "z", "ix", "iy", "iz", "fx", "fy", "fz"), 17, times=False)
