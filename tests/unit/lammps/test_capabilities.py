"""What is said about programs of several kinds."""

from __future__ import annotations

import dataclasses

import pytest

from polypace.lammps.capabilities import capabilities
from polypace.lammps.program import LammpsProgram
from polypace.lammps.traps import traps


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
    assert before["pair_style pace/kk"][0] and "September 2026 or later" in before["pair_style pace/kk"][1]
    threads = said(program(styles, packages, accelerators=("KOKKOS: OpenMP Serial",)))
    assert threads["pair_style pace/kk"] == (True, "KOKKOS: OpenMP Serial")
    after = said(program(styles, packages, number=20260910, accelerators=("KOKKOS: CUDA",)))
    assert after["pair_style pace/kk"] == (True, "KOKKOS: CUDA")


def test_atoms_of_kokkos_have_no_type_labels():
    plain = program(accelerators=("KOKKOS: OpenMP Serial",))
    assert plain.knows_labels and not dataclasses.replace(plain, command=("lmp", "-k", "on", "-sf", "kk")).knows_labels


def test_one_thread_a_rank_without_a_gpu():
    old = program(["pair pace/kk"], accelerators=("KOKKOS: OpenMP Serial",))
    four = dataclasses.replace(old, command=("lmp", "-k", "on", "t", "4", "-sf", "kk"))
    assert not traps(old, ["pair pace/kk"]) and "not 4; remedy: -k on t 1" in traps(four, ["pair pace/kk"])[0]
    assert not traps(dataclasses.replace(four, number=20260910), ["pair pace/kk"])


@pytest.mark.parametrize(
    ("interface", "most_neighbors", "refused"),
    [
        ("CUDA", None, True),
        ("CUDA", 380, False),
        ("CUDA", 381, True),
        ("HIP OpenMP", None, True),
        ("OpenMP", 900, False),
    ],
)
def test_only_gpus_and_only_many_neighbours_are_a_trap(interface, most_neighbors, refused):
    old = program(["pair pace/kk"], accelerators=(f"KOKKOS: {interface}",))
    assert bool(traps(old, ["pair pace/kk"], most_neighbors)) == refused


@pytest.mark.parametrize(
    ("switches", "wanted", "number", "refused"),
    [
        ((), "pair pace/kk", 20250722, True),
        ((), "pair pace/kk", 20260910, False),
        ((), "pair pace", 20250722, False),
        (("-k", "on", "g", "1", "-sf", "kk"), "pair pace", 20250722, True),
        (("-k", "on", "t", "4", "-suffix", "hybrid", "gpu", "kk"), "pair pace", 20250722, True),
        (("-k", "on", "g", "1", "-sf", "kk"), "pair pace", 20260910, False),
        (("-k", "on", "g", "1", "-sf", "kk"), "pair lj/cut", 20250722, False),
        (("-sf", "omp"), "pair pace", 20250722, False),
    ],
)
def test_traps(switches, wanted, number, refused):
    """Programs that have a style and must not be run with it."""
    old = dataclasses.replace(program(["pair pace", "pair pace/kk"], number=number), command=("lmp", *switches))
    found = traps(old, [wanted])
    assert bool(found) == refused and all("remedy: LAMMPS of September 2026" in text for text in found)
