"""`pair_style pace` and `pace/extrapolation` in the stock `lmp`: numbers, ranks, rules, errors."""

from __future__ import annotations

import json
from pathlib import Path

import ase
import numpy as np
import pytest

from polypace._core import formats
from polypace.ace import Potential, evaluate
from polypace.errors import ProgramError, UnstableRunError
from polypace.lammps import ace_pair_lines, run_lammps
from polypace.lammps.single_point import lammps_single_point
from tests.helpers.potentials import ELEMENTS, random_potential

pytestmark = pytest.mark.program


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Folder with p.yaml, p.yace and p.asi (any regular matrices) of one random potential."""
    folder = tmp_path_factory.mktemp("potential")
    rng = np.random.default_rng(7)
    (folder / "p.yaml").write_text(random_potential(rng))
    potential = Potential.read(folder / "p.yaml")
    potential.write(folder / "p.yace")
    matrices = {element: np.eye(n) + 0.1 * rng.normal(size=(n, n)) for element, n in potential.n_functions.items()}
    formats.write_asi(matrices, str(folder / "p.asi"), formats.active_set_note(potential.data, full=False))
    formats.write_asi(matrices, str(folder / "twin.asi"), "polypace linear 0123456789abcdef")
    return folder


def random_atoms(rng, cell, n: int, distance: float = 1.2) -> ase.Atoms:
    atoms = ase.Atoms(cell=cell, pbc=True)
    while len(atoms) < n:
        atoms.append(ase.Atom(rng.choice(ELEMENTS), rng.random(3) @ atoms.cell.array))
        if len(atoms) > 1 and atoms.get_distances(-1, range(len(atoms) - 1), mic=True).min() < distance:
            del atoms[-1]
    return atoms


def lines(files: Path, potential: str, active_set: str | None = None, types=ELEMENTS) -> str:
    asi = files / active_set if active_set else None
    return ace_pair_lines(files / potential, types, {name: name for name in types}, asi)


CELLS = {
    40: np.diag([9.0, 10.0, 11.0]),
    8: [[6.0, 1, 0], [-2, 7, 1], [1, 2, 5]],
    2: [[2.5, 0, 0], [1, 2.6, 0], [0, 1, 2.7]],
}


@pytest.mark.parametrize(
    ("potential", "n_atoms", "ranks"), [("p.yaml", 40, (1, 2)), ("p.yaml", 8, (1,)), ("p.yace", 2, (1, 2))]
)
def test_against_python(rng, files, potential, n_atoms, ranks):
    atoms = random_atoms(rng, CELLS[n_atoms], n_atoms)
    expected = evaluate([atoms], files / potential)[0]
    for n_ranks in ranks:
        found = lammps_single_point(atoms, lines(files, potential), ELEMENTS, n_ranks=n_ranks)
        assert found.energy == pytest.approx(expected.energy, rel=1e-11)
        np.testing.assert_allclose(found.energies, expected.energies, rtol=1e-10, atol=1e-11)
        np.testing.assert_allclose(found.forces, expected.forces, atol=1e-10 * np.abs(expected.forces).max())
        np.testing.assert_allclose(found.stress, expected.stress, atol=1e-10 * np.abs(expected.stress).max())
        np.testing.assert_allclose(found.atomic_stress, found.stress, atol=1e-10 * np.abs(found.stress).max())


def test_grades_against_python(rng, files):
    atoms = random_atoms(rng, CELLS[40], 40)
    expected = evaluate([atoms], files / "p.yaml", files / "p.asi")[0]
    outputs = ("pace/extrapolation", "gamma", "corerep")
    for n_ranks in (1, 2):
        found = lammps_single_point(atoms, lines(files, "p.yaml", "p.asi"), ELEMENTS, n_ranks=n_ranks, outputs=outputs)
        np.testing.assert_allclose(found.outputs["gamma"], expected.gamma, rtol=1e-10)
        np.testing.assert_allclose(found.forces, expected.forces, atol=1e-10 * np.abs(expected.forces).max())
        assert np.all((found.outputs["corerep"] >= 0) & (found.outputs["corerep"] <= 1))


def reference_cases(shared: Path) -> list[Path]:
    return [p for p in sorted((shared / "spec" / "vectors").glob("*.json")) if "maxvol" not in p.name]


def test_reference_numbers(shared):
    """The open vectors: pacemaker's own energies, forces, virials and grades."""
    for path in reference_cases(shared):
        case = json.loads(path.read_text())
        # The largest crystal, and for some the largest molecule; all structures are compared in Python.
        by_size = sorted(case["structures"], key=lambda s: len(s["symbols"]))
        crystal = [s for s in by_size if np.all(s["pbc"])][-1]
        for n_ranks in (1, 2):
            compare(path.parent, case, crystal, n_ranks)
        if case.get("asi"):
            compare(path.parent, case, [s for s in by_size if not np.any(s["pbc"])][-1])


