"""The report as data: frozen, typed, and the same whatever it is rendered to.

Why it exists: HTML, PDF and Markdown must not drift apart, so each is a view of one :class:`Report`
that can be written to JSON and read back unchanged. Nothing is computed here; texts arrive as they
will be printed, and a value that could not be measured arrives as a sentence that says so.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict

RESEARCH_BANNER = "Research – not for diagnosis"
DIGITAL_BANNER = "Digital patient: simulated images, no real person"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Picture(_Frozen):
    """An encoded picture with its caption and the text for those who cannot see it.

    Parameters
    ----------
    media_type : {'image/png', 'image/jpeg'}
        How ``data`` is encoded.
    data : str
        The file as base64.
    width_px, height_px : int
        Size of the encoded picture.
    caption, alt : str
        Printed below the picture; spoken instead of it.
    """

    media_type: Literal["image/png", "image/jpeg"]
    data: str
    width_px: int
    height_px: int
    caption: str
    alt: str


class Row(_Frozen):
    """One measured quantity in words; ``assessable`` is False when ``value`` is the reason why not."""

    label: str
    value: str
    unit: str = ""
    method: str = ""
    note: str = ""
    assessable: bool = True


class Table(_Frozen):
    """Quantities of one kind."""

    title: str
    rows: tuple[Row, ...]


class Matrix(_Frozen):
    """Texts in columns; the first column names the row. ``notes`` are printed below."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


class StudySection(_Frozen):
    """All that is printed about one study; the first picture is its key picture."""

    id: str
    date: dt.date | None
    sequences: tuple[str, ...]
    segmenter: str
    labels_origin: str
    pictures: tuple[Picture, ...]
    tables: tuple[Table, ...]
    lesions: Matrix | None = None
    preparation: Matrix | None = None
    protocol: tuple[Matrix, ...] = ()
    warnings: tuple[str, ...] = ()


class Timeline(_Frozen):
    """Volumes over two or more studies: a picture and the numbers behind it, without a category."""

    picture: Picture
    table: Matrix
    notes: tuple[str, ...] = ()


class Operation(_Frozen):
    """One operation: what was there before and after it, and the same place on both sides."""

    table: Matrix
    pictures: tuple[Picture, ...] = ()


class Response(_Frozen):
    """What the studies say together.

    Parameters
    ----------
    summary : str
        The latest study's categories in a sentence or two.
    picture : Picture
        The course on one axis of time.
    verdicts, reasons : Matrix
        A line a criterion: category, sum and first progression; the verdict as a sentence.
    operations : tuple of Operation
        In order of date.
    notes : tuple of str
        What a reader has to know before believing any of it.
    """

    summary: str
    picture: Picture
    verdicts: Matrix
    reasons: Matrix
    operations: tuple[Operation, ...] = ()
    notes: tuple[str, ...] = ()


class ModelAnswer(_Frozen):
    """What a trained model says of the patient, a study or a lesion: research output.

    Parameters
    ----------
    title, card : str
        Of the model; the id of its card.
    of : str
        What the answer is of.
    answer : str
        In a sentence.
    rows : tuple of (str, str)
        How sure, how like the training rows, who was learned from, what was measured on whom.
    warnings : tuple of str
        What speaks against it.
    page : str
        Printable page beside the report; empty where there is none.
    """

    title: str
    card: str
    of: str
    answer: str
    rows: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...] = ()
    page: str = ""


class Models(_Frozen):
    """Models of the laboratory: those that answered, and those that did not, with what they lack."""

    notes: tuple[str, ...]
    answers: tuple[ModelAnswer, ...] = ()
    left_out: Matrix | None = None


class MethodParagraph(_Frozen):
    """A sentence about what was done and the work it cites (empty when it cites none)."""

    text: str
    citation: str = ""


class Report(_Frozen):
    """A patient's report.

    Parameters
    ----------
    patient : str
        Pseudonym; never a name.
    created_by : str
        Software and version.
    banners : tuple of str
        What every reader must know first.
    facts : tuple of Row
        Five to eight key facts of the latest study.
    studies : tuple of StudySection
        In order of date; the last is the latest.
    timeline : Timeline or None
        From two studies on.
    response : Response or None
        From two studies with dates on.
    models : Models or None
        Where models were asked.
    events, decisions, costs : Matrix or None
        What happened to the patient; which file was taken and why; time and memory of each stage.
    methods : tuple of MethodParagraph
        What ran, in order.
    settings : tuple of (str, str)
        Name and value of every setting.

    Examples
    --------
    >>> r = Report(patient="p01", created_by="tumorboard 0.1", banners=(RESEARCH_BANNER,), facts=(), studies=())
    >>> Report.model_validate_json(r.model_dump_json()) == r
    True
    """

    schema_version: Literal["1.0"] = "1.0"
    patient: str
    created_by: str
    banners: tuple[str, ...]
    facts: tuple[Row, ...]
    studies: tuple[StudySection, ...]
    timeline: Timeline | None = None
    response: Response | None = None
    models: Models | None = None
    events: Matrix | None = None
    methods: tuple[MethodParagraph, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    decisions: Matrix | None = None
    costs: Matrix | None = None
