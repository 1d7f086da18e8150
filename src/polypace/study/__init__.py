"""Studies: steps that never run twice, and the only place where steps meet."""

from polypace.study.run import StudyOutcome, rewrite_report, run_study, study_status
from polypace.study.schema import StudySpec, read_study

__all__ = ["StudyOutcome", "StudySpec", "read_study", "rewrite_report", "run_study", "study_status"]
