"""Draw dynamics.png from results.json: g(r) and torsions of C64, internal distances and ratio of motion of every length."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

HERE = Path(__file__).parent
chains = json.loads((HERE / "results.json").read_text())["chains"]
figure = Figure(figsize=(12, 3.4), layout="constrained")
pairs, torsions, internal, motion = figure.subplots(1, 4)
longest = chains["C64"]
for axes, quantity, x in ((pairs, "rdf", "r_A"), (torsions, "dihedrals", "angle_deg")):
    axes.plot(longest[quantity][x], longest[quantity]["reference"], "k", label="reference")
    axes.plot(longest[quantity][x], longest[quantity]["ace"], "C3--", label="ACE")
for colour, name in zip(("C0", "C1", "C2", "C4"), ("C8", "C16", "C32", "C64"), strict=True):
    sizes, msd = chains[name]["dimensions"], chains[name]["msd"]
    bonds = np.array(sizes["separation"])
    internal.plot(bonds, np.array(sizes["reference_internal_A2"]) / bonds, color=colour, label=name)
    internal.plot(bonds, np.array(sizes["ace_internal_A2"]) / bonds, "--", color=colour)
    ours, theirs = np.array(msd["ace_g1_A2"]), np.array(msd["reference_g1_A2"])
    error = np.hypot(np.array(msd["ace_g1_error_A2"]) / ours, np.array(msd["reference_g1_error_A2"]) / theirs)
    ratio = ours / theirs
    motion.plot(msd["lag_ps"], ratio, color=colour, label=name)
    motion.fill_between(msd["lag_ps"], ratio * (1 - error), ratio * (1 + error), color=colour, alpha=0.2, lw=0)
motion.axhline(1, color="0.7", lw=0.8)
pairs.set(xlabel="r (Å)", ylabel="g(r) between chains, C64")
torsions.set(xlabel="dihedral (°), C64", ylabel="p (1/°)")
internal.set(xscale="log", xlabel="bonds apart, s", ylabel="⟨R²(s)⟩/s (Å²); dashed: ACE", ylim=(0, None))
motion.set(xscale="log", xlabel="lag time (ps)", ylabel="g1: ACE / reference", ylim=(0, 2))
for axes in (pairs, internal, motion):
    axes.legend(fontsize=7)
figure.savefig(HERE / "dynamics.png", dpi=120)
