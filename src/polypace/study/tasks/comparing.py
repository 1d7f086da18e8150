"""ACE against reference, for one chain length: forces, density, structure, dynamics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from polypace.ace import Potential, evaluate
from polypace.ace.fit_metrics import measure_errors
from polypace.analysis import (
    angle_distribution,
    bond_distribution,
    chain_dimensions,
    chain_msd,
    dihedral_distribution,
    rdf,
)
from polypace.melt import Melt
from polypace.report.ratios import ratio_with_error
from polypace.study.step import StepContext, write_json
from polypace.study.tasks.common import dispersion_tail, read_frames, read_melt
from polypace.trajectory import Trajectory, open_trajectory
from polypace.units import BAR, BOLTZMANN

Floats = npt.NDArray[np.float64]

#: Points of the parity plot, and digits that a curve keeps.
N_SAMPLE, DIGITS = 1500, 7


def compare(context: StepContext) -> None:
    """`chain.json`: everything that the report says about one chain length."""
    reference, npt, nvt = (context.inputs[role] for role in ("reference", "npt", "nvt"))
    melt = read_melt(reference)
    runs = [json.loads((folder / "run.json").read_text()) for folder in (npt, nvt)]
    pair = {"reference": _trajectory(reference, melt, context), "ace": _trajectory(nvt, melt, context)}
    chain = {
        "chain_length": context.params["chain_length"],
        "n_atoms": len(melt.atoms),
        "ace_time_ps": sum(run["time_ps"] for run in runs),
        "lost_atoms": sum(run["lost_atoms"] for run in runs),
        "gamma_max": max(run["gamma_max"] for run in runs),
        **_errors(context),
        **_densities(reference, npt),
        "pressure": _pressure_bias(context),
        "rdf": _rdf(pair),
        "bonds": _distribution(pair, bond_distribution, "r_A"),
        "angles": _distribution(pair, angle_distribution, "angle_deg"),
        "dihedrals": _dihedrals(pair),
        "dimensions": _dimensions(pair),
        "msd": _msd(pair),
    }
    write_json(context.folder / "chain.json", chain)


def _trajectory(folder: Path, melt: Melt, context: StepContext) -> Trajectory:
    return open_trajectory(folder / "nvt" / "nvt.dump", topology=melt, timestep=context.params["timestep"])


def _errors(context: StepContext) -> dict[str, Any]:
    """Force and energy errors, and the pressure that the ACE adds, on frames of the reference run."""
    frames = read_frames(context.inputs["reference"] / "test.extxyz")
    potential = Potential.read(context.inputs["fit"] / "potential.yaml")
    tail = dispersion_tail(context.params)
    wanted = tail.subtract(frames)
    metrics = measure_errors(wanted, potential, n_threads=context.n_threads)
    forces, energy = metrics.quantities["forces"], metrics.quantities["energy"]
    # Relative to the whole reference force, not to what is left of it without the tail.
    rms = float(np.sqrt(np.mean(np.concatenate([atoms.get_forces().ravel() for atoms in frames]) ** 2)))
    return {
        "test_frames": len(frames),
        "force_rmse_eV_per_A": forces.rmse,
        "force_rms_eV_per_A": rms,
        "force_rmse_relative": forces.rmse / rms,
        "energy_rmse_meV_per_atom": 1e3 * energy.rmse,
        "energy_rmse_relative": energy.rmse / float(np.std([a.get_potential_energy() / len(a) for a in frames])),
        "energy_bias_meV_per_atom": 1e3 * energy.mean,
        "energy_spread_meV_per_atom": 1e3 * energy.spread,
        "force_sample_eV_per_A": _sample(wanted[-1], potential, context),
    }


def _pressure_bias(context: StepContext) -> dict[str, float]:
    """Pressure of the ACE minus that of the reference on the same frames, and the density that this costs.

    To first order the densities at one pressure differ by Δρ/ρ = −κ ΔP, κ = σ_V² V/(k_B T) from the volume fluctuations
    of the reference. Both pressures are of the same frames, so this is known far better than the difference of two
    NPT runs of a few picoseconds.
    """
    frames = read_frames(context.inputs["reference"] / "test.extxyz")
    potential = Potential.read(context.inputs["fit"] / "potential.yaml")
    wanted = dispersion_tail(context.params).subtract(frames)
    ours = evaluate(wanted, potential, n_threads=context.n_threads)
    bias = [_pressure(theirs.get_stress()) - _pressure(own.stress) for own, theirs in zip(ours, wanted, strict=True)]
    mean, error = -float(np.mean(bias)), float(np.std(bias, ddof=1) / np.sqrt(len(bias)))
    density = json.loads((context.inputs["reference"] / "density.json").read_text())
    volume = float(np.mean([atoms.get_volume() for atoms in frames]))
    kappa = density["relative_fluctuation"] ** 2 * volume / (BOLTZMANN * context.params["temperature"])
    return {
        "bias_bar": mean / BAR,
        "bias_error_bar": error / BAR,
        "compressibility_per_GPa": kappa * 1e4 * BAR,
        "expected_density_ratio": 1 - kappa * mean,
        "expected_density_ratio_error": kappa * error,
    }


def _pressure(stress: Floats) -> float:
    return -float(stress[:3].mean())


def _sample(atoms: Any, potential: Potential, context: StepContext) -> list[list[float]]:
    ours = evaluate([atoms], potential, n_threads=context.n_threads)[0].forces.ravel()
    theirs = atoms.get_forces().ravel()
    step = max(1, len(ours) // N_SAMPLE)
    return [[round(float(a), 4), round(float(b), 4)] for a, b in zip(theirs[::step], ours[::step], strict=True)]


def _densities(reference: Path, ace: Path) -> dict[str, Any]:
    read = {name: json.loads((folder / "density.json").read_text()) for name, folder in _pair(reference, ace)}
    means = {name: {"mean": data["mean"], "error": data["error"]} for name, data in read.items()}
    ours, theirs = means["ace"], means["reference"]
    ratio, error = ratio_with_error(ours["mean"], ours["error"], theirs["mean"], theirs["error"])
    series: dict[str, Any] = {}
    for name, data in read.items():
        series[f"{name}_time_ps"], series[name] = data["time_ps"], data["series"]
    return {
        "density_g_per_cm3": {**means, "ratio": float(ratio), "ratio_error": float(error)},
        "density_series": series,
    }


def _pair(reference: Path, ace: Path) -> tuple[tuple[str, Path], tuple[str, Path]]:
    return ("reference", reference), ("ace", ace)


def _rounded(values: Floats) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]


def _rdf(pair: dict[str, Trajectory]) -> dict[str, Any]:
    half = min(float(np.linalg.norm(t.cells[0], axis=1).min()) for t in pair.values()) / 2
    r_max = min(12.0, np.floor(half / 0.1) * 0.1)
    curves = {name: rdf(trajectory, r_max, 0.1) for name, trajectory in pair.items()}
    g = {name: curve.inter[0] for name, curve in curves.items()}
    r = curves["reference"].r
    distance = np.sum(np.abs(g["ace"] - g["reference"]) * r**2) / np.sum(g["reference"] * r**2)
    return {
        "r_A": _rounded(r),
        **{name: _rounded(values) for name, values in g.items()},
        **{f"{name}_error": _rounded(curve.inter_error[0]) for name, curve in curves.items()},
        "distance": float(distance),
    }


def _distribution(pair: dict[str, Trajectory], analyse: Any, x: str) -> dict[str, Any]:
    found = {name: analyse(trajectory) for name, trajectory in pair.items()}
    edges = found["reference"].edges
    width = edges[1] - edges[0]
    # Both on the reference's bins; densities are zero where a run has no bin.
    density = {name: _on_bins(d.centers, d.density[0], found["reference"].centers) for name, d in found.items()}
    error = {name: _on_bins(d.centers, d.density_error[0], found["reference"].centers) for name, d in found.items()}
    return {
        x: _rounded(found["reference"].centers),
        **{name: _rounded(values) for name, values in density.items()},
        **{f"{name}_error": _rounded(values) for name, values in error.items()},
        **{f"{name}_mean": float(d.mean[0]) for name, d in found.items()},
        "distance": float(np.abs(density["ace"] - density["reference"]).sum() * width / 2),
    }


def _on_bins(own: Floats, values: Floats, wanted: Floats) -> Floats:
    width = wanted[1] - wanted[0]
    result = np.zeros_like(wanted)
    place = np.round((own - wanted[0]) / width).astype(int)
    inside = (place >= 0) & (place < len(wanted))
    result[place[inside]] = values[inside]
    return result


def _dihedrals(pair: dict[str, Trajectory]) -> dict[str, Any]:
    result = _distribution(pair, dihedral_distribution, "angle_deg")
    for name, trajectory in pair.items():
        found = dihedral_distribution(trajectory)
        result[f"{name}_trans"] = float(found.trans[0])
        result[f"{name}_trans_error"] = float(found.trans_error[0])
    return result


def _dimensions(pair: dict[str, Trajectory]) -> dict[str, Any]:
    """⟨R²⟩, ⟨R_g²⟩ and mean-square internal distances ⟨R²(s)⟩ over s (Å²)."""
    found = {name: chain_dimensions(trajectory) for name, trajectory in pair.items()}
    result: dict[str, Any] = {"separation": found["reference"].separations.tolist()}
    for name, chains in found.items():
        for key in ("end_to_end_squared", "gyration_squared"):
            result[f"{name}_{key}_A2"] = getattr(chains, key)
            result[f"{name}_{key}_error_A2"] = _finite(getattr(chains, f"{key}_error"))
        result[f"{name}_internal_A2"] = _rounded(chains.internal)
    return result


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _msd(pair: dict[str, Trajectory]) -> dict[str, Any]:
    """g1 and g3 up to a third of the run, and the mean ratio of g1 over the upper decade of that."""
    curves = {name: chain_msd(trajectory) for name, trajectory in pair.items()}
    lag = min((curve.g1.lag for curve in curves.values()), key=len)
    shown = np.flatnonzero((lag > 0) & (lag <= lag[-1] / 3))
    shown = np.unique(shown[np.round(np.geomspace(1, len(shown), 60)).astype(int) - 1])
    result: dict[str, Any] = {"lag_ps": _rounded(lag[shown])}
    for name, curve in curves.items():
        for key in ("g1", "g3"):
            g = getattr(curve, key)
            result[f"{name}_{key}_A2"] = _rounded(g.msd[shown])
            result[f"{name}_{key}_error_A2"] = _rounded(g.error[shown])
    late = lag[shown] >= lag[shown][-1] / 10
    curves_and_errors = [
        np.array(result[f"{name}_g1_{end}"])[late] for name in ("ace", "reference") for end in ("A2", "error_A2")
    ]
    # Lags are strongly correlated: the error of the mean ratio is the mean error, not its root-n part.
    ratio, error = ratio_with_error(*curves_and_errors)
    return {**result, "ratio": float(ratio.mean()), "ratio_error": float(error.mean())}
