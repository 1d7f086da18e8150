"""Extended XYZ: the same frames as ASE reads, whatever is in them."""

from __future__ import annotations

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from polypace.extxyz import iterate_extxyz

CELL = 'Lattice="5 0 0 0.5 5 0 0 0 6.25"'
WATER = "3\n{}\nO 0 0 0\nH 0.76 0.59 0\nH -0.76 5.9e-1 +0.0\n"
USUAL = {
    "plain": WATER.format(""),
    "cell": WATER.format(CELL),
    "pbc": WATER.format(CELL + ' pbc="T F T" Properties=species:S:1:pos:R:3'),
    "values": WATER.format(
        'a=1 b=-1.5e-3 c=T d=False e="T F" f=name.1 g="two words" k=100surf_bcc l=-0x1f h="1 2 3" i="1 2.5" j=1,2'
    ),
    "energies": WATER.format("energy=-7 free_energy=-7.5"),
    "stress": WATER.format(CELL + ' stress="1 2 3 4 5 6 7 8 9.5" virial="1 2 3 4 5 6 7 8 9"'),
    "columns": "2\nProperties=pos:R:3:mol_id:I:1:species:S:1:forces:R:3:place:S:1:pair:I:2:force_weight:R:1 energy=1\n"
    "0 0 .5 1 C 1 2 3 end 1 2 0\n 1 0 0.5 -2 h 0 0 -1.25 end 3 4 1.\n",
    "two": WATER.format("energy=1") + WATER.format(CELL).replace("\n", " \r\n"),
    "no newline at the end": WATER.format("")[:-1],
    "digits": "1\nenergy=-13.395640615810407123\nCu 0.1234567890123456789 123456789012345678901 1e-300\n",
}  # fmt: skip
UNUSUAL = {
    "text": WATER.format("Water, made by hand"),
    "flag": WATER.format(CELL + " done"),
    "braces": WATER.format("a={1 2 3}"),
    "nested": WATER.format('a="_JSON [[1, 2], [3, 4]]"'),
    "escaped": WATER.format(r'a="x \"y\""'),
    "single quotes": WATER.format("a='1 2'"),
    "non-numbers": WATER.format("a=nan b=1_000 c=Infinity"),
    "uid": WATER.format("uid=12"),
    "unicode": WATER.format("a=Å"),
    "dipole": WATER.format('dipole="0 0 1"'),
    "logical column": "1\nProperties=species:S:1:pos:R:3:ok:L:1\nCu 0 0 0 T\n",
    "numbers": "1\nProperties=Z:I:1:pos:R:3\n29 0 0 0\n",
    "fixed": "1\nProperties=species:S:1:pos:R:3:move_mask:I:1\nCu 0 0 0 1\n",
    "more words": "1\n\nCu 0 0 0 7\n",
    "cell vectors behind": "1\n\nCu 0 0 0\nVEC1 1 0 0\nVEC2 0 1 0\nVEC3 0 0 1\n",
    "nan": "1\n\nCu 0 0 nan\n",
    "a word for every atom": "600\nProperties=species:S:1:pos:R:3:label:S:1\n"
    + "".join(f"Cu {i} 0 0 a{i}\n" for i in range(600)),
    "blank at the end": WATER.format("") + "\n",
    "second frame": WATER.format("energy=1") + WATER.format("by hand") + WATER.format("energy=2"),
}
WRONG = {
    "few words": "1\n\nCu 0 0\n",
    "no number": "1\n\nCu 0 0 0x1\n",
    "two signs": "1\n\nCu 0 0 +-1\n",
    "unknown element": "1\n\nQq 0 0 0\n",
    "breaks off": WATER.format("energy=1") + "3\n\nO 0 0 0\n",
    "short lattice": WATER.format('Lattice="1 0 0 1"'),
    "no count": WATER.format("") + "x\n",
}


def same(one, other):
    """Type and value."""
    if isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in other)
    a, b = np.asarray(one), np.asarray(other)
    return type(one) is type(other) and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=b.dtype.kind == "f")


def assert_as_ase(path):
    ours, theirs = list(iterate_extxyz(path)), ase.io.read(path, ":", format="extxyz")
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert same(a.arrays, b.arrays) and same(a.info, b.info)
        assert np.array_equal(a.cell, b.cell) and np.array_equal(a.pbc, b.pbc)
        assert (a.calc is None) == (b.calc is None) and repr(a.constraints) == repr(b.constraints)
        if b.calc is not None:
            assert same(a.calc.results, b.calc.results)


@pytest.mark.parametrize("name", USUAL)
def test_usual_frames_are_read_without_ase(name, tmp_path, monkeypatch):
    path = tmp_path / "frames.extxyz"
    path.write_bytes(USUAL[name].encode())
    assert_as_ase(path)
    monkeypatch.delattr(ase.io, "iread")
    assert list(iterate_extxyz(path))


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_frames_are_those_of_ase(name, tmp_path):
    path = tmp_path / f"{name}.extxyz"
    path.write_text(UNUSUAL[name], encoding="utf-8")
    assert_as_ase(path)


@pytest.mark.parametrize("name", WRONG)
def test_errors_are_those_of_ase(name, tmp_path):
    path = tmp_path / "wrong.extxyz"
    path.write_text(WRONG[name])
    with pytest.raises(Exception) as theirs:
        ase.io.read(path, ":", format="extxyz")
    with pytest.raises(theirs.type):
        list(iterate_extxyz(path))


def test_what_ase_writes(tmp_path, rng, monkeypatch):
    path, frames = tmp_path / "written.extxyz", []
    for n in (1, 2):
        atoms = bulk("NaCl", "rocksalt", a=5.6).repeat(n)
        atoms.positions += rng.normal(size=(len(atoms), 3))
        atoms.arrays["type_name"] = np.array(list(atoms.symbols))
        atoms.info |= {"config_type": "melt", "step": 7, "time": 0.5, "source": f"run-{n}.dump", "pair": np.arange(2)}
        atoms.calc = SinglePointCalculator(
            atoms, energy=rng.normal(), forces=rng.normal(size=(len(atoms), 3)), stress=rng.normal(size=6)
        )
        frames.append(atoms)
    ase.io.write(path, frames)
    assert_as_ase(path)
    monkeypatch.delattr(ase.io, "iread")
    assert len(list(iterate_extxyz(path))) == 2


@pytest.mark.parametrize("name", ["cu_ii_train", "cu_ii_test"])
def test_published_set(name, shared, monkeypatch):
    assert_as_ase(shared / f"data/{name}.extxyz")
    monkeypatch.delattr(ase.io, "iread")
    assert len(list(iterate_extxyz(shared / f"data/{name}.extxyz"))) in (950, 50)
