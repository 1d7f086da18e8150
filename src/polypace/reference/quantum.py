"""Quantum references by name: GFN-xTB through tblite, DFT with dispersion through PySCF."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import ase
import numpy as np
from ase.calculators.calculator import Calculator, SCFError, all_changes

from polypace.errors import InputError, MissingProgramError
from polypace.reference.label_store import Method
from polypace.units import BOHR, HARTREE

_XTB_DEFAULTS = {"accuracy": 1.0, "electronic_temperature": 300.0, "max_iterations": 250}
_DFT_DEFAULTS = {
    "xc": "b3lyp",
    "basis": "def2-svp",
    "dispersion": "d3bj",
    "grid_level": 3,
    "convergence": 1e-9,
}


@dataclass(frozen=True)
class _Family:
    """Extra of the package with the program, packages whose versions are recorded, default settings."""

    extra: str
    packages: tuple[str, ...]
    defaults: Mapping[str, Any]


_XTB = _Family("xtb", ("tblite",), _XTB_DEFAULTS)
_DFT = _Family("dft", ("pyscf", "pyscf-dispersion"), _DFT_DEFAULTS)
_KNOWN = {"gfn2-xtb": _XTB, "gfn1-xtb": _XTB, "pyscf-dft": _DFT}


def quantum_method(name: str, **settings: Any) -> Method:
    """A quantum method by name with its defaults filled in: "gfn2-xtb", "gfn1-xtb" or "pyscf-dft".

    xTB settings: accuracy, electronic_temperature (K), max_iterations (C. Bannwarth, S. Ehlert, S. Grimme,
    J. Chem. Theory Comput. 15, 1652 (2019)). DFT settings: xc, basis, dispersion ("d3bj", "d4" or ""),
    grid_level, convergence (Hartree); density fitting, closed shell, not periodic (Q. Sun et al., J. Chem.
    Phys. 153, 024109 (2020)).

    Raises
    ------
    InputError
        for an unknown name or setting.
    """
    if name not in _KNOWN:
        raise InputError(f"unknown quantum method {name!r}; there are: {', '.join(_KNOWN)}")
    family = _KNOWN[name]
    defaults = dict(family.defaults)
    unknown = sorted(set(settings) - set(defaults))
    if unknown:
        raise InputError(f"method {name!r} has no settings {', '.join(unknown)}; there are: {', '.join(defaults)}")
    return Method(name, defaults | settings, _versions(family.packages))


def quantum_calculator(method: Method) -> Calculator:
    """The ASE calculator of a method of `quantum_method`.

    Raises
    ------
    MissingProgramError
        where the extra with the method is not installed; the message has the command.
    """
    if method.name not in _KNOWN:
        raise InputError(f"no calculator is known for method {method.name!r}: give calculator=")
    extra = _KNOWN[method.name].extra
    try:
        if extra == "dft":
            importlib.import_module("pyscf")
            return PySCFCalculator(**method.settings)
        tblite = importlib.import_module("tblite.ase")
    except ImportError:
        raise MissingProgramError(
            f"method {method.name!r} needs an extra that is not installed: pip install 'polypace[{extra}]'"
        ) from None
    flavour = {"gfn2-xtb": "GFN2-xTB", "gfn1-xtb": "GFN1-xTB"}[method.name]
    calculator: Calculator = tblite.TBLite(method=flavour, verbosity=0, **method.settings)
    return calculator


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


class PySCFCalculator(Calculator):
    """ASE calculator for restricted Kohn-Sham energies and gradients with PySCF; forces are minus the
    gradient.

    Density fitting; `dispersion` adds D3(BJ) or D4 (S. Grimme et al., J. Comput. Chem. 32, 1456 (2011)).
    Molecules only. Raises ase.calculators.calculator.SCFError where the SCF does not converge.
    """

    implemented_properties = [  # noqa: RUF012 - as ASE declares it
        "energy",
        "forces",
    ]

    def __init__(self, xc: str, basis: str, dispersion: str, grid_level: int, convergence: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.settings = (xc, basis, dispersion, grid_level, convergence)

    def calculate(
        self,
        atoms: ase.Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        molecule_atoms: Any = self.atoms
        if any(molecule_atoms.pbc):
            raise InputError("method 'pyscf-dft' is for molecules; this frame is periodic (atoms.pbc)")
        dft, gto = importlib.import_module("pyscf.dft"), importlib.import_module("pyscf.gto")
        xc, basis, dispersion, grid_level, convergence = self.settings
        geometry = list(zip(molecule_atoms.get_chemical_symbols(), molecule_atoms.positions.tolist(), strict=True))
        molecule = gto.M(atom=geometry, basis=basis, unit="Angstrom", verbose=0)
        field = dft.RKS(molecule, xc=xc).density_fit()
        field.grids.level, field.conv_tol = grid_level, convergence
        if dispersion:
            field.disp = dispersion
        energy = field.kernel()
        if not field.converged:
            raise SCFError(f"SCF not converged after {field.max_cycle} cycles")
        gradient = np.asarray(field.nuc_grad_method().kernel())
        self.results = {"energy": float(energy) * HARTREE, "forces": -gradient * (HARTREE / BOHR)}
