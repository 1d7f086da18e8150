"""LAMMPS input scripts as plain text: equilibration, production, labelling. Each can be read and re-run by
hand.
"""

from __future__ import annotations

from pathlib import Path

from polypace.errors import InputError
from polypace.reference.interactions import Interactions
from polypace.units import BOLTZMANN

#: Columns that `read_thermo` and `read_labels` know; energies eV, pressures bar, density g/cm³ in `metal`.
THERMO = "step temp pe ke etotal press vol density"
LABELS = "step pe " + " ".join(f"c_virial[{k}]" for k in range(1, 7)) + " temp press density"


def equilibration_script(
    interactions: Interactions,
    data_file: str | Path,
    output: str | Path,
    *,
    temperature: float,
    pressure: float = 1.01325,
    seed: int = 1,
    timestep: float | None = None,
    push_off_steps: int = 5000,
    langevin_steps: int = 10000,
    npt_steps: int = 50000,
    thermo_every: int = 500,
) -> str:
    """Script that takes a freshly built melt to equilibrium at `temperature` (K) and `pressure` (bar).

    Slow push-off with a soft cosine repulsion that is switched on gradually (R. Auhl et al., J. Chem. Phys.
    119, 12718 (2003), section III C), then the real interactions with limited moves, then Langevin dynamics,
    which brings bonds and soft modes to one temperature, and only then Nosé-Hoover NPT. `output` is the data
    file written at the end. `timestep` in ps, by default that of the interactions (0.001 with united atoms,
    0.0005 with hydrogens, 0.002 where their bonds are constrained).
    """
    step = interactions.timestep if timestep is None else timestep
    check_positive(temperature=temperature, timestep=step)
    check_seed(seed)
    if not interactions.soft_radii:
        raise InputError(
            "equilibration starts with a push-off, which needs a force field with bonds; equilibrate with "
            "the reference and go on with other potentials from there"
        )
    blocks = header_lines(interactions, data_file, step)
    blocks += [
        *push_off_lines(interactions, temperature, seed, push_off_steps, thermo_every, damping=0.1),
        "# The real interactions, moves still limited",
        *interactions.lines,
        f"run {max(langevin_steps // 4, 1)}",
        "unfix move",
        "",
        "# Langevin dynamics: every mode at the same temperature",
        "fix move all nve",
        *interactions.constraints,
        f"run {langevin_steps}",
        "unfix move",
        "unfix heat",
        "",
        "# Nose-Hoover at constant pressure",
        "reset_timestep 0",
        f"fix move all npt temp {temperature} {temperature} $(100*dt) iso {pressure} {pressure} $(1000*dt)",
        f"run {npt_steps}",
        f"write_data {output} nocoeff",
    ]
    return "\n".join(blocks) + "\n"


def npt_script(
    interactions: Interactions,
    data_file: str | Path,
    output: str | Path,
    *,
    temperature: float,
    steps: int,
    pressure: float = 1.01325,
    seed: int = 1,
    timestep: float | None = None,
    thermo_every: int = 100,
    dump_file: str | Path | None = None,
    dump_every: int = 1000,
) -> str:
    """Script for constant pressure (bar) and temperature (K): the log has the density every `thermo_every`
    steps, `dump_file` the positions every `dump_every`.
    """
    step = interactions.timestep if timestep is None else timestep
    check_positive(temperature=temperature, timestep=step, thermo_every=thermo_every, dump_every=dump_every)
    check_seed(seed)
    blocks = _start(interactions, data_file, step)
    blocks += [
        *interactions.constraints,
        *_velocities(temperature, seed),
        f"thermo {thermo_every}",
        f"thermo_style custom {THERMO}",
        f"fix move all npt temp {temperature} {temperature} $(100*dt) iso {pressure} {pressure} $(1000*dt)",
        *([f"dump frames all custom {dump_every} {dump_file} id type mol x y z ix iy iz"] if dump_file else []),
        f"run {steps}",
        f"write_data {output} nocoeff",
    ]
    return "\n".join(blocks) + "\n"


def nvt_script(
    interactions: Interactions,
    data_file: str | Path,
    dump_file: str | Path,
    *,
    temperature: float,
    steps: int,
    dump_every: int,
    density: float | None = None,
    seed: int = 1,
    timestep: float | None = None,
    thermostat: str = "nose-hoover",
    equilibration_steps: int = 0,
) -> str:
    """Script for constant volume with a dump of positions, images and forces, labels to the last digit in
    the log.

    `density` (g/cm³) rescales the box first; `equilibration_steps` (Langevin) run before anything is written.
    `thermostat` is "nose-hoover", "langevin" or "nve". Read what it writes with `read_labels(dump, log,
    melt)`.
    """
    step = interactions.timestep if timestep is None else timestep
    check_positive(temperature=temperature, timestep=step, dump_every=dump_every)
    check_seed(seed)
    if thermostat not in ("nose-hoover", "langevin", "nve"):
        raise InputError(f"thermostat must be nose-hoover, langevin or nve, got {thermostat!r}")
    blocks = _start(interactions, data_file, step)
    if density is not None:
        check_positive(density=density)
        blocks += [
            f"variable shrink equal (density/{density})^(1/3)",
            "variable factor equal ${shrink}",
            "change_box all x scale ${factor} y scale ${factor} z scale ${factor} remap",
        ]
    blocks += _velocities(temperature, seed)
    if equilibration_steps:
        blocks += [
            f"fix heat all langevin {temperature} {temperature} 0.1 {seed + 1}",
            "fix move all nve",
            *interactions.constraints,
            f"thermo {equilibration_steps}",
            f"run {equilibration_steps}",
            "unfix heat",
            "unfix move",
            *(f"unfix {line.split()[1]}" for line in interactions.constraints),
            "reset_timestep 0",
        ]
    moves = {
        "nose-hoover": [f"fix move all nvt temp {temperature} {temperature} $(100*dt)"],
        "langevin": [f"fix heat all langevin {temperature} {temperature} 0.5 {seed + 2}", "fix move all nve"],
        "nve": ["fix move all nve"],
    }[thermostat]
    other_forces = thermostat == "langevin" or bool(interactions.constraints)
    blocks += [
        *_label_output(dump_file, dump_every, other_forces),
        *moves,
        *interactions.constraints,
        f"run {steps}",
    ]
    return "\n".join(blocks) + "\n"


