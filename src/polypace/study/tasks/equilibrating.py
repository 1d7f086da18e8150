"""Build a melt and bring it to equilibrium with the reference."""

from __future__ import annotations

from polypace.reference import equilibration_script, force_field_interactions
from polypace.study.step import StepContext, write_json
from polypace.study.tasks.common import last_table, read_melt, reference_force_field, run
from polypace.systems import build_melt, closest_contact, write_lammps_data


def equilibrate(context: StepContext) -> None:
    """`melt.data`: the equilibrated melt; `melt.json`: how dense it became."""
    params = context.params
    force_field = reference_force_field(params)
    melt = build_melt(
        params["chain_length"],
        params["n_chains"],
        density=params["density"],
        force_field=force_field,
        seed=params["seed"],
        temperature=params["temperature"],
    )
    write_lammps_data(melt, context.folder / "built.data", force_field)
    steps = round(params["time"] / params["timestep"])
    script = equilibration_script(
        force_field_interactions(force_field, melt.type_names),
        "built.data",
        "melt.data",
        temperature=params["temperature"],
        pressure=params["pressure"],
        seed=params["seed"],
        timestep=params["timestep"],
        push_off_steps=max(1000, steps // 8),
        langevin_steps=steps if params["hold_density"] else max(1000, steps // 8),
        npt_steps=0 if params["hold_density"] else steps,
    )
    run(params, script, context.folder)
    table = last_table(context.folder)
    equilibrated = read_melt(context.folder)
    write_json(
        context.folder / "melt.json",
        {
            "n_atoms": len(melt.atoms),
            "density_g_per_cm3": float(table["Density"][len(table["Density"]) // 2 :].mean()),
            "closest_contact_A": float(closest_contact(equilibrated)),
        },
    )
