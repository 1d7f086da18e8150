"""A small melt in a long run with everything that must survive a seam, and processes that are killed while it runs.

python -m tests.helpers.long_runs FOLDER RANKS STEPS SEGMENT     # starts the run in FOLDER, or goes on with it
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from polypace.ace import Potential
from polypace.lammps import (
    Dump,
    GammaWatch,
    LogBlocks,
    LongRun,
    MolecularDynamics,
    RunningMSD,
    ace_pair_lines,
    label_dump,
    read_long_run,
    run_long,
)
from tests.helpers.potentials import ELEMENTS, random_potential

ROOT = Path(__file__).resolve().parents[2]
SIDE, SPACING, CHAIN = 4, 2.7, 8
STEPS, SEGMENT = 1000, 100


def write_inputs(folder: Path) -> list[Path]:
    """A simple cubic start of chains of two elements, a random potential, and an active set of regular matrices."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(11)
    (folder / "p.yaml").write_text(random_potential(rng, scale=0.005))
    n_functions = Potential.read(folder / "p.yaml").n_functions
    matrices = {element: np.eye(n) + 0.1 * rng.normal(size=(n, n)) for element, n in n_functions.items()}
    np.savez(folder / "p.npz", **matrices)
    (folder / "p.npz").rename(folder / "p.asi")
    grid = SPACING * np.stack(np.meshgrid(*3 * [np.arange(SIDE)], indexing="ij"), axis=-1).reshape(-1, 3)
    box = "".join(f"0 {SIDE * SPACING} {axis}lo {axis}hi\n" for axis in "xyz")
    rows = [f"{i} {1 + (i - 1) // CHAIN} {1 + i % 2} {x} {y} {z}" for i, (x, y, z) in enumerate(grid.tolist(), 1)]
    (folder / "start.data").write_text(
        f"a melt\n\n{len(grid)} atoms\n2 atom types\n\n{box}\nMasses\n\n1 12.0\n2 1.0\n\nAtoms  # molecular\n\n"
        + "\n".join(rows)
        + "\n"
    )
    return [folder / name for name in ("start.data", "p.yaml", "p.asi")]


def protocol(steps: int = STEPS, **changes) -> MolecularDynamics:
    """Nosé–Hoover with log-spaced and regular frames, labels, grades with histograms, kept frames, running MSD."""
    pair = ace_pair_lines("p.yaml", ELEMENTS, {name: name for name in ELEMENTS}, "p.asi")
    start = ["units metal", "atom_style molecular", "boundary p p p", "newton on", "read_data start.data"]
    values = {
        "interactions": [*start, *pair.splitlines()],
        "temperature": 300.0,
        "timestep": 0.0005,
        "steps": steps,
        "seed": 17,
        "relax_steps": 10,
        "thermo_every": 10,
        "dump": Dump("melt.dump", 30, blocks=LogBlocks(70, per_decade=4)),
        "labels": label_dump("labels.dump", 50),
        "gamma": GammaWatch(10, select=5.0, alarm=20.0, histogram_every=20),
        "msd": RunningMSD(5, points=8),
    }
    return MolecularDynamics(**(values | changes))


def go_on(folder: Path, n_ranks: int, steps: int = STEPS, **options) -> LongRun:
    """Start or continue the run."""
    options = {"segment_steps": SEGMENT, "stall_timeout": 60.0} | options
    return run_long(protocol(steps), folder / "run", write_inputs(folder), n_ranks=n_ranks, **options)


def fingerprint(run: LongRun) -> dict[str, object]:
    """Everything that must not depend on kills: thermo, and SHA-256 of all files that hold no times of day."""
    run.verify()
    timed = {"log.lammps", "screen.txt"}
    files = {
        f"{segment.folder_name}/{name}": entry["sha256"]
        for segment in run.segments
        for name, entry in segment.files.items()
        if name not in timed
    }
    return {"files": files, "thermo": {name: values.tolist() for name, values in run.thermo.items()}}


def start(folder: Path, n_ranks: int, steps: int, segment_steps: int) -> subprocess.Popen[bytes]:
    """The run as a process group of its own."""
    command = [sys.executable, "-m", "tests.helpers.long_runs", str(folder), *map(str, (n_ranks, steps, segment_steps))]
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)


def kill(process: subprocess.Popen[bytes], folder: Path, how: str) -> bool:
    """kill -9 of the caller with its group, of the launcher, or of one rank; False when there was none."""
    if how == "group":
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    wanted = "lmp" if how == "rank" else "mpirun"
    found = [pid for pid, name in processes_in(folder / "run" / "segments" / "current") if name.startswith(wanted)]
    if not found:
        return False
    try:
        os.kill(found[-1], signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def processes_in(folder: os.PathLike[str]) -> list[tuple[int, str]]:
    """Processes whose working directory is `folder`, with their names."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.readlink(f"/proc/{entry}/cwd").removesuffix(" (deleted)") == str(folder):
                found.append((int(entry), Path(f"/proc/{entry}/comm").read_text().strip()))
        except OSError:
            continue
    return found


def wait_until(condition, seconds: float = 20.0, pause: float = 0.05) -> None:
    """Wait for what must happen soon."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(pause)


def kill_at_random(
    folder: Path,
    n_ranks: int,
    n_kills: int,
    rng: np.random.Generator,
    longest: float,
    steps: int = STEPS,
    segment_steps: int = SEGMENT,
) -> list[tuple[str, float, int]]:
    """Kill the run `n_kills` times or until it is done, then let it end; returns how, when (s), and at which step.

    The first two kills come while a segment is being made, however fast the machine is.
    """
    kinds = ["group", "group", "rank"] if n_ranks == 1 else ["group", "rank", "launcher"]
    kills: list[tuple[str, float, int]] = []
    process = start(folder, n_ranks, steps, segment_steps)
    for _ in range(min(2, n_kills)):
        wait_until(lambda: processes_in(folder / "run" / "segments" / "current"), pause=0.005)
        kill(process, folder, "group")
        kills.append(("group", 0.0, step_of(folder)))
        process = start(folder, n_ranks, steps, segment_steps)
    while len(kills) < n_kills:
        delay, how = float(rng.uniform(0.0, longest)), kinds[len(kills) % len(kinds)]
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            if kill(process, folder, how):
                kills.append((how, round(delay, 3), step_of(folder)))
        else:
            if step_of(folder) >= steps:
                break
        if process.poll() is not None:
            process = start(folder, n_ranks, steps, segment_steps)
    while process.wait(300) != 0 or step_of(folder) < steps:
        process = start(folder, n_ranks, steps, segment_steps)
    wait_until(lambda: not processes_in(folder / "run" / "segments" / "current"))
    return kills


def step_of(folder: Path) -> int:
    """The last step that is safe."""
    return read_long_run(folder / "run").step if (folder / "run" / "manifest.json").is_file() else 0


if __name__ == "__main__":
    go_on(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), segment_steps=int(sys.argv[4]))
