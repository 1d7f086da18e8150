"""Run the tests that reach C++ under AddressSanitizer and UndefinedBehaviorSanitizer.

    python tests/run_sanitized.py [paths and options of pytest]

Builds the compiled core with the preset `sanitize` (build/sanitize) for the running Python, puts it beside the Python
files of this checkout, and starts pytest on that package. Any finding ends the run with the report of the sanitizer.
Leaks are not looked for: Python itself never frees all it has.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "sanitize"
STEPS = ("neighbors", "formats", "ace", "select", "carve", "dynamics", "structure", "trajectory")


def build() -> Path:
    """Compile `_core`; returns its path."""
    pybind11 = subprocess.check_output([sys.executable, "-m", "pybind11", "--cmakedir"], text=True).strip()
    settings = [f"-DPython_EXECUTABLE={sys.executable}", f"-Dpybind11_DIR={pybind11}"]
    subprocess.run(["cmake", "--preset", "sanitize", *settings], cwd=ROOT, check=True)
    jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count()))
    subprocess.run(["cmake", "--build", BUILD, "--target", "_core", "--parallel", jobs], check=True)
    return BUILD / "cpp" / "bindings" / f"_core{sysconfig.get_config_var('EXT_SUFFIX')}"


def package(core: Path) -> Path:
    """A folder with the package of this checkout and that core, as links."""
    folder = BUILD / "python"
    (folder / "polypace").mkdir(parents=True, exist_ok=True)
    yaml_cpp = next(f for f in importlib.metadata.files("cmeel-yaml-cpp") or () if f.name == "yaml.h").locate()
    prefix = next(parent for parent in Path(str(yaml_cpp)).parents if parent.name == "cmeel.prefix")
    links = {folder / "cmeel.prefix": prefix}  # where _core looks for yaml-cpp
    for path in (ROOT / "src" / "polypace").iterdir():
        if path.name not in ("_core", "__pycache__"):
            links[folder / "polypace" / path.name] = path
    for link, source in links.items():
        link.unlink(missing_ok=True)
        link.symlink_to(source)
    shutil.copy2(core, folder / "polypace")
    return folder


def main(arguments: list[str]) -> int:
    compiler = os.environ.get("CXX", "c++")
    runtimes = [
        subprocess.check_output([compiler, f"-print-file-name={name}"], text=True).strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    environment = os.environ | {
        "PYTHONPATH": str(package(build())),
        "LD_PRELOAD": " ".join(runtimes),
        # Sizes that no machine has end in std::bad_alloc, as without the sanitizer.
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
    }
    paths = arguments or [f"tests/unit/{step}" for step in STEPS]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--capture=sys", "-p", "no:cacheprovider", *paths]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
