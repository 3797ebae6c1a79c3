"""From measured studies to the typed report.

Why it exists: everything that will be printed is decided here once, so that renderers only lay it
out. Studies are taken one at a time, since one holds several hundred megabytes. Nothing is measured,
nothing is left out silently; response categories come from ``respond``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Sequence as Many
from typing import Any

from tumorboard.errors import InputError
from tumorboard.report.bundle import MethodSentence, PatientHeader, StudyBundle
from tumorboard.report.facts import key_facts
from tumorboard.report.figures import study_pictures
from tumorboard.report.model import (
    DIGITAL_BANNER,
    RESEARCH_BANNER,
    Matrix,
    MethodParagraph,
    Models,
    Report,
    Response,
    StudySection,
)
from tumorboard.report.preparation import preparation_matrix, protocol_matrices
from tumorboard.report.tables import lesion_matrix, study_tables
from tumorboard.report.timeline import Point, timeline
from tumorboard.study import Event, EventKind

__all__ = ["MethodSentence", "PatientHeader", "StudyBundle", "build_report"]


def build_report(
    header: PatientHeader,
    bundles: Iterable[StudyBundle],
    response: Response | None = None,
    models: Models | None = None,
) -> Report:
    """Return the report of a patient.

    Parameters
    ----------
    header : PatientHeader
        What holds for all studies.
    bundles : iterable of StudyBundle
        In order of date; an iterator is consumed with one study in memory at a time.
    response : Response, optional
        What the studies say together.
    models : Models, optional
        What trained models say.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        There is no study.

    Examples
    --------
    >>> build_report(PatientHeader("p01"), [])
    Traceback (most recent call last):
    tumorboard.errors.InputError: report: expected at least one study; got none...
    """
    sections: list[StudySection] = []
    points: list[Point] = []
    decisions: list[tuple[str, ...]] = []
    for bundle in bundles:
        sections.append(_section(bundle))
        points.append(Point(bundle.study.id, bundle.date, bundle.measurements, bundle.labels_origin))
        decisions += [(bundle.study.id, *decision) for decision in bundle.decisions]
    if not sections:
        raise InputError("at least one study", got="none", where="report", remedy="give a patient with images")
    return Report(
        patient=header.pseudonym,
        created_by=f"tumorboard {header.software_version}".strip(),
        banners=(RESEARCH_BANNER, DIGITAL_BANNER) if header.digital else (RESEARCH_BANNER,),
        facts=key_facts([point.measurements for point in points]),
        studies=tuple(sections),
        timeline=timeline(points, header.events),
        response=response,
        models=models,
        events=_events(header.events),
        methods=tuple(MethodParagraph(text=m.text, citation=m.citation) for m in header.methods),
        settings=tuple((name, _setting(value)) for name, value in sorted(_flat(header.settings).items())),
        decisions=_matrix("Which file was taken for what", ("Study", "Role", "File", "Reason"), decisions),
        costs=_costs(header.costs),
    )


def _section(bundle: StudyBundle) -> StudySection:
    warnings = dict.fromkeys([*bundle.warnings, *bundle.measurements.warnings])
    return StudySection(
        id=bundle.study.id,
        date=bundle.date,
        sequences=tuple(s.value for s in bundle.study.volumes),
        segmenter=bundle.segmenter_name,
        labels_origin=bundle.labels_origin,
        pictures=study_pictures(bundle),
        tables=study_tables(bundle.measurements),
        lesions=lesion_matrix(bundle.measurements),
        preparation=preparation_matrix(bundle.quality),
        protocol=protocol_matrices(bundle.protocol),
        warnings=tuple(warnings),
    )


def _matrix(title: str, header: tuple[str, ...], rows: Many[tuple[str, ...]]) -> Matrix | None:
    return Matrix(title=title, header=header, rows=tuple(rows)) if rows else None


def _events(events: tuple[Event, ...]) -> Matrix | None:
    rows = [
        (
            e.date.isoformat(),
            e.end_date.isoformat() if e.end_date else "",
            "KPS" if e.kind is EventKind.KPS else e.kind.value,
            f"{e.value} {e.unit}".strip(),
            e.detail,
        )
        for e in events
    ]
    return _matrix("Events", ("Date", "Until", "Event", "Value", "Detail"), rows)


def _costs(costs: list[tuple[str, str, float, float]]) -> Matrix | None:
    rows = [(stage, study, f"{cpu_s:.1f}", f"{peak_mib:.0f}") for stage, study, cpu_s, peak_mib in costs]
    return _matrix("Time and memory", ("Stage", "Study", "CPU time (s)", "Peak memory (MiB)"), rows)


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested settings to dotted names."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _setting(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
