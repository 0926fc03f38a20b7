"""What is known from the runs: the paper's tables beside ours, its figures and its questions, and whom it fails."""

from btfer.bench.report.runs import ResultRow, print_table, results_table
from btfer.bench.report.write import write_report

__all__ = ["ResultRow", "print_table", "results_table", "write_report"]
