"""What is said about programs of several kinds."""

from __future__ import annotations

from polypace.lammps.capabilities import capabilities
from polypace.lammps.program import LammpsProgram


def program(styles=(), packages=(), number=20250722, mpi="MPICH", **others) -> LammpsProgram:
    names = frozenset(packages), frozenset(styles)
    return LammpsProgram(("lmp",), "PATH", "1 Jan 2020", number, *names, mpi, **others)


def said(subject: LammpsProgram) -> dict[str, tuple[bool, str]]:
    return {
        item.name.split(" (")[0]: (item.available, item.through + item.caution + item.remedy)
        for item in capabilities(subject)
    }


def test_wheel_with_and_without_plugin():
    whole = said(program(["pair pace", "pair lj/mdf/tail"], ["PLUGIN"], is_wheel=True))
    assert whole["pair_style pace"] == (True, "the PolyPACE plugin")
    bare = said(program(packages=["PLUGIN"], is_wheel=True))
    assert bare["pair_style pace"] == (False, "pip install --force-reinstall polypace")


def test_old_build_without_ml_pace_and_without_mpi():
    old = said(program(mpi=""))
    assert "-D PKG_ML-PACE=on" in old["pair_style pace"][1]
    assert not old["several MPI ranks"][0]
    assert "-D PKG_PYTHON=on" in old["pair_style mliap unified"][1]


def test_kokkos_before_and_after_the_correction():
    styles, packages = ["pair pace", "pair pace/kk"], ["ML-PACE", "KOKKOS"]
    before = said(program(styles, packages, accelerators=("KOKKOS: CUDA",)))
    assert before["pair_style pace"] == (True, "its own ML-PACE package")
    assert before["pair_style pace/kk"][0] and "aborts" in before["pair_style pace/kk"][1]
    after = said(program(styles, packages, number=20260910, accelerators=("KOKKOS: CUDA",)))
    assert after["pair_style pace/kk"] == (True, "KOKKOS: CUDA")
