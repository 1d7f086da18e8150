"""Extends clebsch_gordan_artefacts.hpp: Clebsch–Gordan coefficients that are 0, but tiny in pacemaker.

The canonical order of functions depends on them. They are observed, not derived: which zeros come out tiny
depends on how python-ace was compiled. Up to l = 8 the table holds what python-ace 0.2.7 gives (LAMMPS's
ML-PACE agrees) and is kept as it is; the wheel of 0.4.0rc1 has 12 more there. Beyond, this script asks the
installed python-ace for every coefficient that is zero in exact integers. Run it where
`pip install "polypace[pacemaker]"` has been done:

    python cpp/ace/generate_clebsch_gordan_artefacts.py
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb
from pathlib import Path

TABLE = Path(__file__).with_name("clebsch_gordan_artefacts.hpp")
KEPT = 8
LARGEST = 12  # covers every coupling of functions with l ≤ 6: intermediate momenta reach 2·l

HEADER = """\
// Coefficients ⟨l1 m1 l2 m2 | l m1+m2⟩ that are exactly zero but come out tiny in pacemaker (x86-64, no fused
// multiply-add), for l1, l2 ≤ {largest}; all other zeros are true zeros there.
// Written by generate_clebsch_gordan_artefacts.py.
#pragma once

namespace polypace::ace {{

struct ClebschGordanArtefact {{
  signed char l1, l2, l, m1, m2;
  double value;
}};

inline constexpr ClebschGordanArtefact clebsch_gordan_artefacts[] = {{
{rows}
}};

}}  // namespace polypace::ace
"""


def is_exact_zero(l1: int, m1: int, l2: int, m2: int, l: int) -> bool:  # noqa: E741
    """Whether Racah's sum, brought to integers, vanishes."""
    a, b, c = l1 + l2 - l, l1 - l2 + l, -l1 + l2 + l

    def choose(n: int, k: int) -> int:
        return comb(n, k) if 0 <= k <= n else 0

    return 0 == sum(
        (-1) ** k * choose(a, k) * choose(b, l1 - m1 - k) * choose(c, l2 + m2 - k) for k in range(a + 1)
    )


def zeros() -> Iterator[tuple[int, int, int, int, int]]:
    for l1 in range(LARGEST + 1):
        for l2 in range(LARGEST + 1):
            for l in range(abs(l1 - l2), l1 + l2 + 1):  # noqa: E741
                for m1 in range(-l1, l1 + 1):
                    for m2 in range(max(-l2, -l - m1), min(l2, l - m1) + 1):
                        if is_exact_zero(l1, m1, l2, m2, l):
                            yield l1, l2, l, m1, m2


def kept_rows() -> list[str]:
    rows = [line for line in TABLE.read_text().splitlines() if line.startswith("    {")]
    return [row for row in rows if max(int(part) for part in row.strip(" {").split(",")[:2]) <= KEPT]


def main() -> None:
    from pyace.coupling import clebsch_gordan

    rows = kept_rows()
    for l1, l2, l, m1, m2 in zeros():  # noqa: E741
        if max(l1, l2) <= KEPT:
            continue
        value = clebsch_gordan(l1, m1, l2, m2, l, m1 + m2)
        if value != 0:
            rows.append(f"    {{{l1}, {l2}, {l}, {m1}, {m2}, {value!r}}},")
    TABLE.write_text(HEADER.format(largest=LARGEST, rows="\n".join(rows)))
    print(f"{len(rows)} coefficients written to {TABLE}")


if __name__ == "__main__":
    main()
