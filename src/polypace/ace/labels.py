"""Labels of frames, checked: what a fit learns from and what it is measured with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from polypace.errors import FileFormatError, InputError
from polypace.extxyz import iterate_extxyz
from polypace.units import VOIGT

if TYPE_CHECKING:
    import ase

# A file, or structures that can be gone through more than once.
Frames: TypeAlias = "Iterable[ase.Atoms] | str | Path"


@dataclass(frozen=True)
class Labels:
    """What is known of one frame.

    energy : total energy, eV, or None
    forces : (n_atoms, 3), eV/Å, or None
    virial : (6,), dE/dε in the order xx yy zz yz xz xy, eV (stress · volume), or None
    """

    energy: float | None
    forces: npt.NDArray[np.float64] | None
    virial: npt.NDArray[np.float64] | None


def iterate_frames(frames: Frames) -> Iterator[ase.Atoms]:
    """Every frame in order; files are read frame by frame, each time anew, so that they may exceed the memory."""
    if not isinstance(frames, (str, Path)):
        yield from frames
        return
    path = Path(frames)
    if not path.is_file():
        raise FileNotFoundError(f"file of labelled frames {path} does not exist")
    if path.stat().st_size == 0:
        raise InputError(f"file of labelled frames {path} is empty: there are no frames to work on")
    frames_of_file = _frames_of_file(path)
    number = 0
    while True:
        try:
            atoms = next(frames_of_file, None)
        except Exception as error:
            from ase.io.extxyz import XYZError
            from ase.io.formats import UnknownFileTypeError

            if not isinstance(error, (ValueError, KeyError, IndexError, UnknownFileTypeError, XYZError)):
                raise
            raise FileFormatError(
                f"{path}: frame {number} cannot be read ({error}): give a file that ASE reads, such as extxyz"
            ) from None
        if atoms is None:
            return
        yield atoms
        number += 1


def _frames_of_file(path: Path) -> Iterator[ase.Atoms]:
    if path.suffix in (".extxyz", ".xyz"):
        return iterate_extxyz(path)
    import ase.io

    return ase.io.iread(path, index=":")


def frame_name(frames: Frames, index: int) -> str:
    """What messages call a frame: its number, and the file it is from where that is known."""
    if isinstance(frames, (str, Path)):
        return f"frame {index} of {frames}"
    name_of = getattr(frames, "name_of", None)  # frames of several files say where each is from
    return f"frame {index}" if name_of is None else str(name_of(index))


def read_labels(atoms: ase.Atoms, name: str) -> Labels:
    """Return the labels that `atoms.calc.results` holds; `name` stands for the frame in messages.

    Without stress, `info["virial"]` counts, −stress · volume in eV as QUIP and GPUMD write it.

    Raises
    ------
    InputError
        for a frame without any label, NaN or infinite labels, or wrong shapes.
    """
    results = getattr(atoms.calc, "results", {}) if atoms.calc is not None else {}
    energy = results.get("energy")
    forces = results.get("forces")
    stress = results.get("stress")
    virial = None
    if stress is None and "virial" in atoms.info:
        virial = -_finite(_voigt(np.reshape(atoms.info["virial"], -1)), (6,), name, "virial")
    if energy is None and forces is None and stress is None and virial is None:
        raise InputError(f"{name} has no energy, forces or stress: label it, or leave it out{_other_names(atoms)}")
    if energy is not None:
        energy = float(np.reshape(energy, -1)[0])
        if not np.isfinite(energy):
            raise InputError(f"{name}: energy is {energy}: label the frame anew, or leave it out")
    if forces is not None:
        forces = _finite(forces, (len(atoms), 3), name, "forces")
    if stress is not None:
        virial = _finite(_voigt(np.reshape(stress, -1)), (6,), name, "stress") * atoms.get_volume()
    return Labels(energy, forces, virial)


def _voigt(components: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """xx yy zz yz xz xy of the nine components of a symmetric matrix; anything else as it is."""
    return components[VOIGT] if len(components) == 9 else components


def _other_names(atoms: ase.Atoms) -> str:
    """Keys that may be labels of another program, and how to say so."""
    energies = [key for key in atoms.info if "energy" in key.lower() and key != "energy_weight"]
    forces = [key for key in atoms.arrays if "force" in key.lower() and key != "force_weight"]
    options = [*(f"--energy-key {key}" for key in energies[:1]), *(f"--forces-key {key}" for key in forces[:1])]
    return f"; or are they under other names: polypace fit {' '.join(options)}?" if options else ""


def _finite(values: npt.ArrayLike, shape: tuple[int, ...], name: str, quantity: str) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=float)
    if array.shape != shape:
        raise InputError(f"{name}: {quantity} must have shape {shape}, got {array.shape}")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = f"atom {bad[0][0]}" if array.ndim == 2 else f"component {bad[0][0]}"
        raise InputError(
            f"{name}: {quantity} of {where} is {array[tuple(bad[0])]}: label the frame anew, or leave it out"
        )
    return array
