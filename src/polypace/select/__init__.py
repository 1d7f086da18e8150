"""Trust: active sets, extrapolation grades, D-optimal selection."""

from polypace.select.active_set import ActiveSet
from polypace.select.coverage import GradeSummary, summarize_grades
from polypace.select.frame_selection import SelectedFrames, select_frames
from polypace.select.grade import extrapolation_grade
from polypace.select.maxvol import MaxVolResult, maxvol
from polypace.select.selection import select_active_set

__all__ = [
    "ActiveSet",
    "GradeSummary",
    "MaxVolResult",
    "SelectedFrames",
    "extrapolation_grade",
    "maxvol",
    "select_active_set",
    "select_frames",
    "summarize_grades",
]
