from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

class System:
    def __init__(
        self,
        *,
        positions: npt.NDArray[np.float64],
        cell: npt.NDArray[np.float64],
        pbc: Sequence[bool],
        numbers: npt.NDArray[np.int64],
        bonds: npt.NDArray[np.int64],
        bond_orders: npt.NDArray[np.float64],
        cap_lengths: npt.NDArray[np.float64],
        united: bool,
        max_ring_size: int,
        typical_radius: float,
        n_threads: int,
    ) -> None: ...
    def cuttable_bonds(self) -> npt.NDArray[np.uint8]: ...

class CarveOptions:
    def __init__(
        self,
        *,
        core_radius: float,
        buffer_radius: float,
        core_bonds: int,
        bridge_length: int,
        cut_bonds: bool,
        intact_radius: float,
        only_core: bool,
        whole_bonds: int,
        merge: bool,
        periodic: bool,
        vacuum: float,
        hydrogen_contact: float,
        other_contact: float,
        max_atoms: int,
        shrink: bool,
        smallest_buffer: float,
    ) -> None: ...

def carve_clusters(
    system: System, requests: Sequence[Sequence[int]], options: CarveOptions, n_threads: int = 0
) -> Mapping[str, tuple[npt.NDArray[Any], npt.NDArray[np.int64]]]: ...
