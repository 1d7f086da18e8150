"""Commands start fast: what a verb's options need is imported, libraries of its work when it works."""

from __future__ import annotations

import subprocess
import sys

LATER = {"scipy", "ase.io", "MDAnalysis", "matplotlib", "h5py", "parsl", "rich", "yaml"}
SCRIPT = """
import importlib, sys
from polypace.cli.app import VERBS
for verb in VERBS:
    importlib.import_module(f"polypace.cli.{verb}")
print(*sys.modules)
"""


def test_verbs_import_no_library_of_their_work():
    loaded = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True).stdout.split()
    assert "polypace.cli.select" in loaded and not LATER & set(loaded)
