"""Protocols as text: what stands in the script, in which order, and what is refused."""

from __future__ import annotations

import pytest

from polypace.errors import InputError
from polypace.lammps.protocols import Dump, GammaWatch, MolecularDynamics, label_dump

LINES = ["units metal", "read_data start.data"]


def protocol(**changes):
    values = {"interactions": LINES, "temperature": 350.0, "timestep": 0.001, "steps": 1000, "seed": 7}
    return MolecularDynamics(**(values | changes)).script()


def test_langevin_comes_before_nose_hoover():
    text = protocol(relax_steps=200)
    assert text.index("langevin") < text.index("reset_timestep 0") < text.index("fix integrate all nvt")
    assert "langevin" not in protocol()


def test_a_pressure_makes_it_npt():
    assert "npt temp 350 350 0.1 iso 1 1 0.5" in protocol(pressure=1.0)
    assert "npt" not in protocol()


def test_gamma_is_watched_kept_and_halts():
    text = protocol(gamma=GammaWatch(20, select=1.5, halt=30))
    assert "fix gamma all pair 20 pace/extrapolation gamma 1" in text
    assert text.index("variable keep_out") < text.index("skip v_keep_out")
    assert "fix halt all halt 20 v_gamma_max > 30 error soft" in text
    assert "v_gamma_max" in text.split("thermo_style custom")[1].splitlines()[0]


def test_labels_come_with_virial_columns_in_full_precision():
    text = protocol(labels=label_dump("labels.dump", 100), dump=Dump("nvt.dump", 50))
    assert "compute virial all pressure NULL virial" in text and "c_virial[6]" in text
    assert "thermo_modify norm no flush yes format float %.17g" in text
    assert text.index("thermo_style") < text.index("thermo_modify")  # a new style forgets what was modified
    assert 'dump_modify labels sort id format float "%.17g"' in text


@pytest.mark.parametrize("changes", [{"steps": -1}, {"timestep": 0.0}, {"relax_steps": -5}])
def test_impossible_runs_are_refused(changes):
    with pytest.raises(InputError, match="must"):
        protocol(**changes)
