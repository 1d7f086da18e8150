"""The pair_style lines of an ACE in LAMMPS, with elements mapped to atom types by name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Protocol

from polypace.errors import InputError


class OverlayStyle(Protocol):
    """A pair style that acts beside the ACE (`polypace.reference.DispersionTail` is one)."""

    @property
    def lammps_pair_style(self) -> str:
        """Style name with its arguments."""

    def lammps_pair_coeffs(self, type_names: Sequence[str]) -> list[str]:
        """`pair_coeff` lines with the style's name, for every pair: hybrid styles do not mix."""


def ace_pair_lines(
    potential: str | os.PathLike[str],
    type_names: Sequence[str],
    element_of_type: Mapping[str, str],
    active_set: str | os.PathLike[str] | None = None,
    overlay: OverlayStyle | None = None,
    known_elements: Sequence[str] | None = None,
    labelled: bool = False,
) -> str:
    """Return the `pair_style` and `pair_coeff` lines that run `potential` on the atom types `type_names`.

    With `active_set` the style is pace/extrapolation (the potential must be a .yaml), with `overlay` it is
    hybrid/overlay.

    Parameters
    ----------
    type_names : sequence of str
        Name of LAMMPS's atom types 1, 2, …
    element_of_type : mapping
        Element of the potential for every type name.
    known_elements : sequence of str, optional
        The potential's elements, checked when given.
    labelled : bool
        The data file that LAMMPS has read names its atom types (section Atom Type Labels): LAMMPS compares its names
        with `type_names` and stops where a type is another one, so that swapped species cannot go unnoticed.

    Raises
    ------
    InputError
        for a type without an element, or an element that the potential does not have.
    """
    elements = [_element(name, element_of_type, known_elements) for name in type_names]
    mapping = _mapping(type_names, elements, labelled)
    style = "pace" if active_set is None else "pace/extrapolation"
    files = os.fspath(potential) if active_set is None else f"{os.fspath(potential)} {os.fspath(active_set)}"
    if overlay is None:
        return f"{mapping}\npair_style {style}\npair_coeff * * {files} {' '.join(elements)}\n"
    lines = [
        mapping,
        f"pair_style hybrid/overlay {style} {overlay.lammps_pair_style}",
        f"pair_coeff * * {style} {files} {' '.join(elements)}",
        *overlay.lammps_pair_coeffs(type_names),
    ]
    return "\n".join(lines) + "\n"


def mliap_pair_lines(
    model: str | os.PathLike[str], type_names: Sequence[str], element_of_type: Mapping[str, str], labelled: bool = False
) -> str:
    """Return the lines that run a model file of `polypace.ace.write_mliap_model` by `pair_style mliap unified`.

    LAMMPS itself compares the element names with those of the model. Arguments and errors as in `ace_pair_lines`.
    """
    elements = [_element(name, element_of_type, None) for name in type_names]
    mapping = _mapping(type_names, elements, labelled)
    return f"{mapping}\npair_style mliap unified {os.fspath(model)} 0\npair_coeff * * {' '.join(elements)}\n"


def _mapping(type_names: Sequence[str], elements: Sequence[str], labelled: bool) -> str:
    pairs = enumerate(zip(type_names, elements, strict=True), 1)
    lines = ["# atom types: " + ", ".join(f"{index} {name} = {element}" for index, (name, element) in pairs)]
    for index, name in enumerate(type_names, 1) if labelled else ():
        text = f"ERROR: the data file has another atom type {index} than {name}: its types are in another order"
        lines.append(f'if "$(label2type(atom,{name}):%.0f) != {index}" then "print \'{text}\'" "quit 1"')
    return "\n".join(lines)


def _element(name: str, element_of_type: Mapping[str, str], known: Sequence[str] | None) -> str:
    if name not in element_of_type:
        known_types = ", ".join(element_of_type)
        raise InputError(f"no element is given for the atom type {name}; element_of_type has {known_types}")
    element = element_of_type[name]
    if known is not None and element not in known:
        raise InputError(
            f"the atom type {name} is mapped to the element {element}, which the potential does not have; "
            f"it has {', '.join(known)}"
        )
    return element
