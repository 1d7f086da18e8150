"""Communication model of a LAMMPS run with a short-ranged potential (docs/explanation/scaling.md).

One rank owns a cube of n atoms; its ghosts are the shell of width r = cutoff + skin around it. A step costs

    t(n) = (1 + w) t_share(n) + t_network(n, P)

t_share is measured with one rank on a periodic melt of n atoms, whose ghosts fill the same shell: evaluation, building
lists, packing and unpacking are in it. The network adds, forward for positions and back for forces, a message to each
neighbour in six directions and 24 bytes for every ghost, and reductions over all ranks (thermostat):

    t_network = 2 [ 6 m α + 24 n_ghost / β ] + 2 k α log2 P,    m = ceil(r / L),  L = (n / ρ)^(1/3)

with the latency α, the bandwidth β of a rank, and k reductions in a step. w is what ranks wait for the slowest of them
(measured on two).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ATOMS, RANKS = (10_000, 100_000, 1_000_000, 10_000_000), (64, 128, 256, 512, 1024, 2048, 4096)


@dataclass(frozen=True)
class Network:
    """Assumed: latency (s), bandwidth per rank (bytes/s; 25 GB/s of a node's card among 64 ranks), reductions a step.

    Measured: `waiting`, part of a share (two ranks lose 0 to 8 %, 3 % on average, beside two runs that know nothing of
    each other).
    """

    latency: float = 2e-6
    bandwidth: float = 4e8
    reductions: int = 2
    waiting: float = 0.03


# Two ranks of one machine: latency of a message through shared memory, bandwidth of a copy.
SHARED_MEMORY = Network(latency=5e-7, bandwidth=5e9)


@dataclass(frozen=True)
class Prediction:
    """A total of atoms on so many ranks: s per step, parallel efficiency, part of the network in the time."""

    atoms: int
    ranks: int
    seconds: float
    efficiency: float
    network: float


def ghosts(n: float, number_density: float, reach: float) -> float:
    """Atoms in the shell of width `reach` (Å) around a cube of n atoms."""
    side = (n / number_density) ** (1 / 3)
    return number_density * ((side + 2 * reach) ** 3 - side**3)


def network_seconds(n: float, ranks: int, number_density: float, reach: float, network: Network) -> float:
    """What the network adds to a step."""
    side = (n / number_density) ** (1 / 3)
    messages = 6 * np.ceil(reach / side)
    moved = 24 * ghosts(n, number_density, reach) / network.bandwidth
    return float(2 * (messages * network.latency + moved) + 2 * network.reductions * network.latency * np.log2(ranks))


def predicted(
    shares: Sequence[tuple[int, float, float]], number_density: float, reach: float, network: Network
) -> list[Prediction]:
    """Predictions for `ATOMS` × `RANKS` from measured (atoms, s per step, ghosts) of one rank.

    Between the measured sizes the cost per atom is interpolated in log n; above the largest it stays; below the smallest
    nothing is predicted.
    """
    sizes, seconds = np.array([s[0] for s in shares], float), np.array([s[1] for s in shares])
    rows = []
    for atoms in ATOMS:
        for ranks in RANKS:
            n = atoms / ranks
            if n < sizes[0]:
                continue
            share = n * float(np.interp(np.log(n), np.log(sizes), seconds / sizes))
            added = network_seconds(n, ranks, number_density, reach, network)
            total = (1 + network.waiting) * share + added
            rows.append(Prediction(atoms, ranks, total, n * seconds[-1] / sizes[-1] / total, added / total))
    return rows


def table_of(rows: Sequence[Prediction]) -> str:
    """Markdown: ns/day at 1 fs, efficiency, network's part."""
    lines = ["| atoms | ranks | atoms/rank | ms/step | ns/day at 1 fs | efficiency | network |", "|---|" + "---|" * 6]
    for row in rows:
        per_day = 86400 / row.seconds * 1e-6
        lines.append(
            f"| {row.atoms:,} | {row.ranks} | {row.atoms // row.ranks:,} | {1e3 * row.seconds:.3f} | {per_day:.3g} | "
            f"{100 * row.efficiency:.0f} % | {100 * row.network:.1f} % |"
        )
    return "\n".join(lines)
