"""Error of the core's forces, cluster against melt, versus buffer radius: the figure of the docs.

    python bench/carve_core_forces.py --figure docs/explanation/carving-core-forces.png

Short chains are built and equilibrated briefly in LAMMPS, labelled, carved and labelled again with the same
short-ranged force field (TraPPE-UA: Lennard-Jones to 10 Å; L-OPLS: with damped shifted Coulomb). All clusters
of one force field are labelled in one run, side by side in a large box. Checked first: where the force
field's whole sphere around an atom is in the cluster, its force is the melt's to 1e-7 eV/Å.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import ase
import numpy as np

from polypace.carve import carve_clusters
from polypace.forcefields import get_force_field
from polypace.lammps import run_lammps
from polypace.melt import Melt
from polypace.reference import (
    equilibration_script,
    force_field_interactions,
    label_script,
    read_labels,
    write_dump,
)
from polypace.systems import build_melt, read_lammps_data, write_lammps_data

REACH = 10.0  # Å, cutoff of both force fields
SHELLS = ((0.0, 2.0), (2.0, 4.0))  # Å from the seed
#: force field: chains of C16, buffer radii (Å)
CASES = {"trappe-ua": (100, (4, 5, 6, 7, 8, 9, 10, 12)), "l-opls": (36, (4, 5, 6, 7, 8, 9, 10))}


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


def errors(melt: Melt, name: str, reference: np.ndarray, radii, n_seeds: int, folder: Path):
    """rms |ΔF| (eV/Å) per shell and mean number of atoms and caps, for every buffer radius."""
    carbons = np.flatnonzero(melt.atoms.numbers == 6)
    seeds = np.random.default_rng(5).choice(carbons, n_seeds, replace=False).tolist()
    carved = [carve_clusters(melt, seeds, 0.5, float(radius), cutoff=1.0, merge=False, vacuum=6.0) for radius in radii]
    everything = [cluster for clusters in carved for cluster in clusters]
    found = forces(side_by_side(everything), name, folder)
    starts = iter(np.cumsum([0, *(len(cluster.atoms) for cluster in everything)]))
    rows = []
    for radius, clusters in zip(radii, carved, strict=True):
        squares: list[list[float]] = [[] for _ in SHELLS]
        for cluster, seed in zip(clusters, seeds, strict=True):
            start = next(starts)
            kept = cluster.source >= 0
            here = cluster.atoms.positions
            center = here[np.flatnonzero(cluster.source == seed)[0]]
            distance = np.linalg.norm(here - center, axis=1)
            change = found[start : start + len(here)][kept] - reference[cluster.source[kept]]
            for shell, (low, high) in enumerate(SHELLS):
                inside = (distance[kept] >= low) & (distance[kept] < high)
                squares[shell] += (change[inside] ** 2).sum(axis=1).tolist()
        rms = [float(np.sqrt(np.mean(values))) for values in squares]
        n_atoms = np.mean([len(cluster.atoms) for cluster in clusters])
        n_caps = np.mean([len(cluster.provenance["cut_bonds"]) for cluster in clusters])
        rows.append((radius, n_atoms, n_caps, *rms))
    return rows


def draw(tables, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(tables), figsize=(8, 3.4), sharey=True, layout="constrained")
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
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", type=Path, default=Path("carving-core-forces.png"))
    parser.add_argument("--steps", type=int, default=3000, help="Langevin steps; a third before and after")
    parser.add_argument("--seeds", type=int, default=12)
    options = parser.parse_args()
    tables = {}
    for name, (n_chains, radii) in CASES.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            melt = equilibrated(name, n_chains, folder, options.steps)
            reference = forces(melt, name, folder / "melt")
            check(melt, name, reference, folder / "check")
            tables[name] = errors(melt, name, reference, radii, options.seeds, folder / "clusters")
        rms = np.sqrt((reference**2).sum(axis=1).mean())
        print(f"\n{name}: rms |F| {rms:.3f} eV/Å\n")
        print("| buffer (Å) | atoms | cuts | r < 2 Å | 2–4 Å |\n|---|---|---|---|---|")
        for radius, n_atoms, n_caps, inner, outer in tables[name]:
            print(f"| {radius} | {n_atoms:.0f} | {n_caps:.1f} | {inner:.4f} | {outer:.4f} |", flush=True)
    draw(tables, options.figure)


if __name__ == "__main__":
    main()
