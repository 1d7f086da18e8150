"""One run against another: the ratio of two mean square displacements over lag time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace.analysis.msd import MSD
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MSDRatio:
    """other/reference at common lags.

    Parameters
    ----------
    lag : (k,) float64
        ps
    ratio, error : (k,) float64
        Standard error from the groups (or blocks in time) of both runs, which are independent.
    """

    lag: Floats
    ratio: Floats
    error: Floats

    @property
    def largest_deviation(self) -> tuple[float, float]:
        """Lag (ps) where the runs differ most in units of the error, and by how many."""
        with np.errstate(divide="ignore", invalid="ignore"):
            deviation = np.nan_to_num(np.abs(self.ratio - 1) / self.error)
        at = int(np.argmax(deviation))
        return float(self.lag[at]), float(deviation[at])


def compare_msd(reference: MSD, other: MSD, *, max_lag: float | None = None) -> MSDRatio:
    """Ratio of two mean square displacements with its error, where both have lags.

    Curves are interpolated in ln g over ln t; compare runs in cells of the same size, because the finite-size
    correction of D does not cancel otherwise.

    Parameters
    ----------
    reference, other : MSD
    max_lag : float, optional
        ps; default: a third of the shorter run.
    """
    first = max(reference.groups.lag[0], other.groups.lag[0])
    last = min(reference.lag[-1], other.lag[-1]) / 3 if max_lag is None else max_lag
    lag = reference.groups.known_lag
    lag = lag[(lag >= first * (1 - 1e-9)) & (lag <= min(last, other.groups.known_lag[-1]) * (1 + 1e-9))]
    if len(lag) == 0:
        raise InputError(
            f"the runs have no lags in common: {reference.groups.lag[0]:g}…{reference.lag[-1]:g} ps and "
            f"{other.groups.lag[0]:g}…{other.lag[-1]:g} ps"
        )
    log_reference, variance_reference = _logarithm(reference, lag)
    log_other, variance_other = _logarithm(other, lag)
    ratio = np.exp(log_other - log_reference)
    return MSDRatio(lag, ratio, ratio * np.sqrt(variance_reference + variance_other))


def _logarithm(curve: MSD, lag: Floats) -> tuple[Floats, Floats]:
    """ln g and its variance, interpolated."""
    groups = curve.groups
    x = np.log(groups.known_lag)
    mean = groups.mean[: len(x)]
    return np.interp(np.log(lag), x, np.log(mean)), np.interp(np.log(lag), x, (groups.error / mean) ** 2)
