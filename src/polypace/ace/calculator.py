"""An ACE potential as an ASE calculator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes

from polypace.ace.potential import Potential
from polypace.ace.prediction import Radial, as_potential, make_batch, make_evaluator, predict


class ACECalculator(Calculator):
    """ASE calculator: energy, free_energy, energies (eV), forces (eV/Å), stress (eV/Å³), gamma.

    The stress exists for three-dimensional cells only, `gamma` (`calc.results["gamma"]`, extrapolation grade per
    atom) with an active set only. Any mixture of periodic and open directions is allowed.

    Parameters
    ----------
    potential : Potential or path of a `.yaml` or `.yace` file
    active_set : None, path of an `.asi` file, mapping element → inverse active set, or ActiveSet
    n_threads : 0 means OMP_NUM_THREADS, else all cores
    radial : "spline" (the tables of pacemaker and LAMMPS) or "analytic"
    """

    implemented_properties: ClassVar[list[str]] = [  # type: ignore[misc]
        "energy",
        "free_energy",
        "energies",
        "forces",
        "stress",
        "gamma",
        "core_factor",
    ]

    def __init__(
        self,
        potential: Potential | str | Path,
        active_set: Any = None,
        n_threads: int = 0,
        radial: Radial = "spline",
        **settings: Any,
    ) -> None:
        super().__init__(**settings)  # type: ignore[no-untyped-call]
        self.potential = as_potential(potential)
        # What tells its results from those of another ACE: ASE programs and the label store look at `parameters`.
        self.parameters |= {"potential": self.potential.digest, "radial": radial}
        self.n_threads = n_threads
        self._evaluator = make_evaluator(self.potential, active_set, radial)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Fill `results`; all properties are computed together."""
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        assert self.atoms is not None
        batch = make_batch([self.atoms], self.potential.elements)
        prediction = predict(self._evaluator, batch, self.n_threads)[0]
        self.results = {
            "energy": prediction.energy,
            "free_energy": prediction.energy,
            "energies": prediction.energies,
            "forces": prediction.forces,
            "core_factor": prediction.core_factor,
        }
        if prediction.stress is not None:
            self.results["stress"] = prediction.stress
        if prediction.gamma is not None:
            self.results["gamma"] = prediction.gamma
        if "stress" in properties and prediction.stress is None:
            raise PropertyNotImplementedError("stress needs a cell with three vectors; set atoms.cell")
        if "gamma" in properties and prediction.gamma is None:
            raise PropertyNotImplementedError("gamma needs an active set; give active_set to ACECalculator")
