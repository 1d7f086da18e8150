"""`polypace errors`: a finished potential against labelled frames that it may never have seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polypace.cli.error_table import print_errors
from polypace.cli.frame_files import FrameFiles
from polypace.cli.labelled_files import EnergyKey, ForcesKey, LabelledFiles, StressKey, VirialKey, labelled
from polypace.cli.outputs import make_folders, write_numbers


def errors_command(
    potential: Annotated[Path, typer.Argument(help="The potential, .yaml or .yace.")],
    data: LabelledFiles,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The same numbers as .json.")] = None,
    energy_key: EnergyKey = None,
    forces_key: ForcesKey = None,
    stress_key: StressKey = None,
    virial_key: VirialKey = None,
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
        write_numbers(output, errors.as_dict())
