"""Mean-square internal distances: whether long chains are equilibrated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polypace.errors import InputError
from polypace.forcefields import ForceField, get_force_field
from polypace.melt import Melt
from polypace.systems.beads import BOND, bending_stiffness, mean_bend_cosine
from polypace.systems.chains import resolution
from polypace.systems.conformations import sample_conformations, torsion_statistics
from polypace.systems.connectivity import backbones

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class InternalDistances:
    """⟨R²(s)⟩ (Å²) of chain segments of s bonds: `separation` (n,), `squared` (n,), its standard error over
    chains.
    """

    separation: Integers
    squared: Floats
    error: Floats

    def at(self, separation: npt.ArrayLike) -> Floats:
        """⟨R²(s)⟩ (Å²) at other separations, between known ones a power law."""
        found: Floats = np.exp(np.interp(np.log(separation), np.log(self.separation), np.log(self.squared)))
        return found


@dataclass(frozen=True)
class InternalDistanceCheck:
    """Internal distances against their target, and what follows.

    `measured` and `target` are ⟨R²(s)⟩/(s l²) with the bond length l; `deviation` is the relative one;
    `equilibrated` is whether none exceeds both the tolerance and three times its standard error; `verdict`
    says it in words.
    """

    separation: Integers
    measured: Floats
    target: Floats
    error: Floats
    deviation: Floats
    equilibrated: bool
    verdict: str


def internal_distances(melt: Melt, n_separations: int = 60) -> InternalDistances:
    """Mean-square distances of backbone atoms s bonds apart, at about `n_separations` logarithmic steps of s.

    Averaged along each chain, then over the chains that are long enough; molecules must be whole. R. Auhl et
    al., J. Chem. Phys. 119, 12718 (2003), equation 4.

    Raises
    ------
    InputError
        where no chain has a bond, or there are rings or branches.
    """
    chains = [melt.atoms.positions[chain] for chain in backbones(melt)]
    return _distances(chains, n_separations)


def _distances(chains: list[Floats], n_separations: int) -> InternalDistances:
    longest = max(len(chain) for chain in chains) - 1
    if longest < 1:
        raise InputError("internal distances need chains of at least two backbone atoms")
    separation = np.unique(np.round(np.geomspace(1, longest, n_separations)).astype(np.int64))
    squared, error = np.empty(len(separation)), np.empty(len(separation))
    for place, s in enumerate(separation.tolist()):
        means = [np.mean(np.sum((chain[s:] - chain[:-s]) ** 2, axis=1)) for chain in chains if len(chain) > s]
        squared[place] = np.mean(means)
        error[place] = np.std(means, ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.inf
    return InternalDistances(separation, squared, error)


def target_internal_distances(
    force_field: str | ForceField, longest: int, temperature: float, seed: int = 0
) -> InternalDistances:
    """⟨R²(s)⟩ (Å²) of unperturbed chains up to `longest` bonds.

    Alkanes: chains drawn from the force field's torsion statistics at `temperature` (K), as `build_melt`
    draws them. Beads: a freely rotating chain with the published characteristic ratio, ⟨R²(s)⟩ = s l² [(1 +
    a)/(1 − a) − 2a (1 − a^s)/(s (1 − a)²)], a = (C − 1)/(C + 1).
    """
    force_field = get_force_field(force_field)
    if resolution(force_field) == "bead":
        s = np.arange(1, longest + 1)
        a = mean_bend_cosine(bending_stiffness(force_field))
        squared = s * BOND**2 * ((1 + a) / (1 - a) - 2 * a * (1 - a**s) / (s * (1 - a) ** 2))
        return InternalDistances(s, squared, np.zeros(longest))
    n_chains = int(np.clip(200_000 // (longest + 1), 200, 4000))
    lengths = np.full(n_chains, longest + 1)
    chains = sample_conformations(lengths, torsion_statistics(force_field, temperature), np.random.default_rng(seed))
    return _distances(chains, 60)


def check_internal_distances(
    melt: Melt, force_field: str | ForceField, temperature: float, tolerance: float = 0.05
) -> InternalDistanceCheck:
    """Compare the internal distances of `melt` with those of unperturbed chains at `temperature`.

    A melt whose chains were squeezed or stretched by too quick a push-off deviates at s of 10 to 100 and does
    not recover within its longest relaxation time.

    Raises
    ------
    InputError
        for a tolerance that is not positive.
    """
    if not tolerance > 0:
        raise InputError(f"tolerance must be above 0, got {tolerance}")
    force_field = get_force_field(force_field)
    found = internal_distances(melt)
    s = found.separation
    target = target_internal_distances(force_field, int(s[-1]), temperature)
    expected = target.at(s)
    bond = BOND if resolution(force_field) == "bead" else float(force_field.bonds[0].coefficients[1])
    deviation = found.squared / expected - 1
    error = found.error / expected
    beyond = (np.abs(deviation) > tolerance) & (np.abs(deviation) > 3 * error) & (s > 1)
    if beyond.any():
        worst = int(np.argmax(np.where(beyond, np.abs(deviation), 0)))
        verdict = (
            f"not equilibrated: internal distances over {s[worst]} bonds {deviation[worst]:+.1%} off their "
            f"target (tolerance {tolerance:.0%})"
        )
    else:
        verdict = f"equilibrated: internal distances up to {s[-1]} bonds agree with their target to {tolerance:.0%}"
    scale = s * bond**2
    return InternalDistanceCheck(
        s, found.squared / scale, expected / scale, found.error / scale, deviation, not beyond.any(), verdict
    )
