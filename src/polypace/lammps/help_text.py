"""What the help text of a LAMMPS (`lmp -h`) says about it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Help:
    """Version, packages, styles, MPI library and accelerators."""

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
    return Help(title.group(1).strip(), number, names, parse_styles(text), library, accelerators)


def parse_styles(text: str) -> frozenset[str]:
    """The styles listed in the help text or by `info styles`, such as "pair pace"."""
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
