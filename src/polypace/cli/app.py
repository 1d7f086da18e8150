"""`polypace`: one module per verb; a verb's module is imported when it is called, so that `--help` is fast."""

from __future__ import annotations

import functools
import importlib
import sys
import warnings
from collections.abc import Callable
from typing import Any

import typer

from polypace.errors import PolypaceError

# verb: one line of help. `<verb>_command` in polypace/cli/<verb>.py does it.
VERBS = {
    "demo": "Run the study that comes with the package: train on short chains, test on longer ones.",
    "run": "Run a study file, or go on with one that was interrupted.",
    "learn": "Learn a potential actively, up to the one that no longer extrapolates.",
    "status": "Show which steps of a study are finished.",
    "report": "Write the report of a study anew from its finished steps.",
    "doctor": "Show which LAMMPS programs are here and what they can run.",
    "check": "Show that a potential gives the same numbers in Python, in LAMMPS and from its .yace.",
    "fit": "Fit a linear ACE to labelled frames.",
    "errors": "Errors of a potential on labelled frames.",
    "grade": "Extrapolation grades of trajectories.",
    "select": "Choose the most informative frames.",
    "carve": "Cut small clusters out of a periodic melt.",
    "msd": "Mean squared displacements g1, g2, g3 with errors.",
    "structure": "Density, distributions and chain dimensions of a trajectory.",
    "compare": "Compare two trajectories: reference against ACE.",
}


def main(arguments: list[str] | None = None) -> None:
    """Entry point: exit code 0 done, 1 failed with a message, 2 wrong usage, 130 interrupted."""
    arguments = sys.argv[1:] if arguments is None else arguments
    wanted = next((argument for argument in arguments if not argument.startswith("-")), None)
    app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback()(_options)
    for verb, help_line in VERBS.items():
        callback = _load(verb, "--debug" in arguments) if verb == wanted else _placeholder
        app.command(name=verb, short_help=help_line)(callback)
    app(args=arguments, prog_name="polypace")


def _options(
    debug: bool = typer.Option(False, "--debug", help="Show the Python traceback of an error."),
    version: bool = typer.Option(
        False, "--version", help="Print the version and leave.", is_eager=True, callback=lambda on: _version(on)
    ),
) -> None:
    """Atomic Cluster Expansion potentials for polymers: fit, grade, carve, run in LAMMPS, analyse."""


def _version(wanted: bool) -> None:
    if wanted:
        from polypace import __version__

        print(__version__)
        raise typer.Exit


def _placeholder() -> None:
    """Stands for the verbs that were not asked for, so that the list of commands is complete."""


def _load(verb: str, debug: bool) -> Callable[..., Any]:
    command = getattr(importlib.import_module(f"polypace.cli.{verb}"), f"{verb}_command")

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        warnings.formatwarning = _warning_text
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt:
            _say("interrupted; the same command goes on from what was finished")
            raise typer.Exit(130) from None
        except (PolypaceError, OSError) as error:
            if debug:
                raise
            _say(str(error))
            raise typer.Exit(1) from None
        finally:
            warnings.formatwarning = _PYTHON_WARNING

    return run


_PYTHON_WARNING = warnings.formatwarning


def _warning_text(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """Our own warnings are for users, who have no use for a line of Python."""
    if category.__module__.startswith("polypace"):
        return f"polypace: warning: {message}\n"
    return _PYTHON_WARNING(message, category, filename, lineno, line)


def _say(message: str) -> None:
    print(f"polypace: {message}", file=sys.stderr)
