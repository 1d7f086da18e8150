"""What we write is read back by ourselves bit for bit, and is pacemaker's own `.yace` entry by entry."""

from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np
import pytest
import yaml
from ase import Atoms

from polypace._core import formats
from polypace.ace import Potential, evaluate

from .vectors import CASES, folder, load


class TupleKeyLoader(yaml.SafeLoader):
    """The bonds of a `.yace` file have lists as keys."""


TupleKeyLoader.add_constructor(
    "tag:yaml.org,2002:seq", lambda loader, node: tuple(loader.construct_sequence(node, deep=True))
)


def read_plainly(text: str) -> dict[str, Any]:
    return yaml.load(text, TupleKeyLoader)


@pytest.mark.parametrize("case", CASES)
def test_own_files_read_back_bit_for_bit(shared, case, tmp_path):
    potential = Potential.read(folder(shared) / load(shared, case)["potential"])
    for suffix in (".yaml", ".yace"):
        potential.write(tmp_path / f"p{suffix}")
        again = Potential.read(tmp_path / f"p{suffix}")
        again.write(tmp_path / f"again{suffix}")
        assert (tmp_path / f"again{suffix}").read_bytes() == (tmp_path / f"p{suffix}").read_bytes()
        assert pickle.loads(pickle.dumps(again)) == again
        assert again.e0 == potential.e0
    assert Potential.read(tmp_path / "p.yaml") == potential
    np.testing.assert_array_equal(Potential.read(tmp_path / "p.yaml").coefficients, potential.coefficients)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.yace", "again.yaml", "p.yace", "p.yaml"]


def without_padding(content: dict[str, Any], n_densities: dict[int, int]) -> dict[str, Any]:
    """Undo the padding to a uniform number of densities, checking that only (0, 1) and zeros are dropped."""
    widest = max(n_densities.values())
    for mu, n in n_densities.items():
        embedding = content["embeddings"][mu]
        assert embedding["ndensity"] == widest
        assert embedding["FS_parameters"][2 * n :] == (0, 1) * (widest - n)
        embedding.update(ndensity=n, FS_parameters=embedding["FS_parameters"][: 2 * n])
        for function in content["functions"][mu]:
            rows = np.reshape(function["ctildes"], (-1, widest))
            assert not rows[:, n:].any()
            function.update(ndensity=n, ctildes=tuple(rows[:, :n].ravel().tolist()))
    return content


class FreshDumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


FreshDumper.add_representer(tuple, lambda dumper, items: dumper.represent_list(list(items)))

LAYOUTS = {
    "block style": lambda text: yaml.dump(read_plainly(text), Dumper=FreshDumper, default_flow_style=False),
    "flow style": lambda text: yaml.dump(read_plainly(text), Dumper=FreshDumper, default_flow_style=True),
    "lines of Windows": lambda text: text.replace("\n", "\r\n"),
    "byte order mark": lambda text: "\ufeff" + text,
    "comments": lambda text: "# by hand\n---\n" + text.replace("\n", "  # note\n", 3) + "\n...\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("file", ["alni_zbl.yaml", "alni_zbl.yace"])
def test_every_layout_of_the_same_yaml_is_the_same_potential(shared, file, layout):
    text = (folder(shared) / file).read_text()
    laid_out = LAYOUTS[layout](text)
    assert laid_out != text
    assert Potential(formats.parse_potential(laid_out, layout)) == Potential.read(folder(shared) / file)


def assert_same(has: Any, want: Any, place: str) -> None:
    if isinstance(want, dict):
        assert list(has) == list(want), place
        for key in want:
            assert_same(has[key], want[key], f"{place}.{key}")
    elif isinstance(want, tuple) and want and isinstance(want[0], (int, float)):
        np.testing.assert_allclose(has, want, rtol=1e-13, atol=1e-15, err_msg=place)
    elif isinstance(want, tuple):
        assert len(has) == len(want), place
        for i, (one, other) in enumerate(zip(has, want, strict=True)):
            assert_same(one, other, f"{place}[{i}]")
    else:
        assert has == want, place


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c.startswith(("al_r1234_l", "al_r4", "alni_m", "alni_z", "cu1_rank5", "syn"))],
)
def test_the_ctilde_file_is_that_of_pacemaker(shared, case):
    reference = load(shared, case)
    potential = Potential.read(folder(shared) / reference["potential"])
    for key in ("yace", "yace_e0"):
        text = (folder(shared) / reference[key]).read_text()
        wanted = read_plainly(text)
        with_e0 = potential.with_e0(dict(zip(wanted["elements"], wanted["E0"], strict=True)))
        own = read_plainly(formats.format_yace(with_e0.to_ctilde().data))
        n_densities = {mu: e["ndensity"] for mu, e in wanted["embeddings"].items()}
        assert_same(without_padding(own, n_densities), wanted, case)
        assert Potential.read(folder(shared) / reference[key]).e0 == with_e0.e0


