"""The page of a patient: everything that the board asks for, on one sheet, with its world on it."""

from __future__ import annotations

import io
import re

import pytest
from pypdf import PdfReader

from tumorboard.errors import InputError
from tumorboard.lab.apply import case_page
from tumorboard.lab.apply.ask import ask
from tumorboard.lab.apply.page import models_csv, page_html, page_pdf, strip_of
from tumorboard.lab.apply.shelf import read_ready
from tumorboard.lab.apply.told import CaseTold, DriverTold, PatientModels
from tumorboard.report.model import DIGITAL_BANNER, RESEARCH_BANNER


def bare(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<body>")[2]).split())


@pytest.mark.parametrize("name", ["idh", "months", "subtype"])
def test_a_page_tells_everything_on_one_sheet(name, trained, make_case):
    ready = read_ready(trained[name])
    patient = "digital1" if name != "months" else "digital2"
    cohort = make_case(patient)
    told = ask(ready, cohort)
    made = page_pdf(ready, cohort, told)
    text = bare(page_html(patient, told, digital=True, cases=ready.model.cases))
    for said in (RESEARCH_BANNER, DIGITAL_BANNER, told.card, "Prediction", "Confidence", "Drivers", "Similar patients"):
        assert said in text, said
    assert "Learned from" in text
    assert "out of fold, digital patients" in text
    assert "its answer says nothing of people" in text
    assert "days" not in text
    reader = PdfReader(io.BytesIO(made.data))
    assert len(reader.pages) == 1
    assert "not for diagnosis" in reader.pages[0].extract_text()


def test_the_fullest_page_is_one_sheet(trained, make_case):
    ready, cohort = read_ready(trained["idh"]), make_case()
    told = ask(ready, cohort)
    (answer,) = told.answers
    long = "contrast of the texture in the rim around the tumour (5-10mm) on FLAIR after wavelet"
    drivers = tuple(DriverTold(column=long, words=long, effect=0.3 - n, value=1.5, percentile=50) for n in range(8))
    similar = tuple(CaseTold(case=f"case 10{n}", outcome="1", distance=1.0, differs=(long, long)) for n in range(5))
    why = answer.why.model_copy(update={"drivers": drivers, "similar": similar})
    told = told.model_copy(update={"answers": (answer.model_copy(update={"why": why}),), "title": f"{long} {long}"})
    assert len(PdfReader(io.BytesIO(page_pdf(ready, cohort, told).data)).pages) == 1


def test_the_strip_is_of_rows_that_were_tested(trained, make_case):
    ready = read_ready(trained["idh"])
    told = ask(ready, make_case())
    strip = strip_of(told, told.answers[0], ready.model.cases)
    best = float(told.answers[0].best)
    assert len(strip.yes) == int((ready.model.cases.truth[:, 0] == best).sum())
    assert len(strip.yes) + len(strip.no) == 60
    assert strip.here == 100 * told.answers[0].values[told.answers[0].best]
    survival = read_ready(trained["months"])
    other = ask(survival, make_case("digital2"))
    assert strip_of(other, other.answers[0], survival.model.cases) is None


def test_a_table_has_a_line_for_every_number_and_every_silence(trained, make_case):
    cohort = make_case()
    models = tuple(ask(read_ready(folder), cohort) for folder in trained.values())
    silent = tuple(ask(read_ready(folder), make_case(tables=False)) for folder in trained.values())
    lines = models_csv(PatientModels(patient="digital7", world="digital patients", models=models + silent)).splitlines()
    assert len(lines) == 1 + sum(len(a.values) for m in models for a in m.answers) + len(silent)
    assert all("digital patients" in line for line in lines[1:])


def test_a_page_of_a_case_folder(idh_model, make_case, tmp_path, digital_tables):
    make_case()
    out = tmp_path / "page.pdf"
    tables = [digital_tables / "participants.tsv"]
    assert case_page(idh_model, tmp_path / "sub-digital7", out, tables).status == "answered"
    assert out.read_bytes().startswith(b"%PDF")
    before = out.read_bytes()
    with pytest.raises(InputError, match="got none of: column age; column sex; column kps"):
        case_page(idh_model, tmp_path / "sub-digital7", out)
    make_case(digital=False)
    with pytest.raises(InputError, match="one that learned from digital patients"):
        case_page(idh_model, tmp_path / "sub-digital7", out, tables)
    assert out.read_bytes() == before
