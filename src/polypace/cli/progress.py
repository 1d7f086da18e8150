"""Runs a study with a live table of its steps and prints the comparison at the end."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from polypace.report import summary_rows
from polypace.report.tables import HEADINGS, ROUND_HEADINGS, round_row
from polypace.study.step import Step


class ProgressTable:
    """Observer that redraws tables of steps and learning rounds on a terminal and prints lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._states: dict[str, tuple[str, float | None]] = {}
        self._steps: list[Step] = []
        self._started: dict[str, float] = {}
        self._rounds: list[Mapping[str, Any]] = []
        self._lock = threading.Lock()

    def planned(self, steps: Sequence[Step]) -> None:
        with self._lock:
            for step in steps:
                if step.id not in self._states:
                    self._steps.append(step)
                    self._states[step.id] = ("waiting", None)

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

    def decided(self, record: Mapping[str, Any]) -> None:
        with self._lock:
            self._rounds.append(record)
        self._line(round_line(record))

    def _line(self, text: str) -> None:
        if not self._console.is_terminal:
            self._console.print(text, highlight=False, soft_wrap=True)

    def __rich__(self) -> Group:
        table = Table(box=None, pad_edge=False, show_header=False)
        with self._lock:
            rounds = list(self._rounds)
            shown = self._shown()
            for step in shown:
                state, seconds = self._states[step.id]
                if state == "running":
                    seconds = time.monotonic() - self._started[step.id]
                colour = {"running": "cyan", "done": "green", "found": "dim", "failed": "red"}.get(state, "dim")
                table.add_row(step.name, f"[{colour}]{state}[/]", "" if seconds is None else f"{seconds:7.1f} s")
            hidden = len(self._steps) - len(shown)
        if hidden:
            table.add_row(f"[dim]and {hidden} finished steps before[/]", "", "")
        return Group(*([rounds_table(rounds)] if rounds else []), table)

    def _shown(self) -> list[Step]:
        """As many steps as the terminal has lines for, what is finished longest left out first."""
        room = max(8, self._console.height - 6 - len(self._rounds))
        over = {step.id for step in self._steps if self._states[step.id][0] in ("done", "found")}
        leave_out = max(0, len(self._steps) - room)
        hidden = {step.id for step in [step for step in self._steps if step.id in over][:leave_out]}
        return [step for step in self._steps if step.id not in hidden]


def rounds_table(rounds: Sequence[Mapping[str, Any]]) -> Table:
    """One row per learning round."""
    table = Table(box=None, pad_edge=False)
    for _, name, unit in ROUND_HEADINGS:
        table.add_column(f"{name} [dim]{unit}[/]" if unit else name)
    for record in rounds:
        row = round_row(record)
        table.add_row(*(row[key] for key, _, _ in ROUND_HEADINGS))
    return table


def round_line(record: Mapping[str, Any]) -> str:
    row = round_row(record)
    return (
        f"round {row['round']}: gamma up to {row['gamma_max']}, {row['above']} replicas above, {row['labelled']} frames "
        f"({row['atoms']} atoms) labelled, validation forces {row['force_error']}, {row['seconds']} s: {row['verdict']}"
    )


def run_with_progress(study: Path, folder: Path, workers: int | None, only_learn: bool = False) -> None:
    """Run a study, show how it goes, print the comparison and where the report lies."""
    from polypace.study.run import run_study

    write_template(study)
    console = wide_console()
    table = ProgressTable(console)
    with Live(table, console=console, refresh_per_second=4) if console.is_terminal else contextlib.nullcontext():
        outcome = run_study(study, folder, workers=workers, only_learn=only_learn, observer=table)
    print_summary(outcome.results, console, rounds_are_shown=console.is_terminal)
    console.print(f"report:  {outcome.report}\nnumbers: {outcome.results_file}", highlight=False, soft_wrap=True)


def write_template(study: Path) -> None:
    """Write the template of that name where there is no such file."""
    source = files("polypace.study").joinpath("templates", study.name)
    if not study.exists() and study.suffix == ".yaml" and source.is_file():
        study.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")


def wide_console() -> Console:
    """A console; where the output is no terminal, wide enough for the table."""
    console = Console()
    return console if console.is_terminal else Console(width=150)


def print_summary(results: Mapping[str, Any], console: Console, rounds_are_shown: bool = False) -> None:
    """The learning rounds and, where the potential was run, ACE against reference."""
    learning = results["learning"]
    if learning["rounds"] and not rounds_are_shown:
        console.print(rounds_table(learning["rounds"]))
    console.print(f"learning: {learning['verdict']}", highlight=False, soft_wrap=True)
    if results["chains"]:
        _print_chains(results, console)


def _print_chains(results: Mapping[str, Any], console: Console) -> None:
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
