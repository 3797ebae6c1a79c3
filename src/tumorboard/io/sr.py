"""A study's measurements as a DICOM structured report that other systems can read number by number.

Why it exists: a number in a PDF is read by people only. As a measurement report (Comprehensive 3D SR,
TID 1500) each number keeps its code, unit, method and end points, and what could not be measured says why.
The report is unverified: it is research, and no reader has signed it.

Source: PS3.3 A.35.13; PS3.16 TID 1500, 1501, 1411 and 300.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tumorboard.errors import FileFormatError
from tumorboard.io import codes
from tumorboard.io.dicom.maker import LONG_STRING, NOT_FOR_DIAGNOSIS, Maker, plain
from tumorboard.io.dicom.templates import (
    SERIES_NUMBERS,
    concept,
    equipment,
    evidence_of,
    name_scheme,
    quiet,
    source_headers,
)
from tumorboard.io.dicom.uids import uid_from
from tumorboard.io.seg import segment_uid
from tumorboard.io.sr_response import CAUTION, Rated, response_group
from tumorboard.labels import REGIONS
from tumorboard.measurement import Measurement, StudyMeasurements
from tumorboard.series import Series
from tumorboard.store import digest
from tumorboard.volume import Grid

if TYPE_CHECKING:
    from pydicom import Dataset

SIMULATED = "Simulated patient: no number here is of a person"


def measurement_report(
    listed: StudyMeasurements,
    series: Series,
    inputs: Sequence[Series],
    seg: Dataset | None,
    maker: Maker,
    grids: Mapping[str, Grid] | None = None,
    rated: Sequence[Rated] = (),
) -> Dataset:
    """Return the measurements of a study as a DICOM structured report.

    Every entry of ``measurements.json`` stands in it once, tracked by its name: numbers as NUM with their
    UCUM unit, words as CODE, and what is not assessable as CODE "Measurement not attempted" with the reason
    (a NUM without a value is allowed too, but common readers fail on it). There is one group for each
    region, tracked by the same UID as the region's segment.

    Parameters
    ----------
    listed : StudyMeasurements
        As in ``measurements.json``; its pseudonym is not written.
    series : Series
        The series the segmentation lies on; the report is filed in its study.
    inputs : sequence of Series
        Every series that was used; all are cited as evidence.
    seg : Dataset or None
        From :func:`tumorboard.io.seg.segmentation`.
    maker : Maker
        Who makes it.
    grids : mapping of str to Grid, optional
        Grid of each source file (as ``Measurement.source.file`` names it) whose end points are to be drawn;
        it must lie in the frame of reference of ``series``.
    rated : sequence of Rated, optional
        What response criteria say of this study; a group each, after the regions.

    Returns
    -------
    Dataset

    Raises
    ------
    GeometryError, FileFormatError
        The source has no planes or cannot be read.

    Examples
    --------
    >>> import datetime as dt
    >>> from pydicom.data import get_testdata_file
    >>> from tumorboard.io.dicom.scan import scan_dicom
    >>> series = scan_dicom([Path(get_testdata_file("MR_small.dcm"))]).series[0]
    >>> maker = Maker("tumorboard", "0.1", "fuzzy", "1.0", False, "a1", dt.datetime(2026, 1, 2))
    >>> absent = Measurement.missing("volume", "RC", "mL", "no cavities are looked for")
    >>> listed = StudyMeasurements(
    ...     patient="P1", study="ses-01", sequences=(), segmenter="fuzzy 1", measurements=(absent,)
    ... )
    >>> report = measurement_report(listed, series, (series,), None, maker)
    >>> report.Modality, report.VerificationFlag, report.CompletionFlag
    ('SR', 'UNVERIFIED', 'COMPLETE')
    """
    from highdicom.sr import Comprehensive3DSR

    told = (listed.model_dump_json(), *map(repr, rated))
    made = digest(*told, str(seg and seg.SOPInstanceUID), maker.settings_digest, maker.version)
    evidence = [source_headers(series)[0], *evidence_of((series, *inputs)), *([] if seg is None else [seg])]
    with quiet():
        out = Comprehensive3DSR(
            evidence=evidence,
            content=_content(listed, _Context(series, evidence[0], seg, maker, grids or {}), rated),
            series_instance_uid=uid_from(series.series_uid, "measurements", made),
            series_number=SERIES_NUMBERS["measurements"],
            sop_instance_uid=uid_from(series.series_uid, "measurements", made, "1"),
            instance_number=1,
            manufacturer=maker.software,
            is_complete=True,
            series_description=maker.describe("measurements"),
        )
        equipment(out, maker)
        name_scheme(out)
    return out


class _Context:
    """What every part of one report needs to know."""

    def __init__(
        self, series: Series, header: Dataset, seg: Dataset | None, maker: Maker, grids: Mapping[str, Grid]
    ) -> None:
        self.series, self.seg, self.maker, self.grids = series, seg, maker, grids
        self.frame_of_reference = str(header.FrameOfReferenceUID)
        described = () if seg is None else seg.SegmentSequence
        self.segments = {str(s.SegmentLabel): int(s.SegmentNumber) for s in described}

    def segments_of(self, region: str) -> list[int]:
        """Return the numbers of the segments that a region consists of, as far as they are there."""
        if region.startswith("lesion"):
            region = "TC" if "ET" in self.segments else "WT"
        return [self.segments[t.name] for t in REGIONS.get(region, ()) if t.name in self.segments]

    def tracking(self, region: str, name: str = "") -> Any:
        """Return what follows a region, or one of its measurements."""
        from highdicom.sr import TrackingIdentifier

        uid = segment_uid(self.series, self.maker, region)
        return TrackingIdentifier(uid_from(uid, name) if name else uid, name or region)


def _content(listed: StudyMeasurements, context: _Context, rated: Sequence[Rated]) -> Any:
    from highdicom.sr import LanguageOfContentItemAndDescendants, MeasurementReport, ObservationContext

    by_region: dict[str, list[Measurement]] = {}
    for m in listed.measurements:
        by_region.setdefault(m.region, []).append(m)
    report = MeasurementReport(
        observation_context=ObservationContext(_observer(context.maker)),
        procedure_reported=concept(codes.MR_BRAIN),
        language_of_content_item_and_descendants=LanguageOfContentItemAndDescendants(concept(codes.ENGLISH)),
        imaging_measurements=[
            *(_group(region, found, context) for region, found in by_region.items()),
            *(response_group(r, context.maker, context.series.study_uid) for r in rated),
        ],
    )
    simulated, cautioned = [SIMULATED] * context.maker.digital, [CAUTION] * bool(rated)
    told = [NOT_FOR_DIAGNOSIS, *simulated, *cautioned, *listed.warnings]
    report[0].ContentSequence.extend(_text(codes.COMMENT, words, "CONTAINS") for words in told)
    return report


def _observer(maker: Maker) -> Any:
    from highdicom.sr import DeviceObserverIdentifyingAttributes, ObserverContext
    from pydicom.sr.codedict import codes as public

    device = DeviceObserverIdentifyingAttributes(
        uid=uid_from("device", maker.software, maker.version),
        name=maker.software,
        manufacturer_name=maker.software,
        model_name=f"{maker.software} {maker.version}",
    )
    return ObserverContext(public.DCM.Device, device)


def _group(region: str, found: Sequence[Measurement], context: _Context) -> Any:
    """Return one region's group: on its segment where it has one of its own, else beside what it is made of."""
    from highdicom import sr

    common = {
        "tracking_identifier": context.tracking(region),
        "finding_type": _finding(region, found),
        "finding_sites": [sr.FindingSite(concept(codes.BRAIN))],
        "algorithm_id": sr.AlgorithmIdentification(
            plain(context.maker.algorithm, LONG_STRING), plain(context.maker.algorithm_version, LONG_STRING)
        ),
    }
    segment = _own_segment(region, context)
    group: Any
    if segment is not None:
        group = sr.VolumetricROIMeasurementsAndQualitativeEvaluations(referenced_segment=segment, **common)
    else:
        group = sr.MeasurementsAndQualitativeEvaluations(**common)
        numbers = context.segments_of(region)
        if context.seg is not None and numbers:
            group[0].ContentSequence.append(_made_of(context.seg, numbers))
    for m in found:
        group[0].ContentSequence.append(_item(m, context))
    return group


