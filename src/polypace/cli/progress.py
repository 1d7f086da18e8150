"""Runs a study with a live table of its steps and prints the comparison at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from polypace.report import summary_rows
from polypace.report.tables import HEADINGS
from polypace.study.step import Step


class ProgressTable:
    """Observer that redraws a table on a terminal and prints one line per step elsewhere."""

    def __init__(self, steps: list[Step], console: Console) -> None:
        self._console = console
        self._states: dict[str, tuple[str, float | None]] = {step.id: ("waiting", None) for step in steps}
        self._steps = steps
        self._started: dict[str, float] = {}
        self._lock = threading.Lock()

    def planned(self, steps: Sequence[Step]) -> None:
        with self._lock:
            self._steps += [step for step in steps if step.id not in self._states]
            self._states |= {step.id: ("waiting", None) for step in steps if step.id not in self._states}

    def started(self, step: Step) -> None:
        with self._lock:
            self._started[step.id] = time.monotonic()
            self._states[step.id] = ("running", None)
        self._line(f"{step.name}: started")

    def finished(self, step: Step, manifest: Mapping[str, Any], was_there: bool) -> None:
        with self._lock:
            self._states[step.id] = ("found" if was_there else "done", manifest["wall_seconds"])
        self._line(f"{step.name}: " + ("found" if was_there else f"done in {manifest['wall_seconds']:.1f} s"))

    def failed(self, step: Step, error: BaseException) -> None:
        with self._lock:
            self._states[step.id] = ("failed", None)
        self._line(f"{step.name}: failed")

    def _line(self, text: str) -> None:
        if not self._console.is_terminal:
            self._console.print(text, highlight=False)

    def __rich__(self) -> Table:
        table = Table(box=None, pad_edge=False, show_header=False)
        with self._lock:
            for step in self._steps:
                state, seconds = self._states[step.id]
                if state == "running":
                    seconds = time.monotonic() - self._started[step.id]
                colour = {"running": "cyan", "done": "green", "found": "dim", "failed": "red"}.get(state, "dim")
                table.add_row(step.name, f"[{colour}]{state}[/]", "" if seconds is None else f"{seconds:7.1f} s")
        return table


def run_with_progress(study: Path, folder: Path, workers: int | None) -> None:
    """Run a study, show how it goes, print the comparison and where the report lies."""
    from polypace.study.run import run_study

    console = wide_console()
    live: Live | None = None

    def observe(steps: list[Step]) -> ProgressTable:
        nonlocal live
        table = ProgressTable(steps, console)
        if console.is_terminal:
            live = Live(table, console=console, refresh_per_second=4)
            live.start()
        return table

    try:
        outcome = run_study(study, folder, workers=workers, observe=observe)
    finally:
        if live is not None:
            live.stop()
    print_summary(outcome.results, console)
    console.print(f"report:  {outcome.report}\nnumbers: {outcome.results_file}", highlight=False, soft_wrap=True)


def wide_console() -> Console:
    """A console; where the output is no terminal, wide enough for the table."""
    console = Console()
    return console if console.is_terminal else Console(width=130)


def print_summary(results: Mapping[str, Any], console: Console) -> None:
    table = Table(title=results["study"]["name"])
    for _, name, unit in HEADINGS:
        table.add_column(f"{name}\n[dim]{unit}[/]" if unit else name)
    for row in summary_rows(results):
        misses = {"force_error": row.force_ok, "density_shift": row.density_ok, "stable": row.stable_ok}
        cells = []
        for key, _, _ in HEADINGS:
            text = str(getattr(row, key))
            cells.append(text if misses.get(key, True) else f"[red]{text}[/]")
        table.add_row(*cells)
    console.print(table)
