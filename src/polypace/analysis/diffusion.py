"""Diffusion coefficients: generalised least squares, finite-size correction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace.analysis.msd import MSD
from polypace.analysis.scaling import local_exponent
from polypace.errors import InputError
from polypace.units import BOLTZMANN

Floats = npt.NDArray[np.float64]

YEH_HUMMER = 2.837297  # cubic lattice sum
PASCAL_SECOND = 6.241509074e-12 * 1e12  # eV ps/Å³
MAX_LAGS = 12
# An exponent counts as 1 within two standard errors, which may not excuse everything.
SMALLEST_DOUBT, LARGEST_DOUBT = 0.03, 0.2


@dataclass(frozen=True)
class Diffusion:
    """Diffusion coefficient with its standard error.

    Parameters
    ----------
    coefficient, error : float
        Å²/ps
    fit_range : tuple of float
        Lags of the fit (ps).
    offset : float
        Intercept of the line, the memory of faster motion (Å²).
    quality : float
        Probability of a worse χ² if the motion is Brownian with this offset; below 0.05 doubt the range.
    """

    coefficient: float
    error: float
    fit_range: tuple[float, float]
    offset: float
    quality: float

    @property
    def cm2_per_s(self) -> tuple[float, float]:
        """Coefficient and error in cm²/s."""
        return self.coefficient * 1e-4, self.error * 1e-4


def diffusion_coefficient(
    curve: MSD, fit_range: tuple[float, float] | None = None, *, n_molecules: int | None = None
) -> Diffusion:
    r"""Fit MSD(t) = offset + 6 D t by generalised least squares.

    Averages over overlapping time origins are strongly correlated; their covariance for Brownian motion with an
    offset is known (it is summed here exactly), depends on the result, and is iterated with it.

    Parameters
    ----------
    curve : MSD
        Of molecules (g3): particles of one molecule are not independent.
    fit_range : (float, float), optional
        First and last lag (ps). Default: from where the exponent is 1 within its error, to a fifth of the run.
    n_molecules : int, optional
        Independent walkers; default `curve.n_particles`.

    Raises
    ------
    InputError
        where the curve is not diffusive in any range, or the range holds fewer than three lags.

    Notes
    -----
    Bullerjahn, von Bülow, Hummer, J. Chem. Phys. 153, 024116 (2020), eqs. 8-15.
    """
    from scipy.special import chdtrc  # the survival function of χ²

    begin, end = fit_range or _diffusive_range(curve)
    index = _spaced_lags(curve, begin, end)
    n_frames = int(curve.n_origins[0])
    walkers = 3 * (n_molecules or curve.n_particles)
    values = curve.msd[index] / 3
    design = np.stack([np.ones(len(index)), index.astype(float)], axis=1)
    parameters = np.linalg.lstsq(design, values, rcond=None)[0]
    for _ in range(8):
        noise, step = max(parameters[0], 0.0), max(parameters[1], 1e-300)
        covariance = brownian_covariance(index, n_frames, noise, step) / walkers
        inverse = np.linalg.inv(covariance)
        spread = np.linalg.inv(design.T @ inverse @ design)
        parameters = spread @ design.T @ inverse @ values
    residual = values - design @ parameters
    chi_squared = float(residual @ inverse @ residual)
    unit = float(curve.lag[1])
    error = max(float(np.sqrt(spread[1, 1])), _group_error(curve, index, spread @ design.T @ inverse))
    return Diffusion(
        coefficient=float(parameters[1]) / (2 * unit),
        error=error / (2 * unit),
        fit_range=(float(curve.lag[index[0]]), float(curve.lag[index[-1]])),
        offset=3 * float(parameters[0]),
        quality=float(chdtrc(len(index) - 2, chi_squared)),
    )


def brownian_covariance(lags: npt.NDArray[np.int64], n_frames: int, noise: float, step: float) -> Floats:
    """(k, k): covariance of mean square displacements over overlapping origins of one Brownian walk, one direction.

    The walk has increments of variance `step` and each position an independent error of variance noise/2, so that
    MSD(i) = noise + step·i. For Gaussian displacements Cov = 2 Σ c(δ)²/(K_i K_j), summed over pairs of origins.
    """
    covariance = np.empty((len(lags), len(lags)))
    for a, i in enumerate(lags.tolist()):
        for b, j in enumerate(lags.tolist()[: a + 1]):
            delta = np.arange(-j, i + 1)  # start of the second window behind that of the first
            overlap = np.maximum(0, np.minimum(i, delta + j) - np.maximum(0, delta))
            shared = (delta == 0).astype(float) + (delta + j == i) - (delta == i) - (delta + j == 0)
            correlation = step * overlap + 0.5 * noise * shared
            n_i, n_j = n_frames - i, n_frames - j
            count = np.minimum(n_i, n_j - delta) - np.maximum(0, -delta)
            total = 2 * (correlation**2 * np.maximum(count, 0)).sum() / (n_i * n_j)
            covariance[a, b] = covariance[b, a] = total
    return covariance


def yeh_hummer(coefficient: float, temperature: float, viscosity: float, box_length: float) -> float:
    r"""Diffusion coefficient of an infinite system, D + ξ k_B T/(6π η L) with ξ = 2.837297 (Å²/ps).

    Parameters
    ----------
    coefficient : float
        In the periodic cell (Å²/ps).
    temperature : float
        K
    viscosity : float
        Shear viscosity (Pa s).
    box_length : float
        Edge of the cubic cell (Å).

    Notes
    -----
    Yeh & Hummer, J. Phys. Chem. B 108, 15873 (2004), eq. 12.
    """
    for name, value in (("temperature", temperature), ("viscosity", viscosity), ("box_length", box_length)):
        if not value > 0:
            raise InputError(f"{name} must be positive, got {value}")
    return coefficient + YEH_HUMMER * BOLTZMANN * temperature / (6 * np.pi * viscosity * PASCAL_SECOND * box_length)


def _diffusive_range(curve: MSD) -> tuple[float, float]:
    end = float(curve.lag[-1]) / 5
    exponent = local_exponent(curve, max_lag=end)
    diffusive = np.abs(exponent.alpha - 1) < np.minimum(2 * exponent.error, LARGEST_DOUBT) + SMALLEST_DOUBT
    # The longest run of diffusive lags that reaches the end of the trusted range.
    behind = np.flatnonzero(~diffusive)
    first = 0 if len(behind) == 0 else int(behind[-1]) + 1
    if len(exponent.lag) - first < 3:
        raise InputError(
            f"the motion is not diffusive: the exponent at {exponent.lag[-1]:g} ps is {exponent.alpha[-1]:.2f} ± "
            f"{exponent.error[-1]:.2f}; run longer, or give fit_range if you know better"
        )
    return float(exponent.lag[first]), float(exponent.lag[-1])


def _spaced_lags(curve: MSD, begin: float, end: float) -> npt.NDArray[np.int64]:
    """Multiples of the first lag, as frame counts: these carry the information, others repeat it."""
    if len(curve.lag) < 3 or not np.isclose(curve.lag[-1] - curve.lag[-2], curve.lag[1]):
        raise InputError("a diffusion coefficient needs frames at equal steps; give such a part of the run")
    unit = float(curve.lag[1])
    first = max(1, round(begin / unit))
    last = min(len(curve.lag) - 1, round(end / unit))
    n = min(MAX_LAGS, last // first if last // first >= 3 else last - first + 1)
    index = np.unique(np.linspace(first, last, max(n, 0)).round().astype(np.int64))
    if len(index) < 3:
        raise InputError(f"fit_range {begin:g}…{end:g} ps holds {len(index)} lags; at least 3 are needed")
    return index


def _group_error(curve: MSD, index: npt.NDArray[np.int64], operator: Floats) -> float:
    """Standard error of the slope from the scatter of groups, for what Brownian motion does not know."""
    groups = curve.groups
    n = len(groups.weights)
    lags = curve.lag[index]
    if n < 8 or lags[-1] > groups.known_lag[-1] * (1 + 1e-9):
        return 0.0
    slopes = np.array([operator[1] @ (np.interp(lags, groups.known_lag, one) / 3) for one in groups.curves])
    shares = groups.weights / groups.weights.sum()
    deviations = shares * (slopes - shares @ slopes)
    return float(np.sqrt(n / (n - 1) * (deviations**2).sum()))
