"""pair_style lj/mdf/tail in LAMMPS against its Python twin, and its book-keeping."""

from __future__ import annotations

import ase
import numpy as np
import pytest

from polypace.errors import ProgramError
from polypace.lammps import find_lammps, run_lammps
from polypace.lammps.single_point import lammps_single_point
from polypace.reference import DispersionTail

pytestmark = pytest.mark.program
TYPES = ["CH2", "CH3"]


def random_beads(rng, cell, n, pbc=True) -> ase.Atoms:
    """Beads of both types that keep 2 Å apart."""
    points: list[np.ndarray] = []
    lattice = ase.Atoms(cell=cell, pbc=pbc)
    while len(points) < n:
        point = rng.random(3) @ lattice.cell.array
        near = ase.Atoms(f"H{len(points) + 1}", positions=[*points, point], cell=cell, pbc=pbc)
        if not points or near.get_distances(-1, range(len(points)), mic=pbc).min() > 2.0:
            points.append(point)
    atoms = ase.Atoms("C" * n, positions=points, cell=cell, pbc=pbc)
    atoms.set_masses([14.027] * n)
    atoms.set_array("type_name", rng.choice(TYPES, n))
    return atoms


def tail_lines(tail: DispersionTail) -> str:
    lines = [f"pair_style {tail.lammps_pair_style}", *tail.lammps_pair_coeffs(TYPES, hybrid=False)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("cell", [np.diag([13.0, 15.0, 14.0]), [[5.0, 1, 2], [-2, 9, 1], [1, -4, 12]]])
@pytest.mark.parametrize("n_ranks", [1, 2])
def test_against_python(rng, cell, n_ranks):
    atoms, tail = random_beads(rng, cell, 30), DispersionTail()
    expected = tail.evaluate(atoms)
    found = lammps_single_point(atoms, tail_lines(tail), TYPES, n_ranks=n_ranks)
    assert found.energy == pytest.approx(expected.energy, rel=1e-12)
    np.testing.assert_allclose(found.energies, expected.energies, atol=1e-13)
    np.testing.assert_allclose(found.forces, expected.forces, atol=1e-13)
    np.testing.assert_allclose(found.stress, expected.stress, atol=1e-14)
    np.testing.assert_allclose(found.atomic_stress, expected.stress, atol=1e-14)


def test_a_molecule_in_vacuum(rng):
    atoms, tail = random_beads(rng, [12, 12, 12], 10, pbc=False), DispersionTail()
    found = lammps_single_point(atoms, tail_lines(tail), TYPES)
    np.testing.assert_allclose(found.forces, tail.evaluate(atoms).forces, atol=1e-13)


def test_restart_and_mixing(rng, tmp_path):
    atoms = random_beads(rng, [14, 14, 14], 20)
    start = "pair_style lj/mdf/tail 4 6 9 11\npair_coeff 1 1 0.01 3.5\npair_coeff 2 2 0.02 4\n"
    explicit = start + f"pair_coeff 1 2 {float(np.sqrt(2e-4))!r} 3.75\n"
    mixed = lammps_single_point(atoms, start + "pair_modify mix arithmetic\n", TYPES, tmp_path)
    assert mixed.energy == pytest.approx(lammps_single_point(atoms, explicit, TYPES).energy, rel=1e-13)
    script = (tmp_path / "in.lammps").read_text() + "write_restart run.restart\nwrite_data run.data pair ij\n"
    again = (
        "clear\nread_restart run.restart\nthermo_modify format float %.17g\nrun 0\n"
        "clear\nunits metal\npair_style lj/mdf/tail 4 6 9 11\nread_data run.data\n"
        "thermo_modify format float %.17g\nrun 0\n"
    )
    run = run_lammps(script + again, tmp_path)
    for table in run.thermo[1:]:
        assert table["E_pair"][0] == pytest.approx(mixed.energy, rel=1e-10)


def test_single_and_special_bonds(tmp_path):
    """`compute pair/local` asks single() and the special factors, the total comes from compute()."""
    script = """units metal
atom_style bond
region box block 0 40 0 40 0 40
create_box 1 box bond/types 1 extra/bond/per/atom 1 extra/special/per/atom 2
create_atoms 1 single 5 5 5
create_atoms 1 single 10.5 5 5
create_atoms 1 single 16.1 6 5
mass 1 14
bond_style zero
bond_coeff 1
special_bonds lj 0.25 0 0
create_bonds single/bond 1 1 2
pair_style lj/mdf/tail 4.6 7 10 12
pair_coeff 1 1 0.0085 3.75
compute all all pair/local eng force dist
compute sum all reduce sum c_all[1] inputs local
thermo_style custom pe c_sum
thermo_modify format float %.15g
run 0
"""
    table = run_lammps(script, tmp_path).thermo[0]

    def energy(r: float) -> float:
        x = min((r - 4.6) / 2.4, 1)
        y = max((r - 10) / 2, 0)
        lj = 4 * 0.0085 * ((3.75 / r) ** 12 - (3.75 / r) ** 6)
        return x**3 * (10 - 15 * x + 6 * x * x) * (1 - y) ** 3 * (1 + 3 * y + 6 * y * y) * lj

    expected = 0.25 * energy(5.5) + energy(np.hypot(5.6, 1)) + energy(np.hypot(11.1, 1))
    assert table["PotEng"][0] == pytest.approx(expected, rel=1e-12)
    assert table["c_sum"][0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("pair_style lj/mdf/tail 4.6 7 10", "needs four distances"),
        ("pair_style lj/mdf/tail 7 4.6 10 12", "0 <= s_in < s_out"),
        ("pair_style lj/mdf/tail 4.6 7 10 12\npair_coeff 1 1 0.1", "epsilon sigma, got 3 arguments"),
        ("pair_style lj/mdf/tail 4.6 7 10 12\npair_coeff 1 1 0.1 -3", "sigma > 0, got 0.1 -3"),
    ],
)
def test_wrong_arguments(tmp_path, lines, message):
    script = f"units metal\nregion b block 0 9 0 9 0 9\ncreate_box 1 b\n{lines}\n"
    with pytest.raises(ProgramError, match=message):
        run_lammps(script, tmp_path, find_lammps())
