"""Every page in a real browser, dark and light: nothing that axe-core calls serious, no complaint, nothing cut off."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tumorboard.serve.audit import record
from tumorboard.serve.data.people import Edit, Running, Urgency, User, WorkItem
from tumorboard.serve.data.tables import Instance, Job, Result, Sent, Study
from tumorboard.serve.data.words import EditState, JobState, SentState, Step, StudyState, WorkPriority, WorkState

pytestmark = pytest.mark.slow

KEY = "study0000000000{}"
SHIFT = {"priority": "STAT", "reasons": [{"sentence": "Midline shift: 7 mm (5 mm or more is displaced brain)."}]}
UNSEEN = ["Blood: not assessable.", "Ventricles: not assessable."]
PAGES = {
    "worklist": "/worklist",
    "time-line": "/patients/digital",
    "study": f"/studies/{KEY.format(3)}",
    "study-attention": f"/studies/{KEY.format(2)}",
    "study-without-results": f"/studies/{'f' * 16}",
    "room": f"/room/{KEY.format(3)}",
    "room-without-results": f"/room/{'f' * 16}",
    "audit": "/audit",
    "surveillance": "/surveillance",
    "settings-and-users": "/settings",
    "not-found": "/nothing/here",
    "not-found-study": "/studies/none",
}


@pytest.fixture
def busy(department, put, make_object, db):
    """The department on a day: studies in every state, urgent ones, failures, corrections, things sent, processes."""
    for number, name in enumerate(("Aa^Long^Name^Of^A^Person^With^Titles", "Bb", "Cc", "Dd"), start=21):
        put(make_object(study=str(number), patient=f"P{number}", PatientName=name))
    with db.begin() as session:
        studies = {s.key: s for s in session.scalars(select(Study))}
        one, two, three = (studies[KEY.format(n)] for n in (1, 2, 3))
        *_, late, at_work, waiting, read = session.scalars(select(Study).order_by(Study.id))
        two.state, two.reason = StudyState.ATTENTION, "study: expected at least one MR sequence; got none."
        late.state, at_work.state, waiting.state = StudyState.RECEIVING, StudyState.RUNNING, StudyState.QUEUED
        read.state = StudyState.DONE
        session.add(Job(study_id=two.id, step=Step.CHAIN, input_digest="d", state=JobState.ATTENTION, tries=3))
        session.add(
            Job(study_id=at_work.id, step=Step.CHAIN, input_digest="e", state=JobState.RUNNING, stage="segment")
        )
        said = SHIFT | {"notes": ["A note."], "not_assessable": UNSEEN}
        session.add(Urgency(study_id=three.id, version=1, score=12.0, priority=WorkPriority.HIGH, reasons=[said]))
        session.add(
            Urgency(study_id=one.id, version=1, score=0.0, priority=WorkPriority.LOW, reasons=[{"reasons": []}])
        )
        session.add(Urgency(study_id=two.id, version=1, score=6.0, priority=WorkPriority.HIGH, reasons=[said]))
        session.add(WorkItem(uid="2.25.77", study_id=three.id, state=WorkState.IN_PROGRESS, claimed_by="reader"))
        one_object = {"instance_id": session.scalars(select(Instance.id)).first(), "cards": ["fuzzy 1"]}
        results = [
            Result(study_id=three.id, version=1, kind=kind, name=kind, uid=f"2.25.8{n}", **one_object)
            for n, kind in enumerate(("seg", "sr", "report"))
        ]
        session.add_all(results)
        session.flush()
        session.add(Sent(result_id=results[0].id, peer="pacs", how="store", state=SentState.SENT))
        author = session.scalars(select(User).where(User.name == "reader")).one()
        session.add(
            Edit(
                study_id=one.id,
                number=1,
                result_version=1,
                author_id=author.id,
                state=EditState.ACCEPTED,
                file="x",
                digest="y",
                comment="rim was missed",
            )
        )
        session.add(Running(name="node-1", part="node", pid=1))
        session.add(Running(name="worker-1", part="worker", pid=2))
        for n in range(60):
            record(session, "reader", "study opened", KEY.format(1 + n % 3))
    return department


@pytest.mark.parametrize("name", ["login", "wrong", *PAGES])
def test_every_page_is_accessible_in_dark_and_light(busy, address, browse, shot, serious, name):
    errors = ("404 (Not Found)", "401 (Unauthorized)", "403 (Forbidden)")
    page = browse(address, "" if name in ("login", "wrong") else busy.tokens["admin"][0], allowed=errors)
    page.goto(address + PAGES.get(name, "/login"), wait_until="load")
    if name == "wrong":
        page.fill("#name", "reader")
        page.fill("#password", "not the password")
        page.keyboard.press("Enter")
        page.wait_for_selector("#wrong")
    if name == "room":
        page.wait_for_selector("body[data-ready=yes]", state="attached")
    for theme in ("dark",) if name.startswith("room") else ("dark", "light"):
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        shot(page, f"{name}-{theme}")
        assert serious(page) == [], theme
        assert _sticking_out(page) == [], theme
    if not name.startswith("room"):
        page.click("[data-do=keys]")
        assert serious(page) == [], "the dialog of keys"


def _sticking_out(page) -> list[str]:
    """Return elements that reach beyond the window to the right, and so are never seen."""
    return page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((e) => {
             const box = e.getBoundingClientRect();
             const wide = box.width > 1 && box.right > document.documentElement.clientWidth + 1;
             return wide && !e.closest(".scroll, .hidden, .skip");
           }).map((e) => e.outerHTML.slice(0, 100))"""
    )


def test_the_worklist_renews_itself(busy, address, browse, db):
    """The rows that come by themselves are as clean as the page."""
    expect = pytest.importorskip("playwright.sync_api").expect
    page = browse(address, busy.tokens["reader"][0])
    page.goto(f"{address}/worklist", wait_until="load")
    at_work = page.locator("#rows .s-running")
    expect(at_work).to_have_count(1)
    with db.begin() as session:
        session.scalars(select(Study).where(Study.state == StudyState.RUNNING)).one().state = StudyState.DONE
    expect(at_work).to_have_count(0, timeout=60_000)
    page.select_option("#shown", "all")
    expect(page.locator("#rows tbody tr")).to_have_count(8, timeout=60_000)
