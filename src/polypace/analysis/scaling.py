"""Local exponent of a mean square displacement, and power laws joined at crossovers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace.analysis.msd import MSD
from polypace.errors import InputError

Floats = npt.NDArray[np.float64]

N_BOOTSTRAP = 400
MAX_PIECES = 4
KNOTS_PER_DECADE = 10
SHORTEST_PIECE = 0.3  # decades
SMALLEST_BEND = 0.05  # change of the exponent
RELATIVE_FLOOR = 2e-3  # decades; what differs by less has no structure of interest


@dataclass(frozen=True, eq=False)
class LocalExponent:
    """α(t) = d ln g/d ln t.

    Parameters
    ----------
    lag : (k,) float64
        ps
    alpha, error : (k,) float64
        Slope of ln g over ± `half_width` decades and its standard error (bootstrap over groups of molecules, over
        blocks in time where molecules are few).
    lower, upper : (k,) float64
        Central 95 % of the bootstrap.
    half_width : float
        Decades.
    """

    lag: Floats
    alpha: Floats
    error: Floats
    lower: Floats
    upper: Floats
    half_width: float

    @property
    def minimum(self) -> tuple[float, float, float]:
        """Lowest α, its error and the lag (ps) where it is."""
        at = int(np.argmin(self.alpha))
        return float(self.alpha[at]), float(self.error[at]), float(self.lag[at])

    def decades_below(self, alpha: float) -> float:
        """Decades of time over which the exponent is below `alpha`."""
        if len(self.lag) < 2:
            return 0.0
        spacing = np.gradient(np.log10(self.lag))
        return float(spacing[self.alpha < alpha].sum())


def local_exponent(
    curve: MSD, half_width: float = 0.2, *, max_lag: float | None = None, seed: int = 0
) -> LocalExponent:
    r"""Exponent :math:`\alpha(t) = d\ln g/d\ln t`, from straight lines through ln g around every lag.

    Parameters
    ----------
    curve : MSD
    half_width : float
        Lags within this many decades make up the line; at the ends, at least three lags on one side.
    max_lag : float, optional
        Leave out longer lags (ps); default: a third of the longest, beyond which few origins are left.
    seed : int
        Of the bootstrap over groups.
    """
    lag, curves = _usable(curve, max_lag)
    x = np.log(lag)
    slopes = _slope_operator(x, half_width * np.log(10))
    with np.errstate(divide="ignore", invalid="ignore"):
        samples = np.log(curves) @ slopes.T
    alpha = slopes @ np.log(_mean(curve, len(lag)))
    error, lower, upper = _spread(samples, alpha)
    return LocalExponent(lag, alpha, error, lower, upper, half_width)


@dataclass(frozen=True)
class PowerLaw:
    """g ∝ t^exponent between two lags (ps), with the standard error of the exponent."""

    exponent: float
    error: float
    begin: float
    end: float
    amplitude: float

    @property
    def decades(self) -> float:
        return float(np.log10(self.end / self.begin))

    def __call__(self, lag: npt.ArrayLike) -> Floats:
        return np.asarray(self.amplitude * np.asarray(lag, dtype=np.float64) ** self.exponent)


@dataclass(frozen=True)
class Crossover:
    """Lag (ps) where two power laws meet, its standard error, and g there (Å²)."""

    lag: float
    error: float
    msd: float


@dataclass(frozen=True)
class PiecewisePowerLaw:
    """Power laws from short to long times and the crossovers between neighbours."""

    pieces: tuple[PowerLaw, ...]
    crossovers: tuple[Crossover, ...]


def piecewise_power_law(
    curve: MSD, *, min_lag: float | None = None, max_lag: float | None = None, seed: int = 0
) -> PiecewisePowerLaw:
    """Join power laws at crossovers, as few as the data ask for.

    ln g is fitted by a continuous chain of straight lines in ln t; one more piece (up to four) is taken while every
    bend is at least 0.05 and three standard errors. Errors come from fitting bootstrap samples over molecules anew.

    Parameters
    ----------
    curve : MSD
    min_lag, max_lag : float, optional
        Range that is fitted (ps); default: all, and a third of the longest lag.
    seed : int
    """
    lag, curves = _usable(curve, max_lag, 100, seed)
    first = 0 if min_lag is None else int(np.searchsorted(lag, min_lag))
    lag, curves = lag[first:], curves[:, first:]
    if len(lag) < 6:
        raise InputError(f"a power law needs at least 6 lags, got {len(lag)} between min_lag and max_lag")
    fit = _ChainOfLines(np.log10(lag), np.log10(_mean(curve, first + len(lag))[first:]), curves)
    knots = fit.choose_knots()
    resampled = [fit.refit(sample, knots) for sample in fit.samples]
    slope_error = np.std([slopes for slopes, _ in resampled], axis=0)
    knot_error = np.std([moved for _, moved in resampled], axis=0) if len(knots) else np.zeros(0)
    return _assemble(fit, knots, slope_error, knot_error)


def _assemble(fit: _ChainOfLines, knots: Floats, slope_error: Floats, knot_error: Floats) -> PiecewisePowerLaw:
    x, values, slopes = fit.x, fit.values(knots), fit.slopes(fit.y, knots)
    edges = np.concatenate([[x[0]], knots, [x[-1]]])
    heights = np.interp(edges, x, values)
    pieces = tuple(
        PowerLaw(
            float(slopes[i]),
            float(slope_error[i]),
            float(10 ** edges[i]),
            float(10 ** edges[i + 1]),
            float(10 ** (heights[i] - slopes[i] * edges[i])),
        )
        for i in range(len(slopes))
    )
    crossovers = tuple(
        Crossover(float(10**k), float(10**k * np.log(10) * e), float(10 ** np.interp(k, x, values)))
        for k, e in zip(knots, knot_error, strict=True)
    )
    return PiecewisePowerLaw(pieces, crossovers)


def _usable(curve: MSD, max_lag: float | None, n_samples: int = N_BOOTSTRAP, seed: int = 0) -> tuple[Floats, Floats]:
    """Logarithmic lags and bootstrap samples of the curve at them."""
    groups = curve.groups
    if len(groups.weights) < 2:
        raise InputError("errors need at least 2 independent molecules, or a run that can be cut into blocks in time")
    limit = curve.lag[-1] / 3 if max_lag is None else max_lag
    limit = min(limit, groups.known_lag[-1])
    n = int(np.searchsorted(groups.known_lag, limit * (1 + 1e-9), side="right"))
    if n < 4:
        raise InputError(f"an exponent needs at least 4 lags up to {limit:g} ps, the curve has {n}: give a longer run")
    return groups.lag[:n], groups.resample(n_samples, seed)[:, :n]


def _mean(curve: MSD, n: int) -> Floats:
    mean = curve.groups.mean[:n]
    if not (mean > 0).all():
        raise InputError("an exponent needs displacements above zero; these particles do not move")
    return mean


def _spread(samples: Floats, alpha: Floats) -> tuple[Floats, Floats, Floats]:
    finite = samples[np.isfinite(samples).all(axis=1)]
    lower, upper = np.percentile(finite, [2.5, 97.5], axis=0)
    return finite.std(axis=0), np.minimum(lower, alpha), np.maximum(upper, alpha)


def _slope_operator(x: Floats, half_width: float) -> Floats:
    """(k, k): row i times y is the slope of the straight line through the points near x[i]."""
    operator = np.zeros((len(x), len(x)))
    for i, center in enumerate(x):
        near = np.abs(x - center) <= half_width
        near[max(0, min(i - 1, len(x) - 3)) : max(3, i + 2)] = True
        deviation = x[near] - x[near].mean()
        operator[i, near] = deviation / (deviation @ deviation)
    return operator


class _ChainOfLines:
    """Continuous chains of straight lines through log g over log t, weighted by the scatter of molecules."""

    def __init__(self, x: Floats, y: Floats, curves: Floats) -> None:
        self.x, self.y = x, y
        self.samples = np.log10(curves[(curves > 0).all(axis=1)])
        # A floor, so that the first lags, whose errors are tiny, do not outweigh the shape of the rest.
        self._weights = 1 / np.sqrt(self.samples.var(axis=0) + RELATIVE_FLOOR**2)

    def values(self, knots: Floats) -> Floats:
        return np.asarray(self._design(knots) @ self._coefficients(self.y, knots))

    def slopes(self, y: Floats, knots: Floats) -> Floats:
        """(n_pieces,) or, for several y as rows, (n, n_pieces)."""
        return np.cumsum(self._coefficients(y.T, knots)[1:].T, axis=-1)

    def residual(self, y: Floats, knots: Floats) -> float:
        difference = self._weights * (y - self._design(knots) @ self._coefficients(y, knots))
        return float(difference @ difference)

    def choose_knots(self) -> Floats:
        """Add the knot that helps most and move all to their best places, while every bend is significant."""
        knots = np.zeros(0)
        for _ in range(MAX_PIECES - 1):
            candidates = [np.sort(np.append(knots, c)) for c in self._grid() if self._apart(np.append(knots, c))]
            if not candidates:
                break
            trial = min(candidates, key=lambda k: self.residual(self.y, k))
            for _ in range(3):
                trial = self._refine(self.y, trial)
            if not self._bends(trial):
                break
            knots = trial
        return knots

    def refit(self, y: Floats, knots: Floats) -> tuple[Floats, Floats]:
        moved = self._refine(y, knots)
        return self.slopes(y, moved), moved

    def _design(self, knots: Floats) -> Floats:
        hinges = [np.maximum(self.x - knot, 0) for knot in knots]
        return np.stack([np.ones_like(self.x), self.x, *hinges], axis=1)

    def _coefficients(self, y: Floats, knots: Floats) -> Floats:
        weights = self._weights if y.ndim == 1 else self._weights[:, None]
        return np.asarray(np.linalg.lstsq(self._weights[:, None] * self._design(knots), weights * y, rcond=None)[0])

    def _bends(self, knots: Floats) -> bool:
        bends = np.abs(np.diff(self.slopes(self.y, knots)))
        error = np.diff(self.slopes(self.samples, knots), axis=1).std(axis=0)
        return bool((bends > np.maximum(3 * error, SMALLEST_BEND)).all())

    def _grid(self) -> Floats:
        first, last = self.x[0] + SHORTEST_PIECE, self.x[-1] - SHORTEST_PIECE
        return np.linspace(first, last, int((last - first) * KNOTS_PER_DECADE) + 1) if last > first else np.zeros(0)

    def _apart(self, knots: Floats) -> bool:
        edges = np.concatenate([[self.x[0]], np.sort(knots), [self.x[-1]]])
        return bool(np.diff(edges).min() >= SHORTEST_PIECE - 1e-9)

    def _refine(self, y: Floats, knots: Floats) -> Floats:
        """Each knot in turn to the best place within a fifth of a decade."""
        for i in range(len(knots)):
            trials = [knots + shift * (np.arange(len(knots)) == i) for shift in np.linspace(-0.2, 0.2, 9)]
            allowed = [t for t in trials if self._apart(t) and (np.diff(t) > 0).all()] or [knots]
            knots = min(allowed, key=lambda k: self.residual(y, k))
        return knots
