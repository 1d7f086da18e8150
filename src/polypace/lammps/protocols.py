"""Molecular dynamics protocols as LAMMPS input that a person can read and run again by hand.

A protocol knows nothing of force fields: it gets the lines that define the interactions (ACE or classical) as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from polypace.errors import InputError


@dataclass(frozen=True)
class Dump:
    """A trajectory: `columns` of `dump custom`, every `every` steps."""

    file: str
    every: int
    columns: tuple[str, ...] = ("id", "mol", "type", "xu", "yu", "zu")
    digits: int = 10


@dataclass(frozen=True)
class GammaWatch:
    """Extrapolation grades during MD.

    Every `every` steps the largest gamma is printed as thermo column `v_gamma_max`; frames with gamma above `select`
    go to `file`, and the run ends softly above `halt`.
    """

    every: int
    select: float | None = None
    halt: float | None = None
    file: str = "extrapolating.dump"


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
    final_data: str | None = "final.data"
    title: str = "molecular dynamics"
    extra: Sequence[str] = field(default_factory=tuple)

    def script(self) -> str:
        """Return the input text."""
        if self.steps < 0 or self.relax_steps < 0 or self.timestep <= 0:
            raise InputError(
                f"steps ({self.steps}) and relax_steps ({self.relax_steps}) must not be negative and the timestep "
                f"({self.timestep} ps) must be positive"
            )
        parts = [f"# {self.title}", *self.interactions, "", f"timestep {self.timestep:.6g}"]
        parts += ["neighbor 1.5 bin", "neigh_modify every 1 delay 5 check yes", "thermo_modify norm no flush yes"]
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
                "reset_timestep 0",
                "",
            ]
        parts += [*self._ensemble(), *self._gamma_lines(), *self._thermo(), *self._dump_lines(), *self.extra]
        parts += ["", f"run {self.steps}"]
        if self.final_data:
            parts.append(f"write_data {self.final_data} nocoeff")
        return "\n".join(parts) + "\n"

    def _ensemble(self) -> list[str]:
        t = f"{self.temperature:.6g} {self.temperature:.6g} {100 * self.timestep:.6g}"
        if self.pressure is None:
            return [f"fix integrate all nvt temp {t}", "fix still all momentum 1000 linear 1 1 1"]
        p = f"{self.pressure:.6g} {self.pressure:.6g} {500 * self.timestep:.6g}"
        return [f"fix integrate all npt temp {t} iso {p}", "fix still all momentum 1000 linear 1 1 1"]

    def _gamma_lines(self) -> list[str]:
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
        if watch.halt is not None:
            lines.append(f"fix halt all halt {watch.every} v_gamma_max > {watch.halt:.6g} error soft")
        return lines

    def _thermo(self) -> list[str]:
        columns = "step time temp press pe ke etotal density vol"
        every, lines = self.thermo_every, [""]
        if self.gamma is not None:
            columns, every = f"{columns} v_gamma_max", self.gamma.every
        if self.labels is not None:
            columns += " " + " ".join(f"c_virial[{k}]" for k in range(1, 7))
            lines.append("compute virial all pressure NULL virial")
            lines.append("thermo_modify format float %.17g")
        return [*lines[:2], f"thermo_style custom {columns}", *lines[2:], f"thermo {every}"]

    def _dump_lines(self) -> list[str]:
        lines = []
        for name, dump in (("trajectory", self.dump), ("labels", self.labels)):
            if dump is not None:
                lines.append(f"dump {name} all custom {dump.every} {dump.file} {' '.join(dump.columns)}")
                lines.append(f'dump_modify {name} sort id format float "%.{dump.digits}g"')
        return lines


def label_dump(file: str, every: int) -> Dump:
    """The dump that `polypace.reference.read_labels` reads, in full precision."""
    return Dump(file, every, ("id", "type", "mol", "x", "y", "z", "ix", "iy", "iz", "fx", "fy", "fz"), 17)
