"""What entangled chains would cost, from the speed that this study measured."""

from __future__ import annotations

from typing import Any

from polypace.lammps.log import read_loop_cost
from polypace.study.plan import Production
from polypace.study.schema import StudySpec
from polypace.study.work import Work

#: Chains of an entangled melt: its box is then wider than twice R_g, and averages over chains are good to a few percent.
CHAINS = 100
CORES_PER_NODE = 64
#: Frames that dynamics from 1 ps to the end needs with logarithmic blocks, and bytes per atom and frame (three float32).
FRAMES, BYTES = 20_000, 12


def price_of(spec: StudySpec, production: Production, work: Work) -> dict[str, Any]:
    """Steps, core and node hours, and disk for `transfer.entangled` chain lengths over `transfer.entangled_time`.

    The speed is that of the study's run of the longest chain with the ACE, γ every `gamma_every` steps included, in
    processor time of LAMMPS on as many ranks as the study has. Node hours assume that so many cores scale without loss:
    an underestimate by what a scaling run on the cluster shows.
    """
    assert spec.transfer is not None
    length, step = max(production.nvt.items())
    n_atoms = work.read(step, "run.json")["n_atoms"]
    costs = [read_loop_cost(log) for log in sorted((work.store.folder(step) / "nvt").glob("log.*.lammps"))]
    speed = sum(cost.core_seconds for cost in costs) / (n_atoms * sum(cost.steps for cost in costs))
    time = spec.transfer.entangled_time
    return {
        "measured_on": f"C{length}",
        "core_seconds_per_atom_step": speed,
        "time_ps": time,
        "chains": CHAINS,
        "cores_per_node": CORES_PER_NODE,
        "runs": [_run(n, time, spec.production.timestep, speed) for n in spec.transfer.entangled],
    }


def _run(length: int, time: float, timestep: float, speed: float) -> dict[str, Any]:
    atoms, steps = CHAINS * length, round(time / timestep)
    hours = speed * atoms * steps / 3600
    return {
        "chain_length": length,
        "atoms": atoms,
        "steps": steps,
        "core_hours": hours,
        "node_hours": hours / CORES_PER_NODE,
        "disk_GB": FRAMES * atoms * BYTES / 1e9,
    }
