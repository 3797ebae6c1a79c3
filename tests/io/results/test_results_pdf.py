"""Reports as documents of the study."""

import io
from dataclasses import replace

import pytest
from pydicom import dcmread

from tumorboard.errors import FileFormatError
from tumorboard.io.dicom.templates import save, source_headers, to_bytes
from tumorboard.io.pdf import encapsulated_pdf

PDF = b"%PDF-1.7\nnot really, but it begins so\n%%EOF"


def test_a_document_is_valid(make_series, maker, complaints):
    errors, warnings = complaints(encapsulated_pdf(PDF, make_series(), "Tumour board – report", maker))
    assert not errors
    assert not warnings


@pytest.mark.parametrize("extra", [b"", b"\n"])
def test_the_document_comes_back_byte_for_byte(make_series, maker, tmp_path, extra):
    save(encapsulated_pdf(PDF + extra, make_series(), "Report", maker), tmp_path / "report.dcm")
    read = dcmread(tmp_path / "report.dcm")
    assert read.EncapsulatedDocument[: read.EncapsulatedDocumentLength] == PDF + extra
    assert len(read.EncapsulatedDocument) % 2 == 0


def test_a_real_report_can_be_opened(make_series, maker, tmp_path):
    pypdf = pytest.importorskip("pypdf")
    writer, stream = pypdf.PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 300)
    writer.write(stream)
    save(encapsulated_pdf(stream.getvalue(), make_series(), "Report", maker), tmp_path / "report.dcm")
    read = dcmread(tmp_path / "report.dcm")
    inside = io.BytesIO(read.EncapsulatedDocument[: read.EncapsulatedDocumentLength])
    assert len(pypdf.PdfReader(inside).pages) == 1


def test_it_belongs_to_the_patient_and_the_study_but_to_a_series_of_its_own(make_series, maker):
    series = make_series()
    out, source = encapsulated_pdf(PDF, series, "Report", maker), source_headers(series)[0]
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "StudyTime", "StudyDescription"):
        assert out[keyword].value == source[keyword].value
    assert out.SeriesInstanceUID != series.series_uid
    assert (out.Modality, out.VerificationFlag, out.BurnedInAnnotation) == ("DOC", "UNVERIFIED", "YES")
    assert "research" in out.SeriesDescription


def test_a_simulated_patient_is_said_in_the_description(make_series, maker):
    assert "simulated" in encapsulated_pdf(PDF, make_series(), "R", replace(maker, digital=True)).SeriesDescription


def test_the_same_report_gives_the_same_bytes_and_another_other_uids(make_series, maker):
    series = make_series()
    made = [encapsulated_pdf(pdf, series, "R", maker) for pdf in (PDF, PDF, PDF + b"2")]
    assert to_bytes(made[0]) == to_bytes(made[1])
    assert made[0].SOPInstanceUID != made[2].SOPInstanceUID


def test_what_is_no_pdf_is_refused(make_series, maker):
    with pytest.raises(FileFormatError, match="PDF"):
        encapsulated_pdf(b"<html>", make_series(), "R", maker)
