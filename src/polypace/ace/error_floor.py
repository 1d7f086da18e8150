"""Can a local potential represent this reference? Errors of linear fits against cutoff, rank and basis size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.ace.basis import BasisSpec
from polypace.ace.design_blocks import Survey, compress_frames, survey_frames
from polypace.ace.fit_metrics import UNITS
from polypace.ace.labels import Frames, iterate_frames
from polypace.ace.potential import Potential
from polypace.ace.reference_energies import least_squares_energies
from polypace.ace.row_compression import CompressedRows
from polypace.ace.smoothness import smoothness_penalties
from polypace.ace.solvers import Ridge, Solver
from polypace.ace.weights import Weights
from polypace.blas_threads import single_threaded_blas
from polypace.errors import InputError

#: Largest n and l per rank, pairs first: wide enough that `sizes` decide what is in a basis.
NRADMAX, LMAX = (16, 8, 5, 3, 2), (0, 6, 4, 2, 1)
#: A floor is reached where three times the functions lower the error by less than this share.
FLAT = 0.1
#: Every label counts as it is, so that a loss is a sum of squared errors.
PLAIN = Weights(1.0, 1.0, 1.0, config_types={})


@dataclass(frozen=True)
class FloorPoint:
    """One fit: cutoff (Å), rank (neighbours per function at most), functions of all elements, and root mean
    square errors on training and test frames (energy and virial eV/atom, forces eV/Å).
    """

    cutoff: float
    rank: int
    n_functions: int
    train: dict[str, float]
    test: dict[str, float]


@dataclass(frozen=True)
class ErrorFloor:
    """All fits of a scan, and what they say.

    `reference_rms`: of the test labels, energies around what reference energies per element explain.
    `best`: the point with the smallest test error of forces (of energies, where there are no forces).
    `gain`: by which share its error is below that of a third of the functions, of the same cutoff and rank;
    `reached`: whether that is less than 10 %, so that more functions will not help.
    """

    points: tuple[FloorPoint, ...]
    reference_rms: dict[str, float]
    best: FloorPoint
    gain: float
    reached: bool

    @property
    def quantity(self) -> str:
        """What is compared: "forces", or "energy" where the frames have none."""
        return "forces" if "forces" in self.reference_rms else "energy"

    @property
    def relative(self) -> float:
        """Test error of `best` over the root mean square of the labels."""
        return self.best.test[self.quantity] / self.reference_rms[self.quantity]

    @property
    def verdict(self) -> str:
        """What the scan says, in words."""
        best = self.best
        place = f"cutoff {best.cutoff:g} Å, rank {best.rank}, {best.n_functions} functions"
        if self.reached:
            end = f"a floor: a third of the functions comes as close to {self.gain:.0%}"
        else:
            end = f"not a floor yet: the last threefold basis lowered it by {self.gain:.0%}"
        return f"smallest error of {self.quantity} {self.relative:.1%} of the labels ({place}); {end}"

    def table(self) -> str:
        """Test errors of the largest basis of each cutoff and rank in Markdown, relative to the labels."""
        largest: dict[tuple[float, int], FloorPoint] = {}
        for point in self.points:
            largest[point.cutoff, point.rank] = point
        rms = self.reference_rms
        lines = [
            "| cutoff (Å) | rank | functions | " + " | ".join(f"{name} error, train | test" for name in rms) + " |",
            "|---" * (3 + 2 * len(rms)) + "|",
        ]
        for (cutoff, rank), point in largest.items():
            # One test frame has no spread of energies to compare with.
            errors = [
                f"{part[name] / rms[name]:.1%}" if rms[name] > 0 else ""
                for name in rms
                for part in (point.train, point.test)
            ]
            lines.append(f"| {cutoff:g} | {rank} | {point.n_functions} | " + " | ".join(errors) + " |")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for a JSON file, units beside them."""
        return {"units": UNITS | {"cutoff": "Å"}, **asdict(self), "relative": self.relative, "verdict": self.verdict}

    def write_figure(self, path: str | Path) -> None:
        """Test error (solid) and training error (dotted) against the number of functions, a panel per rank."""
        from matplotlib.figure import Figure

        ranks = sorted({point.rank for point in self.points})
        figure = Figure(figsize=(2.6 * len(ranks) + 1.2, 3.2), layout="constrained")
        panels = figure.subplots(1, len(ranks), sharey=True, squeeze=False)[0]
        scale = 100 / self.reference_rms[self.quantity]
        for panel, rank in zip(panels, ranks, strict=True):
            of_rank = [point for point in self.points if point.rank == rank]
            for number, cutoff in enumerate(sorted({point.cutoff for point in of_rank})):
                line = [point for point in of_rank if point.cutoff == cutoff]
                n = [point.n_functions for point in line]
                test, train = ([scale * getattr(p, part)[self.quantity] for p in line] for part in ("test", "train"))
                panel.loglog(n, test, "o-", color=f"C{number}", markersize=3, label=f"{cutoff:g} Å")
                panel.loglog(n, train, ":", color=f"C{number}")
            panel.set_title(f"rank {rank}", fontsize=9)
            panel.set_xlabel("functions")
            panel.set_xticks(sorted({point.n_functions for point in of_rank}))
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_major_formatter("{x:g}")
                axis.set_tick_params(which="both", labelsize=7)
            panel.xaxis.set_minor_formatter("")
            panel.yaxis.set_minor_formatter("{x:g}")
        panels[0].set_ylabel(f"error of {self.quantity} (% of the labels' rms)")
        panels[-1].legend(fontsize=8)
        figure.savefig(path, dpi=150)


