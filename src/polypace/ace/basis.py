"""From a recipe (elements, radial functions, limits of n and l) to a potential with all its functions."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from polypace.ace.basis_build import build_potential
from polypace.ace.potential import Potential
from polypace.ace.recipe import (
    ARITY,
    BondEntry,
    EmbeddingEntry,
    FunctionsEntry,
    Plan,
    check_keys,
    checked,
    merged,
    symbols_of,
)
from polypace.errors import FileFormatError, InputError

_PER_ELEMENT = "number_of_functions_per_element"


@dataclass(frozen=True)
class BasisSpec:
    """Recipe of an ACE basis, with the keys and the meaning of pacemaker's `potential` section.

    Parameters
    ----------
    elements: chemical symbols.
    embeddings: `ALL`, `UNARY` or an element → `npot`, `fs_parameters`, `ndensity`, `rho_core_cut`,
        `drho_core_cut`; the default is one linear density.
    bonds: `ALL`, `UNARY`, `BINARY`, an element or a pair such as `AlNi` (both directions) → `radbase`,
        `radparameters`, `rcut` (Å), `dcut`, `r_in`, `delta_in`, `core-repulsion`, `inner_cutoff_type`,
        `nradbase`, `nradmax`, `lmax`.
    functions: `ALL`, `UNARY` … `QUINARY` or elements, the centre first, such as `AlNi` →
        `nradmax_by_orders`, `lmax_by_orders`, `coefs_init`; besides, `number_of_functions_per_element`.
    delta_spline_bins: distance (Å) of the knots of the radial splines.

    More specific keys win, entry by entry. Raises InputError naming the key, its value and the remedy.
    """

    elements: Sequence[str]
    bonds: Mapping[Any, Mapping[str, Any]]
    functions: Mapping[Any, Any]
    embeddings: Mapping[Any, Mapping[str, Any]] = field(default_factory=lambda: {"ALL": {}})
    delta_spline_bins: float = 0.001

    def __post_init__(self) -> None:
        from ase.data import atomic_numbers

        unknown = [el for el in self.elements if atomic_numbers.get(el, 0) < 1]
        if isinstance(self.elements, str) or not self.elements or unknown:
            raise InputError(f"elements must be a list of chemical symbols, got {self.elements!r}")
        if len(set(self.elements)) != len(self.elements):
            raise InputError(f"elements must not repeat, got {list(self.elements)}")
        object.__setattr__(self, "elements", tuple(sorted(self.elements)))
        if not 0 < self.delta_spline_bins < np.inf:
            raise InputError(f"deltaSplineBins must be positive (Å), got {self.delta_spline_bins}")
        for name in ("embeddings", "bonds", "functions"):
            if not isinstance(getattr(self, name), Mapping):
                raise InputError(f"{name} must be a mapping, got {getattr(self, name)!r}")
        elements = tuple(self.elements)
        check_keys(self.embeddings, "embeddings", elements, 1)
        check_keys(self.bonds, "bonds", elements, 2)
        check_keys(self.functions.keys() - {_PER_ELEMENT}, "functions", elements, len(ARITY))
        self._plan()

    @classmethod
    def read(cls, path: str | Path) -> BasisSpec:
        """Read a YAML file with `elements, embeddings, bonds, functions, deltaSplineBins`.

        They may also stand under `potential:`, as in pacemaker's `input.yaml`. Raises FileNotFoundError, or
        FileFormatError naming file, key and remedy.
        """
        import yaml

        from polypace.ace.strict_yaml import load_yaml

        path = Path(path)
        try:
            content = load_yaml(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise FileFormatError(f"{path}: not valid YAML: {error}") from None
        try:
            return cls.from_dict(content)
        except InputError as error:
            raise FileFormatError(f"{path}: {error}") from None

    @classmethod
    def from_dict(cls, content: Any) -> BasisSpec:
        """The recipe of a mapping with pacemaker's keys; undoes `as_dict`. Raises InputError naming the key."""
        recipe = content.get("potential", content) if isinstance(content, Mapping) else content
        if not isinstance(recipe, Mapping):
            raise InputError(f"must be a mapping with elements, bonds, functions; got {recipe!r}")
        required = ("elements", "bonds", "functions")
        missing = [key for key in required if key not in recipe]
        if missing:
            raise InputError(f"the keys {missing} are missing; a recipe needs {', '.join(required)}")
        known = {*required, "embeddings", "deltaSplineBins", "metadata"}
        beside = {"cutoff", "seed"} if recipe is content else set()
        unknown = sorted(str(key) for key in recipe.keys() - known - beside)
        if unknown:
            raise InputError(f"unknown keys {unknown}; known are {', '.join(sorted(known))}")
        elements = recipe["elements"]
        return cls(
            elements=elements if isinstance(elements, str) else tuple(elements or ()),
            bonds=recipe["bonds"],
            functions=recipe["functions"],
            embeddings=recipe.get("embeddings") or {"ALL": {}},
            delta_spline_bins=recipe.get("deltaSplineBins", 0.001),
        )

    @classmethod
    def simple(
        cls,
        elements: Sequence[str],
        cutoff: float | Mapping[str, float],
        *,
        nradmax: Sequence[int] = (8, 4, 2),
        lmax: Sequence[int] = (0, 3, 2),
        radial: str = "ChebExpCos",
        n_functions: int | None = None,
    ) -> BasisSpec:
        """A linear basis (one density) with the same limits for all elements.

        Parameters
        ----------
        cutoff: Å, one for all bonds, or per pair (`{"CC": 5.0, "CH": 4.0, "HH": 3.5}`).
        nradmax, lmax: largest n and l per order, pairs first.
        radial: family of radial functions.
        n_functions: total number of functions per element; the simplest ones (small rank + Σn + Σl) are kept.
        """
        common: dict[str, Any] = {"radbase": radial, "radparameters": [5.25], "dcut": 0.01}
        per_pair = cutoff if isinstance(cutoff, Mapping) else {"ALL": cutoff}
        bonds: dict[str, Any] = {"ALL": dict(common)}
        for pair, value in per_pair.items():
            bonds[pair] = {**bonds.get(pair, {}), "rcut": value}
        functions: dict[str, Any] = {"ALL": {"nradmax_by_orders": list(nradmax), "lmax_by_orders": list(lmax)}}
        if n_functions is not None:
            functions[_PER_ELEMENT] = n_functions
        return cls(elements=elements, bonds=bonds, functions=functions)

    def as_dict(self) -> dict[str, Any]:
        """The recipe with pacemaker's keys, for a YAML file or for `potential:` of its input."""
        return {
            "deltaSplineBins": self.delta_spline_bins,
            "elements": list(self.elements),
            "embeddings": {key: dict(values) for key, values in self.embeddings.items()},
            "bonds": {key: dict(values) for key, values in self.bonds.items()},
            "functions": {k: dict(v) if isinstance(v, Mapping) else v for k, v in self.functions.items()},
        }

    def build(self, seed: int = 42) -> Potential:
        """The potential with all functions and R_nl = g_n; coefficients are 0, or small random on request."""
        return build_potential(self._plan(), seed)

    def _plan(self) -> Plan:
        elements = tuple(self.elements)
        return Plan(
            elements=elements,
            delta_spline_bins=float(self.delta_spline_bins),
            embeddings=tuple(self._embedding(element) for element in elements),
            bonds={(a, b): self._bond((a, b)) for a in elements for b in elements},
            blocks=self._blocks(),
            n_per_element=self._n_per_element(),
        )

    def _embedding(self, element: str) -> EmbeddingEntry:
        values = merged(self.embeddings, f"embeddings.{element}", "ALL", "UNARY", element)
        if values is None:
            raise InputError(f"embeddings: nothing is given for {element}; add ALL or {element}")
        return checked(EmbeddingEntry, values, f"embeddings.{element}")

    def _bond(self, pair: tuple[str, str]) -> BondEntry:
        name, same = "".join(pair), len(set(pair)) == 1
        matching = [key for key in self.bonds if set(_symbols(key)) == set(pair)]
        place = f"bonds.{pair[0] if same else name}"
        entries = [dict(self.bonds[key]) for key in matching]
        if any(entry != entries[0] for entry in entries):
            raise InputError(f"{place} is given twice, under {matching}; a pair counts for both directions")
        values = merged(self.bonds, place, "ALL", "UNARY" if same else "BINARY", *matching[:1])
        if values is None:
            raise InputError(f"{place}: nothing is given for it; add ALL, {'UNARY' if same else 'BINARY'} or the pair")
        bond = checked(BondEntry, values, place)
        if bond.radbase in ("ChebExpCos", "ChebPow") and not bond.radparameters:
            raise InputError(f"{place}.radparameters is missing; {bond.radbase} needs [λ], for example [5.25]")
        return bond

    def _blocks(self) -> tuple[tuple[tuple[str, ...], FunctionsEntry], ...]:
        """Blocks (centre first, then the others sorted) in pacemaker's order, with their limits."""
        blocks = []
        for size in range(1, len(self.elements) + 1):
            for centre in self.elements:
                others = [el for el in self.elements if el != centre]
                for chosen in itertools.combinations(others, size - 1):
                    entry = self._functions_of((centre, *chosen))
                    if entry is not None:
                        blocks.append(((centre, *chosen), entry))
        return tuple(blocks)

    def _functions_of(self, block: tuple[str, ...]) -> FunctionsEntry | None:
        place = f"functions.{''.join(block)}"
        matching = [k for k in self.functions if _symbols(k)[:1] == block[:1] and set(_symbols(k)) == set(block)]
        if len(matching) > 1:
            raise InputError(f"{place} is given more than once, under {matching}; keep one")
        arity = ARITY[len(block) - 1 : len(block)]
        values = merged(self.functions, place, "ALL", *arity, *matching)
        return None if values is None else checked(FunctionsEntry, values, place)

    def _n_per_element(self) -> int | None:
        number = self.functions.get(_PER_ELEMENT)
        if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 1):
            raise InputError(f"functions.{_PER_ELEMENT} must be a positive integer, got {number!r}")
        return number


def _symbols(key: Any) -> tuple[str, ...]:
    """Symbols of an explicit key, nothing for a keyword."""
    if key in ("ALL", *ARITY, _PER_ELEMENT):
        return ()
    return symbols_of(key)
