"""Pages: what they show, in which order, and that nothing of a stranger's file is taken for markup or a statement."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tumorboard.serve.data.base import now
from tumorboard.serve.data.people import Edit, Urgency, User, WorkItem
from tumorboard.serve.data.tables import Instance, Job, Patient, Result, Study
from tumorboard.serve.data.words import EditState, JobState, ResultState, Step, StudyState, WorkPriority, WorkState

EVIL = "<script>alert('x')</script>^<img src=x onerror=alert(1)>"


def order(html):
    return re.findall(r'class="open">([^<]+)</a>', html)


@pytest.fixture
def three(put, make_object, db):
    """Three studies of three patients; the last that came is urgent, one needs attention."""
    keys = [put(make_object(study=str(n), patient=name)).study_key for n, name in ((1, "A"), (2, "B"), (3, "C"))]
    said = {"priority": "STAT", "reasons": [{"sentence": "Midline shift: 7 mm."}], "notes": ["A note."]}
    said["not_assessable"] = ["Blood: not assessable."]
    with db.begin() as session:
        a, b, c = session.scalars(select(Study).order_by(Study.id))
        session.add(Urgency(study_id=c.id, version=1, score=12.0, priority=WorkPriority.HIGH, reasons=[said]))
        session.add(Urgency(study_id=a.id, version=1, score=0.0, priority=WorkPriority.LOW, reasons=[{"reasons": []}]))
        b.state, b.reason = StudyState.ATTENTION, "the T1C ends early"
        session.add(Job(study_id=b.id, step=Step.CHAIN, input_digest="d", state=JobState.ATTENTION, tries=3))
        c.state = StudyState.DONE
    return keys


def test_the_most_urgent_comes_first_and_the_unknown_before_the_low(browser, three):
    html = browser("reader").get("/worklist").text
    assert order(html) == ["Secret, C", "Secret, B", "Secret, A"]
    assert "Midline shift: 7 mm." in html
    assert "Research – not for diagnosis" in html
    assert "the T1C ends early" in html


def test_silence_is_never_called_normal(browser, three):
    html = browser("reader").get("/worklist").text
    assert "That is not a normal study" in html
    assert not re.search(r"no finding|unremarkable|\bnormal\b(?! study)", html, re.IGNORECASE)


@pytest.mark.parametrize(
    ("shown", "names"),
    [
        ("attention", ["Secret, B"]),
        ("done", ["Secret, C"]),
        ("working", ["Secret, A"]),
        ("stored", []),
        ("read", []),
        ("nonsense", ["Secret, C", "Secret, B", "Secret, A"]),
    ],
)
def test_filters(browser, three, shown, names):
    assert order(browser("reader").send("/worklist", shown=shown).text) == names


@pytest.mark.parametrize("text", ["secret", "A77", "SECRET t1", "B"])
def test_search(browser, three, text, db):
    found = order(browser("reader").send("/worklist", text=text).text)
    assert found == ([] if "t1" in text else ["Secret, B"] if text == "B" else ["Secret, C", "Secret, B", "Secret, A"])


@pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "_", "\\", "'; DROP TABLE study; --", "\x00", "a" * 100])
def test_a_search_is_never_a_statement(browser, three, db, text):
    got = browser("reader").send("/worklist", text=text)
    assert got.status_code == 200
    assert order(got.text) == ([] if text != "\x00" else ["Secret, C", "Secret, B", "Secret, A"])
    with db.read() as session:
        assert len(session.scalars(select(Study)).all()) == 3


@pytest.mark.parametrize(("field", "value"), [("days", "x"), ("days", "-1"), ("page", "0"), ("page", "9" * 30)])
def test_fields_that_are_none_are_refused(browser, three, field, value):
    assert browser("reader").send("/worklist", **{field: value}).status_code == 422


def test_what_was_read_leaves_the_list(browser, three, db):
    with db.begin() as session:
        study = session.scalars(select(Study).where(Study.key == three[2])).one()
        session.add(WorkItem(uid="2.25.1", study_id=study.id, state=WorkState.COMPLETED))
    visitor = browser("reader")
    assert order(visitor.get("/worklist").text) == ["Secret, B", "Secret, A"]
    assert order(visitor.send("/worklist", shown="read").text) == ["Secret, C"]


def test_an_unchanged_list_is_not_sent_anew(browser, three, db):
    visitor = browser("reader")
    html = visitor.get("/worklist").text
    fields = {"csrf": visitor.token(), "seen": re.search(r'name="seen" value="(\w+)"', html).group(1)}
    assert visitor.post("/worklist/poll", fields).status_code == 204
    with db.begin() as session:
        session.scalars(select(Study).where(Study.key == three[0])).one().state = StudyState.RUNNING
    got = visitor.post("/worklist/poll", fields)
    assert got.status_code == 200
    assert got.text.lstrip().startswith('<section id="rows"')


def test_an_admin_lets_a_job_be_tried_again(browser, three, db, audit):
    admin = browser("admin")
    assert "Try again" in admin.get(f"/studies/{three[1]}").text
    assert "Try again" not in browser("reader").get(f"/studies/{three[1]}").text
    assert admin.send(f"/studies/{three[1]}/again").headers["location"] == f"/studies/{three[1]}"
    with db.read() as session:
        job = session.scalars(select(Job)).one()
        assert (job.state, job.tries, job.study.state) == (JobState.QUEUED, 0, StudyState.QUEUED)
    assert ("admin", "jobs tried again", three[1]) in audit()
    assert admin.send(f"/studies/{three[1]}/again").status_code == 404


def test_a_name_is_text_wherever_it_stands(browser, put, make_object, db):
    key = put(
        make_object(PatientName=EVIL, StudyDescription="<b>x", SeriesDescription="<i>y", PatientID="<u>1")
    ).study_key
    with db.read() as session:
        patient = session.scalars(select(Patient)).one().key
    visitor = browser("admin")
    for path in ("/worklist", f"/studies/{key}", f"/patients/{patient}"):
        html = visitor.get(path).text
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "&lt;script&gt;" in html
        assert "<u>1" not in html
    got = visitor.get("/dicomweb/studies")
    assert got.headers["content-type"] == "application/dicom+json"
    assert visitor.send("/worklist", text="<b>x").text.count("<b>x") == 0


def test_no_address_on_a_page_identifies_anybody(browser, three, make_object, db):
    ds = make_object()
    with db.read() as session:
        patient = session.scalars(select(Patient)).first().key
    visitor = browser("admin")
    for path in ("/worklist", f"/studies/{three[0]}", f"/patients/{patient}", "/audit"):
        addresses = " ".join(re.findall(r'(?:href|src|action|data-\w+)="([^"]*)"', visitor.get(path).text))
        for said in ("Secret", ds.StudyInstanceUID, ds.StudyDate, "A77"):
            assert said not in addresses


def test_every_look_is_noted(browser, three, audit, db):
    with db.read() as session:
        patient = session.scalars(select(Patient)).first().key
    visitor = browser("reader")
    visitor.get(f"/studies/{three[0]}")
    visitor.get(f"/patients/{patient}")
    assert audit()[-2:] == [("reader", "study opened", three[0]), ("reader", "patient opened", patient)]


def test_results_show_their_state_and_earlier_ones_stay(browser, study_key, db):
    with db.begin() as session:
        study, instance = session.scalars(select(Study)).one(), session.scalars(select(Instance)).one()
        author = session.scalars(select(User)).first()
        for version, state in ((1, ResultState.SUPERSEDED), (2, ResultState.CURRENT)):
            made = Result(
                study_id=study.id, instance_id=instance.id, version=version, kind="seg", name="seg", state=state
            )
            made.uid, made.cards = f"2.25.{version}", ["fused 1"]
            session.add(made)
        edit = Edit(study_id=study.id, number=1, result_version=2, author_id=author.id, file="x", digest="d")
        edit.state, edit.comment = EditState.ACCEPTED, "<b>cavity"
        session.add(edit)
    html = browser("reader").get(f"/studies/{study_key}").text
    assert html.index("current") < html.index("superseded")
    assert "fused 1" in html
    assert "&lt;b&gt;cavity" in html
    watched = browser("reader").get("/surveillance").text
    assert "50 % (9 to 91)" in watched  # one of two results corrected; Wilson's interval, as statsmodels gives it


@pytest.mark.parametrize("path", ["/studies/0000000000000000", "/patients/000000000000", "/studies/x/report.pdf"])
def test_what_is_not_there_is_told_as_such(browser, path):
    got = browser("reader").get(path)
    assert got.status_code == 404
    assert "<h1>Not Found</h1>" in got.text


def test_audit_is_searched_and_escaped(browser, three, audit):
    admin = browser("admin")
    admin.get(f"/studies/{three[0]}")
    html = admin.send("/audit", what="study opened").text
    assert f'href="/studies/{three[0]}"' in html
    assert "worklist opened" not in html
    assert admin.send("/audit", who="%").text.count("<tr") == 2  # the head, and that there is none
    assert admin.send("/audit", before="x").status_code == 422


def test_settings_tell_no_path_and_no_password(browser, settings, db, shelf):
    html = browser("admin").get("/settings").text
    assert str(settings.home) not in html
    assert "argon2" not in html
    assert "TUMORBOARD" in html


def test_surveillance_counts(browser, three, db):
    with db.begin() as session:
        study = session.scalars(select(Study)).first()
        for n, state in enumerate([JobState.DONE] * 3 + [JobState.ATTENTION]):
            job = Job(study_id=study.id, step=Step.CHAIN, input_digest=str(n), state=state, tries=1, ended_at=now())
            job.reason = "no T1C" if state is JobState.ATTENTION else ""
            session.add(job)
    html = browser("reader").get("/surveillance").text
    assert "25 % (5 to 70)" in html
    assert "no T1C" in html


def test_pages_have_a_language_a_heading_a_skip_link_and_labels(browser, three):
    visitor = browser("admin")
    for path in ("/worklist", f"/studies/{three[2]}", "/audit", "/surveillance", "/settings"):
        html = visitor.get(path).text
        assert '<html lang="en"' in html
        assert html.count("<h1>") == 1
        assert 'class="skip" href="#main"' in html
        labelled = set(re.findall(r'<label for="(\w+)"', html))
        fields = re.findall(r'<(?:input|select)(?![^>]*type="hidden")[^>]*\bid="(\w+)"', html)
        assert set(fields) <= labelled, path
