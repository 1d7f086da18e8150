"""Active sets: the environments that span a potential's training data, and their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from polypace._core import formats
from polypace.ace.potential import Potential
from polypace.ace.prediction import check_made_for
from polypace.arrays import as_array
from polypace.errors import FileFormatError, InputError

Kind = Literal["linear", "full"]


@dataclass(frozen=True)
class ActiveSet:
    """Pseudo-inverses of the selected environments' projections, one per element, as pacemaker's `.asi` files hold them.

    inverses : {element: (N, N)}, M = A⁺ of the selected rows A; N functions (linear) or functions · densities (full)
    selected : {element: (N, 2) int64}, frame and atom of every selected row; empty where read from a file
    largest_grade : {element: largest γ over the frames it was selected from}; empty where read from a file
    made_for : which functions its rows belong to, kept in the file where other programs do not look; empty in files
        of other programs

    The extrapolation grade of an environment with projections b is γ = max_k |Σ_j b_j M_jk|
    (Lysogorskiy et al., Phys. Rev. Materials 7, 043801 (2023), eq. 9).
    """

    inverses: Mapping[str, npt.NDArray[np.float64]]
    selected: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    largest_grade: Mapping[str, float] = field(default_factory=dict)
    made_for: bytes = b""

    def __post_init__(self) -> None:
        if not self.inverses:
            raise InputError("an active set needs a matrix for at least one element")
        checked = {}
        for element in sorted(self.inverses):
            matrix = as_array(self.inverses[element], f"active set of {element}", shape=(None, None))
            if matrix.shape[0] != matrix.shape[1]:
                raise InputError(f"active set of {element} must be square, got {matrix.shape}")
            checked[element] = matrix
        object.__setattr__(self, "inverses", checked)

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbols, sorted."""
        return tuple(self.inverses)

    @classmethod
    def read(cls, path: str | Path) -> ActiveSet:
        """Read an `.asi` (or `.asi.nonlinear`) file."""
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"active-set file {path} does not exist")
        try:
            inverses, made_for = formats.read_asi_and_note(str(path))
            return cls(inverses, made_for=made_for)
        except ValueError as error:
            raise FileFormatError(str(error)) from None

    def write(self, path: str | Path) -> None:
        """Write an `.asi` file, which pacemaker's programs and `pair_style pace/extrapolation` read too."""
        formats.write_asi(dict(self.inverses), str(path), self.made_for)

    def kind(self, potential: Potential) -> Kind:
        """Return whether the set is linear or full, after checking that it belongs to the potential.

        Raises
        ------
        InputError
            where elements, numbers of functions or, as far as the file tells them, the functions themselves differ.
        """
        if not potential.has_functions:
            raise InputError("extrapolation grades need the B-basis form of the potential (.yaml), not .yace")
        if set(self.elements) != set(potential.elements):
            raise InputError(
                f"the active set is for {', '.join(self.elements)}, the potential for "
                f"{', '.join(potential.elements)}: they do not belong together"
            )
        counts, densities = potential.n_functions, potential.n_densities
        sizes = {el: len(matrix) for el, matrix in self.inverses.items()}
        full = {el: counts[el] * densities[el] for el in counts}
        if sizes in (counts, full):
            check_made_for(self.made_for, potential)
            return "linear" if sizes == counts else "full"
        raise InputError(
            f"the active set has {sizes} rows, the potential {counts} functions and {densities} densities: they do "
            "not belong together; make a new one with select_active_set"
        )
