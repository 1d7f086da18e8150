"""Relative penalties of basis functions: the rougher a function, the more evidence it needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from polypace.errors import InputError


def smoothness_penalties(
    functions: Sequence[tuple[Sequence[int], Sequence[int]]], *, power: float = 2.0, angular: float = 1.0
) -> npt.NDArray[np.float64]:
    """Return γ_f = Σ_t (n_t^p + (w l_t)^p) over the factors t of every function, n counted from 1.

    Parameters
    ----------
    functions : per function its radial indices n (from 1) and its angular momenta l
    power : p; 0 gives every function the same penalty
    angular : w, weight of l against n

    References
    ----------
    Witt et al., J. Chem. Phys. 159, 164101 (2023): algebraic smoothness prior.
    """
    if not 0 <= power < np.inf:
        raise InputError(f"smoothness must be a number from 0 on, got {power}")
    if power == 0:
        return np.ones(len(functions))
    return np.array(
        [
            sum(n**power for n in radial) + sum((angular * l_value) ** power for l_value in momenta)
            for radial, momenta in functions
        ],
        dtype=float,
    )
