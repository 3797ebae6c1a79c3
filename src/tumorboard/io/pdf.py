"""A PDF report as a DICOM document beside the study it reports on.

Why it exists: a board opens the report where the images are. The library that writes our other results
has no encapsulated documents, and common converters leave out the study's date; this one does not.

Source: PS3.3 A.45.1 (Encapsulated PDF), C.24.2 (Encapsulated Document).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tumorboard.errors import FileFormatError
from tumorboard.io.dicom.maker import Maker, plain
from tumorboard.io.dicom.templates import blank, first_header, quiet
from tumorboard.io.dicom.uids import uid_from
from tumorboard.series import Series
from tumorboard.store import digest

if TYPE_CHECKING:
    from pydicom import Dataset

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
"""Encapsulated PDF Storage."""


def encapsulated_pdf(pdf: bytes, series: Series, title: str, maker: Maker, says: str = "") -> Dataset:
    """Return a PDF as a DICOM document of the study that a series belongs to.

    Parameters
    ----------
    pdf : bytes
        The document; a zero byte is added when their number is odd, and the true length is told.
    series : Series
        Any series of the study.
    title : str
        Document title, put into ASCII.
    maker : Maker
        Who makes it.
    says : str
        Digest of what the document says, times apart; it gives the unique identifiers, so that the same
        results make the same object. The document's own bytes by default.

    Returns
    -------
    Dataset

    Raises
    ------
    FileFormatError
        The bytes are no PDF, or the source cannot be read.
    GeometryError
        The series has no planes.

    Examples
    --------
    >>> import datetime as dt
    >>> from pathlib import Path
    >>> from pydicom.data import get_testdata_file
    >>> from tumorboard.io.dicom.scan import scan_dicom
    >>> series = scan_dicom([Path(get_testdata_file("MR_small.dcm"))]).series[0]
    >>> maker = Maker("tumorboard", "0.1", "fuzzy", "1.0", False, "a1", dt.datetime(2026, 1, 2))
    >>> document = encapsulated_pdf(b"%PDF-1.7", series, "Report", maker)
    >>> document.Modality, document.SeriesDescription, document.StudyInstanceUID == series.study_uid
    ('DOC', 'tumorboard report - research', True)
    """
    if not pdf.startswith(b"%PDF-"):
        raise FileFormatError("a PDF document", got="other bytes", where="report")
    made = digest(says or pdf, title, maker.settings_digest, maker.version)
    uids = uid_from(series.study_uid, "report", made), uid_from(series.study_uid, "report", made, "1")
    with quiet():
        out = blank(first_header(series), maker, ENCAPSULATED_PDF, "DOC", "report", uids)
        out.ConversionType = "WSD"
        out.AcquisitionDateTime = ""
        out.BurnedInAnnotation = "YES"
        out.DocumentTitle = plain(title)
        out.ConceptNameCodeSequence = []
        out.VerificationFlag = "UNVERIFIED"
        out.MIMETypeOfEncapsulatedDocument = "application/pdf"
        out.EncapsulatedDocumentLength = len(pdf)
        out.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    return out
