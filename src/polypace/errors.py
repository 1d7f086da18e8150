"""Errors: one base class; every subclass is also the builtin that fits. Messages name the place and the remedy."""

from __future__ import annotations


class PolypaceError(Exception):
    """Base of every error that PolyPACE raises on purpose."""


class InputError(PolypaceError, ValueError):
    """An argument, key or value is wrong; the message names it, its value and what would be right."""


class FileFormatError(PolypaceError, ValueError):
    """A file cannot be understood; the message names the file, the line or key, and what was expected."""


class NumericalError(PolypaceError, ArithmeticError):
    """A number cannot be computed as it should: coinciding atoms, a check of the core's own that fails."""


class MissingProgramError(PolypaceError, FileNotFoundError):
    """An external program or optional package is not there; the message says how to get it."""


class ProgramError(PolypaceError, RuntimeError):
    """An external program failed; the message carries its command and the last lines it printed."""


class InterruptedRunError(ProgramError):
    """A run was ended from outside or hung (killed rank, lost node, time limit): the same call may go on with it."""


class DamagedStepError(PolypaceError, RuntimeError):
    """A finished step's files no longer are what its manifest says."""


class UnstableRunError(PolypaceError, RuntimeError):
    """A simulation left the region where its numbers mean anything (lost atoms, exploding temperature)."""


class EngineError(PolypaceError, RuntimeError):
    """Workers or blocks of the engine were lost and trying again does not help."""
