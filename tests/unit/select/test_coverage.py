"""Where grades are high: places along the chain, summaries of streams, the worst environments; the verb grade."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from ase import Atoms

import polypace as pp
from polypace.ace.fitting import linear_basis
from polypace.select import GradeMap, extrapolation_grade, select_active_set, summarize_grades
from polypace.select.places import bonded_places, chain_places
from polypace.systems import write_lammps_data
from tests.helpers.commands import BASIS, run
from tests.helpers.dumps import text_dump


def test_places_by_order_and_by_bonds_agree():
    melt = pp.build_melt(6, 3, density=0.5, force_field="l-opls", seed=2)
    heavy = melt.atoms.numbers != 1
    by_bonds, by_order = bonded_places(melt.bonds, heavy), chain_places(melt.molecules, heavy)
    assert (by_bonds[heavy] == by_order[heavy]).all() and not (by_order[~heavy] != "").any()
    counts = dict(zip(*np.unique(by_bonds, return_counts=True), strict=True))
    assert counts == {"end": 3 * 8, "next": 3 * 6, "middle": 3 * 6}  # hydrogens have the place of their carbon
    shuffle = np.random.default_rng(0).permutation(len(heavy))
    place_of = np.argsort(shuffle)
    assert (bonded_places(place_of[melt.bonds], heavy[shuffle]) == by_bonds[shuffle]).all()


def test_short_molecules_have_no_places():
    assert bonded_places(np.array([[0, 1], [2, 3], [3, 4]]), np.ones(6, dtype=bool)).tolist() == [
        "", "", "end", "next", "end", "",
    ]  # fmt: skip


def test_summaries_of_a_stream_are_those_of_all_grades(rng):
    grades = np.exp(rng.normal(size=(50, 40)))
    atoms = Atoms("C40", positions=np.zeros((40, 3)))
    atoms.arrays["mol_id"] = np.repeat([0, 1, 2], [10, 10, 20])
    summaries = summarize_grades([atoms] * 50, list(grades))
    assert list(summaries["chain_length"]) == ["10", "20"]
    for name, chosen in (("10", slice(0, 20)), ("20", slice(20, 40))):
        part, summary = grades[:, chosen], summaries["chain_length"][name]
        assert summary.n == part.size and summary.largest == part.max()
        assert summary.share_above_one == np.mean(part > 1)
        assert summary.median == pytest.approx(np.median(part), rel=1e-3)
        assert summary.percentile_99 == pytest.approx(np.percentile(part, 99), rel=1e-3)
    assert list(summaries["place_by_length"]) == [f"C{n} {p}" for n in (10, 20) for p in ("end", "next", "middle")]


def test_the_worst_environments_one_per_molecule(rng):
    atoms = Atoms("C6", positions=np.zeros((6, 3)))
    atoms.arrays["mol_id"] = np.repeat([0, 1, 2], 2)
    frames = rng.uniform(0, 3, size=(30, 6))
    frames[:, 4:] = 0.5  # the third molecule never extrapolates
    grade_map = GradeMap(n_worst=10)
    for number, grades in enumerate(frames):
        grade_map.add(atoms, grades, source="a", frame=number)
    found = [(w.frame, w.atom, w.grade) for w in grade_map.worst]
    expected = []
    for atom_pair in ((0, 1), (2, 3)):
        frame, atom = np.unravel_index(np.argmax(frames[:, atom_pair]), (30, 2))
        expected.append((frame, atom_pair[atom], frames[frame, atom_pair[atom]]))
    assert found == sorted(expected, key=lambda e: -e[2])
    few = GradeMap(n_worst=1)
    for number, grades in enumerate(frames):
        few.add(atoms, grades, source="a", frame=number)
    assert [(w.frame, w.atom) for w in few.worst] == [found[0][:2]]


def test_coverage_map_of_a_melt_without_labels(tmp_path, capsys):
    (tmp_path / "basis.yaml").write_text(BASIS)
    for n in (4, 6):
        write_lammps_data(pp.build_melt(n, 12, density=0.5, seed=n), tmp_path / f"c{n}.data", "trappe-ua")
    melt = pp.build_melt(24, 3, density=0.55, seed=1)
    write_lammps_data(melt, tmp_path / "c24.data", "trappe-ua")
    code = run("grade", tmp_path / "c24.data", "--basis", tmp_path / "basis.yaml", "--training", tmp_path / "c[46].data",
               "-o", tmp_path / "map.json", "--figure", tmp_path / "map.png", "--worst", tmp_path / "worst.csv",
               "--write-grades", tmp_path / "gamma.npy")  # fmt: skip
    assert code == 0 and "C24 middle" in capsys.readouterr().out
    basis = linear_basis(tmp_path / "basis.yaml")
    known = [pp.build_melt(n, 12, density=0.5, seed=n).atoms for n in (4, 6)]
    active = select_active_set(known, basis)
    expected = extrapolation_grade([melt.atoms], basis, active)[0]
    np.testing.assert_allclose(np.load(tmp_path / "gamma.npy")[0], expected, rtol=1e-5)
    summaries = json.loads((tmp_path / "map.json").read_text())
    assert summaries["place"]["middle"]["n"] == 3 * 20 and summaries["type"]["CH3"]["n"] == 6
    assert summaries["all"]["all"]["share_above_one"] == pytest.approx(np.mean(expected > 1))
    rows = list(csv.DictReader((tmp_path / "worst.csv").read_text().splitlines()))
    assert int(rows[0]["atom"]) == np.argmax(expected) and rows[0]["chain_length"] == "24"
    assert (tmp_path / "map.png").stat().st_size > 10_000
    code = run("carve", tmp_path / "c24.data", "--worst", tmp_path / "worst.csv", "-o", tmp_path / "clusters.extxyz",
               "--no-merge")  # fmt: skip
    assert code == 0 and f"{len(rows)} clusters" in capsys.readouterr().out


def test_worst_environments_of_a_trajectory_are_carved_from_their_frames(tmp_path, capsys):
    (tmp_path / "basis.yaml").write_text(BASIS)
    melt = pp.build_melt(12, 4, density=0.5, seed=3)
    write_lammps_data(melt, tmp_path / "melt.data", "trappe-ua")
    rng, length = np.random.default_rng(1), melt.atoms.cell.array[0, 0]
    frames = [melt.atoms.positions + rng.normal(scale=0.02 * k, size=(48, 3)) for k in range(4)]
    lines = [[(i + 1, 1, *row) for i, row in enumerate(frame.tolist())] for frame in frames]
    (tmp_path / "run.dump").write_text(text_dump(lines, columns="id type xu yu zu", box=f"0 {length}"))
    arguments = ["grade", tmp_path / "run.dump", "--topology", tmp_path / "melt.data", "--basis",
                 tmp_path / "basis.yaml", "--training", tmp_path / "melt.data", "--every", 3, "--worst",
                 tmp_path / "worst.csv"]  # fmt: skip
    assert run(*arguments) == 0
    rows = list(csv.DictReader((tmp_path / "worst.csv").read_text().splitlines()))
    assert (
        {row["frame"] for row in rows} <= {"0", "3"} and rows[0]["frame"] == "3" and rows[0]["type"] in ("CH2", "CH3")
    )
    code = run("carve", tmp_path / "melt.data", "--frame", tmp_path / "run.dump", "--worst", tmp_path / "worst.csv",
               "-o", tmp_path / "clusters.extxyz", "--no-merge")  # fmt: skip
    assert code == 0
    records = [json.loads(line) for line in (tmp_path / "clusters.extxyz.provenance.jsonl").read_text().splitlines()]
    assert len(records) == len(rows)
    assert {record["source"] for record in records} == {f"{tmp_path / 'run.dump'}@{row['frame']}" for row in rows}
    assert run("carve", tmp_path / "melt.data", "--worst", tmp_path / "worst.csv") == 1
    assert "none of its environments is of" in capsys.readouterr().err


def test_what_a_grade_needs_is_said(tmp_path, capsys):
    (tmp_path / "basis.yaml").write_text(BASIS)
    write_lammps_data(pp.build_melt(4, 2, density=0.3, seed=1), tmp_path / "c4.data", "trappe-ua")
    assert run("grade", tmp_path / "c4.data") == 1
    assert "--basis with --training" in capsys.readouterr().err
    assert run("grade", tmp_path / "c4.data", "--basis", tmp_path / "basis.yaml") == 1
    assert "say what is known" in capsys.readouterr().err
    assert run("grade", tmp_path / "none", "--basis", tmp_path / "basis.yaml", "--training", tmp_path / "c4.data") == 1
    assert "does not exist" in capsys.readouterr().err
    assert (
        run("grade", tmp_path / "c4.data", "--basis", tmp_path / "basis.yaml", "--training", tmp_path / "c4.data") == 1
    )
    assert "cannot determine" in capsys.readouterr().err
