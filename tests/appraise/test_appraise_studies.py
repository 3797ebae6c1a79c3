"""A table of the literature as facts, and the audit's files."""

from __future__ import annotations

import csv

import pytest

from tumorboard.appraise.audit import audit
from tumorboard.appraise.audit_write import FILES, write_audit
from tumorboard.appraise.studies import read_studies
from tumorboard.errors import InputError

TABLE = """\
study,data.digital,data.patients,data.events,features.candidates,validation.design,validation.external,performance.metrics,data.sources
Lao 2017,no,112,80,1500,split,,AUC = 0.85 (0.80 to 0.90); C = 0.71,TCIA; own
<Mine>,no,60,,,,yes,C-index = 0.70 (0.60 to 0.80) external,
"""


def read(tmp_path, text):
    (tmp_path / "studies.csv").write_text(text)
    return read_studies(tmp_path / "studies.csv")


def test_cells_become_facts_and_empty_ones_stay_unknown(tmp_path):
    found = read(tmp_path, TABLE)
    lao = found["Lao 2017"]
    assert (lao.data.patients, lao.data.sources, lao.validation.external) == (112, ("TCIA", "own"), None)
    assert lao.validation.design == "split"
    first, second = lao.performance.metrics
    assert (first.name, first.value, first.low, first.high, first.n) == ("AUC", 0.85, 0.8, 0.9, 112)
    assert second.low is None
    assert found["<Mine>"].performance.metrics[0].on == "external"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("study,data.patient\nA,3\n", "data.patients"),
        ("study,data.patients\nA,many\n", "studies row 2: expected a number in data.patients"),
        ("study,validation.external\nA,perhaps\n", "yes or no"),
        ("study,validation.design\nA,guess\n", "validation.design"),
        ("study,performance.metrics\nA,good\n", "measures like"),
        ("study,performance.metrics\nA,AUC = 0.9 (0.91 to 0.95)\n", "within its interval"),
        ("study,data.patients,data.events\nA,3,9\n", "no more outcomes"),
        ("study\nA\nA\n", "one twice"),
        ("study\n", "one study"),
    ],
)
def test_a_table_that_is_wrong_is_refused(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


def test_the_audit_is_written_and_escaped(tmp_path):
    found = audit(read(tmp_path, TABLE))
    page = write_audit(found, tmp_path / "out")
    assert {p.name for p in (tmp_path / "out").iterdir()} == set(FILES)
    text = page.read_text()
    assert "data:image/png;base64" in text
    assert "Research – not for diagnosis" in text
    rows = list(csv.DictReader((tmp_path / "out" / "audit.csv").read_text().splitlines()))
    external = {r["study"]: r["answer"] for r in rows if r["question"] == "tested on patients of other hospitals"}
    assert external == {"Lao 2017": "", "<Mine>": "yes"}
    again = write_audit(found, tmp_path / "again")
    assert all((page.parent / f).read_bytes() == (again.parent / f).read_bytes() for f in FILES)