def _finding(region: str, found: Sequence[Measurement]) -> Any:
    """Return what was found; nothing for the study as a whole, or where nothing was found or looked for."""
    return concept(codes.region_code(region)) if region != "study" and any(m.value for m in found) else None


def _own_segment(region: str, context: _Context) -> Any:
    from highdicom.sr import ReferencedSegment, SourceSeriesForSegmentation

    if context.seg is None or region not in context.segments:
        return None
    return ReferencedSegment(
        context.seg.SOPClassUID,
        context.seg.SOPInstanceUID,
        context.segments[region],
        source_series=SourceSeriesForSegmentation(context.series.series_uid),
    )


def _made_of(seg: Dataset, numbers: list[int]) -> Any:
    from highdicom.sr import ImageContentItem

    return ImageContentItem(
        concept(codes.SOURCE),
        seg.SOPClassUID,
        seg.SOPInstanceUID,
        referenced_segment_numbers=numbers,
        relationship_type="CONTAINS",
    )


def _item(m: Measurement, context: _Context) -> Any:
    """Return one measurement as a content item: NUM, or CODE for a word or for none."""
    if isinstance(m.value, int | float):
        item = _number(m, m.value, context)
    else:
        item = _word(m, codes.NOT_ATTEMPTED if m.value is None else codes.word_code(m.value), context)
    item.ContentSequence.extend(_told(m))
    return item


