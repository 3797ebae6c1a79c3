"""What is missing among the features: how much of each column, and whether that goes with the outcome.

Why it exists: a gap that is more frequent in one outcome teaches a model the outcome, and imputing it hides that.
"""

from __future__ import annotations

import numpy as np

from tumorboard.lab.findings.base import Asked, Cell, Finding, counted, joined
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.run import Run
from tumorboard.lab.step import Floats
from tumorboard.metrics.plan.missing_data import MissingColumn, MissingReport, missing_report


def missing(asked: Asked) -> Finding | None:
    """Return the report of missing values; none for images without columns.

    Parameters
    ----------
    asked : Asked
        The run.
    """
    run, table = asked.run, asked.run.data.table
    if not table.names:
        return None
    report = missing_report(table.values, table.names, _with_event(run))
    rows = tuple(_row(c) for c in report.columns)
    head = ("column", "missing", "low", "high", "missing with the outcome", "missing without", "p")
    gaps = tuple(r for r in rows if r[1])
    return Finding("missing", "Missing values", head, rows, _told(report, len(gaps)), shown=gaps[:20])


def _with_event(run: Run) -> Floats | None:
    outcome = run.data.outcome
    if outcome.kind is Outcomes.BINARY:
        return outcome.values[:, 0]
    return outcome.events.astype(np.float64) if outcome.kind is Outcomes.SURVIVAL else None


def _row(column: MissingColumn) -> tuple[Cell, ...]:
    share = column.share
    return column.name, share.value, share.low, share.high, column.with_event, column.without_event, column.p


def _told(report: MissingReport, gaps: int) -> str:
    if not gaps:
        return f"No value is missing in {counted(len(report.columns), 'column')} of {counted(report.rows, 'row')}."
    said = f"{report.complete} of {report.rows} rows are complete; {counted(gaps, 'column')} with gaps."
    often = [(names, n) for names, n in report.patterns if names]
    said += f" Most often missing together: {joined(often[0][0])} ({counted(often[0][1], 'row')})." if often else ""
    if report.suspicious:
        said += f" Gaps go with the outcome in {joined(report.suspicious)}: a model may learn the gap."
    return said
