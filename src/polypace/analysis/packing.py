"""Density of a run and whether it still drifts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from polypace.analysis.blocks import N_BLOCKS
from polypace.arrays import as_array
from polypace.errors import InputError
from polypace.trajectory import Trajectory
from polypace.trajectory.source import Float
from polypace.units import GRAM_PER_CM3


@dataclass(frozen=True)
class Density:
    """Mass density and its drift.

    Parameters
    ----------
    times : (n_frames,)
        ps (τ in reduced units); frame numbers where the times are not known (`time_unit` says which).
    values : (n_frames,)
        In `unit`: g/cm³, or m/σ³ in reduced units.
    mean, error : float
        In `unit`; error = deviation·√(g/n), with the statistical inefficiency g.
    inefficiency : float
        g = 1 + 2Σ(1−t/n)C(t): frames per independent sample.
    drift, drift_error : float
        Change over the whole run from a straight line through the block means, in `unit`.
    drift_p_value : float
        Probability of a drift as large as this in a stationary run (two-sided t test); NaN for fewer than
        three blocks.
    is_stationary : bool
        False where the p value is below 1 % or the run is shorter than ten independent samples.
    equilibrated_from : int
        First frame of the part with the most independent samples.
    """

    times: Float
    values: Float
    time_unit: str
    mean: float
    error: float
    inefficiency: float
    drift: float
    drift_error: float
    drift_p_value: float
    is_stationary: bool
    equilibrated_from: int
    unit: str = "g/cm³"


def density(trajectory: Trajectory, *, discard: float = 0.0, n_blocks: int = N_BLOCKS) -> Density:
    """Mass density ρ = Σm/V of every frame, its mean, and a test for drift.

    `discard` is the share of the frames at the beginning that is left out.

    Raises
    ------
    InputError
        where masses or the cell are not known.

    Sources: statistical inefficiency and equilibration, Chodera, J. Chem. Theory Comput. 12, 1799 (2016),
    eqs. 5–10.
    """
    masses = trajectory.masses
    volumes = trajectory.volumes
    if not (volumes > 0).all():
        raise InputError(f"{trajectory.name}: there is no cell, so no density")
    times = trajectory.times if trajectory.has_times else np.arange(trajectory.n_frames, dtype=float)
    reduced = trajectory.is_reduced
    time_unit = ("τ" if reduced else "ps") if trajectory.has_times else "frames"
    values = masses.sum() / volumes / (1 if reduced else GRAM_PER_CM3)
    found = density_of_series(times, values, discard=discard, time_unit=time_unit, n_blocks=n_blocks)
    return replace(found, unit="m/σ³") if reduced else found


def density_of_series(
    times: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    discard: float = 0.0,
    time_unit: str = "ps",
    n_blocks: int = N_BLOCKS,
) -> Density:
    """The same for a density (g/cm³) that is already known, such as the `Density` column of a LAMMPS log.

    Raises
    ------
    InputError
        where shapes disagree or values are not finite.
    """
    rho = as_array(values, "values", shape=(None,))
    t = as_array(times, "times", shape=(len(rho),))
    if len(rho) == 0:
        raise InputError("values must hold at least one density")
    if not 0 <= discard < 1:
        raise InputError(f"discard must be at least 0 and below 1, got {discard}")
    rho, t = rho[int(discard * len(rho)) :], t[int(discard * len(t)) :]
    g = statistical_inefficiency(rho)
    error = float(rho.std(ddof=1) * np.sqrt(g / len(rho))) if len(rho) > 1 else float("nan")
    drift, drift_error, p_value = _drift(t, rho, n_blocks)
    # A density that cannot change, as in NVT, has no drift to test, and rounding is no error.
    constant = len(rho) > 1 and bool(np.ptp(rho) <= 1e-12 * abs(rho.mean()))
    error = 0.0 if constant else error
    stationary = constant or bool(p_value >= 0.01 and len(rho) / g >= 10)
    return Density(
        t,
        rho,
        time_unit,
        float(rho.mean()),
        error,
        g,
        drift,
        drift_error,
        p_value,
        stationary,
        _equilibrated_from(rho),
    )


def statistical_inefficiency(values: Float) -> float:
    """g = 1 + 2 Σ_t (1 − t/n) C(t), summed up to the first zero of the autocorrelation function C; at least
    1.
    """
    n = len(values)
    centred = values - values.mean()
    variance = float(centred @ centred) / n
    if n < 3 or variance <= 1e-24 * float(values @ values) / n:
        return 1.0
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    correlation = np.fft.irfft(spectrum * spectrum.conj(), size)[:n] / (n - np.arange(n)) / variance
    negative = np.flatnonzero(correlation <= 0)
    stop = int(negative[0]) if negative.size else n
    return max(1.0, float(1 + 2 * np.sum((1 - np.arange(1, stop) / n) * correlation[1:stop])))


def _drift(times: Float, values: Float, n_blocks: int) -> tuple[float, float, float]:
    """Change over the run, its error and the p value of none, from a line through block means."""
    from scipy.stats import linregress

    n_blocks = min(n_blocks, len(values))
    if n_blocks < 3 or np.ptp(times) == 0 or np.ptp(values) == 0:
        return 0.0, float("nan"), float("nan")
    x = np.array([block.mean() for block in np.array_split(times, n_blocks)])
    y = np.array([block.mean() for block in np.array_split(values, n_blocks)])
    fit = linregress(x, y)
    return float(fit.slope * np.ptp(times)), float(fit.stderr * np.ptp(times)), float(fit.pvalue)


def _equilibrated_from(values: Float) -> int:
    """Start of the part with the most independent samples, among twenty candidates."""
    starts = np.unique(np.linspace(0, 0.95 * len(values), 20).astype(int))
    samples = [(len(values) - start) / statistical_inefficiency(values[start:]) for start in starts]
    return int(starts[int(np.argmax(samples))])
