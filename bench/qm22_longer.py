"""Chains longer than any in the public part of QM-22: a fit of short ones against B3LYP/cc-pVDZ labels made here.

    polypace fit c04.zip c05.zip c06.zip c07.zip -o pot.yaml
    python bench/qm22_longer.py FOLDER pot.yaml --lengths 14 --frames 2        # pip install 'polypace[dft]'

Single chains are sampled in vacuum with L-OPLS and labelled with PySCF (seven minutes of processor time for a C14).
Checked first: a frame of FOLDER/c04.zip has the published forces to 2 meV/Å, so that method and units are those of the
set. Energies are compared as differences between frames, since the zero of the set is each chain's minimum.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import ase
import numpy as np
from reference_frames import sample_reference

from polypace import ACECalculator
from polypace.forcefields import get_force_field
from polypace.melt import Melt
from polypace.reference import quantum_calculator, quantum_method, read_qm22
from polypace.systems import whole_molecules

METHOD = quantum_method("pyscf-dft", xc="b3lyp", basis="cc-pvdz", dispersion="", grid_level=2, convergence=1e-8)


def label(atoms: ase.Atoms) -> tuple[float, np.ndarray]:
    """B3LYP energy (eV) and forces (eV/Å)."""
    copy = ase.Atoms(atoms.get_chemical_symbols(), atoms.positions)
    copy.calc = quantum_calculator(METHOD)
    return float(copy.get_potential_energy()), copy.get_forces()


def check(folder: Path) -> None:
    frame = read_qm22(folder / "c04.zip")[20]
    difference = float(np.sqrt(np.mean((label(frame)[1] - frame.get_forces()) ** 2)))
    print(f"C4 of the set: forces differ by {1e3 * difference:.2f} meV/Å", flush=True)
    assert difference < 2e-3


def chains(length: int, temperature: float, n_frames: int) -> list[ase.Atoms]:
    """Frames of one chain alone, 5 ps apart."""
    sample = sample_reference(
        get_force_field("l-opls"), length, 1, 0.0005, temperature, n_frames=n_frames, every=10000, equilibration=20000
    )
    melt = sample.melt
    return [
        whole_molecules(Melt(frame, melt.bonds, melt.molecules, melt.types)).atoms
        for frame in sample.frames[-n_frames:]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("potential", type=Path)
    parser.add_argument("--lengths", nargs="+", type=int, default=[12, 14])
    parser.add_argument("--temperature", type=float, default=600.0)
    parser.add_argument("--frames", type=int, default=2)
    options = parser.parse_args()
    ace = ACECalculator(options.potential)
    check(options.folder)
    print("| chain | E above the first (meV/atom) | error | force RMSE (meV/Å) | relative |\n|---|---|---|---|---|")
    for length in options.lengths:
        first: tuple[float, float] | None = None
        for frame in chains(length, options.temperature, options.frames):
            energy, forces = label(frame)
            ours = ase.Atoms(frame.get_chemical_symbols(), frame.positions, calculator=ace)
            predicted, error = ours.get_potential_energy(), ours.get_forces() - forces
            first = first or (energy, predicted)
            above, off = ((e - e0) * 1e3 / len(ours) for e, e0 in ((energy, first[0]), (predicted, first[1])))
            rms = float(np.sqrt(np.mean(error**2)))
            print(
                f"| C{length} | {above:.2f} | {off - above:+.2f} | {1e3 * rms:.1f} | "
                f"{rms / np.sqrt(np.mean(forces**2)):.2%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
