"""Bond, 1-3, 1-4 and contact distances of each force field in a short run: the table of
docs/explanation/force_fields.md.

python bench/distance_windows.py [--steps 4000]
"""

from __future__ import annotations

import argparse

from reference_frames import sample_reference

from polypace.forcefields import get_force_field
from polypace.systems import distance_windows

#: Force field, chain length, chains, density, temperature.
CASES = (
    ("trappe-ua", 16, 30, 0.66, 450.0),
    ("l-opls", 8, 30, 0.60, 400.0),
    ("kremer-grest", 50, 20, 0.85, 1.0),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4000)
    steps = parser.parse_args().steps
    print("| force field | elements | 1-2 | 1-3 | 1-4 | shortest contact |\n|---|---|---|---|---|---|")
    for name, length, n_chains, density, temperature in CASES:
        field = get_force_field(name)
        sample = sample_reference(
            field, length, n_chains, density, temperature,
            n_frames=40, every=max(1, steps // 40), equilibration=steps,
        )  # fmt: skip
        found = distance_windows(sample.melt, sample.frames, 1.5 if field.units == "lj" else 5.0)
        for pair in sorted({window.elements for window in found.windows}):
            kinds = {window.kind: window for window in found.windows if window.elements == pair}
            cells = [
                f"{kinds[k].shortest:.2f}-{kinds[k].longest:.2f}" if k in kinds else "" for k in ("1-2", "1-3", "1-4")
            ]
            contact = f"{kinds['contact'].shortest:.2f}" if "contact" in kinds else ""
            print(f"| {name} | {'-'.join(pair)} | {' | '.join(cells)} | {contact} |", flush=True)
        print(f"\n{name}: {found.verdict}\n", flush=True)


if __name__ == "__main__":
    main()
