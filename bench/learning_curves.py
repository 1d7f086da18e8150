"""Learning curves: D-optimal against random choice of what is labelled, at equal cost.

    python bench/learning_curves.py --figure docs/explanation/learning-curves.png

One study, learned twice in one folder: melts, training frames and the first fit are shared, so both loops start from
the same potential and label the same number of frames per round. Checked first: that they do. Random frames come from
all of the exploration, D-optimal ones from what extrapolated. Errors are those on validation frames that no fit has
seen; the largest gamma of a round says how far the potential still had to reach.
"""

from __future__ import annotations

import argparse
import tempfile
from importlib.resources import files
from pathlib import Path

import yaml

from polypace.report.learning_figures import learning_curve
from polypace.study import run_study

KINDS = {"d-optimal": "#d1495b", "random": "#222222"}


def study_of(selection: str, options: argparse.Namespace) -> dict:
    study = yaml.safe_load((files("polypace.study") / "templates" / "learn_ua.yaml").read_text(encoding="utf-8"))
    for system in (*study["systems"]["train"], *study["systems"]["test"]):
        system["n_chains"] = round(system["n_chains"] * options.size)
    study["systems"]["equilibration"] = "4 ps"
    study["ace"]["basis"]["functions"]["ALL"] = {"nradmax_by_orders": [12, 5, 3], "lmax_by_orders": [0, 4, 2]}
    # Never converged, so that both go on to the same number of rounds: gamma just above 1 always occurs.
    study["learning"] |= {
        "selection": selection,
        "chain_lengths": [4, 8],
        "iterations": options.iterations,
        "budget": {},
        "gamma_select": 1.02,
        "time": options.time,
        "converged_for": options.time,
        "max_frames": options.frames,
    }
    return study


def learned(selection: str, folder: Path, options: argparse.Namespace) -> dict:
    path = folder / f"{selection}.yaml"
    path.write_text(yaml.safe_dump(study_of(selection, options), allow_unicode=True), encoding="utf-8")
    return dict(run_study(path, folder / "study", only_learn=True).results)


def check(curves: dict[str, dict]) -> None:
    """Both start from the same potential, and no round labelled more frames than the other loop's."""
    first = [results["learning"]["rounds"][0]["validation"] for results in curves.values()]
    assert first[0] == first[1], "the loops start from different potentials"


def table(curves: dict[str, dict]) -> None:
    for selection, results in curves.items():
        print(f"\n{selection}\n\n| labelled atoms | force error (%) | energy spread (meV/atom) | γ max of the round |")
        print("|---|---|---|---|")
        gamma = [f"{record['gamma_max']:.2f}" for record in results["learning"]["rounds"]]
        for point, largest in zip(learning_curve(results), [*gamma, "–"], strict=False):
            errors = point["validation"]
            print(
                f"| {point['atoms']} | {100 * errors['force_rmse_relative']:.2f} | "
                f"{errors['energy_spread_meV_per_atom']:.2f} | {largest} |",
                flush=True,
            )


def draw(curves: dict[str, dict], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import LogLocator, NullLocator

    figure, (errors, gammas) = pyplot.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for selection, results in curves.items():
        points = learning_curve(results)
        atoms = [point["atoms"] for point in points]
        style = {"marker": "o", "ms": 4, "color": KINDS[selection], "label": selection}
        errors.plot(atoms, [100 * point["validation"]["force_rmse_relative"] for point in points], **style)
        rounds = results["learning"]["rounds"]
        gammas.plot([record["round"] for record in rounds], [record["gamma_max"] for record in rounds], **style)
    errors.set(xlabel="atoms that the loop labelled", ylabel="force error, validation (%)", yscale="log")
    gammas.set(xlabel="round", ylabel="largest γ", yscale="log")
    gammas.set_xticks(range(1, 1 + max(len(results["learning"]["rounds"]) for results in curves.values())))
    for axis in (errors, gammas):
        axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0)))
        axis.yaxis.set_minor_locator(NullLocator())
        axis.yaxis.set_major_formatter("{x:g}")
        axis.grid(alpha=0.3)
    errors.legend(frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", type=Path, default=Path("learning-curves.png"))
    parser.add_argument("--folder", type=Path, help="keep the study there; a second run goes on from it")
    parser.add_argument("--size", type=float, default=0.5, help="chains of learn_ua.yaml, as a factor")
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--frames", type=int, default=4, help="labelled per round")
    parser.add_argument("--time", type=float, default=0.5, help="ps per replica and round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        curves = {selection: learned(selection, folder, options) for selection in KINDS}
    check(curves)
    table(curves)
    draw(curves, options.figure)


if __name__ == "__main__":
    main()