def error_floor(
    train: Frames,
    test: Frames,
    *,
    cutoffs: Sequence[float] = (4.0, 5.0, 6.0, 7.0),
    ranks: Sequence[int] = (1, 2, 3),
    sizes: Sequence[int] = (25, 50, 100, 200, 400),
    elements: Sequence[str] | None = None,
    weights: Weights | None = None,
    solver: Solver | None = None,
    smoothness: float = 2.0,
    n_threads: int = 0,
    progress: Callable[[FloorPoint], None] | None = None,
) -> ErrorFloor:
    """Errors of linear ACE fits to `train`, measured on `test`, for every cutoff, rank and basis size.

    A reference that a local potential of some form can represent has errors that fall with the number of
    functions until the data end; one that it cannot (ambiguous bonds, longer range, many-body terms) has a
    floor, where test and training errors are alike and flat. Frames are seen once per cutoff and rank: the
    smaller bases are parts of the largest one, fitted and tested from its compressed rows.

    Parameters
    ----------
    cutoffs : Å
    ranks : highest number of neighbours per function; 1: pairs, 3: four-body, enough for torsions
    sizes : functions per element, the simplest ones (small rank + Σn + Σl) of those that the rank allows
    weights : of energy, forces and virial in the fits; default as for `fit`
    solver : default Ridge with its strength by cross-validation

    Raises
    ------
    InputError
        for empty sets of frames, labels that are not finite, and cutoffs, ranks or sizes that are not positive.

    References
    ----------
    Dusson et al., J. Comput. Phys. 454, 110946 (2022), on the convergence of the expansion.
    """
    _check(cutoffs, ranks, sizes)
    weights, solver = weights or Weights(), solver or Ridge(alpha=None)
    kinds = tuple(elements) if elements is not None else elements_of(train)
    surveys = [survey_frames(frames, kinds, PLAIN) for frames in (train, test)]
    e0 = list(least_squares_energies(surveys[0].compositions, surveys[0].energies, kinds).values())
    points: list[FloorPoint] = []
    rows: dict[str, CompressedRows] = {}
    for cutoff, rank in product(sorted(set(cutoffs)), sorted(set(ranks))):
        potential = _largest_basis(kinds, cutoff, rank, max(sizes))
        with single_threaded_blas():
            seen, rows = (compress_frames(part, potential, PLAIN, e0, n_threads=n_threads) for part in (train, test))
            weighted = {k: _scaled(group, w) for k, group in seen.items() if (w := getattr(weights, k)) > 0}
            for chosen in _nested(potential, sizes):
                coefficients = _solution(weighted, potential, chosen, solver, smoothness)
                errors = (_errors(groups, coefficients) for groups in (seen, rows))
                points.append(FloorPoint(cutoff, rank, len(chosen), *errors))
                if progress:
                    progress(points[-1])
    return _judged(points, _reference_rms(rows, surveys[1], e0))


