"""Labels of mixed units are refused, ordinary data are not."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.units import Bohr, Hartree

from polypace.ace import BasisSpec, evaluate, fit
from polypace.ace.label_units import UnitCheck
from polypace.ace.labels import read_labels
from polypace.errors import InputError


def labelled(energy, forces, **info):
    atoms = Atoms(f"C{len(forces)}", positions=np.arange(3 * len(forces)).reshape(-1, 3), info=info)
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
    return atoms


def check(frames):
    units = UnitCheck()
    for index, atoms in enumerate(frames):
        units.add(atoms, read_labels(atoms, f"frame {index}"), f"frame {index}")
    units.finish()


def thermal(rng, n, energy=-150.0, scale=0.7):
    return [labelled(100 * energy + rng.normal(), rng.normal(size=(100, 3)) * scale) for _ in range(n)]


def test_hartree_among_electron_volts(rng):
    frames = thermal(rng, 20)
    for atoms in frames[5:11]:
        results = atoms.calc.results
        results["energy"] /= Hartree
    with pytest.raises(InputError, match=r"energies of 14 frames \(the first: frame 0\).*frame 5.*Hartree"):
        check(frames)
    frames = thermal(rng, 20)
    for atoms in frames[5:11]:
        atoms.calc.results["forces"] = atoms.calc.results["forces"] * Bohr / Hartree
    with pytest.raises(InputError, match=r"forces of 14 frames.*frame 5.*Hartree/bohr.*Convert all"):
        check(frames)
    for atoms in frames:
        atoms.info["units"] = "eV"
    check(frames)


def test_hartree_with_lengths_in_angstroms(rng):
    frames = thermal(rng, 20)
    for atoms in frames[5:11]:
        atoms.calc.results["forces"] = atoms.calc.results["forces"] / Hartree
    with pytest.raises(InputError, match=r"forces of 14 frames.*frame 5.*the ratio of Hartree/Å and eV"):
        check(frames)


def test_what_a_frame_says_itself(rng):
    with pytest.raises(InputError, match="frame 0: energy_units is 'kcal/mol'"):
        check([labelled(-3.0, np.ones((2, 3)), energy_units="kcal/mol")])


def test_ordinary_data_pass(rng):
    check(thermal(rng, 30, scale=0.5) + thermal(rng, 10, scale=20.0))  # contacts
    check(thermal(rng, 10, energy=-150) + thermal(rng, 10, energy=-5))  # two substances
    check([*thermal(rng, 10), labelled(-1500.0, np.full((10, 3), 0.7 / 51.4))])  # one nearly relaxed frame
    check([])


def test_forces_that_differ_by_structure_are_told_by_the_fit(rng):
    basis = BasisSpec.simple(["C"], 3.0, nradmax=(4,), lmax=(0,))
    potential = basis.build()
    truth = potential.with_coefficients(rng.normal(size=len(potential.coefficients)))
    frames = []
    for k in range(40):
        atoms = Atoms(
            "C6", positions=rng.uniform(0, 2.5 + 0.1 * k, size=(6, 3)) + 0.6 * np.arange(18).reshape(6, 3) % 3
        )
        prediction = evaluate([atoms], truth)[0]
        factor = Hartree / Bohr if k % 4 == 0 else 1.0
        atoms.calc = SinglePointCalculator(atoms, energy=prediction.energy, forces=prediction.forces * factor)
        frames.append(atoms)
    with pytest.raises(InputError, match=r"forces of \d+ frames \(the first: frame 0\).*Hartree/bohr"):
        fit(frames, basis)
    for atoms in frames[::4]:
        atoms.calc.results["forces"] = atoms.calc.results["forces"] / (Hartree / Bohr)
    assert fit(frames, basis).metrics.quantities["forces"].relative < 1e-3


def test_fit_refuses(rng):
    frames = thermal(rng, 10)
    for atoms in frames[::2]:
        atoms.calc.results["forces"] = atoms.calc.results["forces"] * 23.0605
    with pytest.raises(InputError, match="mixed units"):
        fit(frames, BasisSpec.simple(["C"], 3.0, nradmax=(3,), lmax=(0,)))
