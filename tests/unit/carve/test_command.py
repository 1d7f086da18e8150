"""`polypace carve` from the shell."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write

from polypace.systems import build_melt, write_lammps_data
from tests.helpers.commands import run
from tests.helpers.docs import run_howto


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("carve")
    melt = build_melt(30, 20, density=0.6, seed=4)
    write_lammps_data(melt, folder / "melt.data", "trappe-ua")
    frame = melt.atoms.copy()
    frame.positions += 0.01
    frame.calc = SinglePointCalculator(frame, energy=0.0, forces=np.ones((len(frame), 3)))
    write(folder / "frame.extxyz", frame)
    (folder / "centers.txt").write_text("# two clusters\n10 11\n300\n")
    return folder


def test_random_centers(files, tmp_path, capsys):
    output = tmp_path / "new" / "clusters.extxyz"
    assert run("carve", files / "melt.data", "--random", 5, "-o", output) == 0
    said = capsys.readouterr().out
    frames = read(output, index=":")
    sidecar = tmp_path / "new" / "clusters.extxyz.provenance.jsonl"
    records = [json.loads(line) for line in sidecar.read_text().splitlines()]
    assert len(frames) == len(records) <= 5
    assert f"{len(frames)} clusters" in said
    for atoms, record in zip(frames, records, strict=True):
        assert record["kept"] == atoms.arrays["source"].tolist()
        assert atoms.arrays["force_weight"].sum() >= 1
        assert max(max(bond) for bond in record["bonds"]) < len(atoms)


def test_groups_of_a_file_with_inherited_forces(files, tmp_path):
    output = tmp_path / "clusters.extxyz"
    options = ["--labels", "inherited", "--cutoff", 2.5, "--reference-cutoff", 5, "--buffer-radius", 9]
    places = ["--frame", files / "frame.extxyz", "--centers", files / "centers.txt", "-o", output]
    code = run("carve", files / "melt.data", *places, *options)
    assert code == 0
    frames = read(output, index=":")
    assert len(frames) == 2
    assert all((atoms.get_forces()[atoms.arrays["force_weight"] > 0] == 1).all() for atoms in frames)
    assert all(atoms.info["energy_weight"] == 0 for atoms in frames)


def test_example_of_the_howto():
    """The Python example of docs/howto/carve.md runs as it stands."""
    names = run_howto("carve", 1)
    assert len(names["clusters"]) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--center, --centers, --worst or --random"),
        (["--random", "9999"], "--random must be 1…600"),
        (["--center", "9999"], "names atom 9999"),
        (["--center", "5", "--mode", "box"], "mode must be one of"),
    ],
)
def test_wrong_use_is_explained(files, tmp_path, capsys, arguments, message):
    assert run("carve", files / "melt.data", "-o", tmp_path / "x.extxyz", *arguments) != 0
    assert message in capsys.readouterr().err.replace("\n", " ")
