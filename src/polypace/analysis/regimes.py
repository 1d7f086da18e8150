"""Regimes of polymer motion that data show, and those that they do not."""

from __future__ import annotations

from dataclasses import dataclass

from polypace.analysis.msd import MSD
from polypace.analysis.scaling import (
    Crossover,
    LocalExponent,
    PiecewisePowerLaw,
    PowerLaw,
    local_exponent,
    piecewise_power_law,
)
from polypace.errors import InputError

# Exponents of g1 in the order in which reptation theory has them (Doi & Edwards 1986, ch. 6); a regime is named where
# the exponent with two standard errors lies in its window over at least half a decade.
SHORTEST_REGIME = 0.5  # decades
ENTANGLED_BELOW = 0.42  # the lowest Rouse exponent of finite chains; above it a dip is no sign of a tube
ROUSE_WINDOW = (0.42, 0.68)
FREE_WINDOW = (0.9, 1.1)


@dataclass(frozen=True)
class Regimes:
    """What g1 shows.

    Parameters
    ----------
    fit : PiecewisePowerLaw
    exponent : LocalExponent
    named : dict of str to PowerLaw
        "rouse" (t^1/2 before a tube), "entangled" (towards t^1/4), "reptation" (t^1/2 behind it), "diffusion" (t).
    refused : dict of str to str
        Names that are not given, and why.
    """

    fit: PiecewisePowerLaw
    exponent: LocalExponent
    named: dict[str, PowerLaw]
    refused: dict[str, str]

    def _between(self, before: str, behind: str, symbol: str) -> Crossover:
        for name in (before, behind):
            if name not in self.named:
                raise InputError(f"{symbol} needs the {name} regime, which is not shown: {self.refused[name]}")
        place = self.fit.pieces.index(self.named[behind]) - 1
        return self.fit.crossovers[place]

    @property
    def tau_e(self) -> Crossover:
        """Entanglement time, t^1/2 → t^1/4 (ps). Raises InputError where the data do not show it."""
        return self._between("rouse", "entangled", "tau_e")

    @property
    def tau_r(self) -> Crossover:
        """Rouse time, t^1/4 → t^1/2 (ps). Raises InputError where the data do not show it."""
        return self._between("entangled", "reptation", "tau_r")

    @property
    def tau_d(self) -> Crossover:
        """Disengagement time, where free diffusion begins (ps). Raises InputError where the data do not show it."""
        return self._between("reptation", "diffusion", "tau_d")

    def entanglement_length(self, segment_length: float) -> tuple[float, float]:
        """N_e and its error from g1(τ_e) = 2⟨R_g²⟩ of N_e beads = N_e b²/3, b² = ⟨R²⟩/N (Å).

        Other definitions (rheology, primitive paths) give other numbers; say which one you use.
        """
        tau = self.tau_e
        if segment_length <= 0:
            raise InputError(f"segment_length must be positive (Å), got {segment_length}")
        length = 3 * tau.msd / segment_length**2
        slope = (self.named["rouse"].exponent + self.named["entangled"].exponent) / 2
        return length, length * slope * tau.error / tau.lag


def find_regimes(g1: MSD, *, min_lag: float | None = None, max_lag: float | None = None, seed: int = 0) -> Regimes:
    """Name the regimes that g1 shows and say of the others why not.

    Parameters
    ----------
    g1 : MSD
        Of the central beads; averages over all beads blur the crossovers.
    min_lag, max_lag : float, optional
        Range that is looked at (ps): leave out the ballistic part. Default: all, to a third of the longest lag.
    """
    fit = piecewise_power_law(g1, min_lag=min_lag, max_lag=max_lag, seed=seed)
    named = _named(fit.pieces)
    exponent = local_exponent(g1, max_lag=max_lag, seed=seed)
    refused = {name: _reason(name, fit) for name in ("rouse", "entangled", "reptation", "diffusion")}
    return Regimes(fit, exponent, named, {k: v for k, v in refused.items() if k not in named})


def _named(pieces: tuple[PowerLaw, ...]) -> dict[str, PowerLaw]:
    """Names in the order of time; a dip counts as entangled only behind a Rouse regime (a cage makes dips too)."""
    named: dict[str, PowerLaw] = {}
    for piece in pieces:
        if _within(piece, FREE_WINDOW):
            named["diffusion"] = piece
        elif "entangled" in named and _within(piece, ROUSE_WINDOW):
            named["reptation"] = piece
        elif "rouse" in named and _is_entangled(piece):
            named["entangled"] = min(piece, named.get("entangled", piece), key=lambda one: one.exponent)
        elif not named and _within(piece, ROUSE_WINDOW):
            named["rouse"] = piece
    return named


def _is_entangled(piece: PowerLaw) -> bool:
    return piece.decades >= SHORTEST_REGIME and piece.exponent + 2 * piece.error < ENTANGLED_BELOW


def _within(piece: PowerLaw, window: tuple[float, float]) -> bool:
    inside = window[0] <= piece.exponent - 2 * piece.error and piece.exponent + 2 * piece.error <= window[1]
    return piece.decades >= SHORTEST_REGIME and inside


def _reason(name: str, fit: PiecewisePowerLaw) -> str:
    expected = {
        "rouse": "an exponent in 0.42…0.68 at first",
        "entangled": f"an exponent below {ENTANGLED_BELOW} behind a Rouse regime",
        "reptation": "an exponent in 0.42…0.68 behind a dip",
        "diffusion": "an exponent in 0.9…1.1",
    }[name]
    shown = ", ".join(
        f"{piece.exponent:.3f} ± {piece.error:.3f} over {piece.decades:.1f} decades" for piece in fit.pieces
    )
    return (
        f"no power law over {SHORTEST_REGIME} decades has {expected} within two standard errors; the data show {shown}"
    )
