"""`polypace select`: the most informative frames or environments out of many, or an active set of them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polypace.cli.frame_files import FrameFiles
from polypace.cli.outputs import make_folders
from polypace.errors import InputError

if TYPE_CHECKING:
    from polypace.ace import Potential


def select_command(
    data: Annotated[list[Path], typer.Argument(help="Candidates: files that ASE reads, LAMMPS dumps or data files.")],
    potential: Annotated[Path | None, typer.Option("--potential", "-p", help="The potential, .yaml.")] = None,
    basis: Annotated[Path | None, typer.Option(help="A basis instead of a potential.")] = None,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Chosen frames (.extxyz), environments (.csv), or an active set (.asi)."),
    ] = Path("selected.extxyz"),
    n: Annotated[int | None, typer.Option("--number", "-n", help="At most so many frames or environments.")] = None,
    max_atoms: Annotated[int | None, typer.Option(help="At most so many atoms.")] = None,
    known: Annotated[Path | None, typer.Option("--active-set", "-a", help="What is known already, .asi.")] = None,
    known_frames: Annotated[
        list[Path] | None, typer.Option("--known", help="Frames selected before: never selected again; repeatable.")
    ] = None,
    write_active_set: Annotated[Path | None, typer.Option(help="Write an active set of all data (.asi) too.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Active sets of gradients in all coefficients, for non-linear embeddings.")
    ] = False,
    topology: Annotated[Path | None, typer.Option(help="LAMMPS data file of dumps.")] = None,
    every: Annotated[int, typer.Option(help="Only every so-manieth frame.")] = 1,
    threads: Annotated[int, typer.Option(help="0: all cores.")] = 0,
) -> None:
    """Choose by D-optimality and write what was chosen, most informative first; each notes where it came from.

    Environments (.csv) are what `polypace carve --worst` takes.
    """
    from polypace.select import select_active_set

    if (potential is None) == (basis is None):
        raise InputError("give either --potential or --basis")
    is_active_set = output.name.endswith((".asi", ".asi.nonlinear"))
    if not is_active_set and output.suffix not in (".extxyz", ".xyz", ".csv"):
        raise InputError(
            f"--output must end in .extxyz (frames), .csv (environments) or .asi (active set), got {output}"
        )
    make_folders(output, write_active_set)
    candidates = FrameFiles(data, topology, every)
    earlier = FrameFiles(known_frames, topology) if known_frames else None
    ace = _potential(potential, basis)
    if is_active_set:
        if n or max_atoms or known or earlier:
            raise InputError("an active set (.asi) is that of all data: leave -n, --max-atoms, -a and --known out")
        select_active_set(candidates, ace, full=full, n_threads=threads).write(output)
        print(f"active set → {output}")
    elif output.suffix == ".csv":
        _environments(candidates, ace, output, n, known, earlier, threads)
    else:
        _frames(candidates, ace, output, n, max_atoms, known, earlier, threads)
    if write_active_set:
        select_active_set(candidates, ace, full=full, n_threads=threads).write(write_active_set)


def _potential(potential: Path | None, basis: Path | None) -> Potential:
    from polypace.ace import Potential

    if potential is not None:
        return Potential.read(potential)
    from polypace.ace.fitting import linear_basis

    return linear_basis(basis)


def _frames(
    candidates: FrameFiles,
    ace: Potential,
    output: Path,
    n: int | None,
    max_atoms: int | None,
    known: Path | None,
    earlier: FrameFiles | None,
    threads: int,
) -> None:
    import ase.io

    from polypace.select import ActiveSet, select_frames

    selected = select_frames(
        candidates, ace, n, max_atoms=max_atoms, known=ActiveSet.read(known) if known else None,
        known_frames=earlier, n_threads=threads,
    )  # fmt: skip
    counts = dict(zip(selected.frames, selected.counts, strict=True))
    chosen = {}
    n_frames = 0
    for place, (path, number, atoms) in enumerate(candidates.numbered()):
        n_frames += 1
        if place in counts:
            atoms.info["source"] = f"{path}@{number}"
            atoms.info["selected_environments"] = counts[place]
            chosen[place] = atoms
    ase.io.write(output, [chosen[frame] for frame in selected.frames], format="extxyz")
    print(f"{len(chosen)} of {n_frames} frames, {sum(selected.counts)} environments → {output}")


def _environments(
    candidates: FrameFiles,
    ace: Potential,
    output: Path,
    n: int | None,
    known: Path | None,
    earlier: FrameFiles | None,
    threads: int,
) -> None:
    from polypace.select import ActiveSet, select_environments

    selected = select_environments(
        candidates, ace, n, known=ActiveSet.read(known) if known else None, known_frames=earlier, n_threads=threads
    )
    wanted = set(selected.environments[:, 0].tolist())
    sources = {
        place: (path, number) for place, (path, number, _) in enumerate(candidates.numbered()) if place in wanted
    }
    with output.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["source", "frame", "atom", "gamma", "species"])
        for (frame, atom), element, grade in zip(
            selected.environments.tolist(), selected.elements, selected.grades.tolist(), strict=True
        ):
            table.writerow([*sources[frame], atom, f"{grade:.6g}", element])
    print(f"{len(selected.environments)} environments of {len(wanted)} frames → {output}")
