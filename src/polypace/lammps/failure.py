"""What a failed run is reported with: the causes told apart, each with its remedy."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
from pathlib import Path

from polypace.errors import InterruptedRunError, ProgramError, UnstableRunError
from polypace.lammps.log import parse_errors

TIMED_OUT, HUNG, INCOMPLETE = 1000, 1001, 1002  # no exit codes of programs
FULL = "the disk is full (or the quota used up): free space, then run again"

# Kokkos of pace/kk on GPUs before September 2026, CUDA and HIP.
SCRATCH = r"[Rr]equested too much scratch memory|could not find a valid team size"
KOKKOS_REMEDY = (
    "an atom has more neighbours than pace/kk of this LAMMPS holds in the GPU's shared memory (380 in 48 kB): take LAMMPS "
    "of September 2026 or later, a smaller neighbor skin, or pace without KOKKOS"
)

# What launchers write when a rank was ended from outside: MPICH, Open MPI, Slurm.
_KILLED_RANK = (
    r"EXIT STRING: .*\(signal (?P<mpich>\d+)\)",
    r"exited on signal (?P<openmpi>\d+)",
    r"srun: error: .*(?:Killed|Terminated|Node failure|NODE FAIL)",
    r"slurmstepd: error: .*(?:CANCELLED|DUE TO|oom)",
)
# The same when they lost a node, or their own process that keeps the ranks there.
_LOST_NODE = (
    r"control_cb .*assert \(!closed\) failed",
    r"(?:ORTE|PRTE|PRRTE) has lost communication with a remote daemon",
)
# Signals that come from outside; the others are the program's own crash.
_FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}


def failure(
    folder: Path, command: tuple[str, ...], code: int, text: str, seconds: float | None = None
) -> ProgramError | UnstableRunError:
    """The error that a failed run is reported with; `seconds` is the limit that it broke."""
    found = parse_errors(text)
    killer = _killer(code, text)
    kind: type[ProgramError] | type[UnstableRunError] = ProgramError
    if found.lost_atoms:
        kind, reason = UnstableRunError, "; ".join(found.errors)
    elif _is_full(folder, text):
        reason = "; ".join([*found.errors, FULL])
    elif re.search(SCRATCH, text):
        reason = KOKKOS_REMEDY
    elif found.errors:
        reason = "; ".join(found.errors)
    elif code == TIMED_OUT:
        kind, reason = InterruptedRunError, f"it did not end within {seconds:g} s"
    elif code == HUNG:
        kind = InterruptedRunError
        reason = (
            f"no file changed for {seconds:g} s, longer than the time a run may be silent: a hung rank, node or file "
            "system; run again, without that node if it happens there only"
        )
    elif code == INCOMPLETE:
        reason = "it ended without an error, but its log is not whole: was the disk full?"
    elif killer is not None:
        kind = InterruptedRunError if killer in _FROM_OUTSIDE else ProgramError
        reason = _of_signal(killer)
    elif any(re.search(pattern, text) for pattern in _LOST_NODE):
        kind, reason = InterruptedRunError, "the launcher lost its process that keeps the ranks: a lost node; run again"
    else:
        reason = f"exit code {code} without an ERROR line"
    at = f" at the command '{found.last_command}'" if found.last_command else ""
    last = "\n".join(text.strip().splitlines()[-8:])
    return kind(f"LAMMPS failed in {folder}{at}: {reason}\n  command: {shlex.join(command)}\n  last lines:\n{last}")


def _is_full(folder: Path, text: str) -> bool:
    return "No space left on device" in text or shutil.disk_usage(folder).free < 1 << 20


def _killer(code: int, text: str) -> int | None:
    """The signal that ended the program or one of its ranks."""
    if code < 0:
        return -code
    for pattern in _KILLED_RANK:
        match = re.search(pattern, text)
        if match:
            numbers = [int(number) for number in match.groups() if number]
            return numbers[0] if numbers else signal.SIGKILL
    return None


def _of_signal(number: int) -> str:
    name = signal.Signals(number).name if number in set(signal.Signals) else "unknown"
    if number in _FROM_OUTSIDE:
        return (
            f"it or one of its ranks was ended by signal {number} ({name}): a lost node, the kernel short of memory "
            "(see dmesg), a batch system's limit or a person; run again"
        )
    return f"it or one of its ranks crashed with signal {number} ({name})"
