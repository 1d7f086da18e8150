"""Trust: active sets, extrapolation grades, D-optimal selection."""

from polypace.select.active_set import ActiveSet
from polypace.select.coverage import GradeMap, GradeSummary, WorstEnvironment, summarize_grades
from polypace.select.coverage_plot import plot_coverage
from polypace.select.frame_selection import (
    SelectedEnvironments,
    SelectedFrames,
    select_environments,
    select_frames,
)
from polypace.select.grade import extrapolation_grade, iterate_grades
from polypace.select.maxvol import MaxVolResult, maxvol
from polypace.select.selection import select_active_set

__all__ = [
    "ActiveSet",
    "GradeMap",
    "GradeSummary",
    "MaxVolResult",
    "SelectedEnvironments",
    "SelectedFrames",
    "WorstEnvironment",
    "extrapolation_grade",
    "iterate_grades",
    "maxvol",
    "plot_coverage",
    "select_active_set",
    "select_environments",
    "select_frames",
    "summarize_grades",
]