def compare(folder: Path, case: dict, structure: dict, n_ranks: int = 1) -> None:
    cell = structure["cell"] if np.any(structure["cell"]) else None
    atoms = ase.Atoms(structure["symbols"], structure["positions"], cell=cell, pbc=structure["pbc"])
    potential = Path(case["potential"]).name
    asi = Path(case["asi"]).name if case.get("asi") else None
    outputs = ("pace/extrapolation", "gamma") if asi else ()
    found = lammps_single_point(
        atoms,
        lines(folder, potential, asi, case["elements"]),
        case["elements"],
        n_ranks=n_ranks,
        outputs=outputs,
    )
    tolerance = 1e-9
    energy = float(np.ravel(structure["energy"])[0])
    assert found.energy == pytest.approx(energy, rel=tolerance, abs=tolerance), potential
    scale = max(1.0, np.abs(structure["forces"]).max())
    np.testing.assert_allclose(found.forces, structure["forces"], atol=tolerance * scale, err_msg=potential)
    if "stress_voigt_ase" in structure:
        stress = np.array(structure["stress_voigt_ase"])
        np.testing.assert_allclose(found.stress, stress, atol=tolerance * max(1.0, np.abs(stress).max()))
    if asi:
        gamma = np.array(structure["gamma"])
        noise = np.maximum(structure["gamma_abs_noise"], 1e-12 * np.maximum(1, gamma))
        assert np.all(np.abs(found.outputs["gamma"] - gamma) <= noise), potential


def test_forces_are_derivatives(rng, files):
    atoms = random_atoms(rng, CELLS[8], 8)
    pair, step = lines(files, "p.yaml"), 1e-4
    forces = lammps_single_point(atoms, pair, ELEMENTS).forces
    for d in range(3):
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[3, d] += sign * step
            energies.append(lammps_single_point(moved, pair, ELEMENTS).energy)
        assert -(energies[0] - energies[1]) / (2 * step) == pytest.approx(forces[3, d], rel=1e-5, abs=1e-6)


MELT = """units metal
lattice fcc 4.2
region box block 0 3 0 3 0 3
create_box 2 box
create_atoms 1 box
set type 1 type/fraction 2 0.5 77
mass 1 12.011
mass 2 1.008
{pair}velocity all create 100 5 loop geom
timestep 0.0005
thermo 50
thermo_modify format float %.15g
"""


def test_energy_is_conserved_on_any_number_of_ranks(files, tmp_path):
    script = MELT.format(pair=lines(files, "p.yace")) + "fix 1 all nve\nrun 200\n"
    one, two = (run_lammps(script, tmp_path / str(n), n_ranks=n).thermo[0] for n in (1, 2))
    kinetic = one["TotEng"] - one["PotEng"] if "PotEng" in one else one["TotEng"] - one["E_pair"]
    assert np.ptp(one["TotEng"]) < 2e-3 * kinetic.max()
    for table in (one, two):
        assert table["E_pair"][0] == pytest.approx(one["E_pair"][0], rel=1e-12)
    np.testing.assert_allclose(two["E_pair"], one["E_pair"], rtol=1e-9)


