"""Trust: active sets, extrapolation grades, D-optimal selection."""

from polypace.select.maxvol import MaxVolResult, maxvol

__all__ = ["MaxVolResult", "maxvol"]
