"""How much each label counts in a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import ase
import numpy as np
import numpy.typing as npt

from polypace.ace.labels import Labels
from polypace.errors import InputError

# Configuration types of `polypace.systems` with forces far above thermal ones.
DISTORTED = {"contacts": 1e-2, "twisted": 1e-2}


@dataclass(frozen=True)
class FrameWeights:
    """Weights of one frame: of its energy row, of its virial rows, and (n_atoms,) of its force rows."""

    energy: float
    virial: float
    forces: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Weights:
    """Weights of the squared errors that a fit minimises,

        Σ_frames g [w_E ((E − Ê)/N)² + w_F Σ_atoms m_a |F_a − F̂_a|² + w_V Σ_6 ((V − V̂)/N)²],

    energies and virials in eV per atom, forces in eV/Å. A weight says 1/σ², σ the error one is ready to accept:
    the defaults balance 0.1 meV/atom, 30 meV/Å and 1 meV/atom.

    Parameters
    ----------
    energy, forces, virial : float ≥ 0
        w_E, w_F, w_V; 0 leaves the quantity out.
    config_types : mapping of str to float ≥ 0
        g of frames by their `info["config_type"]`; 1 for those not named. The default lets frames that were pushed
        far from equilibrium (DISTORTED) shape the walls of the potential without deciding its valleys: with g = 1 they
        made the forces of thermal melts three times worse.
    per_atom : bool
        False: energies and virials of whole frames, without the division by N.
    large_force : float > 0, optional
        f in eV/Å: m_a is divided by 1 + |F_a|²/f², so that a few violent contacts do not rule the fit.

    Per frame, `info["energy_weight"]` multiplies w_E and w_V (`info["virial_weight"]` w_V instead where present);
    per atom, `arrays["force_weight"]` is m_a: 1 counts, 0 masks.
    """

    energy: float = 1e8
    forces: float = 1e3
    virial: float = 1e6
    config_types: Mapping[str, float] = field(default_factory=lambda: dict(DISTORTED))
    per_atom: bool = True
    large_force: float | None = None

    def __post_init__(self) -> None:
        named = {"energy": self.energy, "forces": self.forces, "virial": self.virial}
        named |= {f"config_types[{kind!r}]": value for kind, value in self.config_types.items()}
        for name, value in named.items():
            if not (np.isfinite(value) and value >= 0):
                raise InputError(f"weights: {name} must be finite and not negative, got {value}")
        if self.large_force is not None and not self.large_force > 0:
            raise InputError(f"weights: large_force must be positive, got {self.large_force} eV/Å")
        if self.energy == self.forces == self.virial == 0:
            raise InputError("weights: energy, forces and virial are all 0, nothing is left to fit")

    def of_frame(self, atoms: ase.Atoms, labels: Labels, name: str) -> FrameWeights:
        """Weights of one frame; `name` stands for it in messages."""
        kind = self.config_types.get(str(atoms.info.get("config_type", "")), 1.0)
        own_energy = _own(atoms.info.get("energy_weight", 1.0), (), name, 'info["energy_weight"]')
        own_virial = _own(atoms.info.get("virial_weight", own_energy), (), name, 'info["virial_weight"]')
        mask = atoms.arrays.get("force_weight", np.ones(len(atoms)))
        mask = _own(mask, (len(atoms),), name, 'arrays["force_weight"]')
        if self.large_force is not None and labels.forces is not None:
            mask = mask / (1 + np.sum(labels.forces**2, axis=1) / self.large_force**2)
        return FrameWeights(
            energy=float(kind * self.energy * own_energy),
            virial=float(kind * self.virial * own_virial),
            forces=kind * self.forces * mask,
        )


def _own(values: npt.ArrayLike, shape: tuple[int, ...], name: str, what: str) -> npt.NDArray[np.float64]:
    weights = np.asarray(values, dtype=float)
    if weights.shape != shape or not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError(
            f"{name}: {what} must be finite, not negative and of shape {shape}, got {np.array2string(weights)}"
        )
    return weights
