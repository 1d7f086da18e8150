"""Rows of the linear fit: energies, forces and virials that every function makes with coefficient 1."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from polypace._core import ace as core
from polypace._core import formats
from polypace.ace.potential import Potential
from polypace.ace.prediction import Radial, as_potential, make_batch
from polypace.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms

Array = npt.NDArray[np.float64]

# Numbers of one block of rows in memory: 64 MiB.
_BLOCK_NUMBERS = 8 * 1024**2


@dataclass(frozen=True)
class DesignRows:
    """Linear maps from the coefficients of a potential to energy, forces, virial of a structure.

    With coefficients c (columns: functions of element 0 in canonical order, then of element 1, …) and without core
    repulsion: E = energy @ c (eV), F = forces @ c (eV/Å), dE/d(strain) = virial @ c (eV).
    """

    energy: Array  # (F,) Σ_i B_if, not divided by the number of atoms
    forces: Array  # (N, 3, F) −∂(Σ_i B_if)/∂r
    virial: Array  # (6, F) ∂(Σ_i B_if)/∂strain, xx, yy, zz, xy, xz, yz


def make_row_builder(potential: Potential, radial: Radial = "spline") -> core.DesignRowBuilder:
    """The compiled maker of design rows of a potential; raises InputError for the C-tilde form."""
    return _make_row_builder(potential, radial, os.environ.get("POLYPACE_SIMD", "best"))


# Kept for the next call: a caller goes through many structures with the same potential (which is immutable).
@lru_cache(maxsize=2)
def _make_row_builder(potential: Potential, radial: Radial, instructions: str) -> core.DesignRowBuilder:
    if not isinstance(potential.data, formats.BPotential):
        raise InputError("design rows need a B-basis potential (.yaml); a C-tilde potential (.yace) has no functions")
    return core.DesignRowBuilder(potential.data, radial, instructions)


def _rows_of(
    builder: core.DesignRowBuilder, frames: list[Atoms], potential: Potential, n_threads: int
) -> Iterator[DesignRows]:
    batch = make_batch(frames, potential.elements)
    energies, forces, virials = builder.rows(*batch.arrays, n_threads)
    for s, (begin, end) in enumerate(batch.bounds):
        yield DesignRows(energies[s], forces[begin:end], virials[s])


def design_rows(
    atoms: Atoms, potential: Potential | str | Path, n_threads: int = 0, radial: Radial = "spline"
) -> DesignRows:
    """Design rows of one structure: D_{a,x,f} = −∂(Σ_i B_{i,f})/∂x_a and the same for energy and strain.

    The coefficients of the potential do not matter. Structures are what threads share, so for many structures
    `iterate_design_rows` is faster.

    Raises
    ------
    InputError
        for a potential in C-tilde form, or elements that it does not describe.

    Source: Drautz, Phys. Rev. B 99, 014104 (2019), section VI; docs/explanation/ace.md, "Linear fits".
    """
    potential = as_potential(potential)
    return next(_rows_of(make_row_builder(potential, radial), [atoms], potential, n_threads))


def iterate_design_rows(
    frames: Iterable[Atoms], potential: Potential | str | Path, n_threads: int = 0, radial: Radial = "spline"
) -> Iterator[DesignRows]:
    """Design rows of one structure after the other, computed in blocks on threads.

    Memory is bounded by a block of about 64 MiB or one structure, not by the number of structures, as long as
    the caller lets go of the rows.
    """
    potential = as_potential(potential)
    builder = make_row_builder(potential, radial)
    block: list[Atoms] = []
    n_numbers = 0
    for atoms in frames:
        block.append(atoms)
        n_numbers += (3 * len(atoms) + 7) * builder.n_columns
        if n_numbers >= _BLOCK_NUMBERS:
            yield from _rows_of(builder, block, potential, n_threads)
            block, n_numbers = [], 0
    if block:
        yield from _rows_of(builder, block, potential, n_threads)
