"""PDF: opens, has text, names nobody, repeats itself, and its absence is explained."""

from __future__ import annotations

import builtins
import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from tumorboard.report.build import PatientHeader, StudyBundle, build_report
from tumorboard.report.model import Report
from tumorboard.report.pdf import PANGO_HINT, render_pdf, write_pdf


@pytest.fixture(scope="module")
def report(make_bundle: Callable[..., StudyBundle]) -> Report:
    small = {"shape": (36, 44, 30), "spacing": (4.0, 4.0, 5.0)}
    return build_report(PatientHeader("p0042"), [make_bundle(1, **small), make_bundle(2, radius=9.0, **small)])


@pytest.fixture(scope="module")
def pdf(report: Report) -> bytes:
    result = render_pdf(report)
    if result.data is None:
        pytest.skip(result.reason)
    return result.data


def test_it_opens_and_has_text(pdf: bytes) -> None:
    reader = PdfReader(io.BytesIO(pdf))
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert 2 <= len(reader.pages) <= 8
    assert "Research – not for diagnosis" in text
    assert "p0042" in text
    assert "Whole tumour" in text
    assert all("Research" in page.extract_text() for page in reader.pages)


def test_metadata_name_nobody_and_no_day(pdf: bytes) -> None:
    told = PdfReader(io.BytesIO(pdf)).metadata
    assert told is not None
    assert told.title == "Tumour imaging report"
    assert "p0042" not in str(dict(told))
    assert "/CreationDate" not in told


def test_equal_reports_give_equal_files(
    report: Report, pdf: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    time.sleep(1.0)  # fonts would carry the second in which they were cut
    assert write_pdf(report, tmp_path / "report.pdf").ok
    assert "SOURCE_DATE_EPOCH" not in os.environ
    assert (tmp_path / "report.pdf").read_bytes() == pdf


@pytest.mark.parametrize(("error", "hint"), [(OSError, PANGO_HINT), (ImportError, "pip install weasyprint")])
def test_without_libraries_the_reason_says_how(
    report: Report, error: type[Exception], hint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("weasyprint"):
            raise error("not here")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    result = write_pdf(report, tmp_path / "report.pdf")
    assert not result.ok
    assert hint in result.reason
    assert not (tmp_path / "report.pdf").exists()


def test_the_room_does_not_load_weasyprint_by_itself() -> None:
    code = (
        "import sys, tumorboard.report.pdf; sys.exit('weasyprint' in sys.modules or 'matplotlib.pyplot' in sys.modules)"
    )
    import subprocess

    assert subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": str(SRC)}).returncode == 0


SRC = Path(__file__).parents[2] / "src"