def test_active_sets_survive_and_numpy_reads_them(rng, tmp_path):
    matrices = {"H": rng.normal(size=(5, 5)), "C": rng.normal(size=(1, 1))}
    formats.write_asi(matrices, str(tmp_path / "own.asi"))
    np.savez(tmp_path / "numpy.npz", **matrices)
    np.savez(tmp_path / "fortran.npz", **{k: np.asfortranarray(v) for k, v in matrices.items()})
    for name in ("own.asi", "numpy.npz", "fortran.npz"):
        read = formats.read_asi(str(tmp_path / name))
        assert set(read) == set(matrices)
        for element, matrix in matrices.items():
            np.testing.assert_array_equal(read[element], matrix)
    with np.load(tmp_path / "own.asi") as archive:
        np.testing.assert_array_equal(archive["H"], matrices["H"])
    np.savez_compressed(tmp_path / "packed.npz", **matrices)
    with pytest.raises(
        ValueError, match=r"packed\.npz: member 'H\.npy' is compressed; write the file with numpy\.savez"
    ):
        formats.read_asi(str(tmp_path / "packed.npz"))


def with_swapped_species(text: str) -> str:
    """A two-element `.yace` file with its species renumbered."""
    other = {"0": "1", "1": "0"}
    head, functions = text.split("functions:\n")
    head = re.sub(r"elements: \[(\w+), (\w+)\]", r"elements: [\2, \1]", head)
    head = re.sub(r"E0: \[(\S+), (\S+)\]", r"E0: [\2, \1]", head)
    head = re.sub(r"^  ([01]): ", lambda m: f"  {other[m[1]]}: ", head, flags=re.M)
    head = re.sub(r"^  \[([01]), ([01])\]", lambda m: f"  [{other[m[1]]}, {other[m[2]]}]", head, flags=re.M)
    functions = re.sub(r"^  ([01]):", lambda m: f"  {other[m[1]]}:", functions, flags=re.M)
    functions = re.sub(r"mu0: ([01])", lambda m: f"mu0: {other[m[1]]}", functions)
    swap = str.maketrans(other)
    functions = re.sub(r" mus: \[[01, ]+\]", lambda m: m[0].translate(swap), functions)
    return f"{head}functions:\n{functions}"


def test_elements_of_a_ctilde_file_may_come_in_any_order(shared):
    potential = Potential.read(folder(shared) / "alni_zbl.yace").with_e0({"Al": -1.5, "Ni": 0.25})
    text = formats.format_yace(potential.data)
    swapped = Potential(formats.parse_potential(with_swapped_species(text), "swapped"))
    assert swapped.elements == ("Ni", "Al")
    atoms = Atoms("AlNiAlNi", positions=[[0, 0, 0], [2.4, 0, 0], [0, 2.6, 0], [0.3, 0.2, 2.5]])
    one, other = (evaluate([atoms], p)[0] for p in (potential, swapped))
    assert other.energy == pytest.approx(one.energy, rel=1e-12)
    np.testing.assert_allclose(other.forces, one.forces, atol=1e-12)
