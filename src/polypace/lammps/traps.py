"""Versions and builds of LAMMPS that have a style and must not be run with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polypace.lammps.program import LammpsProgram

# pace/kk aborted with many neighbours until this date (LAMMPS issue 5063, corrected by pull request 5174).
KOKKOS_PACE_CORRECTED = 20260831


def traps(program: LammpsProgram, styles: Sequence[str]) -> list[str]:
    """Why `program` must not run `styles` ("pair pace", …) although it has them, each with its remedy."""
    found = []
    by_suffix = "pair pace" in styles and "pair pace/kk" in program.styles and uses_kokkos(program.command)
    if "pair pace/kk" in styles or by_suffix:
        found.append(kokkos_trap(program))
    return [trap for trap in found if trap]


def kokkos_trap(program: LammpsProgram) -> str:
    """Empty, or why this program's pace/kk is not to be trusted."""
    if program.number >= KOKKOS_PACE_CORRECTED:
        return ""
    return (
        f"its pace/kk ({program.version}) aborts where atoms have several hundred neighbours; remedy: LAMMPS of "
        "September 2026 or later, or pace without KOKKOS"
    )


def uses_kokkos(command: Sequence[str]) -> bool:
    """Whether the switches of a command turn KOKKOS's styles on (`-sf kk`, `-suffix kk`, also in a hybrid suffix)."""
    suffixes = [place for place, word in enumerate(command) if word in ("-sf", "-suffix")]
    return any("kk" in command[place + 1 : place + 4] for place in suffixes)
