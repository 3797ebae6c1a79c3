"""The report as PDF, from the same page as the HTML.

Why it exists: paper and archives want PDF. WeasyPrint lays the page out; it may not open any address
but ``data:``. Where WeasyPrint or the Pango libraries are missing, the run goes on and the result
says what to install. The metadata name no patient and no date.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tumorboard.report.html import render_html
from tumorboard.report.model import Report

PANGO_HINT = "apt-get install libpango-1.0-0 libpangoft2-1.0-0"
WEASYPRINT_HINT = "pip install weasyprint"


@dataclass(frozen=True)
class PdfResult:
    """A PDF, or the reason why there is none.

    Parameters
    ----------
    data : bytes or None
        The file.
    reason : str
        Empty when there is a file; else what is missing and how to get it.
    """

    data: bytes | None
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether there is a PDF."""
        return self.data is not None


def render_pdf(report: Report) -> PdfResult:
    """Return the report as PDF; equal reports give equal bytes with the same WeasyPrint and fonts.

    Parameters
    ----------
    report : Report
        What is shown.

    Returns
    -------
    PdfResult
        The file, or the reason why there is none; nothing is raised for missing libraries.

    Examples
    --------
    >>> report = Report(patient="P01", created_by="tumorboard", banners=("Research",), facts=(), studies=())
    >>> result = render_pdf(report)
    >>> result.ok or "apt-get" in result.reason or "pip" in result.reason
    True
    """
    return pdf_of(lambda: render_html(report, unfold=True))


def pdf_of(page: Callable[[], str]) -> PdfResult:
    """Return a page as PDF; equal pages give equal bytes with the same WeasyPrint and fonts.

    Parameters
    ----------
    page : callable
        Makes the HTML; asked only where there is something to lay it out. It may name no address but ``data:``.

    Returns
    -------
    PdfResult
        The file, or the reason why there is none.

    Examples
    --------
    >>> result = pdf_of(lambda: "<p>Research</p>")
    >>> result.ok or "apt-get" in result.reason or "pip" in result.reason
    True
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="HarfBuzz-Subset", category=DeprecationWarning)
            from weasyprint import HTML  # noqa: PLC0415  (heavy, and Pango may be missing)
            from weasyprint.urls import URLFetcher  # noqa: PLC0415
    except ImportError:
        return PdfResult(None, f"no PDF: WeasyPrint 68 or later is not installed; {WEASYPRINT_HINT}")
    except OSError:
        return PdfResult(None, f"no PDF: the Pango libraries are missing; {PANGO_HINT}")
    text = page()
    fetcher = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    identifier = hashlib.sha256(text.encode()).hexdigest()[:32].encode()
    with _clock_held():
        data = HTML(string=text, url_fetcher=fetcher).write_pdf(pdf_identifier=identifier, pdf_tags=True)
    return PdfResult(bytes(data))


@contextmanager
def _clock_held() -> Iterator[None]:
    """Keep the time of day out of the embedded fonts, by the variable of reproducible-builds.org."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = before or "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]


def write_pdf(report: Report, path: Path) -> PdfResult:
    """Write the PDF to ``path`` when it can be made; nothing is written otherwise.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    result = render_pdf(report)
    if result.data is not None:
        path.write_bytes(result.data)
    return result
