"""`polypace errors`: a finished potential against labelled frames that it may never have seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from polypace.cli.error_table import print_errors
from polypace.cli.frame_files import FrameFiles, labelled
from polypace.cli.outputs import make_folders


def errors_command(
    potential: Annotated[Path, typer.Argument(help="The potential, .yaml or .yace.")],
    data: Annotated[
        list[Path], typer.Argument(help="Labelled frames: extxyz and other files that ASE reads, zips of QM-22.")
    ],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The same numbers as .json.")] = None,
    energy_key: Annotated[str | None, typer.Option(help="Name of the energy in the files, such as REF_energy.")] = None,
    forces_key: Annotated[str | None, typer.Option(help="Name of the forces.")] = None,
    stress_key: Annotated[str | None, typer.Option(help="Name of the stress (eV/Å³, ASE's sign).")] = None,
    virial_key: Annotated[str | None, typer.Option(help="Name of the virial (eV, −stress · volume).")] = None,
    threads: Annotated[int, typer.Option(help="0: all cores.")] = 0,
) -> None:
    """Measure a potential on labelled frames: RMSE and MAE of energy, forces and virial, in total and by part."""
    from polypace.ace import Potential, measure_errors
    from polypace.ace.label_keys import LabelKeys

    make_folders(output)
    ace = Potential.read(potential)
    frames = labelled(FrameFiles(data), LabelKeys(energy_key, forces_key, stress_key, virial_key))
    errors = measure_errors(frames, ace, n_threads=threads)
    print_errors(str(potential), ace, frames=errors)
    if output:
        output.write_text(json.dumps(errors.as_dict(), indent=1, ensure_ascii=False) + "\n", "utf-8")
