"""The linear fit against numpy.linalg.lstsq on the whole matrix, and its wall time per stage.

    python bench/bench_fit.py train.extxyz test.extxyz --basis basis.yaml

Labels per atom and force components in one unweighted ridge regression with alpha 1e-5, as python-ace's helper does.
"""

from __future__ import annotations

import argparse
import time

import ase.io
import numpy as np

from polypace.ace import Ridge, Weights, fit, iterate_design_rows
from polypace.ace.fitting import linear_basis


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("train")
    arguments.add_argument("test")
    arguments.add_argument("--basis", required=True)
    options = arguments.parse_args()
    potential = linear_basis(options.basis)
    train, test = ase.io.read(options.train, ":"), ase.io.read(options.test, ":")

    start = time.perf_counter()
    result = fit(
        train, potential, weights=Weights(1, 1, 0, config_types={}), solver=Ridge(1e-5, scale_columns=False), e0=0.0,
        test_frames=test,
    )  # fmt: skip
    ours = time.perf_counter() - start

    start = time.perf_counter()
    rows = list(iterate_design_rows(train, potential))
    matrix = np.vstack(
        [*(r.energy[None] / len(r.forces) for r in rows), *(r.forces.reshape(-1, len(r.energy)) for r in rows)]
    )
    target = np.concatenate(
        [[a.get_potential_energy() / len(a) for a in train], *(a.get_forces().ravel() for a in train)]
    )
    damped = np.vstack([matrix, np.sqrt(1e-5) * np.eye(matrix.shape[1])])
    direct, *_ = np.linalg.lstsq(damped, np.concatenate([target, np.zeros(matrix.shape[1])]), rcond=None)
    whole = time.perf_counter() - start
    deviation = np.abs(matrix @ (direct - result.potential.coefficients)).max()
    assert deviation < 1e-6, deviation

    print(f"{matrix.shape[0]} rows, {matrix.shape[1]} functions, condition number {result.condition_number:.2g}")
    print(f"polypace {ours:.1f} s {result.seconds}; lstsq on the whole matrix {whole:.1f} s; ratio {whole / ours:.1f}")
    for name, metrics in (("train", result.metrics), ("test", result.test_metrics)):
        energy, forces = metrics.quantities["energy"], metrics.quantities["forces"]
        print(f"{name}: energy RMSE {1e3 * energy.rmse:.3f} meV/atom, force RMSE {1e3 * forces.rmse:.3f} meV/Å")


if __name__ == "__main__":
    main()