def elements_of(frames: Frames) -> tuple[str, ...]:
    """Chemical symbols that occur, in alphabetical order."""
    return tuple(sorted({symbol for atoms in iterate_frames(frames) for symbol in atoms.get_chemical_symbols()}))


def _check(cutoffs: Sequence[float], ranks: Sequence[int], sizes: Sequence[int]) -> None:
    for name, values, largest in (
        ("cutoffs", cutoffs, np.inf),
        ("ranks", ranks, len(NRADMAX)),
        ("sizes", sizes, np.inf),
    ):
        if not len(values) or not all(0 < value <= largest for value in values):
            raise InputError(
                f"{name} must be above 0 and at most {largest:g}, at least one of them; got {list(values)}"
            )


def _largest_basis(elements: Sequence[str], cutoff: float, rank: int, size: int) -> Potential:
    spec = BasisSpec.simple(elements, cutoff, nradmax=NRADMAX[:rank], lmax=LMAX[:rank], n_functions=size)
    return spec.build()


def _nested(potential: Potential, sizes: Sequence[int]) -> list[npt.NDArray[np.intp]]:
    """Columns of the bases of each size: per element the simplest functions first."""
    found: list[npt.NDArray[np.intp]] = []
    for size in sorted(set(sizes)):
        parts, start = [], 0
        for of_element in potential.data.functions:
            complexity = [len(f.ns) + sum(f.ns) + sum(f.ls) for f in of_element]
            parts.append(start + np.argsort(complexity, kind="stable")[:size])
            start += len(of_element)
        columns = np.sort(np.concatenate(parts))
        if not found or len(columns) > len(found[-1]):
            found.append(columns)
    return found


def _solution(
    groups: Mapping[str, CompressedRows],
    potential: Potential,
    chosen: npt.NDArray[np.intp],
    solver: Solver,
    smoothness: float,
) -> npt.NDArray[np.float64]:
    """Coefficients of all columns, 0 for those that were not chosen."""
    functions = [f for of_element in potential.data.functions for f in of_element]
    penalties = smoothness_penalties([([n + 1 for n in f.ns], f.ls) for f in functions], power=smoothness)
    n_columns = len(next(iter(groups.values())).target)
    columns = np.concatenate([chosen, np.arange(len(functions), n_columns)])
    parts = {name: group.select(columns) for name, group in groups.items()}
    solution = solver.solve(parts, np.concatenate([penalties[chosen], np.zeros(n_columns - len(functions))]))
    coefficients = np.zeros(n_columns)
    coefficients[columns] = solution.coefficients
    return coefficients


def _scaled(group: CompressedRows, weight: float) -> CompressedRows:
    root = float(np.sqrt(weight))
    return CompressedRows(root * group.factor, root * group.target, root * group.residual, group.n_rows)


def _errors(groups: Mapping[str, CompressedRows], coefficients: npt.NDArray[np.float64]) -> dict[str, float]:
    return {name: float(np.sqrt(group.loss(coefficients) / group.n_rows)) for name, group in groups.items()}


def _reference_rms(groups: Mapping[str, CompressedRows], survey: Survey, e0: Sequence[float]) -> dict[str, float]:
    rms = {name: float(np.sqrt(group.target_square() / group.n_rows)) for name, group in groups.items()}
    if "energy" in rms:
        left = (survey.energies - survey.compositions @ np.array(e0)) / survey.compositions.sum(axis=1)
        rms["energy"] = float(left.std())
    return rms


def _judged(points: list[FloorPoint], reference_rms: dict[str, float]) -> ErrorFloor:
    quantity = "forces" if "forces" in reference_rms else "energy"
    best = min(points, key=lambda point: point.test[quantity])
    line = [point for point in points if (point.cutoff, point.rank) == (best.cutoff, best.rank)]
    third = max(point.n_functions for point in line) / 3
    smaller = [point.test[quantity] for point in line if point.n_functions <= third]
    gain = max(0.0, 1 - best.test[quantity] / min(smaller)) if smaller else 1.0
    return ErrorFloor(tuple(points), reference_rms, best, gain, gain < FLAT)
