"""`polypace carve`: clusters out of a periodic melt, as extxyz, with their provenance as JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from polypace.errors import InputError

if TYPE_CHECKING:
    from polypace.carve import Cluster
    from polypace.melt import Melt


def carve_command(
    melt: Annotated[Path, typer.Argument(help="LAMMPS data file of the melt, with bonds.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Clusters, extxyz.")] = Path("clusters.extxyz"),
    frame: Annotated[
        Path | None,
        typer.Option(
            help="Positions, cell (and forces) from the last frame of this file; with --worst from those named."
        ),
    ] = None,
    center: Annotated[
        list[int] | None, typer.Option(help="Atom to carve around, counted from 0; may be repeated.")
    ] = None,
    centers: Annotated[Path | None, typer.Option(help="File of atoms: a cluster per line.")] = None,
    worst: Annotated[
        Path | None,
        typer.Option(help="CSV of environments from `polypace grade --worst`: around those of FRAME, or of MELT."),
    ] = None,
    n_worst: Annotated[int | None, typer.Option(help="Only so many of --worst, the worst.")] = None,
    random: Annotated[int | None, typer.Option(help="So many heavy atoms at random instead.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of --random.")] = 0,
    core_radius: Annotated[float, typer.Option(help="Å")] = 2.0,
    buffer_radius: Annotated[float, typer.Option(help="Å")] = 7.0,
    mode: Annotated[str, typer.Option(help="capped, whole-molecules or periodic.")] = "capped",
    cutoff: Annotated[float | None, typer.Option(help="Cutoff of the potential to be fitted, Å.")] = None,
    labels: Annotated[str, typer.Option(help="cluster: computed later; inherited: forces of the frame.")] = "cluster",
    reference_cutoff: Annotated[float | None, typer.Option(help="Reach of inherited forces, Å.")] = None,
    max_atoms: Annotated[int | None, typer.Option(help="Limit per cluster, caps included.")] = None,
    merge: Annotated[bool, typer.Option(help="Join requests that lie in one core.")] = True,
    threads: Annotated[int, typer.Option(help="0: OMP_NUM_THREADS, else all cores.")] = 0,
) -> None:
    """Carve clusters: OUTPUT (extxyz, with force_weight per atom) and OUTPUT.provenance.jsonl."""
    from polypace.carve import carve_clusters

    clusters: list[Cluster] = []
    for system, chosen, source in _requests(melt, frame, center, centers, worst, n_worst, random, seed):
        clusters += carve_clusters(
            system,
            chosen,
            core_radius,
            buffer_radius,
            mode=mode,  # type: ignore[arg-type]
            cutoff=cutoff,
            labels=labels,  # type: ignore[arg-type]
            reference_cutoff=reference_cutoff,
            max_atoms=max_atoms,
            merge=merge,
            source=source,
            n_threads=threads,
        )
    sidecar = output.with_name(output.name + ".provenance.jsonl")
    write_clusters(clusters, output, sidecar)
    _say(clusters, output, sidecar)


def _requests(
    path: Path,
    frame: Path | None,
    center: list[int] | None,
    centers: Path | None,
    worst: Path | None,
    n_worst: int | None,
    random: int | None,
    seed: int,
) -> Iterator[tuple[Melt, list[list[int]], str]]:
    """(melt, atoms of every cluster, where it comes from), frame by frame."""
    if sum(choice is not None and choice != [] for choice in (center, centers, worst, random)) != 1:
        raise InputError("give the atoms to carve around by one of --center, --centers, --worst or --random")
    if worst is None:
        system = read_melt(path, frame)
        yield system, _centers(system, center, centers, random, seed), str(frame or path)
        return
    for number, atoms in _read_worst(worst, frame or path, n_worst).items():
        source = f"{frame or path}@{number}"
        yield read_melt(path, frame, number), [[atom] for atom in atoms], source


def _read_worst(table: Path, source: Path, n_worst: int | None) -> dict[int, list[int]]:
    """Atoms per frame of the first `n_worst` environments that belong to `source`."""
    chosen: dict[int, list[int]] = {}
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    n_chosen = 0
    for number, row in enumerate(rows, start=2):
        try:
            if Path(row["source"]) == source and (n_worst is None or n_chosen < n_worst):
                chosen.setdefault(int(row["frame"]), []).append(int(row["atom"]))
                n_chosen += 1
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{table}, line {number}: source, frame and atom are needed as polypace grade --worst writes them "
                f"({error!r})"
            ) from None
    if not chosen:
        sources = ", ".join(sorted({row.get("source", "") for row in rows})) or "nothing"
        raise InputError(f"{table}: none of its environments is of {source}, they are of {sources}: give --frame")
    return dict(sorted(chosen.items()))


def read_melt(path: Path, frame: Path | None, number: int = -1) -> Melt:
    """The melt of a LAMMPS data file, at the positions of a frame of `frame` where that is given."""
    from polypace.cli.frame_files import FrameFiles
    from polypace.melt import Melt
    from polypace.systems import read_lammps_data

    melt = read_lammps_data(path)
    if frame is None:
        return melt
    atoms = FrameFiles([frame], path).frame(frame, number)
    if len(atoms) != len(melt.atoms) or (atoms.numbers != melt.atoms.numbers).any():
        raise InputError(f"{frame}: its {len(atoms)} atoms are not the {len(melt.atoms)} atoms of {path}")
    atoms.set_masses(melt.atoms.get_masses())
    return Melt(atoms, melt.bonds, melt.molecules, melt.types)


def write_clusters(clusters: list[Cluster], output: Path, sidecar: Path) -> None:
    """Frames to `output` (extxyz), provenance to `sidecar` (one JSON object per line, same order)."""
    from ase.io import write

    output.parent.mkdir(parents=True, exist_ok=True)
    write(output, [cluster.atoms for cluster in clusters], format="extxyz")
    records = [cluster.provenance | {"bonds": cluster.bonds.tolist()} for cluster in clusters]
    sidecar.write_text("".join(json.dumps(record) + "\n" for record in records))


def _centers(melt: Melt, center: list[int] | None, file: Path | None, random: int | None, seed: int) -> list[list[int]]:
    if file is not None:
        return _read_centers(file)
    if center:
        return [[atom] for atom in center]
    heavy = np.flatnonzero(melt.atoms.numbers != 1)
    if random is None or not 1 <= random <= len(heavy):
        raise InputError(f"--random must be 1…{len(heavy)} (the heavy atoms of the melt), got {random}")
    return [[int(atom)] for atom in np.sort(np.random.default_rng(seed).choice(heavy, random, replace=False))]


def _read_centers(path: Path) -> list[list[int]]:
    """One cluster per line: atoms counted from 0, separated by blanks; # starts a comment."""
    groups = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        words = line.split("#")[0].split()
        try:
            groups += [[int(word) for word in words]] if words else []
        except ValueError:
            raise InputError(f"{path}, line {number}: atoms must be whole numbers from 0, got {line!r}") from None
    return groups


def _say(clusters: list[Cluster], output: Path, sidecar: Path) -> None:
    if not clusters:
        print("no centers, no clusters")
        return
    sizes = [len(cluster.atoms) for cluster in clusters]
    cuts = sum(len(cluster.provenance["cut_bonds"]) for cluster in clusters)
    counting = sum(int(cluster.force_weight.sum()) for cluster in clusters)
    worst = max(cluster.provenance["environment_error"] for cluster in clusters)
    print(f"{len(clusters)} clusters of {min(sizes)} to {max(sizes)} atoms, {cuts} bonds cut")
    print(f"{counting} forces count; their environments are the melt's to {worst:.1e} Å")
    print(f"written: {output}, {sidecar}")
