"""Names of units in what is written about a run in Lennard-Jones units, whose numbers are lengths in σ and times in τ."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Last part of a key of a JSON file → that of the same number in reduced units.
_KEYS = {
    "A2_per_ps": "sigma2_per_tau",
    "g_per_cm3": "m_per_sigma3",
    "per_A": "per_sigma",
    "A2": "sigma2",
    "A": "sigma",
    "ps": "tau",
}


def reduced_text(text: str) -> str:
    """A text with Å and ps as σ and τ."""
    return re.sub(r"\bps\b", "τ", text).replace("Å", "σ")


def reduced_keys(content: Any) -> Any:
    """The content of a JSON file with keys that name reduced units: at_ps becomes at_tau."""
    if not isinstance(content, dict):
        return content
    return {_reduced_key(key): reduced_keys(value) for key, value in content.items()}


def _reduced_key(key: str) -> str:
    for ending, reduced in _KEYS.items():
        if key.endswith(f"_{ending}"):
            return key.removesuffix(ending) + reduced
    return key


def in_reduced_units(figure: Figure) -> Figure:
    """The same figure with the axes of a run in Lennard-Jones units."""
    for axis in figure.axes:
        for label in (axis.xaxis.label, axis.yaxis.label):
            text = label.get_text().replace("Å", r"$\sigma$").replace("/ ps", r"/ $\tau$")
            label.set_text(text.replace(r"g cm$^{-3}$", r"$m\,\sigma^{-3}$"))
    return figure
