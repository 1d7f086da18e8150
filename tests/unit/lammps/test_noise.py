"""Seeds of runs in segments."""

from __future__ import annotations

import pytest

from polypace.lammps import MolecularDynamics
from polypace.lammps.noise import LARGEST_SEED, SEEDS, reseeded

LANGEVIN = "fix bath all langevin 300 300 0.1 4711 zero yes"


def test_every_segment_gets_noise_of_its_own():
    lines = [LANGEVIN, "fix i all nve", "pair_style pace", ""]
    assert reseeded(lines, 0) == lines
    drawn = [int(reseeded(lines, start)[0].split()[7]) for start in range(0, 100_000, 1000)]
    assert len(set(drawn)) == 100 and all(0 < seed <= LARGEST_SEED for seed in drawn)
    assert reseeded(lines, 5000) == reseeded(lines, 5000)  # a segment that is made again is the same
    assert reseeded(lines, 5000)[1:] == lines[1:] and reseeded(lines, 5000)[0].endswith(" zero yes")


def test_other_words_stay_as_they_are():
    lines = [
        "fix b all langevin/kk 1 1 1 ${seed}",
        "fix t all temp/csvr 300 300 1 17",
        "fix c all gcmc 10 1 1 29494 298 -0.5 0.01",
    ]
    assert reseeded(lines, 1000) == lines  # the last two write their generators into restart files
    drude = reseeded(["fix d all langevin/drude 300 100 13 1 20 17"], 1000)[0].split()
    assert drude[6] != "13" and drude[9] != "17" and drude[:6] == "fix d all langevin/drude 300 100".split()


@pytest.mark.parametrize("style", SEEDS)
def test_suffixes_do_not_matter(style):
    words = ["fix", "a", "all", style, *map(str, range(10, 18))]
    plain = reseeded([" ".join(words)], 7)[0].split()
    words[3] += "/kk"
    assert plain != words and reseeded([" ".join(words)], 7)[0].split()[4:] == plain[4:]


def test_segments_of_a_protocol():
    protocol = MolecularDynamics(
        ["read_data a.data", "pair_style zero 5"], 300.0, 0.001, 2000, seed=3, relax_steps=10, extra=[LANGEVIN]
    )
    first, second = protocol.segment(0, 1000, None, "end"), protocol.segment(1000, 2000, "end", "end2")
    assert LANGEVIN in first and "langevin 300 300 0.1 4\n" in first
    assert LANGEVIN not in second and "fix bath all langevin 300 300 0.1 " in second
