"""`polypace select`: the most informative frames out of many."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def select_command(
    data: Annotated[list[Path], typer.Argument(help="Candidate frames in formats that ASE reads.")],
    potential: Annotated[Path, typer.Option("--potential", "-p", help="The potential, .yaml.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The chosen frames, extxyz.")] = Path(
        "selected.extxyz"
    ),
    n: Annotated[int | None, typer.Option("--number", "-n", help="At most so many frames.")] = None,
    max_atoms: Annotated[int | None, typer.Option(help="At most so many atoms.")] = None,
    known: Annotated[Path | None, typer.Option("--active-set", "-a", help="What is known already, .asi.")] = None,
    write_active_set: Annotated[Path | None, typer.Option(help="Write an active set of all data (.asi).")] = None,
    threads: Annotated[int, typer.Option(help="0: all cores.")] = 0,
) -> None:
    """Choose frames by D-optimality and write them, most informative first; each notes where it came from."""
    import ase.io

    from polypace.ace import Potential
    from polypace.ace.labels import iterate_frames
    from polypace.select import ActiveSet, select_active_set, select_frames

    ace = Potential.read(potential)
    frames, sources = [], []
    for path in data:
        for number, atoms in enumerate(iterate_frames(path)):
            frames.append(atoms)
            sources.append(f"{path}@{number}")
    selected = select_frames(
        frames, ace, n, max_atoms=max_atoms, known=ActiveSet.read(known) if known else None, n_threads=threads
    )
    chosen = []
    for frame, count in zip(selected.frames, selected.counts, strict=True):
        atoms = frames[frame]
        atoms.info["source"] = sources[frame]
        atoms.info["selected_environments"] = count
        chosen.append(atoms)
    ase.io.write(output, chosen, format="extxyz")
    if write_active_set:
        select_active_set(frames, ace, n_threads=threads).write(write_active_set)
    n_environments = sum(selected.counts)
    print(f"{len(chosen)} of {len(frames)} frames, {n_environments} environments → {output}")
