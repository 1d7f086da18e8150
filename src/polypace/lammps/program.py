"""A LAMMPS program as it was found, and what the switches of its command ask for."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# Open MPI binds every run to the same first cores, and refuses more ranks than a batch job's tasks, and root.
OPEN_MPI = {
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_hwloc_default_binding_policy": "none",  # version 5
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
}


@dataclass(frozen=True)
class LammpsProgram:
    """A LAMMPS program that was run once and told what it is.

    `command` starts it (without its arguments), `environment` is what it needs on top of the caller's
    variables, `version` reads like "22 Jul 2025 - Update 4", `number` like 20250722, `styles` has entries
    such as "pair pace" and "fix nvt", plugins included. `mpi` is "MPICH …", … or "" for a build without MPI.
    """

    command: tuple[str, ...]
    source: str
    version: str
    number: int
    packages: frozenset[str]
    styles: frozenset[str]
    mpi: str
    accelerators: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    is_wheel: bool = False
    plugin_problem: str = ""  # what LAMMPS said about our plugin when it did not load it

    @property
    def knows_labels(self) -> bool:
        """Whether data files may name their types (Atom Type Labels); KOKKOS's atoms cannot."""
        return self.number >= 20220915 and not uses_kokkos(self.command)

    def missing(self, styles: Sequence[str]) -> list[str]:
        """Those of `styles` ("pair pace", …) that this program lacks."""
        return [style for style in styles if style not in self.styles]

    def full_environment(self, n_threads: int = 1) -> dict[str, str]:
        """Environment to start the program in."""
        mpi = OPEN_MPI if "Open MPI" in self.mpi else {}
        threads = max(n_threads, kokkos_threads(self.command))
        return {**mpi, **os.environ, **self.environment, "OMP_NUM_THREADS": str(threads)}


def uses_kokkos(command: Sequence[str]) -> bool:
    """Whether the switches of a command turn KOKKOS's styles on (`-sf kk`, `-suffix kk`, also in a hybrid suffix)."""
    suffixes = [place for place, word in enumerate(command) if word in ("-sf", "-suffix")]
    return any("kk" in command[place + 1 : place + 4] for place in suffixes)


def kokkos_threads(command: Sequence[str]) -> int:
    """Threads a rank that the switches of a command ask of KOKKOS (`-k on t 4`), 1 without."""
    found = re.search(r" -k(?:okkos)? on (?:[^-]* )?t(?:hreads)? (\d+)", f" {' '.join(command)}")
    return int(found.group(1)) if found else 1
