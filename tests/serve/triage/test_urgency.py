"""Urgency: each step of the table, what is never said, and facts from a case folder as the chain writes it."""

import csv
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import FileFormatError, InputError
from tumorboard.measurement import Measurement, Source, StudyMeasurements
from tumorboard.serve.triage import Priority, assess, not_processed, read_table, urgency_of
from tumorboard.serve.triage.facts import READERS, CaseFacts, read_facts
from tumorboard.store import CaseFolder

AT = Source(file="dseg.nii.gz")
NAMES = (("midline_shift", "brain", "mm"), ("volume", "WT", "mL"), ("volume", "ET", "mL"), ("volume", "TC", "mL"))
NAMES += (("evans_index", "brain", "1"), ("t1_bright_volume", "WT", "mL"), ("lobe", "WT", "1"))


def listed(study="ses-01", warnings=(), **values):
    def one(name, region, unit):
        value = values.get(f"{name}_{region}", values.get(name))
        if value is None:
            return Measurement.missing(name, region, unit, f"{name} was not seen")
        return Measurement(name=name, region=region, value=value, unit=unit, method="m", source=AT)

    return StudyMeasurements(
        patient="P1",
        study=study,
        sequences=("T1",),
        segmenter="s 1",
        measurements=tuple(one(*n) for n in NAMES),
        warnings=warnings,
    )


QUIET = {"midline_shift": 0.4, "volume": 0.0, "evans_index": 0.22, "t1_bright_volume": 0.0, "lobe": "frontal"}


def facts(earlier=None, **values):
    return CaseFacts("ses-01", listed(**{**QUIET, **values}), earlier)


CASES = [
    ({"midline_shift": -2.9}, None, 0, "MEDIUM"),
    ({"midline_shift": -3.0}, "midline_shift", 5, "HIGH"),
    ({"midline_shift": 5.0}, "midline_shift", 10, "STAT"),
    ({"volume_WT": 30.0, "volume_TC": 1.0}, "tumour_volume", 2, "MEDIUM"),
    ({"volume_WT": 81.0}, "tumour_volume", 4, "MEDIUM"),
    ({"volume_WT": 6.0, "lobe": "cerebellum"}, "posterior_fossa", 5, "HIGH"),
    ({"volume_WT": 6.0, "lobe": "temporal"}, None, 0, "MEDIUM"),
    ({"evans_index": 0.31}, "ventricles", 3, "MEDIUM"),
    ({"evans_index": 0.40}, "ventricles", 6, "HIGH"),
    ({"t1_bright_volume": 0.5}, "bright_on_t1", 5, "HIGH"),
    ({"t1_bright_volume": 12.0}, "bright_on_t1", 10, "STAT"),
    ({"volume_ET": 1.0}, "first_tumour", 5, "HIGH"),
]


@pytest.mark.parametrize(("values", "finding", "points", "priority"), CASES)
def test_each_step_gives_its_points(values, finding, points, priority):
    found = assess(facts(**values))
    assert (found.score, found.priority.name) == (points, priority)
    assert [r.finding for r in found.reasons] == ([finding] if finding else [])


def test_every_finding_of_the_table_has_a_reader_and_a_source():
    table = read_table()
    assert {f.id for f in table.finding} == set(READERS)
    for finding in table.finding:
        for step in finding.step:
            assert "unverified" in step.source or any(c.isdigit() for c in step.source)
    kinds = {f.kind for f in table.finding}
    assert kinds >= {"mass effect", "hydrocephalus", "haemorrhage-like signal", "new or growing lesions", "progression"}


def test_of_one_kind_the_highest_counts_and_kinds_add_up():
    found = assess(facts(midline_shift=4.0, volume_WT=90.0, evans_index=0.32))
    assert [r.points for r in found.reasons] == [5.0, 4.0, 3.0]
    assert found.score == 8.0


