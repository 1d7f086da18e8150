"""`polypace`: one module per verb, registered here."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `polypace` command."""
    raise SystemExit("the command line is wired in the next commit")
