"""What a reader did that its user should know."""

from __future__ import annotations

import warnings


class TrajectoryWarning(UserWarning):
    """Something in a trajectory was dropped or assumed; the message names it."""


def warn(message: str) -> str:
    """Warn with `message` and return it, to be kept in `Trajectory.notes`."""
    warnings.warn(message, TrajectoryWarning, stacklevel=4)
    return message
