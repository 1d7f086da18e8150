"""Error of the core's forces, cluster against melt, versus buffer radius: the figure of the docs.

    python bench/carve_core_forces.py --figure docs/explanation/carving-core-forces.png
    python bench/carve_core_forces.py --only gfn2-xtb --seeds 4        # pip install 'polypace[xtb]'

Short chains are built and equilibrated briefly in LAMMPS, labelled, carved and labelled again with the same
short-ranged force field (TraPPE-UA: Lennard-Jones to 10 Å; L-OPLS: with damped shifted Coulomb). All clusters
of one force field are labelled in one run, side by side in a large box. Checked first: where the force
field's whole sphere around an atom is in the cluster, its force is the melt's to 1e-7 eV/Å. GFN2-xTB labels clusters
out of the melt of L-OPLS; its reference are the largest clusters.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import ase
import numpy as np

from polypace.carve import Cluster, carve_clusters
from polypace.forcefields import get_force_field
from polypace.lammps import run_lammps
from polypace.melt import Melt
from polypace.reference import (
    equilibration_script,
    force_field_interactions,
    label_script,
    quantum_calculator,
    quantum_method,
    read_labels,
    write_dump,
)
from polypace.systems import build_melt, read_lammps_data, write_lammps_data

REACH = 10.0  # Å, cutoff of both force fields
SHELLS = ((0.0, 2.0), (2.0, 4.0))  # Å from the seed
#: force field: chains of C16, buffer radii (Å)
CASES = {"trappe-ua": (100, (4, 5, 6, 7, 8, 9, 10, 12)), "l-opls": (36, (4, 5, 6, 7, 8, 9, 10))}
XTB_RADII = (4, 5, 6, 7, 8, 10)  # Å, the last one for reference


def equilibrated(name: str, n_chains: int, folder: Path, steps: int) -> Melt:
    force_field = get_force_field(name)
    melt = build_melt(16, n_chains, density=0.75, force_field=force_field, seed=2)
    interactions = force_field_interactions(force_field, melt.type_names)
    write_lammps_data(melt, folder / "built.data", force_field)
    script = equilibration_script(
        interactions, "built.data", "melt.data", temperature=350.0, push_off_steps=steps // 3,
        langevin_steps=steps, npt_steps=steps // 3,
    )  # fmt: skip
    run_lammps(script, folder)
    return read_lammps_data(folder / "melt.data")


def forces(melt: Melt, name: str, folder: Path) -> np.ndarray:
    folder.mkdir()
    force_field = get_force_field(name)
    interactions = force_field_interactions(force_field, melt.type_names)
    write_lammps_data(melt, folder / "melt.data", force_field)
    write_dump([melt.atoms], folder / "frame.dump")
    run_lammps(label_script(interactions, "melt.data", "frame.dump", "labels.dump"), folder)
    (frame,) = read_labels(folder / "labels.dump", folder / "log.lammps", melt)
    return frame.get_forces()


def side_by_side(clusters) -> Melt:
    """All clusters in one box, further apart than the force field reaches."""
    edge = max(cluster.atoms.cell.lengths().max() for cluster in clusters)
    n = int(np.ceil(len(clusters) ** (1 / 3)))
    places = np.array(np.unravel_index(np.arange(len(clusters)), (n, n, n))).T * edge
    positions = np.concatenate([c.atoms.positions + p for c, p in zip(clusters, places, strict=True)])
    numbers = np.concatenate([c.atoms.numbers for c in clusters])
    masses = np.concatenate([c.atoms.get_masses() for c in clusters])
    starts = np.cumsum([0, *(len(c.atoms) for c in clusters)])
    bonds = np.concatenate([c.bonds + start for c, start in zip(clusters, starts, strict=False)])
    pieces = np.cumsum([0, *(c.melt.molecules.max() + 1 for c in clusters)])
    molecules = np.concatenate([c.melt.molecules + p for c, p in zip(clusters, pieces, strict=False)])
    types = tuple(name for c in clusters for name in c.melt.types)
    atoms = ase.Atoms(numbers, positions, cell=[n * edge] * 3, pbc=True, masses=masses)
    return Melt(atoms, bonds, molecules, types)


def check(melt: Melt, name: str, reference: np.ndarray, folder: Path) -> None:
    """Atoms with the force field's whole sphere feel exactly what they felt in the melt."""
    seed = int(np.flatnonzero(melt.atoms.numbers == 6)[100])
    (cluster,) = carve_clusters(melt, [seed], 1.0, REACH + 4.0, cutoff=REACH, vacuum=6.0)
    found = forces(side_by_side([cluster]), name, folder)
    counts = cluster.force_weight > 0
    worst = np.abs(found[counts] - reference[cluster.source[counts]]).max()
    print(f"{name}: forces of {counts.sum()} atoms with a whole sphere differ by {worst:.1e} eV/Å", flush=True)
    assert worst < 1e-7


def carve(melt: Melt, radii: Sequence[float], n_seeds: int) -> list[tuple[int, list[Cluster]]]:
    """Seeds, each with its clusters of all buffer radii."""
    carbons = np.flatnonzero(melt.atoms.numbers == 6)
    seeds = np.random.default_rng(5).choice(carbons, n_seeds, replace=False).tolist()
    carved = [carve_clusters(melt, seeds, 0.5, float(radius), cutoff=1.0, merge=False, vacuum=6.0) for radius in radii]
    return [(seed, [clusters[k] for clusters in carved]) for k, seed in enumerate(seeds)]


