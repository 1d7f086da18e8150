"""`polypace fit --backend pacemaker`: the same verb with the real pacemaker behind it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from polypace.errors import InputError

if TYPE_CHECKING:
    from polypace.ace import Metrics, Potential
    from polypace.ace.pacemaker import PacemakerProgress


def fit_by_pacemaker(
    frames: Any,
    test_frames: Any | None,
    basis: Any,
    folder: Path,
    *,
    start: Path | None,
    ladder_step: int | None,
    max_iterations: int,
    threads: int,
) -> tuple[Potential, Metrics, Metrics | None, dict[str, Any]]:
    """Run pacemaker in `folder`, show its iterations; (potential, errors measured by PolyPACE, summary)."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    from polypace.ace import BasisSpec, Potential, measure_errors
    from polypace.ace.pacemaker import fit_with_pacemaker

    if isinstance(basis, Path):
        is_potential = any(line.startswith("species:") for line in basis.read_text(encoding="utf-8").splitlines())
        basis = Potential.read(basis) if is_potential else BasisSpec.read(basis)
    if start is not None and isinstance(basis, Potential):
        raise InputError("--start belongs to a recipe; a potential given as --basis is fitted on from its coefficients")
    columns = (TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task("pacemaker")

        def show(progress: PacemakerProgress) -> None:
            bar.update(task, description=f"pacemaker: iteration {progress.iterations}, loss {progress.loss}")

        result = fit_with_pacemaker(
            frames,
            basis,
            folder,
            test_frames=test_frames,
            initial_potential=Potential.read(start) if start else None,
            max_iterations=max_iterations,
            ladder_step=ladder_step,
            progress=show,
        )
    errors = measure_errors(frames, result.potential, n_threads=threads)
    test_errors = measure_errors(test_frames, result.potential, n_threads=threads) if test_frames else None
    summary = {
        "n_functions": result.potential.n_functions,
        "pacemaker": {"iterations": result.progress.iterations, "loss": result.progress.loss, "folder": str(folder)},
        "pacemaker_metrics": result.metrics,
        "pacemaker_test_metrics": result.test_metrics,
        "train": errors.as_dict(),
        "test": test_errors.as_dict() if test_errors else None,
    }
    return result.potential, errors, test_errors, summary
