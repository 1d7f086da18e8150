"""Damaged, mis-typed and hostile files end in an error that names file, line and key; never in a crash."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from polypace._core import formats
from polypace.ace import BasisSpec, Potential
from polypace.errors import FileFormatError

NASTY = ["", "~", ".nan", ".inf", "-1", "1e999", "1000000000", "99999999999999999999", "0x1F", "[]", "{}"]
NASTY += ["[[[]]]", "abc", "'", "&a 1", "*a", "!!binary x", "3.5", "- 1", "[1, 2", "\x00", "\u00e9"]


@pytest.fixture(scope="module")
def potential():
    spec = BasisSpec.simple(["C", "H"], 4.0, nradmax=(3, 2, 1, 1), lmax=(0, 2, 1, 1))
    built = spec.build()
    return built.with_coefficients(np.linspace(-1, 1, built.coefficients.size)).with_e0({"C": -1.5})


@pytest.fixture(scope="module")
def yaml_text(potential):
    return formats.format_yaml(potential.data)


@pytest.fixture(scope="module")
def yace_text(potential):
    return formats.format_yace(potential.to_ctilde().data)


@pytest.fixture(scope="module")
def asi_bytes():
    buffer = io.BytesIO()
    np.savez(buffer, C=np.eye(3), H=np.arange(16.0).reshape(4, 4))
    return buffer.getvalue()


def edited(text, pattern, replacement):
    result, n = re.subn(pattern, replacement, text, count=1)
    assert n == 1, f"{pattern} is not in the text"
    return result


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        (r"DeltaSplineBins: \S+", "DeltaSplineBins: 0", r"f:4: global\.DeltaSplineBins: must be positive"),
        (r"DeltaSplineBins: \S+", "DeltaSplineBins: 1e-30", r"too many knots; use a larger deltaSplineBins"),
        (r"global:", "globl:", r"f:\d+: the key 'global' is missing"),
        (r"speciesblock: C\n", "speciesblock: Q\n", r"'Q' is not a chemical symbol"),
        (r"speciesblock: C\n", "speciesblock: H\n", r"species\[1\]: the embedding of H is defined twice"),
        (r"npoti: \w+", "npoti: Linear", r"species\[0\]\.npoti: must be FinnisSinclair or .* got 'Linear'"),
        (r"ndensityi: 1", "ndensityi: 0", r"ndensityi: must be an integer from 1 to 64, got '0'"),
        (r"ndensityi: 1", "ndensityi: 2", r"Number of fs_parameters = 2 is not equal to ndensity\*2 = 4"),
        (r"nradmaxi: 2", "nradmaxi: 1000000000", r"must be an integer from 0 to 1000, got '1000000000'"),
        (r"nradmaxi: 2", "nradmaxi: -2", r"nradmaxi: must be an integer from 0 to 1000, got '-2'"),
        (r"nradmaxi: 2", "nradmaxi: 900", r"radcoefficients: has 2 entries, nradmax asks for 900"),
        (r"    nradmaxi: 2\n", "", r"species\[0\]: the key 'nradmaxi' is missing"),
        (r"    lmaxi: 2\n", "", r"Radial basis functions are partially defined for 'C': nradmaxi is given"),
        (r"rcutij: 4\b", "rcutij: .nan", r"rcutij: must be a finite number, got '\.nan'"),
        (r"radbase: \w+", "radbase: Foo", r"Unknown radial basis function name 'Foo'; known are ChebExpCos"),
        (r"radparameters: \[5.25\]", "radparameters: []", r"radparameters is empty, but ChebExpCos"),
        (r"radparameters: \[5.25\]", "radparameters: [x]", r"entry 1 must be a finite number, got 'x'"),
        (r"inner_cutoff_type: distance", "inner_cutoff_type: zbl", r"zbl needs delta_in > 0"),
        (r"inner_cutoff_type: distance", "inner_cutoff_type: density", r"should be identical for all"),
        (r"type: C C,", "type: C O,", r"type: 'C O' is inconsistent with block specification 'C'"),
        (r"nr: \[3\]", "nr: [4]", r"nradbase = 3 of the bond C-C is less than max\(nr\) = 4"),
        (r"nr: \[3\]", "nr: [0]", r"nr: entry 1 must be an integer from 1 to 1000, got '0'"),
        (r"nl: \[1, 1\]", "nl: [1, 2]", r"Sum of ls is not even: 3"),
        (r"nl: \[1, 1\]", "nl: [0, 2]", r"All elements of ls of a rank-2 function should be equal"),
        (r"nl: \[1, 1\]", "nl: [4, 4]", r"lmax = 2 of the bond C-C is less than max\(nl\) = 4"),
        (r"nl: \[0, 1, 1\], lint: \[1\]", "nl: [0, 1, 1], lint: [0]", r"lint breaks a triangle rule"),
        (r"nl: \[0, 1, 1\], lint: \[1\]", "nl: [0, 1, 1]", r"len of LS should be 1 for rank 3, lint has 0"),
        (r"c: \[-1\]", "c: [-1, 2]", r"has 2 coefficients, but the embedding function for C expects 1"),
        (r"c: \[-1\]", "c: [nan]", r"\.c: entry 1 must be a finite number, got 'nan'"),
        (r"c: \[-1\]", "c: &x [-1]", r"YAML anchors and aliases"),
        (r"lmaxi: 2\n", "lmaxi: 2\n    lmaxi: 3\n", r"f:\d+: key lmaxi appears twice"),
        (r'"C": -1.5', '"Q": -1.5', r"'Q' is not an element of the potential"),
    ],
)  # fmt: skip
def test_errors_of_yaml_potentials_name_the_place(yaml_text, pattern, replacement, message):
    with pytest.raises(ValueError, match=message) as caught:
        formats.parse_potential(edited(yaml_text, pattern, replacement), "f")
    assert str(caught.value).startswith("f:")


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        (r"elements: \[C, H\]", "elements: [C, C]", r"f:1: elements: C appears twice"),
        (r"E0: \[\S+ 0\]", "E0: [1]", r"E0: has 1 numbers for 2 elements"),
        (r"\[0, 1\]: \{nradmax", "[0, 2]: {nradmax", r"must be an integer from 0 to 1, got '2'"),
        (r"  \[0, 1\]: .*\n", "", r"the bond \[0, 1\] is missing; all pairs of elements are needed"),
        (r"num_ms_combs: 1,", "num_ms_combs: 2,", r"ms_combs: has 1 entries, 2 are needed"),
        (r"num_ms_combs: 1,", "num_ms_combs: 1000000000,", r"must be an integer from 0 to 1000000"),
        (r"mu0: 0", "mu0: 1", r"mu0 disagrees with the list it stands in"),
        (r"ms_combs: \[0, 0, 1, -1\]", "ms_combs: [0, 0, 1, 1]", r"row 2: the m do not add up to 0"),
        (r"ms_combs: \[0, 0, 1, -1\]", "ms_combs: [0, 0, 2, -2]", r"row 2: m = 2 is beyond l = 1"),
        (r"radbasename: \w+", "radbasename: ACE.jl.base", r"functions of ACE\.jl .* are not supported"),
        (r"rank: 1,", "rank: 7,", r"rank: must be an integer from 1 to 6, got '7'"),
    ],
)  # fmt: skip
def test_errors_of_yace_potentials_name_the_place(yace_text, pattern, replacement, message):
    with pytest.raises(ValueError, match=message) as caught:
        formats.parse_potential(edited(yace_text, pattern, replacement), "f")
    assert str(caught.value).startswith("f:")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda b: b[:-30], r"is not a zip archive|truncated"),
        (lambda b: b[:200] + b"x" + b[201:], r"f: member 'C\.npy' is damaged \(its checksum is wrong\)"),
        (lambda b: b"", r"f: is not a zip archive"),
        (lambda b: savez(C=np.ones((2, 3))), r"f: C: must be a square matrix, its shape is \(2, 3\)"),
        (lambda b: savez(C=np.ones((2, 2), np.float32)), r"f: C: must hold 64-bit floats"),
        (lambda b: savez(C=np.full((2, 2), np.nan)), r"f: C: entry \(0, 0\) is not finite"),
    ],
)
def test_errors_of_active_sets_name_the_place(asi_bytes, damage, message):
    with pytest.raises(ValueError, match=message):
        formats.parse_asi(damage(asi_bytes), "f")


def savez(**matrices):
    buffer = io.BytesIO()
    np.savez(buffer, **matrices)
    return buffer.getvalue()


def parses(parse, content):
    try:
        parse(content, "f")
    except ValueError as error:
        assert str(error).startswith("f"), error
        return False
    return True


def test_truncated_files_never_crash(yaml_text, yace_text, asi_bytes):
    for text in (yaml_text, yace_text):
        for size in range(0, len(text), max(1, len(text) // 80)):
            parses(formats.parse_potential, text[:size])
    assert not any(parses(formats.parse_asi, asi_bytes[:size]) for size in range(len(asi_bytes)))


def test_values_replaced_by_nonsense_never_crash(yaml_text, yace_text, rng):
    for text in (yaml_text, yace_text):
        tokens = [match.span() for match in re.finditer(r"[^\s,:\[\]{}]+", text)]
        for _ in range(150):
            start, end = tokens[rng.integers(len(tokens))]
            parses(formats.parse_potential, text[:start] + NASTY[rng.integers(len(NASTY))] + text[end:])


def test_random_bytes_never_crash(yaml_text, asi_bytes, rng):
    for parse, content in ((formats.parse_asi, asi_bytes), (formats.parse_potential, yaml_text.encode())):
        for _ in range(150):
            noisy = bytearray(content)
            for position in rng.integers(len(noisy), size=rng.integers(1, 4)):
                noisy[position] = rng.integers(256)
            parses(parse, bytes(noisy))


def test_deep_nesting_is_refused():
    assert not parses(formats.parse_potential, "[" * 100000)
    assert not parses(formats.parse_potential, "{a: " * 100000)


def test_python_errors_are_of_the_package(tmp_path, yaml_text):
    with pytest.raises(FileNotFoundError, match=r"missing\.yaml does not exist"):
        Potential.read(tmp_path / "missing.yaml")
    (tmp_path / "bad.yaml").write_text(yaml_text.replace("npoti", "npot"))
    with pytest.raises(FileFormatError, match=r"bad\.yaml:\d+: species\[0\]: the key 'npoti' is missing"):
        Potential.read(tmp_path / "bad.yaml")
    (tmp_path / "other.yaml").write_text("a: 1")
    with pytest.raises(FileFormatError, match=r"other\.yaml:1: is not a potential: neither `species`"):
        Potential.read(tmp_path / "other.yaml")


def test_numbers_do_not_depend_on_the_locale(yaml_text):
    import locale

    before = locale.setlocale(locale.LC_NUMERIC)
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_NUMERIC, name)
            except locale.Error:
                continue
            assert formats.format_yaml(formats.parse_yaml(yaml_text, "f")) == yaml_text
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)