def label_script(
    interactions: Interactions,
    data_file: str | Path,
    dump_file: str | Path,
    labelled_dump: str | Path,
    *,
    triclinic: bool = False,
) -> str:
    """Script that computes energy, forces and virial of every frame of `dump_file` (LAMMPS `rerun`, no
    dynamics).

    The frames are those of `write_dump` or of any run with the atoms of `data_file`; every frame has its
    own box. LAMMPS wants boxes of one kind: `triclinic` says that the dump's have tilt factors
    (`is_triclinic(frames)`).
    """
    blocks = _start(interactions, data_file, interactions.timestep)
    if triclinic:
        blocks.append("change_box all triclinic")
    blocks += [
        *_label_output(labelled_dump, 1),
        f"rerun {dump_file} dump x y z ix iy iz box yes",
    ]
    return "\n".join(blocks) + "\n"


def header_lines(interactions: Interactions, data_file: str | Path, timestep: float) -> list[str]:
    """The lines up to and with `read_data`, and the neighbour list's."""
    return [
        f"units {interactions.units}",
        f"atom_style {interactions.atom_style}",
        "boundary p p p",
        f"read_data {data_file}",
        f"timestep {timestep}",
        f"neighbor {2.0 if interactions.units == 'metal' else 0.4} bin",
        "neigh_modify every 1 delay 0 check yes",
        "",
    ]


def _start(interactions: Interactions, data_file: str | Path, timestep: float) -> list[str]:
    return [*header_lines(interactions, data_file, timestep), *interactions.lines, ""]


def push_off_lines(
    interactions: Interactions, temperature: float, seed: int, steps: int, thermo_every: int, damping: float
) -> list[str]:
    """Bonds as they are, a soft repulsion that grows from nothing, moves limited to a tenth of an atom a
    step.
    """
    bonded = [line for line in interactions.lines if not line.startswith(("pair_", "kspace_"))]
    widest = max(radius for _, _, radius in interactions.soft_radii)
    height = 40 * temperature * (BOLTZMANN if interactions.units == "metal" else 1.0)
    return [
        "# Slow push-off: soft repulsion, ramped",
        f"pair_style soft {widest!r}",
        *(f"pair_coeff {i} {j} 0.0 {radius!r}" for i, j, radius in interactions.soft_radii),
        *bonded,
        f"velocity all create {temperature} {seed} mom yes rot yes dist gaussian",
        f"thermo {thermo_every}",
        f"thermo_style custom {THERMO}",
        f"variable amplitude equal ramp({0.02 * height!r},{height!r})",
        "fix ramp all adapt 1 pair soft a * * v_amplitude",
        f"fix heat all langevin {temperature} {temperature} {damping} {seed + 1}",
        f"fix move all nve/limit {0.015 * widest!r}",
        f"run {steps}",
        "unfix ramp",
        "",
    ]


def _velocities(temperature: float, seed: int) -> list[str]:
    """New velocities where the data file has none; those of a finished run are kept."""
    return [
        "compute kinetic all temp",
        "variable now equal c_kinetic",
        "run 0 post no",
        f'if "${{now}} < 1.0e-3" then "velocity all create {temperature} {seed} mom yes rot yes"',
    ]


def _label_output(dump_file: str | Path, every: int, other_forces: bool = False) -> list[str]:
    """Energy and virial in the log, positions and forces in the dump; forces are those of the interactions, also where
    a thermostat will add random ones or constraints theirs.
    """
    kept, forces = [], "fx fy fz"
    if other_forces:
        kept, forces = ["fix interactions all store/force"], " ".join(f"f_interactions[{k}]" for k in (1, 2, 3))
    names = [f"dump_modify frames colname {k} f{axis}" for k, axis in zip((10, 11, 12), "xyz", strict=True)]
    return [
        *kept,
        # "virial" alone would count the fixes
        "compute virial all pressure NULL pair bond angle dihedral improper kspace",
        f"thermo_style custom {LABELS}",
        "thermo_modify format float %.17g norm no",
        f"thermo {every}",
        f"dump frames all custom {every} {dump_file} id type mol x y z ix iy iz {forces}",
        "dump_modify frames sort id format float %.17g",
        *(names if other_forces else []),
    ]


def check_seed(seed: int) -> None:
    """InputError for a seed that LAMMPS does not take; a few numbers above it are used as well."""
    if not 1 <= seed <= 2**31 - 100:
        raise InputError(f"seed must be 1…{2**31 - 100} (LAMMPS's random numbers need it), got {seed}")


def check_positive(**values: float) -> None:
    """InputError for the first of `values` that is not above 0."""
    for name, value in values.items():
        if not value > 0:
            raise InputError(f"{name} must be above 0, got {value}")
