"""Tables, figures and the self-contained HTML page."""

from polypace.report.page import write_report
from polypace.report.tables import summary_rows
from polypace.report.transfer import write_transfer

__all__ = ["summary_rows", "write_report", "write_transfer"]
