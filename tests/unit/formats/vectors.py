"""The reference cases: potentials of pacemaker with the numbers it gives."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

CASES = (
    "agcu_2dens_asi",
    "al_cheblinear",
    "al_pbe_2dens",
    "al_power_order_FS",
    "al_r1234_flatcrad",
    "al_r1234_linear",
    "al_r4_linear",
    "alcuzn_ternary",
    "alni_density_corerep",
    "alni_multispecies_asi",
    "alni_zbl",
    "cu1_dcut_wide",
    "cu1_distance_corerep",
    "cu1_rank5_asi",
    "cu1_sbessel",
    "cu_rank6_chebpow",
    "h_zbl_only",
    "ni_2dens_chebpow_fullasi",
    "syn_al_rank5_l3",
    "syn_nial_linear",
)


@cache
def load(shared: Path, case: str) -> dict[str, Any]:
    """The case's numbers; file names in it are relative to `folder(shared)`."""
    return json.loads((folder(shared) / f"{case}.json").read_text())


def folder(shared: Path) -> Path:
    return shared / "spec" / "vectors"
