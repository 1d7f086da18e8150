"""LAMMPS: finding it, the plugin, run scripts, runs, logs."""
