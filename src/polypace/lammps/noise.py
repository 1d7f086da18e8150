"""Random numbers of runs in segments: LAMMPS's restart files do not hold the state of most of its generators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Words of a `fix ID group style …` line that are seeds, of the fixes that write no generator into restart files.
SEEDS = {
    "langevin": (7,),
    "langevin/drude": (6, 9),
    "langevin/eff": (7,),
    "langevin/spin": (6,),
    "baoab": (7,),
    "gjf": (7,),
    "gld": (7,),
    "gle": (7,),
    "ffl": (7,),
    "hmc": (5,),
    "pafi": (7,),
    "brownian": (5,),
    "brownian/asphere": (5,),
    "brownian/sphere": (5,),
    "bond/swap": (7,),
}
SUFFIXES = ("/kk", "/omp", "/gpu", "/intel", "/opt")
LARGEST_SEED = 900_000_000  # of LAMMPS's Marsaglia generator


def reseeded(lines: Sequence[str], start: int) -> list[str]:
    """The lines of a segment that begins at step `start`, every seed of a fix in `SEEDS` replaced by one of this step.

    With one seed for all segments each would hear the noise of the one before again, and the average over them would
    not be that of a thermostat. The segment at step 0 keeps the seeds as they were given.
    """
    return list(lines) if start == 0 else [_reseeded(line, start) for line in lines]


def _reseeded(line: str, start: int) -> str:
    words = line.split()
    if len(words) < 4 or words[0] != "fix":
        return line
    style = words[3]
    for suffix in SUFFIXES:
        style = style.removesuffix(suffix)
    for place in SEEDS.get(style, ()):
        if place < len(words) and words[place].isdigit():
            words[place] = str(_seed(int(words[place]), start))
            line = " ".join(words)
    return line


def _seed(given: int, start: int) -> int:
    drawn = np.random.SeedSequence([given, start]).generate_state(1)[0]
    return int(drawn) % LARGEST_SEED + 1