def test_without_a_danger_nothing_is_stat():
    before = listed(**{**QUIET, "volume_TC": 1.0})
    grown = replace(facts(before, volume_WT=99.0, volume_TC=9.0), new_lesions=4, progressed=("mrano",), detected=9)
    found = assess(grown)
    assert found.score >= read_table().priority["STAT"] - 2
    table = read_table()
    assert table.priority_of(99.0, danger=False) is Priority.HIGH
    assert found.priority is Priority.HIGH


def test_the_number_stands_in_the_sentence():
    found = assess(facts(midline_shift=-7.25))
    assert found.sentences[0] == "Midline shift: 7.2 mm; 10 points from 5 mm on."


@given(
    st.sampled_from([None, *Priority]),
    st.fixed_dictionaries(
        {
            "midline_shift": st.none() | st.floats(-20, 20),
            "volume_WT": st.none() | st.floats(0, 200),
            "volume_ET": st.none() | st.floats(0, 200),
            "evans_index": st.none() | st.floats(0, 0.6),
            "t1_bright_volume": st.none() | st.floats(0, 50),
        }
    ),
)
def test_an_order_is_never_lowered_and_silence_is_never_normal(ordered, values):
    found = assess(CaseFacts("ses-01", listed(**values)), ordered)
    assert found.priority >= (ordered or Priority.MEDIUM)
    told = " ".join(found.sentences).lower()
    assert "normal" not in told.replace("not a normal study", "")
    assert found.reasons or "not a normal study" in told
    for name in ("midline_shift", "evans_index", "t1_bright_volume"):
        assert (values[name] is None) == (f"{name} was not seen" in told)


def test_more_of_a_finding_never_makes_a_study_less_urgent():
    keys = [assess(facts(midline_shift=mm)).reading_key for mm in range(12)]
    assert keys == sorted(keys, reverse=True)


def test_the_first_study_is_not_asked_for_growth_and_a_later_one_is():
    first, later = assess(facts()), assess(facts(listed(**QUIET)))
    assert not any("Growth" in s or "New lesions" in s for s in first.not_assessable)
    assert any("Growth" in s for s in later.not_assessable)  # the core had too little to grow from
    assert any("New lesions" in s for s in later.not_assessable)


def test_what_grew_is_told_in_percent_and_wider_ventricles_by_how_much():
    before = listed(**{**QUIET, "volume_TC": 2.0, "evans_index": 0.22})
    found = assess(facts(before, volume_TC=3.0, evans_index=0.28))
    assert {r.finding: round(r.value, 2) for r in found.reasons} == {"core_growth": 50.0, "ventricles_wider": 0.06}


def test_dangers_that_could_not_be_looked_at_are_told_first():
    found = assess(CaseFacts("ses-01", listed()))
    assert found.not_assessable[0].startswith("Midline shift: not assessable")
    assert found.not_assessable[-1].startswith("Lesions reported by the detector")


def test_a_study_that_failed_is_never_put_last():
    assert not_processed("ses-01", "T1C ends early", Priority.LOW).priority is Priority.MEDIUM
    assert not_processed("ses-01", "T1C ends early", Priority.STAT).priority is Priority.STAT
    assert "could not be processed" in not_processed("ses-01", "x").sentences[0]


@pytest.mark.parametrize(
    ("word", "priority", "ups"),
    [("stat", "STAT", "HIGH"), ("HIGH", "HIGH", "HIGH"), ("ROUTINE ", "LOW", "LOW"), ("MEDIUM", "MEDIUM", "MEDIUM")],
)
def test_words_of_orders(word, priority, ups):
    found = Priority.of(word)
    assert (found.name, found.ups) == (priority, ups)
    assert Priority.of("") is Priority.of("soon") is None


