"""Where LAMMPS finds our plugin (entry-point group `lammps.plugins`)."""

from __future__ import annotations

from pathlib import Path


def directory() -> str:
    """Return the folder that holds `polypaceplugin.so`; LAMMPS's launcher puts it on LAMMPS_PLUGIN_PATH."""
    from polypace import _core

    return str(Path(_core.__file__).parent / "plugins")
