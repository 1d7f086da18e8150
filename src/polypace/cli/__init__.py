"""The command line: thin verbs."""

from polypace.cli.app import main

__all__ = ["main"]
