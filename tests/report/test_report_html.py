"""The page: self-contained, escaped, accessible, and silent about what is not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from tumorboard.measurement import Measurement
from tumorboard.report.build import MethodSentence, PatientHeader, StudyBundle, build_report
from tumorboard.report.html import footnotes, render_html
from tumorboard.report.model import Report
from tumorboard.sequences import Sequence

Make = Callable[..., StudyBundle]
HOSTILE = "<script>alert('x')</script>\"><img src=http://evil.example/x>"


class Page(HTMLParser):
    """Collects the tags and attributes of a page, and checks that tags close in order."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def report(make_bundle: Make) -> Report:
    header = PatientHeader("p01", methods=[MethodSentence("Read https://example.org first.", "https://doi.org/10.1/x")])
    return build_report(header, [make_bundle(1), make_bundle(2, radius=9.0)])


@pytest.fixture(scope="module")
def html(report: Report) -> str:
    return render_html(report)


def test_the_page_refers_to_nothing_outside(html: str) -> None:
    page = Page(html)
    assert page.open == []
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "base", "form"}
        for name in ("src", "href", "srcset", "action", "data", "background"):
            assert str(attributes.get(name) or "data:").startswith("data:"), (tag, name)
    style = html[html.index("<style>") : html.index("</style>")]
    assert not re.search(r"url\(|@import|https?:", style)
    outside_text = re.sub(r">[^<]*<", "><", html)
    assert not re.search(r"https?://", outside_text)


def test_the_policy_forbids_everything_but_own_style_and_pictures(html: str) -> None:
    policy = next(a["content"] for tag, a in Page(html).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_pictures_have_words_and_headers_have_scope(html: str) -> None:
    tags = Page(html).tags
    images = [a for tag, a in tags if tag == "img"]
    assert len(images) == 5  # two strips a study, one timeline
    assert all(len(str(a["alt"])) > 20 for a in images)
    assert all(a.get("scope") in {"row", "col"} for tag, a in tags if tag == "th")
    assert next(a for tag, a in tags if tag == "html")["lang"] == "en"


def test_banner_and_absence_of_category(html: str) -> None:
    assert "Research – not for diagnosis" in html
    assert "No response category is given here." in html
    assert not re.search(r"progressive disease|stable disease|partial response|complete response", html, re.I)


def test_title_names_nobody(html: str, report: Report) -> None:
    title = re.search(r"<title>(.*?)</title>", html)
    assert title is not None
    assert report.patient not in title.group(1)


def test_three_studies_stay_small(report: Report, html: str) -> None:
    assert len(html) / len(report.studies) < 1_300_000


def test_hostile_strings_are_escaped(make_bundle: Make) -> None:
    made = make_bundle(
        shape=(24, 28, 20), spacing=(6.0, 6.0, 7.0), decisions=[("T1C", HOSTILE, HOSTILE)], warnings=[HOSTILE]
    )
    bad = Measurement.missing("volume", HOSTILE, "mL", HOSTILE)
    measurements = made.measurements.model_copy(update={"measurements": (*made.measurements.measurements, bad)})
    hostile = make_bundle(shape=(24, 28, 20), spacing=(6.0, 6.0, 7.0), measurements=measurements, warnings=[HOSTILE])
    header = PatientHeader(HOSTILE, settings={HOSTILE: HOSTILE}, methods=[MethodSentence(HOSTILE, HOSTILE)])
    page = render_html(build_report(header, [made, hostile]))
    tags = Page(page).tags
    assert "script" not in {tag for tag, _ in tags}
    assert all(str(a["src"]).startswith("data:image/") for tag, a in tags if tag == "img")
    assert "&lt;script&gt;" in page


def test_what_is_not_assessable_is_said_and_never_zero(make_bundle: Make) -> None:
    page = render_html(build_report(PatientHeader("p01"), [make_bundle(sequences=(Sequence.FLAIR,))]))
    assert "not assessable: T1C is missing" in page
    row = re.search(r"Enhancing tumour \(ET\).*?</tr>", page, re.S)
    assert row is not None
    assert "not assessable" in row.group(0)
    assert "mL" not in row.group(0)


def test_an_empty_tumour_renders(make_bundle: Make) -> None:
    page = render_html(build_report(PatientHeader("p01"), [make_bundle(radius=0.0)]))
    assert "no tumour label" in page
    assert "Course" not in page
    assert Page(page).open == []


def test_unfolding_opens_every_fold(report: Report, html: str) -> None:
    assert "<details>" in html
    assert "<details>" not in render_html(report, unfold=True)


def test_a_method_is_told_once_a_table(report: Report) -> None:
    table = report.studies[0].tables[0]
    assert len(footnotes(table)) < len(table.rows)
    assert list(footnotes(table).values()) == list(range(1, len(footnotes(table)) + 1))