def _number(m: Measurement, value: float, context: _Context) -> Any:
    from highdicom.sr import Measurement as Measured

    return Measured(
        name=concept(codes.measurement_code(m.name)),
        value=value,
        unit=concept(codes.unit_code(m.unit)),
        tracking_identifier=context.tracking(m.region, m.name),
        referenced_coordinates=list(_drawn(m, context)) or None,
    )[0]


def _word(m: Measurement, value: codes.Code, context: _Context) -> Any:
    from highdicom.sr import CodeContentItem, ContentSequence

    item = CodeContentItem(concept(codes.measurement_code(m.name)), concept(value), "CONTAINS")
    item.ContentSequence = ContentSequence(context.tracking(m.region, m.name))
    return item


def _told(m: Measurement) -> Iterator[Any]:
    """Yield how a value was made, how far it can be trusted, or why there is none."""
    from highdicom.sr import CodeContentItem, NumContentItem

    if m.method:
        yield _text(codes.METHOD, m.method, "HAS CONCEPT MOD")
    if m.quality in codes.QUALITIES:
        yield CodeContentItem(concept(codes.QUALITY), concept(codes.QUALITIES[m.quality]), "HAS CONCEPT MOD")
    if m.reason:
        yield _text(codes.REASON, m.reason, "HAS PROPERTIES")
    if m.interval:
        unit = concept(codes.unit_code(m.unit))
        for name, bound in zip((codes.LOWER, codes.UPPER), m.interval, strict=True):
            yield NumContentItem(concept(name), bound, unit, relationship_type="HAS PROPERTIES")


def _text(name: codes.Code, words: str, relationship: str) -> Any:
    from highdicom.sr import TextContentItem

    return TextContentItem(concept(name), plain(words), relationship)


def _drawn(m: Measurement, context: _Context) -> Iterator[Any]:
    """Yield the lines between a measurement's end points, LPS mm, where their grid is known."""
    from highdicom.sr import CoordinatesForMeasurement3D

    if m.source is None or m.source.file not in context.grids:
        return
    points = m.source.points_ijk
    for start, end in zip(points[::2], points[1::2], strict=True):
        lps = context.grids[m.source.file].to_world([start, end]) * (-1, -1, 1)
        yield CoordinatesForMeasurement3D("POLYLINE", lps.astype(np.float64), context.frame_of_reference)


def read_report_numbers(path: Path) -> dict[tuple[str, str], float | int | str | None]:
    """Read the values of one of our measurement reports, to compare them with ``measurements.json``.

    Parameters
    ----------
    path : Path
        A report from :func:`measurement_report`.

    Returns
    -------
    dict of (name, region) to value
        None where a value is not assessable.

    Raises
    ------
    FileFormatError
        Not such a report, or one value stands in it twice.

    Examples
    --------
    >>> from pydicom.data import get_testdata_file
    >>> read_report_numbers(Path(get_testdata_file("MR_small.dcm")))
    Traceback (most recent call last):
    tumorboard.errors.FileFormatError: report: expected a measurement report of ours; got another file.
    """
    from pydicom import dcmread

    told: list[tuple[tuple[str, str], float | int | str | None]] = []
    try:
        with quiet():
            report = dcmread(path)
            groups = _children(_children(report, "126010")[0], "125007")
            for group in groups:
                region = _children(group, "112039")[0].TextValue
                told += [((name, region), value) for name, value in map(_read, group.ContentSequence) if name]
    except Exception as error:
        raise FileFormatError("a measurement report of ours", got="another file", where="report") from error
    if len({key for key, _ in told}) != len(told):
        raise FileFormatError("each value once in a measurement report", got="one twice", where="report")
    return dict(told)


def _code(sequence: Any) -> tuple[str, str]:
    code = sequence[0]
    return str(code.get("CodeValue") or code.get("LongCodeValue")), str(code.CodingSchemeDesignator)


def _children(item: Any, value: str) -> list[Any]:
    return [c for c in item.ContentSequence if _code(c.ConceptNameCodeSequence) == (value, "DCM")]


def _read(item: Any) -> tuple[str, float | int | str | None]:
    """Return a measurement's name and value; no name for items that are no measurement."""
    tracked = _children(item, "112039") if "ContentSequence" in item else []
    if not tracked:
        return "", None
    name = str(tracked[0].TextValue)
    if item.ValueType == "CODE":
        code = _code(item.ConceptCodeSequence)
        return name, None if code == codes.NOT_ATTEMPTED[:2] else codes.word_of(*code)
    measured = item.MeasuredValueSequence[0]
    exact = measured.get("FloatingPointValue")
    return name, int(measured.NumericValue) if exact is None else float(exact)
