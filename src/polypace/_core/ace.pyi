from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from polypace._core.formats import BPotential, CTildePotential

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Species = npt.NDArray[np.int32]
Booleans = npt.NDArray[np.bool_]

class Evaluator:
    def __init__(
        self, potential: BPotential | CTildePotential, radial: str = "spline", instructions: str = "best"
    ) -> None: ...
    @property
    def instructions(self) -> str: ...
    @property
    def max_cutoff(self) -> float: ...
    @property
    def has_active_set(self) -> bool: ...
    @property
    def active_set_is_full(self) -> bool: ...
    def n_projections(self, species: int) -> int: ...
    def set_active_set(self, matrices: Sequence[Array]) -> None: ...
    def evaluate(
        self, counts: Integers, positions: Array, species: Species, cells: Array, pbc: Booleans, n_threads: int = 0
    ) -> tuple[Array, Array, Array, Array, Array]: ...
    def project(
        self, counts: Integers, positions: Array, species: Species, cells: Array, pbc: Booleans, n_threads: int = 0
    ) -> Array: ...
    def grade(
        self, counts: Integers, positions: Array, species: Species, cells: Array, pbc: Booleans, n_threads: int = 0
    ) -> Array: ...