@pytest.fixture
def case(tmp_path):
    """A case folder of three studies, the parts that are read written as the chain writes them."""
    folder = CaseFolder(tmp_path, "P1")
    studies = [{"id": f"ses-0{n}", "date": f"2020-0{n}-01", "inputs": {}, "sequences": []} for n in (1, 2, 3)]
    values = [{"volume_TC": 2.0}, {"volume_TC": 2.2}, {"volume_TC": 8.0, "midline_shift": 6.0}]
    for told, value in zip(studies, values, strict=True):
        path = folder.session(told["id"]) / "measurements.json"
        path.parent.mkdir(parents=True)
        path.write_text(listed(told["id"], **{**QUIET, **value}).model_dump_json())
    (folder.root / "patient.json").write_text(json.dumps({"digital": True, "studies": studies}))
    lesions = [
        {"new": True, "compartment": "ce"},
        {"new": True, "compartment": "nce"},
        {"new": False, "compartment": "ce"},
    ]
    visits = [{"lesions": []}, {"lesions": []}, {"lesions": lesions}]
    (folder.root / ".stages").mkdir()
    kept = {"studies": [s["id"] for s in studies], "course": {"visits": visits}}
    (folder.root / ".stages" / "response.json").write_text(json.dumps(kept))
    with (folder.root / "verdicts.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("patient_id", "date", "criterion", "imaging_only"))
        rows.writerows((("P1", d, c, w) for d, c, w in (("2020-02-01", "mrano", "SD"), ("2020-03-01", "mrano", "PD"))))
    (folder.session("ses-03") / "seg").mkdir()
    found = {"not_assessable": "", "lesions": [{"reported": True}, {"reported": False}]}
    folder.seg("ses-03", "detections.json").write_text(json.dumps(found))
    return folder


def test_a_case_folder_is_read(case):
    read = read_facts(case)
    assert (read.study, read.earlier.study, read.digital) == ("ses-03", "ses-02", True)
    assert (read.new_lesions, read.progressed, read.detected) == (1, ("mrano",), 1)
    found = urgency_of(case)
    assert {r.finding for r in found.reasons} == {
        "midline_shift", "new_lesions", "core_growth", "progression", "detected_lesions",
    }  # fmt: skip
    assert found.priority is Priority.STAT
    assert "Digital patient" in " ".join(found.notes)
    assert json.loads(json.dumps(found.as_json()))["ups_priority"] == "HIGH"


def test_the_first_study_of_a_course_has_nothing_before_it(case):
    read = read_facts(case, "ses-01")
    assert (read.earlier, read.new_lesions, read.progressed) == (None, None, None)


def test_a_study_that_is_not_there_is_refused(case):
    with pytest.raises(InputError, match="ses-03"):
        read_facts(case, "ses-3")
    (case.session("ses-03") / "measurements.json").unlink()
    with pytest.raises(InputError, match="run the chain"):
        read_facts(case)


WRONG = [
    ("[[finding]]", "no TOML|Field required|version"),
    ("version = 1", "string"),
    ('version = "1"\nfinding = []\n[priority]\nURGENT = 3.0', "URGENT"),
    ("not toml", "no TOML"),
]


@pytest.mark.parametrize(("text", "why"), WRONG)
def test_a_wrong_table_is_refused_with_its_place(tmp_path, text, why):
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(FileFormatError, match=why):
        read_table(tmp_path / "own.toml")


def test_a_department_may_weigh_otherwise(tmp_path):
    own = (
        'version = "ours"\n[priority]\nHIGH = 1.0\n[[finding]]\nid = "tumour_volume"\ntitle = "T"\nkind = "k"\n'
        'unit = "mL"\ndanger = false\n[[finding.step]]\nat = 1.0\npoints = 1.0\nsource = "unverified: a test"\n'
    )
    (tmp_path / "own.toml").write_text(own)
    found = assess(facts(volume_WT=2.0, midline_shift=9.0), table=read_table(tmp_path / "own.toml"))
    assert (found.score, found.priority, found.table) == (1.0, Priority.HIGH, "ours")
