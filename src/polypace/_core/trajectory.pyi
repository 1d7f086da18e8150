from typing import Any

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

class BondTree: ...

class WalkState:
    def __init__(self) -> None: ...
    def copy(self) -> WalkState: ...

def scan_text_dump(chunk: memoryview, offset: int, line: int, last: bool) -> dict[str, Any]: ...
def scan_binary_dump(chunk: memoryview, offset: int, last: bool) -> dict[str, Any]: ...
def read_dump_rows(
    chunk: npt.NDArray[np.uint8],
    bounds: npt.NDArray[np.uint64],
    first_lines: npt.NDArray[np.uint64],
    n_atoms: int,
    slots: list[int],
    scaled: bool,
    length_unit: float,
    rows: npt.NDArray[np.int32],
    cells: Float,
    origins: Float,
    positions: Float,
    images: npt.NDArray[np.int32],
    binary: bool,
    n_threads: int = 0,
) -> tuple[int, str] | None: ...
def read_extxyz_rows(
    text: bytes, kinds: str, n_atoms: int
) -> tuple[Float, npt.NDArray[np.int32], list[tuple[list[str], npt.NDArray[np.int32]]]] | None: ...
def make_bond_tree(bonds: Int, n_atoms: int) -> BondTree: ...
def make_whole(
    positions: Float, cells: Float, pbc: tuple[bool, bool, bool], tree: BondTree, n_threads: int = 0
) -> tuple[float, int, int, int]: ...
def molecule_centers(
    positions: Float, molecules: Int, weights: Float, n_molecules: int, n_threads: int = 0
) -> Float: ...
def walk_toroidally(
    sites: Float,
    cells: Float,
    origins: Float,
    pbc: tuple[bool, bool, bool],
    images_known: bool,
    state: WalkState,
    n_threads: int = 0,
) -> tuple[float, int, int, int]: ...
