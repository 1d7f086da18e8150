"""Where LAMMPS finds our plugin (entry-point group `lammps.plugins`)."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def directory() -> str:
    """Return the folder that holds `polypaceplugin.so`; LAMMPS's launcher puts it on LAMMPS_PLUGIN_PATH."""
    # The compiled core lies beside the folder, in editable installs too; it is only located, not loaded.
    core = importlib.util.find_spec("polypace._core")
    if core is None or core.origin is None:
        raise ImportError("polypace lacks its compiled parts: pip install --force-reinstall polypace")
    return str(Path(core.origin).parent / "plugins")