def force_field_labels(clusters: Sequence[Cluster], name: str, folder: Path) -> list[np.ndarray]:
    """Forces of each cluster, all labelled in one run."""
    found = forces(side_by_side(clusters), name, folder)
    return np.split(found, np.cumsum([len(cluster.atoms) for cluster in clusters])[:-1])


def xtb_labels(clusters: Sequence[Cluster]) -> list[np.ndarray]:
    calculator = quantum_calculator(quantum_method("gfn2-xtb"))
    labels = []
    for cluster in clusters:
        molecule = ase.Atoms(cluster.atoms.numbers, cluster.atoms.positions)
        labels.append(calculator.get_forces(molecule))
    return labels


def errors(
    radii: Sequence[float],
    carved: list[tuple[int, list[Cluster]]],
    labels: list[np.ndarray],
    references: list[np.ndarray],
) -> list[tuple[float, ...]]:
    """Buffer radius, mean number of atoms and cuts, and rms |ΔF| (eV/Å) per shell; `labels` cluster by cluster, seed by
    seed, `references` the forces of all atoms of the melt, for every seed.
    """
    rows = []
    for place, radius in enumerate(radii):
        squares: list[list[float]] = [[] for _ in SHELLS]
        for number, (seed, clusters) in enumerate(carved):
            cluster, found = clusters[place], labels[number * len(radii) + place]
            kept = cluster.source >= 0
            here = cluster.atoms.positions
            center = here[np.flatnonzero(cluster.source == seed)[0]]
            distance = np.linalg.norm(here - center, axis=1)
            change = found[kept] - references[number][cluster.source[kept]]
            for shell, (low, high) in enumerate(SHELLS):
                inside = (distance[kept] >= low) & (distance[kept] < high)
                squares[shell] += (change[inside] ** 2).sum(axis=1).tolist()
        rms = [float(np.sqrt(np.mean(values))) for values in squares]
        n_atoms = float(np.mean([len(clusters[place].atoms) for _, clusters in carved]))
        n_caps = float(np.mean([len(clusters[place].provenance["cut_bonds"]) for _, clusters in carved]))
        rows.append((radius, n_atoms, n_caps, *rms))
    return rows


def force_field_case(name: str, options: argparse.Namespace, folder: Path) -> tuple[float, list[tuple[float, ...]]]:
    """Rms |F| (eV/Å) of the melt and the rows of `errors`."""
    n_chains, radii = CASES[name]
    melt = equilibrated(name, n_chains, folder, options.steps)
    reference = forces(melt, name, folder / "melt")
    check(melt, name, reference, folder / "check")
    carved = carve(melt, radii, options.seeds)
    labels = force_field_labels([one for _, clusters in carved for one in clusters], name, folder / "clusters")
    rows = errors(radii, carved, labels, [reference] * len(carved))
    return float(np.sqrt((reference**2).sum(axis=1).mean())), rows


def xtb_case(options: argparse.Namespace, folder: Path) -> tuple[float, list[tuple[float, ...]]]:
    """As `force_field_case`; the largest cluster of each seed stands for the melt."""
    melt = equilibrated("l-opls", CASES["l-opls"][0], folder, options.steps)
    carved = carve(melt, XTB_RADII, options.seeds)
    labels = xtb_labels([one for _, clusters in carved for one in clusters])
    references = []
    for number, (_, clusters) in enumerate(carved):
        known = clusters[-1].source >= 0
        reference = np.full((len(melt.atoms), 3), np.nan)
        reference[clusters[-1].source[known]] = labels[(number + 1) * len(XTB_RADII) - 1][known]
        references.append(reference)
    rms = float(np.sqrt(np.nanmean([(reference**2).sum(axis=1) for reference in references])))
    return rms, errors(XTB_RADII, carved, labels, references)[:-1]


def draw(tables, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    size = (4 * len(tables), 3.4)
    axes = pyplot.subplots(1, len(tables), figsize=size, sharey=True, layout="constrained", squeeze=False)[1][0]
    for axis, (name, rows) in zip(axes, tables.items(), strict=True):
        radii, sizes, _, *curves = np.array(rows).T
        for (low, high), curve in zip(SHELLS, curves, strict=True):
            axis.semilogy(radii, curve, "o-", label=f"{low:.0f}–{high:.0f} Å from the seed")
        for radius, size, top in zip(radii, sizes, curves[-1], strict=True):
            axis.annotate(f"{size:.0f}", (radius, top), textcoords="offset points", xytext=(0, 6), fontsize=7)
        axis.set_title(name)
        axis.set_xlabel("buffer radius (Å)")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("rms |ΔF|, cluster − melt (eV/Å)")
    axes[0].legend(frameon=False)
    axes[0].figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", type=Path, default=Path("carving-core-forces.png"))
    parser.add_argument("--steps", type=int, default=3000, help="Langevin steps; a third before and after")
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--only", nargs="+", choices=[*CASES, "gfn2-xtb"], default=list(CASES))
    options = parser.parse_args()
    tables = {}
    for name in options.only:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            rms, tables[name] = (
                xtb_case(options, folder) if name == "gfn2-xtb" else force_field_case(name, options, folder)
            )
        print(f"\n{name}: rms |F| {rms:.3f} eV/Å\n")
        print("| buffer (Å) | atoms | cuts | r < 2 Å | 2–4 Å |\n|---|---|---|---|---|")
        for radius, n_atoms, n_caps, inner, outer in tables[name]:
            print(f"| {radius} | {n_atoms:.0f} | {n_caps:.1f} | {inner:.4f} | {outer:.4f} |", flush=True)
    draw(tables, options.figure)


if __name__ == "__main__":
    main()
