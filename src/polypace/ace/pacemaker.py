"""The real pacemaker as a second backend: files in, subprocess, files back."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from polypace.ace.basis import BasisSpec
from polypace.ace.labels import Frames, frame_name, iterate_frames, read_labels
from polypace.ace.potential import Potential
from polypace.errors import InputError, MissingProgramError, ProgramError

REMEDY = "pip install --pre 'polypace[pacemaker]' (academic, non-commercial licence)"
TAIL_LINES = 15
POLL_SECONDS = 1.0  # between looks at the log


@dataclass(frozen=True)
class PacemakerProgress:
    """What a log says: iterations done, last loss, and whether the fit ended as it should."""

    iterations: int
    loss: float | None
    finished: bool


@dataclass(frozen=True)
class PacemakerResult:
    """What pacemaker left in its folder.

    potential : output_potential.yaml
    metrics : last line of metrics.txt, pacemaker's own names and units (rmse_epa eV/atom, rmse_f_comp eV/Å)
    test_metrics : the same of the test set, empty without one
    """

    potential: Potential
    metrics: dict[str, float]
    test_metrics: dict[str, float]
    progress: PacemakerProgress
    folder: Path


def fit_with_pacemaker(
    frames: Frames,
    basis: BasisSpec | Potential | str | Path,
    folder: str | Path,
    *,
    test_frames: Frames | None = None,
    initial_potential: Potential | None = None,
    kappa: float | str = 0.3,
    max_iterations: int = 100,
    ladder_step: int | float | None = None,
    options: Mapping[str, Any] | None = None,
    evaluator: str = "pyace",
    seed: int = 42,
    timeout: float | None = None,
    progress: Callable[[PacemakerProgress], None] | None = None,
) -> PacemakerResult:
    """Fit with the pacemaker program: ladder fits, non-linear embeddings, up-fits from an earlier potential.

    Writes dataset pickles and `input.yaml` into `folder`, runs the program there and reads its results back.

    Parameters
    ----------
    basis : BasisSpec (recipe), or a potential whose functions are fitted on from its coefficients
    initial_potential : start of a recipe's coefficients (up-fit)
    kappa : weight of forces against energies in the loss, 0…1, or "auto"
    ladder_step : functions that are added per step; None: all at once
    options : further keys of the `fit` section, e.g. {"optimizer": "L-BFGS-B", "repulsion": "auto"}
    evaluator : "pyace", or "tensorpot" where TensorFlow is installed
    timeout : s, of the whole run
    progress : called with what the log says, about once a second while it grows

    Raises
    ------
    MissingProgramError
        without pacemaker; the message says how to get it.
    ProgramError
        where it fails or writes no potential; carries the last lines it printed.
    InputError
        for frames without energy or forces, which pacemaker needs.
    """
    program = find_pacemaker()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data: dict[str, Any] = {"filename": str(write_dataset(frames, folder / "train.pckl.gzip"))}
    if test_frames is not None:
        data["test_filename"] = str(write_dataset(test_frames, folder / "test.pckl.gzip"))
    fit_section = {"loss": {"kappa": kappa}, "optimizer": "BFGS", "maxiter": max_iterations}
    if ladder_step is not None:
        fit_section |= {"ladder_step": ladder_step, "ladder_type": "power_order"}
    potential = _potential_section(basis, initial_potential, folder)
    settings = {
        "cutoff": _cutoff(basis),
        "seed": seed,
        "data": data,
        "potential": potential,
        "fit": fit_section | dict(options or {}),
        "backend": {"evaluator": evaluator, "display_step": 1},
    }
    (folder / "input.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    _run(program, folder, timeout, progress)
    return read_results(folder)


def find_pacemaker() -> str:
    """Path of the pacemaker that belongs to this Python, or the first on PATH."""
    beside = Path(sys.executable).parent / "pacemaker"
    found = str(beside) if beside.is_file() else shutil.which("pacemaker")
    if found is None:
        raise MissingProgramError(f"pacemaker is not installed: {REMEDY}")
    return found


def write_dataset(frames: Frames, path: str | Path) -> Path:
    """Write frames as pacemaker's data set: a gzipped pickle of a table with `ase_atoms`, `energy_corrected`, `forces`.

    `arrays["force_weight"]` becomes pacemaker's `w_forces_mask`.
    """
    try:
        import pandas as pd
    except ImportError:
        raise MissingProgramError(f"pandas, which comes with pacemaker, is not installed: {REMEDY}") from None
    rows = []
    for index, atoms in enumerate(iterate_frames(frames)):
        name = frame_name(frames, index)
        labels = read_labels(atoms, name)
        if labels.energy is None or labels.forces is None:
            raise InputError(f"{name} lacks energy or forces, which pacemaker needs: leave it out")
        bare = atoms.copy()
        bare.calc = None
        row = {"ase_atoms": bare, "energy_corrected": labels.energy, "forces": labels.forces}
        if "force_weight" in atoms.arrays:
            row["w_forces_mask"] = np.asarray(atoms.arrays["force_weight"], dtype=float)
        rows.append(row)
    if not rows:
        raise InputError("there are no frames to fit to: the list or file is empty")
    table = pd.DataFrame(rows)
    if "w_forces_mask" in table:
        missing = table["w_forces_mask"].isna()
        table.loc[missing, "w_forces_mask"] = [np.ones(len(a)) for a in table.loc[missing, "ase_atoms"]]
    table.to_pickle(path, compression="gzip", protocol=4)
    return Path(path).resolve()


def parse_log(text: str) -> PacemakerProgress:
    """Progress from pacemaker's log; unknown lines are passed over."""
    steps = re.findall(r"Iteration:\s*#(\d+)\s+Loss:\s+Total:\s+(\S+)", text)
    return PacemakerProgress(
        iterations=int(steps[-1][0]) if steps else 0,
        loss=float(steps[-1][1]) if steps else None,
        finished="Fitting done" in text or "Final potential is saved" in text,
    )


