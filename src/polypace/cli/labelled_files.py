"""Labelled frames on the command line: the files, and the names of the labels in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polypace.cli.frame_files import FrameFiles

if TYPE_CHECKING:
    import ase

    from polypace.ace.label_keys import LabelKeys, RelabelledFrames

LabelledFiles = Annotated[
    list[Path], typer.Argument(help="Labelled frames: extxyz and other files that ASE reads, zips of QM-22.")
]
EnergyKey = Annotated[str | None, typer.Option(help="Name of the energy in the files, such as REF_energy.")]
ForcesKey = Annotated[str | None, typer.Option(help="Name of the forces.")]
StressKey = Annotated[str | None, typer.Option(help="Name of the stress (eV/Å³, ASE's sign).")]
VirialKey = Annotated[str | None, typer.Option(help="Name of the virial (eV, −stress · volume).")]

IN_MEMORY = 200_000_000  # bytes of files whose frames are kept; larger ones are read again for every pass


class LoadedFrames(list["ase.Atoms"]):
    """Frames in memory that know which file each is from."""

    def __init__(self, frames: FrameFiles | RelabelledFrames) -> None:
        super().__init__(frames)
        self.name_of = frames.name_of


def labelled(files: FrameFiles, keys: LabelKeys) -> FrameFiles | RelabelledFrames | LoadedFrames:
    """The frames themselves where they fit, so that files are read once; else the files, read for every pass."""
    from polypace.ace.label_keys import RelabelledFrames

    frames = RelabelledFrames(files, keys, files.name_of) if keys.given() else files
    return LoadedFrames(frames) if sum(path.stat().st_size for path in files.paths) <= IN_MEMORY else frames
