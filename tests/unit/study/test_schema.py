"""Study files: units, unknown keys, impossible values, each named with its place."""

from __future__ import annotations

import pytest
import yaml

from polypace.errors import InputError
from polypace.study.quantities import parse_quantity
from polypace.study.schema import read_study

MINIMAL = {
    "name": "test",
    "systems": {
        "train": [{"chain_length": 5, "n_chains": 10}, {"chain_length": 8, "n_chains": 10}],
        "test": [{"chain_length": 16, "n_chains": 10}],
    },
    "ace": {
        "basis": {
            "elements": ["C"],
            "bonds": {"ALL": {"radbase": "ChebExpCos", "radparameters": [5.25], "rcut": 6.0, "dcut": 0.01}},
            "functions": {"ALL": {"nradmax_by_orders": [4, 2], "lmax_by_orders": [0, 1]}},
        }
    },
}


def write(tmp_path, **changes):
    data = yaml.safe_load(yaml.safe_dump(MINIMAL))
    for dotted, value in changes.items():
        place = data
        *path, last = dotted.split("__")
        for key in path:
            place = place.setdefault(key, {})
        place[last] = value
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [("350 K", "K", 350), ("10 fs", "ps", 0.01), (2.5, "Å", 2.5), ("1 atm", "bar", 1.01325), ("1e-3 ns", "ps", 1.0)],
)
def test_quantities(text, unit, value):
    assert parse_quantity(text, unit) == pytest.approx(value, rel=1e-12)


def test_a_minimal_study_has_defaults(tmp_path):
    spec = read_study(write(tmp_path))
    assert spec.systems.temperature == 350 and spec.production.timestep == 0.001
    assert read_study(write(tmp_path, production__npt="0.02 ns")).production.npt == pytest.approx(20)


def test_iterations_were_called_rounds(tmp_path):
    assert read_study(write(tmp_path, learning__rounds=4)).learning.iterations == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"systems__temprature": 300}, r"systems\.temprature: unknown key"),
        ({"systems__temperature": "10 ps"}, r"systems\.temperature: .*unit 'ps'.*use one of K"),
        ({"systems__temperature": -5}, r"systems\.temperature: .*greater than 0"),
        ({"systems__train": [{"chain_length": 0, "n_chains": 3}]}, r"systems\.train\.0\.chain_length: .*got 0"),
        ({"systems__train": []}, r"systems\.train: .*at least 1"),
        ({"systems__test": [{"chain_length": 8, "n_chains": 1}] * 2}, "names a chain length twice"),
        ({"reference__cutoff": ["12 Å", "10 Å"]}, "must ascend"),
        ({"learning__chain_lengths": [99]}, r"learning\.chain_lengths names \[99\]"),
        ({"ace__basis__elements": ["Al"]}, r"ace\.basis\.elements must be \['C'\], the elements of trappe-ua"),
        (
            {"reference__labels": "gfn2-xtb", "transfer": {"train": [[5]], "only": True, "collections": ["clusters"]}},
            "gfn2-xtb needs hydrogens",
        ),
        ({"ace__solver_options": {"alfa": 1}}, r"ace: solver_options: .*alfa"),
        ({"ace__solver_options": {"alpha": -1}}, r"ace: alpha must be a number from 0 on"),
        ({"learning__time": float("inf")}, r"learning\.time: .*finite"),
        ({"learning__budget": {"atoms": 0}}, r"learning\.budget\.atoms: .*got 0"),
        ({"learning__budget": {"hours": 0}}, r"learning\.budget\.hours: .*greater than 0"),
        ({"learning__budget": {"days": 1}}, r"learning\.budget\.days: unknown key"),
        ({"learning__gamma_select": 30}, r"learning: .*gamma_break must be above gamma_select"),
        ({"learning__temperatures": ["350 K", "350 K"]}, r"learning: .*temperatures names a value twice"),
        ({"learning__harvest": "atoms"}, r"learning\.harvest: .*'frames', 'clusters' or 'molecules'"),
        ({"learning__selection": "best"}, r"learning\.selection: .*'d-optimal' or 'random'"),
        ({"learning__max_atoms": 500, "learning__budget": {"atoms": 100}}, "nothing could be labelled"),
        ({"ace__basis__functions": {"ALL": {"nradmax_by_order": [1]}}}, r"ace: .*nradmax_by_order"),
        ({"ace__basis__cutof": 7}, r"ace: .*cutof"),
        ({"production__timestep": "1 ps"}, r"production\.timestep: .*got '1 ps'"),
    ],
)
def test_mistakes_are_named(tmp_path, changes, message):
    path = write(tmp_path, **changes)
    with pytest.raises(InputError, match=message) as caught:
        read_study(path)
    assert str(path) in str(caught.value)


def test_files_that_are_no_study(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_study(tmp_path / "nowhere.yaml")
    (tmp_path / "bad.yaml").write_text("name: [unclosed")
    with pytest.raises(InputError, match="not valid YAML"):
        read_study(tmp_path / "bad.yaml")
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(InputError, match="must be a mapping"):
        read_study(tmp_path / "list.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(InputError, match="not text in UTF-8"):
        read_study(tmp_path / "bytes.yaml")


def test_a_key_that_stands_twice_is_refused(tmp_path):
    """PyYAML would keep the last one without a word."""
    path = write(tmp_path)
    path.write_text(path.read_text() + "\nname: again\n")
    with pytest.raises(InputError, match=r"the key 'name' stands twice, in lines \d+ and \d+"):
        read_study(path)


def test_one_mistake_is_told_once_and_blocks_are_not_printed(tmp_path):
    path = write(tmp_path, systems__train=[{"chain_length": 5, "n_chains": 10, "density": "5 g/cm³"}])
    with pytest.raises(InputError) as caught:
        read_study(path)
    assert str(caught.value).count("\n") == 1 and "systems.train.0.density" in str(caught.value)
    with pytest.raises(InputError) as caught:
        read_study(write(tmp_path, learning__chain_lengths=[99]))
    assert len(str(caught.value)) < 300
    assert "Value error" not in str(caught.value)
