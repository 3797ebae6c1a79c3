"""Results as DICOM objects beside a study that came as DICOM: SEG, SR, PDF and captures.

Why it exists: what does not go back into the PACS is not seen by those who decide. Objects are written
into the case folder and sent nowhere; they are unverified, and say that they are research.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tumorboard import __version__
from tumorboard.chain.saved import files_of
from tumorboard.chain.trip import StudyTrip
from tumorboard.io.dicom.maker import Maker
from tumorboard.io.sr_response import Rated
from tumorboard.report.model import Picture, Report
from tumorboard.respond.criterion import NAMES, read_criterion
from tumorboard.series import Series
from tumorboard.settings import RunSettings
from tumorboard.store import digest
from tumorboard.verdict import Verdict
from tumorboard.volume import Grid

REPORT_TITLE = "tumorboard report - research, not for diagnosis"


def reference_series(trip: StudyTrip) -> Series | None:
    """Return the DICOM series that gave the study its grid; None when the study came as files of images."""
    choice = trip.source.files.get(trip.study().reference)
    return None if choice is None else choice.series


def write_objects(
    trip: StudyTrip, report: Report, pdf: bytes | None, settings: RunSettings, verdicts: Sequence[Verdict] = ()
) -> list[Path]:
    """Write the objects of one study below ``dicom/`` and return the files; none without a DICOM source.

    Parameters
    ----------
    trip : StudyTrip
        Measured.
    report : Report
        Of the patient; its pictures of this study become captures.
    pdf : bytes or None
        The rendered report.
    settings : RunSettings
        What the run was told; part of every UID.
    verdicts : sequence of Verdict
        Of this study by every criterion; they stand in its structured report.
    """
    series = reference_series(trip)
    if series is None:
        return []
    from tumorboard.io.dicom.templates import save

    folder = trip.folder.session(trip.id) / "dicom"
    written = []
    for name, made in _objects(trip, series, report, pdf, _maker(trip, settings), verdicts):
        save(made, folder / f"{name}.dcm")
        written.append(folder / f"{name}.dcm")
    return written


def _objects(
    trip: StudyTrip, series: Series, report: Report, pdf: bytes | None, maker: Maker, verdicts: Sequence[Verdict]
) -> Iterator[tuple[str, Any]]:
    from tumorboard.io.capture import capture
    from tumorboard.io.pdf import encapsulated_pdf
    from tumorboard.io.seg import segmentation
    from tumorboard.io.sr import measurement_report

    labels = trip.outlined().segmented.native or trip.outlined().segmented.labels
    seg = segmentation(labels, series, maker)
    for name, made in (("seg", seg), ("labelmap", segmentation(labels, series, maker, kind="labelmap"))):
        if made is not None:
            yield name, made
    listed = trip.measured()[1]
    inputs = tuple(c.series for c in trip.source.files.values() if c.series is not None)
    yield "sr", measurement_report(listed, series, inputs, seg, maker, _grids(trip), [_rated(v) for v in verdicts])
    if pdf is not None:
        yield "report", encapsulated_pdf(pdf, series, REPORT_TITLE, maker, _without_times(report))
    section = next(s for s in report.studies if s.id == trip.id)
    for number, picture in enumerate(section.pictures, start=1):
        yield f"capture-{number}", capture(_pixels(picture), series, _title(picture), number, maker)


def _rated(verdict: Verdict) -> Rated:
    criterion = read_criterion(verdict.criterion)
    return Rated(verdict, criterion.title, criterion.version, criterion.source, NAMES[criterion.measure])


def _without_times(report: Report) -> str:
    """Return a digest of what a report says, but for how long it took."""
    return digest(report.model_copy(update={"costs": None}).model_dump_json())


def _maker(trip: StudyTrip, settings: RunSettings) -> Maker:
    told = trip.outlined().told
    return Maker(
        software="tumorboard",
        version=__version__,
        algorithm=str(told["id"]),
        algorithm_version=str(told["version"]),
        algorithm_type=_algorithm_type(trip),
        family="cluster" if trip.source.labels is None else "manual",
        digital=settings.digital,
        settings_digest=digest(settings.model_dump_json()),
        when=dt.datetime.now(),
    )


def _algorithm_type(trip: StudyTrip) -> Literal["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"]:
    """Return how the tumour was outlined, in the words of DICOM; a corrected outline is in between."""
    labels = trip.source.labels
    if labels is None:
        return "AUTOMATIC"
    return "MANUAL" if labels.correction is None else "SEMIAUTOMATIC"


def _grids(trip: StudyTrip) -> dict[str, Grid]:
    """Return the grid of every file that measurements cite, so that end points can be told in patient space."""
    study, files = trip.study(), files_of(trip.folder, trip.id)
    native = study.native or study.grid
    working = dict.fromkeys((files.labels, files.lesions, files.brain), study.grid)
    return working | dict.fromkeys((files.native_labels, files.native_lesions), native)


def _pixels(picture: Picture) -> NDArray[np.uint8]:
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(picture.data))) as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)


def _title(picture: Picture) -> str:
    """Return the first clause of the caption, which is short enough for a series' description."""
    return picture.caption.split(",")[0].split(".")[0][:60]