def test_constant_pressure_hybrid_and_grades_on_some_steps(files, tmp_path):
    """As in production: ACE and tail, barostat, γ every tenth step, minimize before, restart after."""
    pair = (
        "pair_style hybrid/overlay pace/extrapolation chunksize 512 lj/mdf/tail 2 4 6 7\n"
        f"pair_coeff * * pace/extrapolation {files}/p.yaml {files}/p.asi C H\n"
        "pair_coeff * * lj/mdf/tail 0.005 3.5\n"
    )
    script = MELT.format(pair=pair) + (
        "fix g all pair 10 pace/extrapolation gamma 1\ncompute worst all reduce max f_g\n"
        "thermo_style custom step temp pe press vol c_worst\nthermo 10\n"
        "minimize 0 1e-3 10 20\nfix 1 all npt temp 100 100 0.1 iso 0 0 1\nrun 50\nwrite_restart run.restart\n"
        f"clear\nread_restart run.restart\n{pair}run 0\n"
    )
    run = run_lammps(script, tmp_path, n_ranks=2)
    production, restarted = run.thermo[1], run.thermo[2]
    assert np.all(production["c_worst"][production["Step"] % 10 == 0] > 0)
    assert np.all(np.isfinite(production["Press"]))
    assert restarted["E_pair" if "E_pair" in restarted else "PotEng"][0] == pytest.approx(
        production["PotEng"][-1], rel=1e-5
    )


def test_script_for_ml_pace_runs_unchanged(files, tmp_path):
    for words in ("", "recursive", "product", "product chunksize 1024", "recursive chunksize 8"):
        pair = f"pair_style pace {words}\npair_coeff * * {files}/p.yace C H\n"
        run_lammps(MELT.format(pair=pair) + "run 0\n", tmp_path)


def test_null_elements_in_a_hybrid_style(files, tmp_path, rng):
    """Atoms without an element are neither centres nor neighbours."""
    atoms = random_atoms(rng, CELLS[40], 20)
    carbon = atoms[[atom.symbol == "C" for atom in atoms]]
    pair = "pair_style hybrid/overlay pace zero 5.0\npair_coeff * * zero\n"
    found = lammps_single_point(atoms, pair + f"pair_coeff * * pace {files}/p.yace C NULL\n", ELEMENTS)
    expected = evaluate([carbon], files / "p.yace")[0]
    assert found.energy == pytest.approx(expected.energy, rel=1e-11)


def test_scale_by_fix_adapt(files, tmp_path):
    script = MELT.format(pair=lines(files, "p.yace")) + (
        "run 0\nvariable half equal 0.5\nfix scale all adapt 1 pair pace scale * * v_half\nrun 0\n"
    )
    whole, half = run_lammps(script, tmp_path).thermo
    assert half["E_pair"][0] == pytest.approx(0.5 * whole["E_pair"][0], rel=1e-12)


