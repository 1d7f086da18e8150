"""Entries of a basis recipe with pacemaker's keys, checked: embeddings, bonds, functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from polypace.errors import InputError

ARITY = ("UNARY", "BINARY", "TERNARY", "QUATERNARY", "QUINARY")

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, le=1000, strict=True)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class EmbeddingEntry(_Entry):
    """E = Σ_p w_p f(ρ_p; m_p) of one element; `fs_parameters` = [w_1, m_1, w_2, m_2, …]."""

    npot: Literal["FinnisSinclair", "FinnisSinclairShiftedScaled"] = "FinnisSinclairShiftedScaled"
    fs_parameters: tuple[_Finite, ...] = (1.0, 1.0)
    ndensity: Annotated[int, Field(ge=1, le=64, strict=True)] = 1
    rho_core_cut: _Finite = 100000.0
    drho_core_cut: _Finite = 250.0

    @model_validator(mode="after")
    def _check_length(self) -> EmbeddingEntry:
        if len(self.fs_parameters) != 2 * self.ndensity:
            raise ValueError(
                f"fs_parameters must hold 2 numbers per density, {2 * self.ndensity} for ndensity = "
                f"{self.ndensity}, got {len(self.fs_parameters)}"
            )
        return self


class BondEntry(_Entry):
    """Radial functions and core repulsion of one pair of elements; lengths in Å."""

    radbase: str
    radparameters: tuple[_Finite, ...] = ()
    rcut: _Positive
    dcut: _NotNegative = 0.0
    NameOfCutoffFunction: str = "cos"  # kept for pacemaker, without effect there and here
    r_in: _NotNegative = 0.0
    delta_in: _NotNegative = 0.0
    core_repulsion: Annotated[tuple[_Finite, _Finite], Field(alias="core-repulsion")] = (0.0, 0.0)
    inner_cutoff_type: Literal["density", "distance", "zbl"] = "distance"
    nradbase: _Count | None = None
    nradmax: _Count | None = None
    lmax: _Count | None = None


class FunctionsEntry(_Entry):
    """Largest n and l per order (order 1: pairs, 2: triples, …)."""

    nradmax_by_orders: tuple[_Count, ...]
    lmax_by_orders: tuple[_Count, ...]
    coefs_init: Literal["zero", "random"] = "zero"

    @model_validator(mode="after")
    def _check_lengths(self) -> FunctionsEntry:
        orders = len(self.nradmax_by_orders)
        if orders != len(self.lmax_by_orders) or orders == 0:
            raise ValueError(
                f"nradmax_by_orders and lmax_by_orders must have one entry per order, got {orders} and "
                f"{len(self.lmax_by_orders)} entries"
            )
        if self.nradmax_by_orders[0] < 1:
            raise ValueError("nradmax_by_orders must begin with at least 1 (the number of pair functions)")
        return self


@dataclass(frozen=True)
class Plan:
    """A checked recipe, resolved for every element, ordered pair and block."""

    elements: tuple[str, ...]
    delta_spline_bins: float
    embeddings: tuple[EmbeddingEntry, ...]
    bonds: dict[tuple[str, str], BondEntry]
    blocks: tuple[tuple[tuple[str, ...], FunctionsEntry], ...]
    n_per_element: int | None


_EntryType = TypeVar("_EntryType", bound=_Entry)


def checked(entry: type[_EntryType], values: Mapping[str, Any], place: str) -> _EntryType:
    """`values` as an entry; raises InputError naming `place`, the key, its value and what would be right."""
    try:
        return entry.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        value = "" if first["type"] in ("missing", "value_error") else f", got {first['input']!r}"
        known = ", ".join(field.alias or name for name, field in entry.model_fields.items())
        remedy = f"; known keys: {known}" if first["type"] in ("missing", "extra_forbidden") else ""
        dot = "." if key else ""
        raise InputError(f"{place}{dot}{key}: {first['msg']}{value}{remedy}") from None


def symbols_of(key: str | tuple[str, ...]) -> tuple[str, ...]:
    """("Al", "Ni") of "AlNi", "Al Ni" or the tuple itself; empty when it is not a list of symbols."""
    if isinstance(key, tuple):
        return key
    found = re.findall(r"[A-Z][a-z]?", key)
    return tuple(found) if "".join(found) == key.replace(" ", "") else ()


def check_keys(given: Iterable[Any], section: str, elements: tuple[str, ...], largest: int) -> None:
    """Refuse keys of `section` that are neither a keyword nor made of at most `largest` of the elements."""
    keywords = ("ALL", *ARITY[:largest])
    for key in given:
        if key in keywords:
            continue
        symbols = symbols_of(key) if isinstance(key, (str, tuple)) else ()
        if not 1 <= len(symbols) <= max(largest, 1) or not set(symbols) <= set(elements):
            raise InputError(
                f"{section}: the key {key!r} is neither one of {', '.join(keywords)} nor made of "
                f"{'one' if largest == 1 else f'up to {largest}'} of the elements {', '.join(elements)}"
            )


def merged(section: Mapping[Any, Mapping[str, Any]], place: str, *keys: Any) -> dict[str, Any] | None:
    """Entries under `keys` laid over each other, later ones winning; None when there is none of them."""
    found = [section[key] for key in keys if key in section]
    if not found:
        return None
    for values in found:
        if not isinstance(values, Mapping):
            raise InputError(f"{place} must be a mapping, got {values!r}")
    return {name: value for values in found for name, value in values.items()}
