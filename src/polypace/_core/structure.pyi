import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Types = npt.NDArray[np.int32]
Periodic = tuple[bool, bool, bool]

def count_pairs(
    positions: Float,
    types: Types,
    cell: Float,
    pbc: Periodic,
    r_max: float,
    n_bins: int,
    n_types: int,
    n_threads: int = 0,
) -> Int: ...
def count_molecule_pairs(
    positions: Float,
    types: Types,
    offsets: Int,
    members: Int,
    r_max: float,
    n_bins: int,
    n_types: int,
    n_threads: int = 0,
) -> Int: ...
def internal_coordinate_histograms(
    positions: Float,
    cells: Float,
    pbc: Periodic,
    tuples: Int,
    groups: Int,
    n_groups: int,
    low: float,
    width: float,
    n_bins: int,
    n_threads: int = 0,
) -> tuple[Int, Float]: ...
def internal_coordinates(positions: Float, cells: Float, pbc: Periodic, tuples: Int, n_threads: int = 0) -> Float: ...
def chain_statistics(
    positions: Float,
    cells: Float,
    pbc: Periodic,
    offsets: Int,
    beads: Int,
    n_separations: int,
    n_threads: int = 0,
) -> tuple[Float, Float, Float]: ...
def density_modes(
    positions: Float, types: Types, cell: Float, vectors: Int, n_types: int, n_threads: int = 0
) -> Float: ...