WRONG = [
    ("pair_style pace quick\n", "unknown keyword 'quick', known are: recursive product chunksize"),
    ("pair_style pace chunksize 0\n", "chunksize must be at least 1, got 0"),
    ("pair_style pace/extrapolation product\n", "unknown keyword 'product'"),
    ("pair_style pace\npair_coeff * * {0}/p.yace C\n", "for each of the 2 atom types; got 4 arguments"),
    ("pair_style pace\npair_coeff 1 1 {0}/p.yace C H\n", r"start with \* \*"),
    ("pair_style pace\npair_coeff * * {0}/p.yace C Xx\n", r"Xx \(atom type 2\) .*p\.yace, which has: C H"),
    ("pair_style pace\npair_coeff * * {0}/none.yace C H\n", "there is no file .*none.yace"),
    ("pair_style pace\npair_coeff * * {0}/p.asi C H\n", "p.asi"),
    ("pair_style pace\npair_coeff * * {0}/p.yace C NULL\nrun 0\n", "All pair coeffs are not set"),
    ("pair_style pace/extrapolation\npair_coeff * * {0}/p.yace {0}/p.asi C H\n", "give the .yaml"),
    ("pair_style pace/extrapolation\npair_coeff * * {0}/p.yaml {0}/p.yace C H\n", "p.yace"),
    ("pair_style pace/extrapolation\npair_coeff * * {0}/p.yaml {0}/other.asi C H\n", "other.asi"),
    ("pair_style pace/extrapolation\npair_coeff * * {0}/p.yaml {0}/twin.asi C H\n", "twin.asi: was made for a potential"),
    ("newton off\npair_style pace\npair_coeff * * {0}/p.yace C H\nrun 0\n", "newton pair on"),
    ("pair_style pace\npair_coeff * * {0}/p.yace C H\nfix 1 all pair 1 pace gamma 1\n", "gamma_flag"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_wrong_input(files, tmp_path, text, message):
    np.savez(files / "other.npz", C=np.eye(3), H=np.eye(3))
    (files / "other.npz").rename(files / "other.asi")
    start = "region box block 0 9 0 9 0 9\ncreate_box 2 box\ncreate_atoms 1 single 1 1 1\nmass * 12\n"
    first, _, rest = text.partition("pair_style")
    with pytest.raises(ProgramError, match=message):
        run_lammps("units metal\n" + first + start + "pair_style" + rest.format(files), tmp_path)


def test_units_must_be_metal(files, tmp_path):
    script = "units real\nregion box block 0 9 0 9 0 9\ncreate_box 1 box\npair_style pace\n"
    with pytest.raises(ProgramError, match=r"require 'metal' units .* this script has 'units real'"):
        run_lammps(script, tmp_path)


def test_atoms_that_coincide_are_named(files, tmp_path):
    script = MELT.format(pair=lines(files, "p.yace"))
    script += "create_atoms 1 single 0 0 1e-5 units box\nrun 0\n"
    for n_ranks in (1, 2):
        with pytest.raises(UnstableRunError, match=r"atoms \d+ and \d+ are [\d.e-]+ Angstrom apart .* check"):
            run_lammps(script, tmp_path, n_ranks=n_ranks)


def test_excluded_bonded_neighbours_are_warned_of(files, tmp_path):
    script = (
        "units metal\natom_style bond\nregion box block 0 9 0 9 0 9\n"
        "create_box 2 box bond/types 1 extra/bond/per/atom 1 extra/special/per/atom 1\nmass * 12\n"
        "create_atoms 1 single 1 1 1\ncreate_atoms 2 single 1 1 2.2\n"
        "bond_style zero\nbond_coeff *\n{special}create_bonds single/bond 1 1 2\n"
        f"{lines(files, 'p.yace')}run 0\n"
    )
    warned = run_lammps(script.format(special=""), tmp_path / "zero")
    assert any("special_bonds lj/coul 1 1 1" in warning for warning in warned.warnings)
    whole = run_lammps(script.format(special="special_bonds lj/coul 1 1 1\n"), tmp_path / "one")
    assert not any("special_bonds" in warning for warning in whole.warnings)
    assert whole.thermo[0]["E_pair"][0] != warned.thermo[0]["E_pair"][0]


def test_type_labels_must_agree_with_the_elements(files, tmp_path):
    start = "units metal\nregion box block 0 9 0 9 0 9\ncreate_box 2 box\nlabelmap atom 1 C 2 H\n"
    right = start + f"pair_style pace\npair_coeff * * {files}/p.yace C H\n"
    assert "ACE: atom type 2 is H" in run_lammps(right, tmp_path).log.read_text()
    with pytest.raises(ProgramError, match="makes atom type 1 the element H, but its type label says C"):
        run_lammps(start + f"pair_style pace\npair_coeff * * {files}/p.yace H C\n", tmp_path)
