"""An ACE fitted to B3LYP data of short n-alkanes, tested on longer ones: the dispersion-free DFT transfer study.

    python bench/qm22_transfer.py FOLDER --train 4 5 6 7 --test 8 9 10 --output qm22

FOLDER holds the zip files of QM-22 (c04.zip …; repository jmbowma/QM-22, folder C14H30/testing). Writes into --output:
train.extxyz, test.extxyz, potential.yaml, errors.json, errors.md and errors.png. The fit is what

    polypace fit qm22/train.extxyz --test qm22/test.extxyz -o qm22/potential.yaml

does. Errors are stated for all frames of a set and for those below 50 meV/atom, where a liquid lives; energies with and
without the mean error of each length (the composition shift).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import ase
import ase.io
from matplotlib.figure import Figure

from polypace.ace import FitResult, Metrics, Potential, Ridge, Weights, fit, measure_errors
from polypace.cli.fit import default_recipe
from polypace.reference import read_qm22

#: eV/atom above the minimum: 50 meV is 3/2 kT of vibration at about 390 K per classical degree of freedom.
LOW = 0.05


def read_sets(folder: Path, lengths: list[int], stride: int) -> dict[int, list[ase.Atoms]]:
    return {n: read_qm22(folder / f"c{n:02d}.zip")[::stride] for n in lengths}


def is_low(atoms: ase.Atoms) -> bool:
    return bool(atoms.get_potential_energy() < LOW * len(atoms))


def numbers(metrics: Metrics) -> dict[str, float]:
    energy, forces = metrics.quantities["energy"], metrics.quantities["forces"]
    return {
        "frames": metrics.n_frames,
        "force_rmse_meV_per_A": 1e3 * forces.rmse,
        "force_rmse_relative": forces.relative,
        "force_mae_meV_per_A": 1e3 * forces.mae,
        "force_largest_error_meV_per_A": 1e3 * forces.largest,
        "energy_rmse_meV_per_atom": 1e3 * energy.rmse,
        "energy_shift_meV_per_atom": 1e3 * energy.mean,
        "energy_spread_meV_per_atom": 1e3 * energy.spread,
        "energy_mae_meV_per_atom": 1e3 * energy.mae,
    }


def table(rows: dict[str, dict[str, dict[str, float]]]) -> str:
    lines = [
        "| chain | role | frames | force RMSE (meV/Å) | relative | energy RMSE (meV/atom) | shift | spread |"
        " low: force RMSE | low: energy spread |",
        "|---" * 10 + "|",
    ]
    for name, row in rows.items():
        role, found, low = row["role"], row["all"], row["low"]
        lines.append(
            f"| {name} | {role} | {found['frames']} | {found['force_rmse_meV_per_A']:.1f} | "
            f"{found['force_rmse_relative']:.1%} | {found['energy_rmse_meV_per_atom']:.2f} | "
            f"{found['energy_shift_meV_per_atom']:+.2f} | {found['energy_spread_meV_per_atom']:.2f} | "
            f"{low['force_rmse_meV_per_A']:.1f} | {low['energy_spread_meV_per_atom']:.2f} |"
        )
    return "\n".join(lines)


def figure(rows: dict[str, dict], path: Path) -> None:
    """Force and energy error against chain length, and force error along the chain."""
    drawing = Figure(figsize=(10, 3.2), layout="constrained")
    force, energy, place = drawing.subplots(1, 3)
    lengths = [int(name[1:]) for name in rows]
    trained = [row["role"] == "train" for row in rows.values()]
    for axes, key, label in (
        (force, "force_rmse_meV_per_A", "force RMSE (meV/Å)"),
        (energy, "energy_rmse_meV_per_atom", "energy RMSE (meV/atom)"),
    ):
        for part, colour in (("all", "C0"), ("low", "C1")):
            values = [row[part][key] for row in rows.values()]
            axes.plot(lengths, values, "-", color=colour, linewidth=0.8)
            for n, value, known in zip(lengths, values, trained, strict=True):
                axes.plot(n, value, "o", color=colour, markerfacecolor=colour if known else "white")
            axes.plot([], [], "o-", color=colour, label={"all": "all frames", "low": "below 50 meV/atom"}[part])
        axes.set(xlabel="carbons (filled: trained on)", ylabel=label, ylim=(0, None))
    spread = [row["all"]["energy_spread_meV_per_atom"] for row in rows.values()]
    energy.plot(lengths, spread, ":", color="C0", label="without the shift of each length")
    energy.legend(fontsize=7)
    for name, row in rows.items():
        if row["role"] == "test":
            place.plot(
                [int(k) for k in row["by_position"]], [1e3 * v for v in row["by_position"].values()], "o-", label=name
            )
    place.set(xlabel="place from the chain end", ylabel="force RMSE of C and its H (meV/Å)", ylim=(0, None))
    place.legend(fontsize=7)
    drawing.savefig(path, dpi=150)


def fit_short_chains(frames: list[ase.Atoms], options: argparse.Namespace) -> FitResult:
    return fit(
        frames, default_recipe(frames)[0], weights=Weights(1e7, 1e3, 1e6), solver=Ridge(options.alpha), smoothness=2.0,
        core_repulsion="zbl", n_threads=options.threads,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", nargs="+", type=int, default=[4, 5, 6, 7])
    parser.add_argument("--test", nargs="+", type=int, default=[8, 9, 10])
    parser.add_argument("--alpha", type=float, default=1e-9)
    parser.add_argument("--stride", type=int, default=1, help="take every n-th frame of each set")
    parser.add_argument("--potential", type=Path, default=None, help="fit nothing, measure this one")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("qm22"))
    options = parser.parse_args()
    out = options.output
    out.mkdir(parents=True, exist_ok=True)
    train = read_sets(options.folder, options.train, options.stride)
    test = read_sets(options.folder, options.test, options.stride)
    frames = [atoms for of_length in train.values() for atoms in of_length]
    about: dict[str, Any] = {"units": {"by_position": "eV/Å"}, "stride": options.stride}
    if options.potential is not None:
        potential = Potential.read(options.potential)
    else:
        result = fit_short_chains(frames, options)
        potential = result.potential
        ase.io.write(out / "train.extxyz", frames)
        ase.io.write(out / "test.extxyz", [atoms for of_length in test.values() for atoms in of_length])
        potential.write(out / "potential.yaml")
        about |= {"condition_number": result.condition_number, "seconds": result.seconds}
    about["n_functions"] = potential.n_functions
    rows = {}
    for role, sets in (("train", train), ("test", test)):
        for n, of_length in sets.items():
            whole = measure_errors(of_length, potential, n_threads=options.threads)
            low = measure_errors([a for a in of_length if is_low(a)], potential, n_threads=options.threads)
            places = {place: part["forces"].rmse for place, part in whole.by_chain_position.items()}
            rows[f"C{n}"] = {"role": role, "all": numbers(whole), "low": numbers(low), "by_position": places}
    (out / "errors.json").write_text(json.dumps({"fit": about, "lengths": rows}, indent=1))
    (out / "errors.md").write_text(table(rows) + "\n")
    figure(rows, out / "errors.png")
    print(table(rows))


if __name__ == "__main__":
    main()
