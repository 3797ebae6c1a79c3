"""Generated headers: of nobody, valid, reproducible, and made without a look at what recognises them."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian

from tumorboard.sequences import Sequence
from tumorboard.simulate.files import header_techniques, header_words, headers
from tumorboard.simulate.files.headers import KINDS, LANGUAGES, VENDORS, draw_header, draw_study

SEEDS = st.integers(0, 2**32 - 1)
each_kind = pytest.mark.parametrize("kind", KINDS)


def stored(header):
    """Write it to a file in memory and read it back."""
    raw = io.BytesIO()
    header.save_as(raw, implicit_vr=False, little_endian=True)
    return dcmread(io.BytesIO(raw.getvalue()), force=True)


@each_kind
def test_every_kind_vendor_and_language_can_be_written_and_read(kind):
    rng = np.random.default_rng(1)
    for vendor in VENDORS:
        for language in LANGUAGES:
            header = draw_header(rng, kind, vendor, language)
            header.ensure_file_meta()
            header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            again = stored(header)
            assert again == header
            assert str(again.PatientName) == "Fictional^Person"
            assert again.PatientID.startswith("SIM")


@given(SEEDS, st.sampled_from(KINDS), st.sampled_from(VENDORS), st.sampled_from(LANGUAGES))
def test_the_same_chance_gives_the_same_header(seed, kind, vendor, language):
    one, other = (draw_header(np.random.default_rng(seed), kind, vendor, language) for _ in range(2))
    assert one == other


@given(SEEDS, st.sampled_from(VENDORS), st.sampled_from(LANGUAGES))
def test_a_study_is_of_one_person_on_one_scanner_in_order(seed, vendor, language):
    study = draw_study(np.random.default_rng(seed), vendor, language)
    for keyword in ("StudyInstanceUID", "PatientID", "StudyDate", "ManufacturerModelName"):
        assert len({s.header.get(keyword) for s in study}) == 1
    assert len({s.header.SeriesInstanceUID for s in study}) == len(study)
    times = [float(s.header.AcquisitionTime) for s in study]
    assert times == sorted(times)
    whats = [s.what for s in study]
    if "T1" in whats:
        assert whats.index("T1") < whats.index("T1C")


@given(SEEDS, st.sampled_from(VENDORS), st.sampled_from(LANGUAGES))
def test_the_agent_goes_in_between_t1_and_t1c(seed, vendor, language):
    for series in draw_study(np.random.default_rng(seed), vendor, language):
        start = series.header.get("ContrastBolusStartTime")
        if start and series.what in ("T1", "T1C"):
            assert (float(series.header.AcquisitionTime) > float(start)) == (series.what == "T1C")


def test_departments_spoil_some_headers_and_not_most():
    rng = np.random.default_rng(7)
    drawn = [draw_header(rng, Sequence.T1C, v, w) for v in VENDORS for w in LANGUAGES for _ in range(10)]
    for spoilt in (
        [h for h in drawn if not h.get("ContrastBolusAgent")],
        [h for h in drawn if "RepetitionTime" not in h],
        [h for h in drawn if "T1" not in h.SeriesDescription.upper()],
    ):
        assert 0 < len(spoilt) < len(drawn) / 2


@pytest.mark.parametrize("asked", [("T3", "GE", "en"), ("T1", "ACME", "en"), ("T1", "GE", "xx")])
def test_what_cannot_be_drawn_is_refused(asked):
    with pytest.raises(ValueError, match="expected a"):
        draw_header(np.random.default_rng(0), *asked)


@pytest.mark.parametrize("module", [headers, header_techniques, header_words], ids=lambda m: m.__name__)
def test_the_generator_does_not_know_the_recogniser(module):
    """A generator that read the table of evidence would prove nothing about it."""
    tree = ast.parse(Path(module.__file__).read_text())
    imported = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert not [name for name in imported if "intake" in name]


def test_every_technique_has_names_and_every_sequence_a_technique():
    assert {t.name for t in header_techniques.TECHNIQUES} <= set(header_words.NAMES)
    assert {s.value for s in Sequence} <= set(KINDS)
    for vendor in VENDORS:
        assert {t.what for t in header_techniques.TECHNIQUES if vendor[0] in t.vendors} == set(KINDS)
