"""Everything about the structure of one run at once, and two runs against each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polypace.analysis.chains import ChainDimensions, chain_dimensions
from polypace.analysis.distance import DistributionDistance, distribution_distance
from polypace.analysis.distributions import (
    DihedralDistribution,
    Distribution,
    angle_distribution,
    bond_distribution,
    dihedral_distribution,
)
from polypace.analysis.packing import Density, density
from polypace.analysis.radial import RDF, rdf
from polypace.analysis.reduced_units import reduced_keys, reduced_text
from polypace.analysis.scattering import StructureFactor, structure_factor
from polypace.errors import InputError
from polypace.trajectory import Trajectory


@dataclass(frozen=True)
class StructureSummary:
    """Structure of one run; what the trajectory does not allow is None and `refused` says why."""

    name: str
    n_frames: int
    n_atoms: int
    density: Density | None
    pairs: RDF | None
    scattering: StructureFactor | None
    bonds: Distribution | None
    angles: Distribution | None
    dihedrals: DihedralDistribution | None
    chains: ChainDimensions | None
    refused: dict[str, str]
    notes: tuple[str, ...]
    is_reduced: bool = False  # lengths in σ, times in τ


def summarize_structure(
    trajectory: Trajectory,
    *,
    r_max: float | None = None,
    r_width: float = 0.05,
    q_max: float = 4.0,
    max_frames: int = 200,
    n_threads: int = 0,
) -> StructureSummary:
    """Density, g(r), S(q), bond, angle and dihedral distributions, and chain dimensions of a run.

    Parameters
    ----------
    trajectory : Trajectory
        With topology for all of it; without, for what needs none.
    r_max, r_width : float
        Å; default r_max: 15 Å or half the smallest height of the cell.
    q_max : float
        Å⁻¹.
    max_frames : int
        Sums over pairs and wave vectors take at most so many frames, evenly spaced.

    Raises
    ------
    InputError, FileFormatError
        only for what concerns the whole trajectory (unreadable frames, bad arguments).
    """
    if max_frames < 1:
        raise InputError(f"max_frames must be positive, got {max_frames}")
    n = trajectory.n_frames
    few = trajectory.take(np.unique(np.linspace(0, n - 1, min(n, max_frames)).round().astype(int)))
    refused: dict[str, str] = {}

    def attempt(name: str, compute: Any) -> Any:
        try:
            return compute()
        except InputError as error:
            refused[name] = str(error)
            return None

    largest = _largest_radius(trajectory, r_width) if r_max is None else r_max
    return StructureSummary(
        trajectory.name,
        n,
        trajectory.n_atoms,
        attempt("density", lambda: density(trajectory)),
        attempt("pairs", lambda: rdf(few, largest, r_width, n_threads=n_threads)),
        attempt("scattering", lambda: structure_factor(few, q_max, n_threads=n_threads)),
        attempt("bonds", lambda: bond_distribution(trajectory, n_threads=n_threads)),
        attempt("angles", lambda: angle_distribution(trajectory, n_threads=n_threads)),
        attempt("dihedrals", lambda: dihedral_distribution(trajectory, n_threads=n_threads)),
        attempt("chains", lambda: chain_dimensions(trajectory, n_threads=n_threads)),
        refused,
        trajectory.notes,
        trajectory.is_reduced,
    )


def _largest_radius(trajectory: Trajectory, width: float) -> float:
    """15 Å, or what fits into half the cell of every frame, in whole bins."""
    if not any(trajectory.pbc):
        return 15.0
    heights = 1 / np.linalg.norm(np.linalg.inv(trajectory.cells), axis=1)
    half = float(heights[:, list(trajectory.pbc)].min()) / 2
    return max(width, min(15.0, float(np.floor(half / width * (1 - 1e-12))) * width))


@dataclass(frozen=True)
class ComparedValue:
    """One number of two runs with standard errors; `deviation` = |a − b| / √(σ_a² + σ_b²)."""

    name: str
    unit: str
    reference: float
    reference_error: float
    other: float
    other_error: float

    @property
    def deviation(self) -> float:
        """How many standard errors the two are apart; NaN where these are not known."""
        error = np.hypot(self.reference_error, self.other_error)
        return float(abs(self.reference - self.other) / error) if error > 0 else float("nan")


@dataclass(frozen=True)
class StructureComparison:
    """Two runs against each other: numbers, and distances of distributions by name."""

    values: tuple[ComparedValue, ...]
    distances: dict[str, DistributionDistance]


def compare_structure(reference: StructureSummary, other: StructureSummary) -> StructureComparison:
    """Compare what both runs have; see `distribution_distance` for the distances.

    Raises
    ------
    InputError
        where one run is in reduced units and the other is not.
    """
    if reference.is_reduced != other.is_reduced:
        reduced, named = (reference, other) if reference.is_reduced else (other, reference)
        raise InputError(
            f"{reduced.name} is in σ and τ, {named.name} in Å and ps: they cannot be compared; give units=… (--units) "
            "where a dump does not name its own"
        )
    ours, theirs = structure_values(other), structure_values(reference)
    values = tuple(
        ComparedValue(name, unit, value, error, ours[name][0], ours[name][1])
        for name, (value, error, unit) in theirs.items()
        if name in ours
    )
    distances = {}
    for name in ("pairs", "bonds", "angles", "dihedrals"):
        pair = getattr(reference, name), getattr(other, name)
        if pair[0] is not None and pair[1] is not None:
            found = distribution_distance(*pair)
            distances[name] = replace(found, unit=reduced_text(found.unit)) if reference.is_reduced else found
    return StructureComparison(values, distances)


def structure_values(summary: StructureSummary) -> dict[str, tuple[float, float, str]]:
    """Name → (value, standard error, unit) of the numbers in a summary."""
    values: dict[str, tuple[float, float, str]] = {}
    if summary.density is not None:
        values["density"] = (summary.density.mean, summary.density.error, summary.density.unit)
    for name, found in (("bond length", summary.bonds), ("angle", summary.angles)):
        if found is not None:
            values[f"mean {name}"] = (float(found.mean[0]), float(found.mean_error[0]), found.unit)
    if summary.dihedrals is not None:
        values["trans fraction"] = (
            float(summary.dihedrals.trans[0]),
            float(summary.dihedrals.trans_error[0]),
            "",
        )
    if summary.chains is not None:
        c = summary.chains
        values["⟨R²⟩"] = (c.end_to_end_squared, c.end_to_end_squared_error, "Å²")
        values["⟨R_g²⟩"] = (c.gyration_squared, c.gyration_squared_error, "Å²")
        values["C_∞"] = (c.c_infinity, c.c_infinity_error, "")
        values["Kuhn length"] = (c.kuhn_length, c.kuhn_length_error, "Å")
    if summary.is_reduced:
        return {name: (value, error, reduced_text(unit)) for name, (value, error, unit) in values.items()}
    return values


def structure_as_json(summary: StructureSummary) -> dict[str, Any]:
    """Numbers and curves of a summary for a JSON file; units are part of the keys."""
    out: dict[str, Any] = {
        "trajectory": summary.name,
        "n_frames": summary.n_frames,
        "n_atoms": summary.n_atoms,
        "values": {
            name: {"value": _number(value), "error": _number(error), "unit": unit}
            for name, (value, error, unit) in structure_values(summary).items()
        },
        "refused": summary.refused,
        "notes": list(summary.notes),
    }
    if (d := summary.density) is not None:
        out["density_drift"] = {
            "over_the_run_g_per_cm3": _number(d.drift),
            "error_g_per_cm3": _number(d.drift_error),
            "p_value": _number(d.drift_p_value),
            "is_stationary": d.is_stationary,
        }
    for name in ("bonds", "angles", "dihedrals"):
        if (found := getattr(summary, name)) is not None:
            out[name] = _distribution(found)
            out[name]["unit"] = reduced_text(found.unit) if summary.is_reduced else found.unit
    if (g := summary.pairs) is not None:
        out["rdf"] = {"r_A": _list(g.r)} | {
            "-".join(pair): {part: _list(getattr(g, part)[k]) for part in ("total", "inter", "intra", "inter_error")}
            for k, pair in enumerate(g.pairs)
        }
    if (s := summary.scattering) is not None:
        out["structure_factor"] = {
            "q_per_A": _list(s.q),
            "value": _list(s.values[0]),
            "error": _list(s.error[0]),
        }
    if (c := summary.chains) is not None:
        out["internal_distances"] = {
            "separation": c.separations.tolist(),
            "mean_square_A2": _list(c.internal),
            "error_A2": _list(c.internal_error),
        }
    return reduced_keys(out) if summary.is_reduced else out


def _distribution(found: Distribution) -> dict[str, Any]:
    out: dict[str, Any] = {"center": _list(found.centers), "kinds": {}}
    for k, label in enumerate(found.labels):
        out["kinds"][label] = {
            "count_per_frame": int(found.counts[k]),
            "mean": _number(found.mean[k]),
            "mean_error": _number(found.mean_error[k]),
            "deviation": _number(found.deviation[k]),
            "density": _list(found.density[k]),
            "density_error": _list(found.density_error[k]),
        }
        if isinstance(found, DihedralDistribution):
            out["kinds"][label]["trans"] = _number(found.trans[k])
            out["kinds"][label]["trans_error"] = _number(found.trans_error[k])
    return out


def _number(value: Any) -> float | None:
    """JSON has no NaN."""
    return float(f"{float(value):.9g}") if np.isfinite(value) else None


def _list(values: Any) -> list[float | None]:
    return [_number(value) for value in values]
