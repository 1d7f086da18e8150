"""Energies, forces, stresses, projections and extrapolation grades of lists of structures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from polypace._core import ace as core
from polypace._core import formats
from polypace.ace.potential import Potential
from polypace.arrays import as_array
from polypace.errors import InputError

if TYPE_CHECKING:
    from ase import Atoms

Array = npt.NDArray[np.float64]
Radial = Literal["spline", "analytic"]

# Where dE/d(strain) xx, yy, zz, xy, xz, yz goes in ASE's order xx, yy, zz, yz, xz, xy.
_VOIGT = [0, 1, 2, 5, 4, 3]


@dataclass(frozen=True)
class Prediction:
    """What a potential says about one structure of N atoms (eV, Å)."""

    energy: float
    energies: Array  # (N,)
    forces: Array  # (N, 3)
    stress: Array | None  # (6,) ASE sign and order, eV/Å³; None without a three-dimensional cell
    virial: Array  # (6,) dE/d(strain) xx, yy, zz, xy, xz, yz, eV
    gamma: Array | None  # (N,) extrapolation grade; None without an active set
    core_factor: Array  # (N,) weight of the core repulsion, 0 where the expansion alone acts


@dataclass(frozen=True)
class Batch:
    """Structures concatenated for the compiled core."""

    counts: npt.NDArray[np.int64]  # atoms per structure
    positions: Array
    species: npt.NDArray[np.int32]
    cells: Array  # (structures, 3, 3)
    pbc: npt.NDArray[np.bool_]
    volumes: Array  # 0 where the cell has less than three vectors

    @property
    def arrays(
        self,
    ) -> tuple[npt.NDArray[np.int64], Array, npt.NDArray[np.int32], Array, npt.NDArray[np.bool_]]:
        return self.counts, self.positions, self.species, self.cells, self.pbc

    @property
    def bounds(self) -> list[tuple[int, int]]:
        """First atom and the one behind the last, per structure."""
        ends = [0, *accumulate(self.counts.tolist())]
        return list(pairwise(ends))


@lru_cache(maxsize=32)
def _species_by_number(elements: tuple[str, ...]) -> npt.NDArray[np.int32]:
    """Species index of every atomic number, −1 for elements that the potential does not know."""
    from ase.data import atomic_numbers, chemical_symbols

    place = np.full(len(chemical_symbols), -1, dtype=np.int32)
    for mu, element in enumerate(elements):
        if element in atomic_numbers:  # structures cannot hold anything else
            place[atomic_numbers[element]] = mu
    return place


def species_of(atoms: Atoms, elements: tuple[str, ...], index: int = 0) -> npt.NDArray[np.int32]:
    """Species indices of the atoms; raises InputError for an element that the potential does not know."""
    species: npt.NDArray[np.int32] = _species_by_number(elements)[atoms.numbers]
    if species.min(initial=0) < 0:
        from ase.data import chemical_symbols

        unknown = sorted({chemical_symbols[z] for z in atoms.numbers[species < 0]})
        raise InputError(
            f"structure {index} contains {', '.join(unknown)}, but the potential describes {', '.join(elements)} only"
        )
    return species


def _cell_of(atoms: Atoms, index: int) -> tuple[Array, float]:
    """Three cell vectors, with unit vectors for those that an open structure lacks, and the volume (0 then)."""
    cell = as_array(atoms.cell.array, f"cell of structure {index}", shape=(3, 3))
    a, b, c = cell.tolist()
    missing = [not any(vector) for vector in (a, b, c)]
    if any(periodic and lacks for periodic, lacks in zip(atoms.pbc.tolist(), missing, strict=True)):
        raise InputError(f"structure {index} is periodic along a cell vector of length zero; set the cell or pbc")
    if any(missing):
        return np.asarray(atoms.cell.complete()), 0.0
    volume = abs(
        a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0])
    )
    if volume == 0:
        raise InputError(f"the cell vectors of structure {index} lie in a plane: {cell.tolist()}")
    return cell, volume


def require_structure(atoms: Any, index: int) -> None:
    """Raises InputError where a list of structures holds something else, or is one structure itself."""
    from ase import Atom, Atoms

    if isinstance(atoms, Atom):
        raise InputError("frames must be a list of structures (ase.Atoms), got a single one; write [atoms]")
    if not isinstance(atoms, Atoms):
        raise InputError(f"structure {index} must be an ase.Atoms, got {type(atoms).__name__}")


def make_batch(frames: Iterable[Atoms], elements: tuple[str, ...]) -> Batch:
    """Check the structures and concatenate them; raises InputError naming the structure."""
    positions, species, cells, pbc, volumes = [], [], [], [], []
    for index, atoms in enumerate(frames):
        require_structure(atoms, index)
        positions.append(as_array(atoms.positions, f"positions of structure {index}", shape=(len(atoms), 3)))
        species.append(species_of(atoms, elements, index))
        cell, volume = _cell_of(atoms, index)
        cells.append(cell)
        volumes.append(volume)
        pbc.append(atoms.pbc)
    n = len(positions)
    return Batch(
        np.array([len(r) for r in positions], dtype=np.int64),
        np.ascontiguousarray(np.concatenate([np.zeros((0, 3)), *positions])),
        np.concatenate([np.zeros(0, dtype=np.int32), *species]),
        np.array(cells, dtype=np.float64).reshape(n, 3, 3),
        np.array(pbc, dtype=bool).reshape(n, 3),
        np.array(volumes),
    )


def as_potential(potential: Potential | str | Path) -> Potential:
    """A potential, or what the file at this path holds."""
    return potential if isinstance(potential, Potential) else Potential.read(potential)


def active_set_matrices(active_set: Any, potential: Potential) -> list[Array]:
    """Inverse active sets in species order, from an `.asi` path, a mapping symbol → matrix, an ActiveSet."""
    elements, name = potential.elements, "the active set"
    made_for = getattr(active_set, "made_for", b"")
    if isinstance(active_set, str | Path):
        name = str(active_set)
        active_set, made_for = formats.read_asi_and_note(name)
    matrices = active_set if isinstance(active_set, Mapping) else getattr(active_set, "inverses", None)
    if not isinstance(matrices, Mapping):
        raise InputError(f"active_set must be a path, a mapping or an ActiveSet, got {type(active_set).__name__}")
    check_made_for(made_for, potential, name)
    if set(matrices) != set(elements):
        raise InputError(f"the active set is for {sorted(matrices)}, the potential for {list(elements)}")
    return [as_array(matrices[el], f"active set of {el}", shape=(None, None)) for el in elements]


def check_made_for(made_for: bytes, potential: Potential, name: str = "the active set") -> None:
    """Raise InputError where an active set's note says that its rows are of other functions than the potential's."""
    if isinstance(potential.data, formats.BPotential):
        formats.check_active_set_note(made_for, potential.data, name)


def make_evaluator(
    potential: Potential | str | Path, active_set: Any = None, radial: Radial = "spline"
) -> core.Evaluator:
    """The compiled evaluator of a potential.

    The environment variable POLYPACE_SIMD (portable, avx2, avx512) replaces the best instruction set of the
    processor, to compare them.
    """
    potential = as_potential(potential)
    evaluator = core.Evaluator(potential.data, radial, os.environ.get("POLYPACE_SIMD", "best"))
    if active_set is not None:
        evaluator.set_active_set(active_set_matrices(active_set, potential))
    return evaluator


def predict(evaluator: core.Evaluator, batch: Batch, n_threads: int = 0) -> list[Prediction]:
    """Predictions of a batch with an evaluator that is kept between calls."""
    energies, forces, virials, gammas, core_factors = evaluator.evaluate(*batch.arrays, n_threads)
    predictions = []
    for s, (begin, end) in enumerate(batch.bounds):
        volume = batch.volumes[s]
        predictions.append(
            Prediction(
                energy=float(energies[begin:end].sum()),
                energies=energies[begin:end],
                forces=forces[begin:end],
                stress=virials[s, _VOIGT] / volume if volume > 0 else None,
                virial=virials[s],
                gamma=gammas[begin:end] if evaluator.has_active_set else None,
                core_factor=core_factors[begin:end],
            )
        )
    return predictions


def evaluate(
    frames: Iterable[Atoms],
    potential: Potential | str | Path,
    active_set: Any = None,
    n_threads: int = 0,
    radial: Radial = "spline",
) -> list[Prediction]:
    """Energy, forces, stress and, with an active set, the extrapolation grade γ of every structure.

    E = Σ_i F(ρ_i) fcut + core terms (docs/explanation/ace.md); F_a = −∂E/∂r_a; γ_i = max_k |Σ_j b_ij M_jk|.

    Parameters
    ----------
    frames : structures (Å); any cell, any mixture of periodic and open directions
    potential : Potential or path of a `.yaml` or `.yace` file
    active_set : None, path of an `.asi` file, mapping element → inverse active set, or ActiveSet
    n_threads : 0 means OMP_NUM_THREADS, else all cores; the results do not depend on it
    radial : "spline" uses the same tables as pacemaker and LAMMPS; "analytic" the functions themselves (slow)

    Raises
    ------
    InputError
        for elements the potential does not describe, wrong cells, or an active set that does not fit.
    NumericalError
        where two atoms coincide.

    Source: Drautz, Phys. Rev. B 99, 014104 (2019), eqs. 21-25; Lysogorskiy et al., Phys. Rev. Mater. 7,
    043801 (2023).
    """
    potential = as_potential(potential)
    batch = make_batch(frames, potential.elements)
    return predict(make_evaluator(potential, active_set, radial), batch, n_threads)


def projections(
    frames: Iterable[Atoms], potential: Potential | str | Path, n_threads: int = 0, radial: Radial = "spline"
) -> list[Array]:
    """B-projections of every atom, one array (n_atoms, n_functions) per structure.

    B_if = Σ_m G_f(m) Re ∏_t A_{i mu_t n_t l_t m_t}; columns in the canonical order of the atom's own element.
    Where elements have different numbers of functions the rows of the shorter ones end with zeros.

    Raises
    ------
    InputError
        for a potential in C-tilde form (`.yace`), which has no single functions.
    """
    potential = as_potential(potential)
    if not potential.has_functions:
        raise InputError("projections need a B-basis potential (.yaml); a C-tilde potential (.yace) has none")
    batch = make_batch(frames, potential.elements)
    rows = make_evaluator(potential, None, radial).project(*batch.arrays, n_threads)
    return [rows[begin:end] for begin, end in batch.bounds]
