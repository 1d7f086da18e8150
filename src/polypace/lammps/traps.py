"""Versions and builds of LAMMPS that have a style and must not be run with it."""

from __future__ import annotations

from collections.abc import Sequence

from polypace.lammps.program import LammpsProgram, kokkos_threads, uses_kokkos

# On GPUs pace/kk kept 32 neighbour lists in 48 kB of shared memory and aborted where one was longer than 380, and builds
# without GPUs stopped it on several threads, until this date (LAMMPS issue 5063, corrected by pull request 5174).
KOKKOS_PACE_CORRECTED, KOKKOS_MOST_NEIGHBORS = 20260831, 380
GPU_INTERFACES = ("CUDA", "HIP", "SYCL", "OpenMPTarget", "OpenACC")


def traps(program: LammpsProgram, styles: Sequence[str], most_neighbors: int | None = None) -> list[str]:
    """Why `program` must not run `styles` ("pair pace", …) although it has them, each with its remedy.

    `most_neighbors`: the most that an atom will have within cutoff and skin, None where that is not known.
    """
    found = []
    by_suffix = "pair pace" in styles and "pair pace/kk" in program.styles and uses_kokkos(program.command)
    if "pair pace/kk" in styles or by_suffix:
        found.append(kokkos_trap(program, most_neighbors))
    return [trap for trap in found if trap]


def kokkos_trap(program: LammpsProgram, most_neighbors: int | None = None) -> str:
    """Empty, or why this program's pace/kk is not to be trusted with so many neighbours."""
    if program.number >= KOKKOS_PACE_CORRECTED:
        return ""
    interfaces = [text for text in program.accelerators if text.startswith("KOKKOS")]
    if interfaces and not any(name in text for text in interfaces for name in GPU_INTERFACES):
        threads = kokkos_threads(program.command)
        if threads == 1:
            return ""
        return (
            f"its pace/kk ({program.version}) runs on one thread a rank only, not {threads}; remedy: -k on t 1 with more "
            "MPI ranks, or LAMMPS of September 2026 or later"
        )
    if most_neighbors is not None and most_neighbors <= KOKKOS_MOST_NEIGHBORS:
        return ""
    known = "" if most_neighbors is None else f" (here: {most_neighbors})"
    return (
        f"its pace/kk ({program.version}) aborts on GPUs where an atom has more than {KOKKOS_MOST_NEIGHBORS} neighbours "
        f"within cutoff and skin{known}; remedy: LAMMPS of September 2026 or later, or pace without KOKKOS"
    )
