"""Which sequence a DICOM series is, from what its header says, with every sign that led there.

Why it exists: the wrong sequence in the wrong place is a wrong tumour. Physics (TR, TE, TI, flip angle) and
words (descriptions in several languages) are weighed by one table; where two answers come close, the series
is left unsure and both are named. Siblings in a study tell when the contrast agent went in.
"""

from __future__ import annotations

from tumorboard.intake.evidence.verdict import Evidence, SeriesVerdict, recognise_series, recognise_study

__all__ = ["Evidence", "SeriesVerdict", "recognise_series", "recognise_study"]
