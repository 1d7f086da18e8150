"""ACE potentials as Python objects: reading, looking, changing. The numbers live in the compiled core."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace._core import formats
from polypace.arrays import as_array
from polypace.errors import FileFormatError, InputError


class Potential:
    """An ACE potential, immutable: what a `.yaml` (B-basis) or `.yace` (C-tilde) file holds.

    The B-basis form has one coefficient per function and density, so it can be fitted, graded and changed;
    the C-tilde form only evaluates.
    """

    __slots__ = ("_data",)

    _data: formats.BPotential | formats.CTildePotential

    def __init__(self, data: formats.BPotential | formats.CTildePotential) -> None:
        object.__setattr__(self, "_data", data)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Potential cannot change ({name}); with_coefficients() and so on make a new one")

    @classmethod
    def read(cls, path: str | Path) -> Potential:
        """Read a `.yaml` or `.yace` file, told apart by its keys.

        Raises FileNotFoundError, or FileFormatError naming file, line, key and remedy.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"potential file {path} does not exist")
        try:
            return cls(formats.read_potential(str(path)))
        except ValueError as error:
            raise FileFormatError(str(error)) from None

    def write(self, path: str | Path) -> None:
        """Write a `.yaml`/`.yml` (B-basis form only) or `.yace` file; numbers survive bit for bit.

        A `.yaml` file keeps e0 in its metadata (`polypace_e0`): we add it again when reading, pacemaker's own
        programs do not. In a `.yace` file all elements get the same number of densities, as LAMMPS needs it.
        """
        path = Path(path)
        if path.suffix not in (".yaml", ".yml", ".yace"):
            raise InputError(f"cannot tell the format of {path} from its suffix; use .yaml or .yace")
        if path.suffix == ".yace":
            data = self._data
            ctilde = data.to_ctilde() if isinstance(data, formats.BPotential) else data
            formats.write_yace(ctilde, str(path))
        else:
            formats.write_yaml(self._functions_data(f"writing {path}"), str(path))

    def to_ctilde(self) -> Potential:
        """The same energies in C-tilde form (one coefficient per m-combination, what `.yace` holds)."""
        return Potential(self._data.to_ctilde()) if isinstance(self._data, formats.BPotential) else self

    def __reduce__(self) -> tuple[Any, ...]:
        return _parsed, (self._text(),)

    def _text(self) -> str:
        """What its file holds."""
        if isinstance(self._data, formats.BPotential):
            return formats.format_yaml(self._data)
        return formats.format_yace(self._data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Potential) and self._text() == other._text()

    def __hash__(self) -> int:
        return hash(self._text())

    @property
    def digest(self) -> str:
        """SHA-256 of its file's text: two potentials with the same digest give the same numbers."""
        return hashlib.sha256(self._text().encode()).hexdigest()

    @property
    def data(self) -> formats.BPotential | formats.CTildePotential:
        """The compiled core's own object, for the evaluators; treat it as read-only."""
        return self._data

    @property
    def has_functions(self) -> bool:
        """Whether the potential is in B-basis form (`.yaml`, a basis), with one coefficient per function."""
        return isinstance(self._data, formats.BPotential)

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbols; the position is the species index."""
        return tuple(self._data.elements)

    @property
    def n_functions(self) -> dict[str, int]:
        """Number of functions per central element."""
        data = self._data
        lists: list[Any] = list(data.functions)
        return {element: len(own) for element, own in zip(self.elements, lists, strict=True)}

    @property
    def n_densities(self) -> dict[str, int]:
        """Number of densities of the embedding per element."""
        return {el: e.n_densities for el, e in zip(self.elements, self._data.embeddings, strict=True)}

    @property
    def e0(self) -> dict[str, float]:
        """Energy (eV) per element that is added to every atom."""
        return dict(zip(self.elements, self._data.e0 or [0.0] * len(self.elements), strict=True))

    @property
    def cutoffs(self) -> dict[tuple[str, str], float]:
        """Outer cutoff (Å) of every defined bond (central element, neighbour)."""
        pairs = [(a, b) for a in self.elements for b in self.elements]
        return {pair: bond.r_cut for pair, bond in zip(pairs, self._data.bonds, strict=True) if bond.defined}

    @property
    def max_cutoff(self) -> float:
        """Largest outer cutoff (Å): the range in which neighbours are needed."""
        return max(self.cutoffs.values())

    @property
    def is_linear(self) -> bool:
        """Whether E = Σ_i Σ_f c_f B_{i,f}: one density, prefactor and exponent 1, no core repulsion."""
        embeddings_linear = all(list(e.parameters) == [1.0, 1.0] for e in self._data.embeddings)
        return embeddings_linear and all(b.core_prefactor == 0 for b in self._data.bonds)

    @property
    def metadata(self) -> dict[str, str]:
        """Free text of the file (`.yaml` only)."""
        return dict(self._data.metadata) if isinstance(self._data, formats.BPotential) else {}

    @property
    def coefficients(self) -> npt.NDArray[np.float64]:
        """Flat vector: per element the rank-1 functions, then the others; per function its densities."""
        data = self._functions_data("coefficients")
        flat = [c for functions in data.functions for f in functions for c in f.coefficients]
        return np.asarray(flat, dtype=np.float64)

    def with_coefficients(self, coefficients: npt.ArrayLike) -> Potential:
        """The same basis with other coefficients, in the order of `coefficients`."""
        data = self._functions_data("with_coefficients").copy()
        size = sum(len(f.coefficients) for functions in data.functions for f in functions)
        values = iter(as_array(coefficients, "coefficients", shape=(size,)).tolist())
        functions_of_all = data.functions
        for functions in functions_of_all:
            for function in functions:
                function.coefficients = [next(values) for _ in function.coefficients]
        data.functions = functions_of_all
        return Potential(data)

    def without_zeros(self) -> Potential:
        """The same energies without the functions whose coefficients all are 0; an element keeps one function at least."""
        data = self._functions_data("without_zeros").copy()
        data.functions = [
            [function for function in of_element if any(function.coefficients)] or of_element[:1]
            for of_element in data.functions
        ]
        return Potential(data)

    def with_core_repulsion(
        self, inner_radii: Mapping[tuple[str, str], float], *, switch_width: float = 0.1
    ) -> Potential:
        """The same potential that goes over to ZBL repulsion where atoms come closer than trained on.

        E_i = F·fcut + ZBL·(1 − fcut) with fcut = 0 below r_in − switch_width and 1 above r_in of the nearest
        neighbour; the settings are those of pacemaker's `repulsion: auto`.

        Parameters
        ----------
        inner_radii: r_in (Å) per pair of elements, usually the smallest distance in the training set; one
            order of a pair is enough, pairs not named take the sum of the covalent radii.
        switch_width: delta_in (Å), positive.
        """
        if not 0 < switch_width < np.inf:
            raise InputError(f"switch_width must be positive, got {switch_width}")
        radii = _completed_radii(inner_radii, self.elements)
        data = self._functions_data("with_core_repulsion").copy()
        bonds = data.bonds
        for bond, (a, b) in zip(bonds, ((a, b) for a in self.elements for b in self.elements), strict=True):
            bond.inner = formats.InnerCutoff.zbl
            bond.core_prefactor, bond.core_lambda = 1.0, 1.0
            bond.r_in, bond.delta_in = radii[a, b], switch_width
        embeddings = data.embeddings
        for embedding in embeddings:
            embedding.rho_core_cut = embedding.drho_core_cut = 1.0
        data.bonds, data.embeddings = bonds, embeddings
        return Potential(data)

    def active_set_note(self, full: bool) -> bytes:
        """What an `.asi` file says of the functions that its rows belong to (docs/explanation/formats.md)."""
        return formats.active_set_note(self._functions_data("active_set_note"), full).encode()

    def with_e0(self, e0: Mapping[str, float]) -> Potential:
        """The same potential with another e0 (eV) per element; elements not named keep theirs."""
        unknown = set(e0) - set(self.elements)
        if unknown:
            raise InputError(f"e0 names {sorted(unknown)}, but the potential has {list(self.elements)}")
        new = {**self.e0, **e0}
        energies = as_array([new[el] for el in self.elements], "e0", shape=(len(self.elements),))
        data = self._data.copy()
        data.e0 = energies.tolist()
        return Potential(data)

    def __repr__(self) -> str:
        counts = ", ".join(f"{el}: {n}" for el, n in self.n_functions.items())
        form = "B-basis" if self.has_functions else "C-tilde"
        name = "-".join(self.elements)
        return f"<Potential {name}, {form}, functions {{{counts}}}, cutoff {self.max_cutoff:g} Å>"

    def _functions_data(self, what: str) -> formats.BPotential:
        if not isinstance(self._data, formats.BPotential):
            raise InputError(f"{what} needs the B-basis form (.yaml); this potential is C-tilde (.yace)")
        return self._data


def _parsed(text: str) -> Potential:
    """Unpickle."""
    return Potential(formats.parse_potential(text, "pickled potential"))


def _completed_radii(given: Mapping[tuple[str, str], float], elements: tuple[str, ...]) -> dict[tuple[str, str], float]:
    """r_in of every ordered pair: as given, in either order, else the sum of the covalent radii."""
    from ase.data import atomic_numbers, covalent_radii

    for pair in given:
        if not set(pair) <= set(elements) or len(pair) != 2:
            raise InputError(f"inner_radii names {pair}, but the potential has {list(elements)}")
    radii = {}
    for a in elements:
        for b in elements:
            default = covalent_radii[atomic_numbers[a]] + covalent_radii[atomic_numbers[b]]
            radius = float(given.get((a, b), given.get((b, a), default)))
            if not 0 < radius < np.inf:
                raise InputError(f"inner_radii of {a}-{b} must be positive, got {radius}")
            radii[a, b] = radius
    return radii