def read_results(folder: str | Path) -> PacemakerResult:
    """Results of a finished pacemaker run."""
    folder = Path(folder)
    log = folder / "log.txt"
    progress = parse_log(log.read_text(encoding="utf-8", errors="replace") if log.is_file() else "")
    output = folder / "output_potential.yaml"
    if not output.is_file():
        raise ProgramError(f"pacemaker left no {output}; the end of its log:\n{_tail(log)}")
    return PacemakerResult(
        potential=Potential.read(output),
        metrics=_last_line(folder / "metrics.txt"),
        test_metrics=_last_line(folder / "test_cycle_metrics.txt"),
        progress=progress,
        folder=folder,
    )


def _potential_section(basis: Any, initial: Potential | None, folder: Path) -> Any:
    if isinstance(basis, Potential):
        basis.write(folder / "start.yaml")
        return str((folder / "start.yaml").resolve())
    if isinstance(basis, (str, Path)):
        basis = BasisSpec.read(basis)
    section: dict[str, Any] = {
        "deltaSplineBins": basis.delta_spline_bins,
        "elements": list(basis.elements),
        "embeddings": _plain(basis.embeddings),
        "bonds": _plain(basis.bonds),
        "functions": _plain(basis.functions),
    }
    for embedding in section["embeddings"].values():
        defaults = {"npot": "FinnisSinclairShiftedScaled", "fs_parameters": [1, 1], "ndensity": 1}
        embedding |= defaults | embedding
    if initial is not None:
        initial.write(folder / "initial.yaml")
        section["initial_potential"] = str((folder / "initial.yaml").resolve())
    return section


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _cutoff(basis: Any) -> float:
    if isinstance(basis, (str, Path)):
        basis = BasisSpec.read(basis)
    potential = basis if isinstance(basis, Potential) else basis.build()
    return float(potential.max_cutoff)


def _run(
    program: str, folder: Path, timeout: float | None, progress: Callable[[PacemakerProgress], None] | None
) -> None:
    for name in ("output_potential.yaml", "log.txt", "metrics.txt", "test_cycle_metrics.txt"):
        (folder / name).unlink(missing_ok=True)
    command = [program, "input.yaml", "--no-predict"]
    screen = folder / "screen.txt"
    with (
        screen.open("w") as output,
        subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT) as running,
    ):
        try:
            _watch(running, folder / "log.txt", timeout, progress)
        except BaseException as error:
            running.kill()
            if isinstance(error, TimeoutError):
                raise ProgramError(f"{' '.join(command)} in {folder} took longer than {timeout} s") from None
            raise
    if running.returncode != 0:
        raise ProgramError(
            f"{' '.join(command)} in {folder} failed with exit code {running.returncode}:\n{_tail(screen)}"
        )


def _watch(
    running: subprocess.Popen[bytes],
    log: Path,
    timeout: float | None,
    progress: Callable[[PacemakerProgress], None] | None,
) -> None:
    """Wait for the end; report what the log says while it grows."""
    end = np.inf if timeout is None else time.monotonic() + timeout
    size = 0
    while True:
        try:
            running.wait(min(POLL_SECONDS, max(end - time.monotonic(), 0.0)))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= end:
                raise TimeoutError from None
        if progress is not None and log.is_file() and log.stat().st_size > size:
            size = log.stat().st_size
            progress(parse_log(log.read_text(encoding="utf-8", errors="replace")))
        if running.returncode is not None:
            return


def _last_line(path: Path) -> dict[str, float]:
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(zip(lines[0].split(), map(float, lines[-1].split()), strict=False)) if len(lines) > 1 else {}


def _tail(path: Path) -> str:
    return (
        "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:])
        if path.is_file()
        else ""
    )
