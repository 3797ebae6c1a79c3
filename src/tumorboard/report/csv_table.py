"""``measurements.csv``: every number of one study, one a line.

Why it exists: a spreadsheet is where many readers go on working. The file holds the numbers with all
their digits; a number that could not be measured is an empty cell with its reason, never a 0.
"""

from __future__ import annotations

from tumorboard.csv_text import table_text
from tumorboard.measurement import Measurement, StudyMeasurements

COLUMNS = (
    "study",
    "region",
    "name",
    "value",
    "unit",
    "lower",
    "upper",
    "quality",
    "status",
    "reason",
    "method",
    "source_file",
    "voxels",
)


def measurements_csv(measurements: StudyMeasurements) -> str:
    """Return the measurements of a study as CSV with a header line.

    Examples
    --------
    >>> m = Measurement.missing("volume", "ET", "mL", "T1C is missing")
    >>> table = StudyMeasurements(patient="p", study="ses-01", sequences=(), segmenter="none", measurements=(m,))
    >>> measurements_csv(table).splitlines()[1]
    'ses-01,ET,volume,,mL,,,measured,not_assessable,T1C is missing,,,'
    """
    return table_text(COLUMNS, (_cells(measurements.study, m) for m in measurements.measurements))


def _cells(study: str, m: Measurement) -> list[str | float | int | None]:
    lower, upper = m.interval or (None, None)
    file, voxels = (m.source.file, m.source.voxels) if m.source else (None, None)
    what = [study, m.region, m.name, m.value, m.unit, lower, upper]
    return [*what, m.quality, m.status, m.reason, m.method, file, voxels]
