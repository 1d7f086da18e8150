"""The embedded linear fit: labelled frames in, a potential and its errors out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import ase
import numpy as np
import numpy.typing as npt

from polypace.ace.core_repulsion import CoreRepulsion, shortest_distances, with_core_repulsion
from polypace.ace.design_blocks import Survey, check_frames, compress_frames, survey_frames
from polypace.ace.fit_metrics import Metrics, measure_errors
from polypace.ace.label_units import SUSPICIOUS, check_fitted_forces
from polypace.ace.labels import Frames
from polypace.ace.potential import Potential
from polypace.ace.reference_energies import E0Choice, given_energies, least_squares_energies
from polypace.ace.row_compression import CompressedRows
from polypace.ace.smoothness import smoothness_penalties
from polypace.ace.solvers import ARD, BayesianRegression, Ridge, Solution, Solver
from polypace.ace.up_fit import solve_from, starting_coefficients
from polypace.ace.weights import Weights
from polypace.blas_threads import single_threaded_blas
from polypace.errors import InputError

SOLVERS: dict[str, Callable[[], Solver]] = {"ridge": Ridge, "blr": BayesianRegression, "ard": ARD}


@dataclass(frozen=True)
class Uncertainty:
    """Standard deviations that the posterior of the coefficients gives to predictions; noise is not included.

    energy : of the total energy, eV
    forces : (n_atoms, 3), of every component, eV/Å
    """

    energy: float
    forces: npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class FitResult:
    """A fitted potential and what is known of the fit.

    potential : with coefficients, reference energies and, where asked for, core repulsion
    metrics : errors on the training frames and, where given, on the test frames
    e0 : reference energy per element, eV
    solution : coefficients (the last ones are shifts of e0), posterior, noise, condition number
    groups : the compressed rows per quantity, for fits to parts of the basis without the frames (`prune`)
    penalties : relative penalties of the columns
    seconds : wall time per stage
    """

    potential: Potential
    metrics: Metrics
    test_metrics: Metrics | None
    e0: dict[str, float]
    weights: Weights
    solution: Solution
    groups: dict[str, CompressedRows]
    penalties: npt.NDArray[np.float64]
    seconds: dict[str, float]

    def __repr__(self) -> str:
        errors = ", ".join(f"{name} {summary.relative:.2%}" for name, summary in self.metrics.quantities.items())
        return f"<FitResult {self.potential}, errors relative to the labels: {errors}>"

    @property
    def condition_number(self) -> float:
        """Of the weighted rows with columns scaled to equal norms."""
        return self.solution.condition_number

    @property
    def covariance(self) -> npt.NDArray[np.float64]:
        """(n_functions, n_functions) posterior covariance of the coefficients of the functions."""
        n = sum(self.potential.n_functions.values())
        return self.solution.posterior.covariance()[:n, :n]

    def uncertainty(self, atoms: ase.Atoms, *, n_threads: int = 0) -> Uncertainty:
        """Posterior standard deviation of the energy and the forces of one structure."""
        from polypace.ace import design_rows
        from polypace.ace.design_blocks import count_elements

        rows = design_rows(atoms, self.potential, n_threads=n_threads)
        n_e0 = len(self.potential.elements)
        composition = count_elements(atoms, self.potential.elements, "the structure")
        if len(self.e0) and self.solution.posterior.factor.shape[0] == len(rows.energy):
            composition, n_e0 = composition[:0], 0
        energy = self.solution.posterior.standard_deviation(np.concatenate([rows.energy, composition])[None, :])
        flat = np.pad(rows.forces.reshape(3 * len(atoms), -1), ((0, 0), (0, n_e0)))
        return Uncertainty(float(energy[0]), self.solution.posterior.standard_deviation(flat).reshape(-1, 3))

    def as_dict(self) -> dict[str, Any]:
        """Everything that is a number of reasonable size, for a JSON file; units beside it."""
        solution = self.solution
        return {
            "n_functions": self.potential.n_functions,
            "condition_number": solution.condition_number,
            "effective_parameters": solution.effective_parameters,
            "prior_strength": solution.damping,
            "log_evidence": solution.log_evidence,
            "kept_functions": int(solution.kept[: sum(self.potential.n_functions.values())].sum()),
            "rows": {name: group.n_rows for name, group in self.groups.items()},
            "e0_eV": self.e0,
            "weights": asdict(self.weights),
            "seconds": self.seconds,
            "train": self.metrics.as_dict(),
            "test": self.test_metrics.as_dict() if self.test_metrics else None,
        }

    def write_metrics(self, path: str | Path) -> None:
        """Write `as_dict()` as JSON."""
        Path(path).write_text(json.dumps(self.as_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def fit(
    frames: Frames,
    basis: Any,
    *,
    weights: Weights | None = None,
    solver: Literal["ridge", "blr", "ard"] | Solver = "ridge",
    test_frames: Frames | None = None,
    e0: E0Choice = "least_squares",
    core_repulsion: Literal["zbl"] | CoreRepulsion | None = None,
    smoothness: float = 1.0,
    start: Potential | str | Path | None = None,
    n_threads: int = 0,
    progress: Callable[[int], None] | None = None,
) -> FitResult:
    """Fit a linear ACE E = Σ_i (e0_i + Σ_f c_f B_{i,f}) to energies, forces and virials.

    Rows are made frame by frame and compressed by blockwise QR, so the memory needed does not grow with the number of
    frames: a frame of N atoms needs 3 N · n_functions numbers, the factors 3 n_functions².

    Parameters
    ----------
    frames, test_frames : sequence of ase.Atoms, or a file that ASE reads
        Labels in `atoms.calc.results`: energy (eV), forces (eV/Å), stress (ASE sign, eV/Å³), each optional.
    basis : BasisSpec, Potential, or path
        Which functions; coefficients of a potential are ignored. Must be linear: one density, embedding ρ.
    weights : Weights, optional
    solver : "ridge", "blr" (Bayesian linear regression), "ard", or an object such as Ridge(alpha=1e-9)
    e0 : "least_squares", a number, or a mapping from element to eV
        Least squares per element, refined together with the coefficients.
    core_repulsion : None, "zbl", or CoreRepulsion(r_in=…)
    smoothness : float ≥ 0
        Exponent of the penalties Σ_t (n_t^p + l_t^p) of the functions; 0: all alike.
    start : Potential or path, optional
        Up-fit: the prior is centred on its coefficients and e0 instead of on 0, so that what the frames do not determine
        stays as it was. Functions that it does not have start from 0.
    progress : called with the number of frames done

    Raises
    ------
    InputError
        for no frames, NaN labels, unknown elements, a basis that is not linear, r_in within the training data, or a
        start with other radial functions.

    References
    ----------
    Drautz, Phys. Rev. B 99, 014104 (2019); Witt et al., J. Chem. Phys. 159, 164101 (2023).
    """
    potential = linear_basis(basis)
    weights = weights or Weights()
    chosen = _solver(solver)
    begin = Potential.read(start) if isinstance(start, (str, Path)) else start
    before = starting_coefficients(potential, begin) if begin is not None else None
    seconds: dict[str, float] = {}
    clock = _Clock(seconds)
    survey = survey_frames(frames, potential.elements, weights)
    if test_frames is not None:
        check_frames(test_frames, potential.elements)
    core = _core(core_repulsion)
    final = potential
    if core is not None:
        distances = shortest_distances(frames, potential.elements, n_threads=n_threads)
        final = with_core_repulsion(potential, core, distances)
    e0_start = _starting_e0(survey, potential, e0, begin)
    clock.lap("survey")
    with single_threaded_blas():
        groups = compress_frames(
            frames, potential, weights, list(e0_start.values()), n_threads=n_threads, progress=progress
        )
    _check_groups(groups)
    clock.lap("rows")
    penalties = _penalties(potential, smoothness)
    with single_threaded_blas():
        if e0 != "least_squares" or "energy" not in groups:
            groups = {name: _leading(group, len(penalties)) for name, group in groups.items()}
        else:
            penalties = np.concatenate([penalties, np.zeros(len(e0_start))])
        if before is None:
            solution = chosen.solve(groups, penalties)
        else:
            solution = solve_from(np.pad(before, (0, len(penalties) - len(before))), chosen, groups, penalties)
    clock.lap("solve")
    fitted, e0_final = _with_solution(final, solution, e0_start)
    metrics = measure_errors(frames, fitted, n_threads=n_threads)
    if "forces" in metrics.quantities and metrics.quantities["forces"].relative > SUSPICIOUS:
        check_fitted_forces(frames, fitted, n_threads=n_threads)
    test_metrics = measure_errors(test_frames, fitted, n_threads=n_threads) if test_frames is not None else None
    clock.lap("metrics")
    return FitResult(fitted, metrics, test_metrics, e0_final, weights, solution, groups, penalties, seconds)


def linear_basis(basis: Any) -> Potential:
    """Return the potential that `basis` (BasisSpec, Potential or path of either) describes, checked to be linear."""
    if isinstance(basis, (str, Path)):
        basis = _read_basis(Path(basis))
    if hasattr(basis, "build"):
        basis = basis.build()
    if not isinstance(basis, Potential):
        raise InputError(f"basis must be a BasisSpec, a Potential or a path, got {type(basis).__name__}")
    if not basis.has_functions:
        raise InputError("basis is in C-tilde form (.yace), which has no functions to fit: give the .yaml form")
    if not basis.is_linear:
        raise InputError(
            "basis must be linear in its coefficients for this fit: ndensity 1, fs_parameters [1, 1] and no core "
            "repulsion (add it with core_repulsion='zbl'); fit other embeddings with the pacemaker backend"
        )
    return basis


def _read_basis(path: Path) -> Any:
    from polypace.ace import BasisSpec

    if not path.is_file():
        raise FileNotFoundError(f"basis file {path} does not exist")
    with path.open(encoding="utf-8") as lines:
        is_potential = any(line.startswith("species:") for line in lines)
    return Potential.read(path) if is_potential or path.suffix == ".yace" else BasisSpec.read(path)


def _solver(solver: str | Solver) -> Solver:
    if not isinstance(solver, str):
        return solver
    if solver not in SOLVERS:
        raise InputError(f"solver must be one of {', '.join(SOLVERS)} or a solver object, got {solver!r}")
    return SOLVERS[solver]()


def _core(chosen: Literal["zbl"] | CoreRepulsion | None) -> CoreRepulsion | None:
    core = CoreRepulsion() if chosen == "zbl" else chosen
    if not (core is None or isinstance(core, CoreRepulsion)):
        raise InputError(f"core_repulsion must be None, 'zbl' or CoreRepulsion(…), got {chosen!r}")
    return core


def _starting_e0(survey: Survey, potential: Potential, e0: E0Choice, start: Potential | None) -> dict[str, float]:
    if isinstance(e0, str):
        if e0 != "least_squares":
            raise InputError(f"e0 must be 'least_squares', a number or a mapping from element to eV, got {e0!r}")
        if start is not None and set(start.elements) >= set(potential.elements):
            return {element: start.e0[element] for element in potential.elements}
        return least_squares_energies(survey.compositions, survey.energies, potential.elements)
    return given_energies(e0, potential.elements)


def _check_groups(groups: Mapping[str, CompressedRows]) -> None:
    if not groups:
        raise InputError(
            "no label has a weight above zero, nothing is left to fit: check weights, info['energy_weight'] and "
            "arrays['force_weight']"
        )


def _penalties(potential: Potential, smoothness: float) -> npt.NDArray[np.float64]:
    functions = [
        ([n + 1 for n in function.ns], function.ls)
        for of_element in potential.data.functions
        for function in of_element
    ]
    return smoothness_penalties(functions, power=smoothness)


def _leading(group: CompressedRows, n: int) -> CompressedRows:
    """Only the first n columns: what is beyond them in the triangle belongs to the residual."""
    return group.select(np.arange(n))


def _with_solution(
    potential: Potential, solution: Solution, e0: Mapping[str, float]
) -> tuple[Potential, dict[str, float]]:
    n = sum(potential.n_functions.values())
    shifts = solution.coefficients[n:] if len(solution.coefficients) > n else np.zeros(len(e0))
    e0_final = {el: value + float(shift) for (el, value), shift in zip(e0.items(), shifts, strict=True)}
    return potential.with_coefficients(solution.coefficients[:n]).with_e0(e0_final), e0_final


class _Clock:
    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds, self._last = seconds, time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self._seconds[stage] = round(now - self._last, 3)
        self._last = now
