"""The summary of a run, its files and figures, and `polypace structure` on a dump."""

from __future__ import annotations

import json

import numpy as np
import pytest

import polypace as pp
from polypace.analysis import compare_structure, summarize_structure
from polypace.analysis.structure_plots import structure_figure
from polypace.analysis.structure_summary import structure_as_json
from polypace.cli.structure import structure_command
from polypace.cli.structure_output import compare_runs
from tests.helpers.dumps import text_dump

N_CHAINS, N_BEADS, LENGTH = 12, 8, 14.0

DATA_HEAD = f"""chains

{N_CHAINS * N_BEADS} atoms
{N_CHAINS * (N_BEADS - 1)} bonds
1 atom types

0 {LENGTH} xlo xhi
0 {LENGTH} ylo yhi
0 {LENGTH} zlo zhi

Masses

1 14.027 # CH2

Atoms # molecular

"""


@pytest.fixture
def files(tmp_path, rng):
    """A dump of wrapped random chains and its data file."""
    n = N_CHAINS * N_BEADS
    steps = rng.normal(size=(20, N_CHAINS, N_BEADS, 3))
    steps *= 1.5 / np.linalg.norm(steps, axis=-1, keepdims=True)
    positions = np.cumsum(steps, axis=2) + rng.uniform(0, LENGTH, (1, N_CHAINS, 1, 3))
    wrapped = (positions % LENGTH).reshape(20, n, 3)
    frames = [[[i + 1, *(round(float(x), 6) for x in frame[i])] for i in range(n)] for frame in wrapped]
    dump, data = tmp_path / "run.dump", tmp_path / "run.data"
    dump.write_text(text_dump(frames, columns="id x y z", box=f"0 {LENGTH}", steps=list(range(0, 2000, 100))))
    atoms = "".join(f"{i + 1} {i // N_BEADS + 1} 1 0 0 0\n" for i in range(n))
    pairs = [(i, i + 1) for i in range(n) if (i + 1) % N_BEADS]
    bonds = "".join(f"{k + 1} 1 {a + 1} {b + 1}\n" for k, (a, b) in enumerate(pairs))
    data.write_text(DATA_HEAD + atoms + "\nBonds\n\n" + bonds)
    return dump, data


def test_command(files, tmp_path, capsys):
    dump, data = files
    structure_command([dump], topology=data, timestep=0.001, output=tmp_path / "out" / "s", max_frames=5)
    printed = capsys.readouterr().out
    assert "trans fraction" in printed and "Å²" in printed
    content = json.loads((tmp_path / "out" / "s.json").read_text())
    assert content["values"]["mean bond length"]["value"] == pytest.approx(1.5, abs=1e-4)
    assert content["values"]["density"]["unit"] == "g/cm³"
    assert content["bonds"]["kinds"]["CH2-CH2"]["count_per_frame"] == 84
    assert content["refused"] == {}
    for suffix in ("png", "pdf"):
        assert (tmp_path / "out" / f"s.{suffix}").stat().st_size > 10_000


def test_comparison_with_itself(files, tmp_path, capsys):
    dump, data = files
    structure_command([dump], topology=data, timestep=0.001, reference=dump, output=tmp_path / "c", max_frames=5)
    assert "standard errors apart" in capsys.readouterr().out
    content = json.loads((tmp_path / "c.json").read_text())
    assert set(content) == {"run", "reference", "comparison"}
    assert all(distance["integrated"] == 0 for distance in content["comparison"]["distances"].values())


def test_without_topology_what_needs_one_is_refused(files):
    summary = summarize_structure(pp.open_trajectory(files[0]), max_frames=3)
    assert summary.pairs is not None and summary.scattering is not None
    assert set(summary.refused) == {"density", "bonds", "angles", "dihedrals", "chains"}
    assert "topology=" in summary.refused["bonds"]
    assert json.dumps(structure_as_json(summary), allow_nan=False)
    assert not compare_structure(summary, summary).values


def test_axes_carry_units(files):
    summary = summarize_structure(pp.open_trajectory(*files, timestep=0.001), max_frames=3)
    figure = structure_figure({"reference": summary, "ACE": summary})
    labels = [axis.get_xlabel() for axis in figure.axes if axis.get_visible()]
    assert len(labels) == 7
    assert all("/" in label or label.startswith("bonds apart") for label in labels)


def test_structure_of_polypace_compare(files, tmp_path, capsys):
    dump, data = files
    runs = {name: pp.open_trajectory(dump, data, timestep=0.001) for name in ("reference", "ACE")}
    content, written = compare_runs(runs, tmp_path / "compare")
    assert {value["name"] for value in content["values"]} >= {"density", "trans fraction", "C_∞"}
    assert all(distance["wasserstein"] == 0 for distance in content["distances"].values())
    assert all((tmp_path / name).exists() for name in written)
    assert "ACE" in capsys.readouterr().out
