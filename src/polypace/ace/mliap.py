"""An ACE potential for LAMMPS's `pair_style mliap unified`, in builds with the packages ML-IAP and PYTHON."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.ace.potential import Potential
from polypace.ace.prediction import as_potential, make_evaluator
from polypace.errors import InputError

Array = npt.NDArray[np.float64]


class MLIAPModel:
    """What LAMMPS calls every step: it hands over its neighbour list and gets energies and pair forces.

    For a centre i with energy E_i and neighbours at r_ij = r_j − r_i, the pair force is f_ij = ∂E_i/∂r_ij (eV/Å);
    LAMMPS adds it to atom i, subtracts it from atom j, and adds −r_ij f_ij to the virial. The object has the attributes
    and methods of LAMMPS's class MLIAPUnified (module lammps.mliap.mliap_unified_abc) and carries the potential
    itself, so that the pickled file (`write_mliap_model`) is all a run needs beside PolyPACE.

    Arrays of a GPU (CuPy, PyTorch), which LAMMPS hands over under KOKKOS, are copied to the host and back: 32 bytes down
    and 24 bytes up for every pair and step.

    Parameters
    ----------
    potential : Potential or path of a `.yaml` or `.yace` file
    n_threads : threads of every MPI rank
    """

    def __init__(self, potential: Potential | str | os.PathLike[str], n_threads: int = 1) -> None:
        self._potential = as_potential(Path(potential) if isinstance(potential, os.PathLike | str) else potential)
        self._n_threads = n_threads
        self._connect()

    def _connect(self) -> None:
        self._evaluator = make_evaluator(self._potential, None, "spline")
        self.interface: Any = None  # LAMMPS's own
        self.element_types = list(self._potential.elements)
        self.ndescriptors = 1  # LAMMPS wants numbers; nothing is kept in its descriptor arrays
        self.nparams = 1
        self.rcutfac = self._evaluator.max_cutoff / 2  # LAMMPS takes twice this factor for its cutoff

    def __getstate__(self) -> dict[str, Any]:
        return {"potential": self._potential, "n_threads": self._n_threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._potential = state["potential"]
        self._n_threads = state["n_threads"]
        self._connect()

    def compute_descriptors(self, data: Any) -> None:
        """Nothing: there is no step between positions and forces that LAMMPS has to know."""

    def compute_gradients(self, data: Any) -> None:
        """Nothing, as above."""

    def compute_forces(self, data: Any) -> None:
        """Fill energies and forces of LAMMPS's `data` (class MLIAPDataPy).

        Raises
        ------
        NumericalError
            where two atoms nearly coincide, InputError for atom types that pair_coeff maps to no element (NULL).
        """
        n, n_pairs = int(data.nlistatoms), int(data.npairs)
        species = _on_host(data.ielems)[:n]
        vectors, others, row = np.empty((0, 3)), np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64)
        if n_pairs:
            place = np.full(int(data.ntotal), -1, dtype=np.int64)
            place[_on_host(data.iatoms)[:n]] = np.arange(n)
            vectors, others, row = _on_host(data.rij), _on_host(data.jelems), place[_on_host(data.pair_i)]
        order = _reordering(row)
        if order is not None:
            vectors, others, row = vectors[order], others[order], row[order]
        if (species < 0).any() or (others < 0).any():
            raise InputError(
                "an atom type is mapped to NULL in pair_coeff; mliap unified needs an element for every type"
            )
        energies, gradients, _ = self._evaluator.evaluate_environments(
            np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))]).astype(np.int64),
            np.ascontiguousarray(species, dtype=np.int32),
            np.ascontiguousarray(vectors, dtype=np.float64),
            np.ascontiguousarray(others, dtype=np.int32),
            self._n_threads,
        )
        _give_energies(data, energies)
        if order is not None:
            in_order, gradients = gradients, np.zeros((n_pairs, 3))
            gradients[order] = in_order
        if n_pairs:
            data.update_pair_forces(_like(data.rij, gradients))


def _reordering(row: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
    """Pairs by centre; None where they are already. Pairs of ghost centres (row −1), which LAMMPS can add, fall out."""
    if row.size == 0 or (row[0] >= 0 and (row[1:] >= row[:-1]).all()):
        return None
    order = np.flatnonzero(row >= 0)
    return order[np.argsort(row[order], kind="stable")]


def write_mliap_model(
    potential: Potential | str | os.PathLike[str], path: str | os.PathLike[str], n_threads: int = 1
) -> None:
    """Write the file of `pair_style mliap unified FILE`: a pickled `MLIAPModel`, which needs PolyPACE to be read.

    The Python inside of that LAMMPS must be of this version (major.minor) and find PolyPACE (PYTHONPATH).

    Raises
    ------
    InputError
        for a file name that LAMMPS would take for PyTorch's.
    """
    target = Path(path)
    if target.suffix in (".pt", ".pth"):
        raise InputError(f"{target}: LAMMPS reads .pt and .pth by PyTorch; take a name such as potential.pkl")
    temporary = target.with_name(target.name + f".tmp{os.getpid()}")
    temporary.write_bytes(pickle.dumps(MLIAPModel(potential, n_threads)))
    temporary.replace(target)


def _on_host(array: Any) -> npt.NDArray[Any]:
    if hasattr(array, "get"):  # CuPy
        return np.asarray(array.get())
    if hasattr(array, "detach"):  # PyTorch
        return np.asarray(array.detach().cpu().numpy())
    return np.asarray(array)


def _like(theirs: Any, values: Array) -> Any:
    """`values` where LAMMPS's array lies: host memory, or the GPU through the library that made that array."""
    if isinstance(theirs, np.ndarray):
        return values
    library = sys.modules[type(theirs).__module__.split(".")[0]]
    return library.as_tensor(values, device=theirs.device) if hasattr(theirs, "detach") else library.asarray(values)


def _give_energies(data: Any, energies: Array) -> None:
    data.energy = float(energies.sum())
    try:
        theirs = data.eatoms  # KOKKOS: an array to fill
    except AttributeError:
        data.eatoms = energies  # else: a property that copies
    else:
        theirs[:] = _like(theirs, energies)
