from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

class InnerCutoff:
    density: InnerCutoff
    distance: InnerCutoff
    zbl: InnerCutoff
    @property
    def name(self) -> str: ...

class EmbeddingKind:
    FinnisSinclair: EmbeddingKind
    FinnisSinclairShiftedScaled: EmbeddingKind
    @property
    def name(self) -> str: ...

class Embedding:
    n_densities: int
    kind: EmbeddingKind
    parameters: list[float]
    rho_core_cut: float
    drho_core_cut: float

class Bond:
    defined: bool
    basis_name: str
    radial_parameters: list[float]
    n_max: int
    l_max: int
    k_max: int
    coefficients: list[float]
    r_cut: float
    d_cut: float
    core_prefactor: float
    core_lambda: float
    r_in: float
    delta_in: float
    inner: InnerCutoff

class BasisFunction:
    mus: list[int]
    ns: list[int]
    ls: list[int]
    lint: list[int]
    coefficients: list[float]

class CoupledFunction:
    mus: list[int]
    ns: list[int]
    ls: list[int]
    ms: list[int]
    weights: list[float]

class CTildeFunction:
    mus: list[int]
    ns: list[int]
    ls: list[int]
    ms: list[int]
    ctildes: list[float]

# Attributes are copies: change a list, then assign it back.
class PotentialHeader:
    elements: list[str]
    delta_spline_bins: float
    embeddings: list[Embedding]
    bonds: list[Bond]
    e0: list[float]

class BPotential(PotentialHeader):
    functions: list[list[BasisFunction]]
    metadata: dict[str, str]
    def copy(self) -> BPotential: ...
    def sort_canonically(self) -> None: ...
    def coupled_functions(self, species: int) -> list[CoupledFunction]: ...
    def to_ctilde(self) -> CTildePotential: ...

class CTildePotential(PotentialHeader):
    @property
    def functions(self) -> list[list[CTildeFunction]]: ...
    def copy(self) -> CTildePotential: ...

class BlockRecipe:
    def __init__(
        self, centre: int, others: list[int], n_max: list[int], l_max: list[int], n_kept: int | None = None
    ) -> None: ...

def clebsch_gordan(l1: int, m1: int, l2: int, m2: int, l: int, m: int) -> float: ...
def clebsch_gordan_artefacts() -> dict[tuple[int, int, int, int, int, int], float]: ...
def generate_functions(blocks: list[BlockRecipe]) -> list[list[BasisFunction]]: ...
def read_potential(path: str) -> BPotential | CTildePotential: ...
def parse_potential(text: str, source: str) -> BPotential | CTildePotential: ...
def read_yaml(path: str) -> BPotential: ...
def parse_yaml(text: str, source: str) -> BPotential: ...
def format_yaml(potential: BPotential) -> str: ...
def write_yaml(potential: BPotential, path: str) -> None: ...
def read_yace(path: str) -> CTildePotential: ...
def parse_yace(text: str, source: str) -> CTildePotential: ...
def format_yace(potential: CTildePotential) -> str: ...
def write_yace(potential: CTildePotential, path: str) -> None: ...
def read_asi(path: str) -> dict[str, npt.NDArray[np.float64]]: ...
def parse_asi(content: bytes, source: str) -> dict[str, npt.NDArray[np.float64]]: ...
def read_asi_and_note(path: str) -> tuple[dict[str, npt.NDArray[np.float64]], bytes]: ...
def write_asi(matrices: Mapping[str, npt.NDArray[np.float64]], path: str, note: str | bytes = "") -> None: ...
def active_set_note(potential: BPotential, full: bool) -> str: ...
def check_active_set_note(note: str | bytes, potential: BPotential, source: str) -> None: ...
