"""Can an ACE represent this reference? Error of linear fits against cutoff, rank and basis size.

    python bench/error_floor.py --output floor                          # the references of docs/explanation/force_fields.md
    python bench/error_floor.py --only trappe-ua kremer-grest --output floor
    python bench/error_floor.py --only qm22 --qm22 FOLDER --output floor # with the zip files of QM-22

For frames of one's own: `polypace fit train.extxyz --test test.extxyz --scan FOLDER`. Writes NAME.json and NAME.png
into --output, and prints a table.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ase
from reference_frames import sample_reference

from polypace.ace.error_floor import error_floor
from polypace.ace.weights import Weights
from polypace.forcefields import get_force_field
from polypace.reference import CombinedBaseline, CoulombTail, DispersionTail, read_qm22


@dataclass(frozen=True)
class Case:
    """Frames (train, test) and what is scanned."""

    frames: Callable[[argparse.Namespace], tuple[list[ase.Atoms], list[ase.Atoms]]]
    cutoffs: tuple[float, ...]
    sizes: tuple[int, ...]


def melt_frames(name: str, *system: float, tail: bool, every: int) -> Callable[..., tuple[list, list]]:
    """Frames of chain length, chains, density, temperature; with `tail`, what an ACE beside the tails learns."""

    def make(options: argparse.Namespace) -> tuple[list[ase.Atoms], list[ase.Atoms]]:
        field = get_force_field(name)
        length, n_chains, density, temperature = system
        n = options.frames
        sample = sample_reference(
            field, int(length), int(n_chains), density, temperature, n_frames=n + n // 3, every=every
        )
        frames = sample.frames
        if tail:
            dispersion = DispersionTail(4.6, 7.0, field.truncation.r_in, field.truncation.r_out, field)
            charges = [CoulombTail(4.6, 7.0, field.truncation.r_out, force_field=field)] if field.charged else []
            frames = CombinedBaseline((dispersion, *charges)).subtract(frames)
        for atoms in frames:
            if field.units == "lj":  # beads have no element; any will do
                atoms.numbers[:] = 1
            atoms.calc.results.pop("stress", None)
        return frames[:n], frames[n:]

    return make


def qm22_frames(options: argparse.Namespace) -> tuple[list[ase.Atoms], list[ase.Atoms]]:
    """Every sixth frame of C4 to C7; every twentieth of C8 and C9, which are longer than any that were fitted."""
    if options.qm22 is None:
        raise SystemExit("qm22 needs --qm22 FOLDER with the zip files c04.zip … c09.zip")
    sets = {n: read_qm22(options.qm22 / f"c{n:02d}.zip") for n in range(4, 10)}
    train = [atoms for n in (4, 5, 6, 7) for atoms in sets[n][::6]]
    return train, [atoms for n in (8, 9) for atoms in sets[n][::20]]


CASES = {
    "trappe-ua": Case(
        melt_frames("trappe-ua", 16, 30, 0.66, 450.0, tail=True, every=400), (4.5, 6.0, 7.0), (20, 60, 200, 600)
    ),
    "trappe-ua-whole": Case(
        melt_frames("trappe-ua", 16, 30, 0.66, 450.0, tail=False, every=400), (6.0, 8.0), (60, 200, 600)
    ),
    "l-opls": Case(melt_frames("l-opls", 8, 16, 0.60, 400.0, tail=True, every=400), (4.5, 6.0), (40, 130, 400)),
    "kremer-grest": Case(
        melt_frames("kremer-grest", 50, 16, 0.85, 1.0, tail=False, every=200), (1.6, 2.2), (20, 60, 200, 600)
    ),
    "qm22": Case(qm22_frames, (3.5, 4.5, 6.0), (40, 130, 400)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=[name for name in CASES if name != "qm22"])
    parser.add_argument("--frames", type=int, default=24, help="training frames of a melt; a third as many to test")
    parser.add_argument("--qm22", type=Path, default=None)
    parser.add_argument("--output", type=Path, default=Path("floor"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        case = CASES[name]
        train, test = case.frames(options)
        floor = error_floor(
            train,
            test,
            cutoffs=case.cutoffs,
            ranks=(1, 2, 3),
            sizes=case.sizes,
            weights=Weights(1e7, 1e3, 0),
            n_threads=1,
        )
        (options.output / f"{name}.json").write_text(json.dumps(floor.as_dict(), indent=1, ensure_ascii=False))
        floor.write_figure(options.output / f"{name}.png")
        print(f"\n{name}: {len(train)} + {len(test)} frames\n\n{floor.table()}\n\n{name}: {floor.verdict}", flush=True)


if __name__ == "__main__":
    main()
