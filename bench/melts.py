"""How long melts take to build, with what comes out: closest contact and internal distances are checked first.

    python bench/melts.py

The bound that is stated: 100 chains of 1000 carbons in less than a minute before any MD, on two cores.
"""

from __future__ import annotations

import time

from polypace.systems import build_melt, check_internal_distances, closest_contact

#: Force field, chain length, chains, density, temperature, least contact.
CASES = (
    ("trappe-ua", 16, 500, 0.70, 400.0, 2.4),
    ("trappe-ua", 200, 100, 0.77, 450.0, 2.4),
    ("trappe-ua", 1000, 100, 0.77, 450.0, 2.4),
    ("l-opls", 100, 60, 0.75, 450.0, 1.5),
    ("kremer-grest", 200, 100, 0.85, 1.0, 0.6),
)


def main() -> None:
    print("| force field | chain | chains | atoms | seconds | CPU seconds | closest contact | internal distances |")
    print("|---|---|---|---|---|---|---|---|")
    for name, length, n_chains, density, temperature, least in CASES:
        wall, cpu = time.perf_counter(), time.process_time()
        melt = build_melt(length, n_chains, density, name, 1, temperature)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        contact = closest_contact(melt)
        if contact < least:
            raise SystemExit(
                f"{name}, {length} x {n_chains}: two atoms are {contact:.2f} apart, at least {least} wanted"
            )
        verdict = check_internal_distances(melt, name, temperature).verdict
        print(
            f"| {name} | {length} | {n_chains} | {len(melt.atoms)} | {wall:.1f} | {cpu:.1f} | {contact:.2f} | {verdict} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
