"""Quantities with units in study files: `temperature: 350 K`, `time: 10 ps`, `pressure: 1 bar`.

A bare number is taken in the internal unit (Å, ps, K, bar, g/cm³, eV); a unit of another kind is an error.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

_UNITS: dict[str, dict[str, float]] = {
    "ps": {"fs": 1e-3, "ps": 1.0, "ns": 1e3, "us": 1e6, "µs": 1e6},
    "Å": {"Å": 1.0, "A": 1.0, "angstrom": 1.0, "nm": 10.0, "pm": 0.01},
    "K": {"K": 1.0},
    "bar": {"bar": 1.0, "atm": 1.01325, "MPa": 10.0, "kPa": 0.01, "Pa": 1e-5, "GPa": 1e4},
    "g/cm³": {"g/cm³": 1.0, "g/cm3": 1.0, "kg/m³": 1e-3, "kg/m3": 1e-3},
    "eV": {"eV": 1.0, "meV": 1e-3, "kcal/mol": 0.0433641153, "kJ/mol": 0.0103642697},
}
_PATTERN = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S+)?\s*$")


def parse_quantity(value: Any, unit: str) -> float:
    """Return `value` ("10 fs", "1 atm", 3.5) in `unit`, one of the internal units of the table above.

    Raises
    ------
    ValueError
        when the text is not a number with an optional unit, or the unit is of another kind.
    """
    if isinstance(value, bool):
        raise ValueError(f"expected a number in {unit}, got {value}")
    if isinstance(value, int | float):
        return float(value)
    match = _PATTERN.match(str(value))
    if match is None:
        raise ValueError(f"expected a number and a unit such as '1 {unit}', got {value!r}")
    number, given = float(match[1]), match[2]
    if given is None:
        return number
    if given not in _UNITS[unit]:
        raise ValueError(f"unit {given!r} in {value!r} does not fit; use one of {', '.join(_UNITS[unit])}")
    return number * _UNITS[unit][given]


def _quantity(unit: str) -> BeforeValidator:
    return BeforeValidator(lambda value: parse_quantity(value, unit))


Time = Annotated[float, _quantity("ps")]
Length = Annotated[float, _quantity("Å")]
Temperature = Annotated[float, _quantity("K")]
Pressure = Annotated[float, _quantity("bar")]
Density = Annotated[float, _quantity("g/cm³")]
Energy = Annotated[float, _quantity("eV")]
