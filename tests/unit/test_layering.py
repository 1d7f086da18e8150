"""The architecture as a test: who may include and import whom (docs/explanation/architecture.md)."""

from __future__ import annotations

import ast
import graphlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPP, PACKAGE = ROOT / "cpp", ROOT / "src" / "polypace"

# folder: folders whose headers it may include, beside its own
INCLUDES = {
    "base": set(),
    "neighbors": {"base"},
    "ace": {"base", "neighbors"},
    "carve": {"base", "neighbors"},
    "structure": {"base", "neighbors"},
    "select": {"base"},
    "dynamics": {"base"},
    "trajectory": {"base"},
    "formats": {"base", "ace"},
    "bindings": {
        "base", "neighbors", "ace", "carve", "structure", "select", "dynamics", "trajectory", "formats",
    },
    "lammps": {"base", "neighbors", "ace", "dynamics", "formats"},
}  # fmt: skip

# What every step may use.
COMMON = {"_core", "errors", "durable", "units", "arrays", "melt", "forcefields", "blas_threads", "extxyz"}
# package or module: what it may import beside the common ones and itself
IMPORTS = {
    "errors": set(),
    "durable": set(),
    "units": set(),
    "arrays": set(),
    "melt": set(),
    "forcefields": set(),
    "blas_threads": set(),
    "extxyz": set(),
    "systems": set(),
    "reference": set(),
    "ace": set(),
    "select": {"ace"},
    "carve": set(),
    "lammps": set(),
    "trajectory": set(),
    "analysis": {"trajectory"},
    "report": set(),
}
# The only places where steps meet.
COMPOSERS = {"study", "cli"}


def test_includes():
    wrong = []
    for path in CPP.rglob("*.[chi][pn][pcl]*"):
        folder = path.relative_to(CPP).parts[0]
        for line in path.read_text().splitlines():
            match = re.match(r'\s*#include "([a-z_]+)/', line)
            if match and match[1] in INCLUDES and match[1] != folder and match[1] not in INCLUDES[folder]:
                wrong.append(f"{path.relative_to(ROOT)}: {line.strip()}")
            if line.startswith("#include <pybind11") and folder != "bindings":
                wrong.append(f"{path.relative_to(ROOT)}: only bindings know Python")
    assert not wrong


def imported_names(path: Path) -> set[str]:
    """First component behind `polypace.` of every import, also those inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[0] == "polypace":
                names |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("polypace.")}
    return names - {"__version__"}


def test_imports():
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        home = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if home not in COMPOSERS and home != "__init__":
            for name in sorted(imported_names(path) - COMMON - IMPORTS[home] - {home}):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_no_circle_of_modules():
    """Not even of imports inside functions or for types alone."""
    names = {
        ".".join(("polypace", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in PACKAGE.rglob("*.py")
    }
    nodes = {name: ast.walk(ast.parse(path.read_text())) for name, path in names.items()}
    imported = {
        name: {node.module for node in tree if isinstance(node, ast.ImportFrom) and node.module in names}
        for name, tree in nodes.items()
    }
    assert sum(map(len, imported.values())) > 500
    graphlib.TopologicalSorter(imported).prepare()  # raises CycleError with the circle


BUDGETS = {".py": 400, ".cpp": 400, ".hpp": 400}
# Files that may be longer, each with its reason.
LONGER = {"cpp/ace/clebsch_gordan_artefacts.hpp": 1000}  # a generated table


def test_files_stay_small():
    long = {}
    for folder in (CPP, PACKAGE, ROOT / "tests"):
        for path in folder.rglob("*"):
            name = str(path.relative_to(ROOT))
            budget = LONGER.get(name, BUDGETS.get(path.suffix, 10**9))
            if path.is_file() and len(path.read_text(errors="replace").splitlines()) > budget:
                long[name] = len(path.read_text(errors="replace").splitlines())
    assert not long
