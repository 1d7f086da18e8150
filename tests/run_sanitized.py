"""Run the tests that reach C++ under AddressSanitizer and UndefinedBehaviorSanitizer.

    python tests/run_sanitized.py [paths and options of pytest]

Builds the compiled core and the LAMMPS plugin with the preset `sanitize` (build/sanitize) for the running Python, puts
them beside the Python files of this checkout, and starts pytest on that package; LAMMPS itself, which loads the plugin,
is the stock one of the environment. Any finding ends the run with the report of the sanitizer.
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
PLUGIN = ("plugin", "pace", "tail", "msd")
BUILT = (f"cpp/bindings/_core{sysconfig.get_config_var('EXT_SUFFIX')}", "cpp/lammps/polypaceplugin.so")


def build() -> list[Path]:
    """Compile the core and the plugin; returns their paths."""
    pybind11 = subprocess.check_output([sys.executable, "-m", "pybind11", "--cmakedir"], text=True).strip()
    settings = [f"-DPython_EXECUTABLE={sys.executable}", f"-Dpybind11_DIR={pybind11}"]
    subprocess.run(["cmake", "--preset", "sanitize", *settings], cwd=ROOT, check=True)
    jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count()))
    subprocess.run(["cmake", "--build", BUILD, "--target", "_core", "polypaceplugin", "--parallel", jobs], check=True)
    return [BUILD / path for path in BUILT]


def package(core: Path, plugin: Path) -> Path:
    """A folder with the package of this checkout, as links, and those two."""
    folder = BUILD / "python"
    (folder / "polypace" / "plugins").mkdir(parents=True, exist_ok=True)
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
    shutil.copy2(plugin, folder / "polypace" / "plugins")
    return folder


def main(arguments: list[str]) -> int:
    compiler = os.environ.get("CXX", "c++")
    runtimes = [
        subprocess.check_output([compiler, f"-print-file-name={name}"], text=True).strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    environment = os.environ | {
        "PYTHONPATH": str(package(*build())),
        "LD_PRELOAD": " ".join(runtimes),
        # Sizes that no machine has end in std::bad_alloc, as without the sanitizer.
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
    }
    programs = [f"tests/programs/test_lammps_{name}.py" for name in PLUGIN]
    paths = arguments or [f"tests/unit/{step}" for step in STEPS] + programs
    # Parsl ends its workers through `ps`, which hangs under the preloaded runtime; they run the same compiled code.
    left_out = ["--ignore=tests/unit/dynamics/test_parsl.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--capture=sys", "-p", "no:cacheprovider", *left_out, *paths]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
