"""The pages tell the truth: every snippet runs, every link leads somewhere, the reference is that of the code.

Blocks marked ``bash`` and ``python`` are run, in order, one page in one folder; ``csv`` is written to ``visits.csv``
where it has lesions, else to ``events.csv``; ``text`` is only shown. A command's expected exit code stands behind it
as ``# exit code 2``.
"""

from __future__ import annotations

import doctest
import json
import re
import runpy
import shlex
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest

from tumorboard import run
from tumorboard.chain import patient
from tumorboard.cli.main import main
from tumorboard.intake import IntakeRequest
from tumorboard.intake.events import COLUMNS
from tumorboard.report.pdf import PdfResult
from tumorboard.study import EventKind

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*(ROOT / n for n in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
EXIT_CODE = re.compile(r"# exit code (\d)$")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def blocks(page: Path, *kinds: str) -> list[tuple[str, str]]:
    return [(kind, text) for kind, text in FENCE.findall(page.read_text()) if not kinds or kind in kinds]


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text())


# --- snippets ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One command of a page, and the exit code it should end with."""

    words: list[str]
    code: int

    @classmethod
    def of(cls, text: str) -> Line:
        found = EXIT_CODE.search(text)
        return cls(shlex.split(text, comments=True), int(found[1]) if found else 0)


def lines(text: str) -> list[Line]:
    found = [Line.of(line) for line in text.replace("\\\n", " ").splitlines()]
    return [line for line in found if line.words]


def targets() -> set[str]:
    return set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.M))


def run_line(line: Line, monkeypatch, capsys) -> None:
    program, *rest = line.words
    if program == "make":
        assert set(rest) <= targets(), f"{rest} is no target of the Makefile"
    elif line.words[:3] == ["sudo", "apt-get", "install"]:
        known = (ROOT / ".ci" / "run").read_text()
        assert all(package in known for package in line.words[3:])
    else:
        assert program in (".venv/bin/tumorboard", "tumorboard"), f"{program} is nothing that a page may run"
        monkeypatch.setattr(sys, "argv", ["tumorboard", *rest])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        told = capsys.readouterr()
        assert code == line.code, f"{shlex.join(line.words)} ended with {code}: {told.err or told.out[-2000:]}"


def run_python(text: str, names: dict, where: str) -> None:
    if ">>>" not in text:
        exec(compile(text, where, "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(text, names, where, where, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    failed = runner.run(test, clear_globs=False).failed
    names.update(test.globs)
    assert not failed, where


WITH_SNIPPETS = [p for p in PAGES if blocks(p, "bash", "python", "csv")]
WITH_PAPER = ("README.md", "docs/how-to/dicom.md")
"""Pages whose runs write the PDF too; for the others it would take seconds each."""


@pytest.mark.parametrize("page", WITH_SNIPPETS, ids=name_of)
def test_snippets_run(page, home, monkeypatch, capsys):
    if name_of(page) not in WITH_PAPER:
        monkeypatch.setattr(patient, "render_pdf", lambda report: PdfResult(None, "left out here: it takes long"))
    names: dict = {"__name__": "__page__"}
    for kind, text in blocks(page, "bash", "python", "csv"):
        if kind == "csv":
            (home / ("visits.csv" if "lesion_id" in text else "events.csv")).write_text(text)
        elif kind == "python":
            run_python(text, names, name_of(page))
        else:
            for line in lines(text):
                run_line(line, monkeypatch, capsys)


@each_page
def test_no_command_hides_in_a_block_that_is_not_run(page):
    for kind, text in blocks(page):
        assert kind in ("bash", "python", "csv", "text"), f"a block marked {kind!r}"
        if kind == "text":
            assert not re.search(r"tumorboard \w|^make |^import |^from |>>>", text, re.M), text


def test_a_wrong_snippet_is_noticed(home, monkeypatch, capsys):
    for bad in ("make tea", "rm -r results", "tumorboard validate nowhere", "tumorboard validate FOLDER # exit code 2"):
        with pytest.raises(AssertionError):
            run_line(Line.of(bad), monkeypatch, capsys)
    with pytest.raises(AssertionError):
        run_python(">>> 1 + 1\n3\n", {}, "bad")


@pytest.fixture(scope="module")
def ran(world, tmp_path_factory) -> Path:
    """A folder in which ``OUT`` is what a run wrote."""
    place = tmp_path_factory.mktemp("ran")
    run(IntakeRequest(inputs=(world / "my-patient",), patient="P01"), place / "OUT")
    return place


def test_the_tree_of_results_is_what_is_written(ran):
    (tree,) = [t for _, t in blocks(DOCS / "concepts" / "case-folder.md", "text")]
    told = set()
    for line in tree.splitlines():
        first, *more = re.split(r"  +", line)[0].split(", ")
        folder = Path(first).parent
        names = [Path(first).name, *(n if n[0] != "." else Path(first).stem + n for n in more)]
        for name in names:
            found = list((ran / folder).glob(name.removesuffix("/")))
            assert found, f"{folder / name} is not written"
            told |= {f for p in found for f in ([p] if p.is_file() else p.rglob("*"))}
    written = {p for p in (ran / "OUT" / "sub-P01").rglob("*") if p.is_file() and ".stages" not in p.parts}
    assert written <= told, "the page does not name everything that is written"


# --- what pages may say -----------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def links(page: Path) -> list[str]:
    return LINK.findall(prose(page))


@each_page
def test_links_lead_somewhere(page):
    for link in links(page):
        if link.startswith("https://"):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / unquote(place)).resolve() if place else page
        assert target.is_relative_to(ROOT), f"{link} leaves the project"
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors(target), f"{link}: no such heading"


def test_every_page_can_be_reached_from_the_readme():
    seen, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in seen:
            seen.add(page)
            places = [(page.parent / link.partition("#")[0]).resolve() for link in links(page)]
            ahead += [p for p in places if p.suffix == ".md" and p.exists()]
    assert {name_of(p) for p in PAGES} <= {name_of(p) for p in seen}


@each_page
def test_no_place_on_a_machine(page):
    found = re.search(r"(?<![\w.])/(?:home|root|work|tmp|Users|mnt|opt|srv)\b|[A-Z]:\\|localhost", page.read_text())
    assert not found, found


CLAIMS = re.compile(r"medical device|diagnos\w+|FDA|CE[- ]mark\w*|clinical(?:ly)?[- ](?:grade|validated|use)", re.I)
NAMES = re.compile(r"\b(?:integrated|integrated WHO|WHO(?: 20\d\d)?) diagnosis\b")
"""What the World Health Organization's scheme is called; a page may name it."""
DENIED = re.compile(r"\b(?:not|no|nothing|never|nor)\b", re.I)


def claims(text: str) -> list[str]:
    """Return sentences that speak of a device or a diagnosis and do not deny it."""
    sentences = re.split(r"(?<=[.;:!?|])\s+", NAMES.sub("scheme", " ".join(text.split())))
    return [s for s in sentences if (found := CLAIMS.search(s)) and not DENIED.search(s[: found.start()])]


@each_page
def test_no_page_claims_to_be_a_medical_device(page):
    assert claims(prose(page)) == []


def test_a_claim_is_noticed():
    assert claims("It is a medical device.")
    assert claims("Not for children. FDA-cleared.")
    assert claims("It makes the diagnosis of a glioma.")
    assert not claims("The WHO 2021 diagnosis is computed from markers.")
    assert not claims("It is not a medical device, and nothing it prints is a diagnosis.")


def test_the_readme_and_the_index_say_what_it_is_not():
    for page in (ROOT / "README.md", DOCS / "index.md"):
        assert "not a medical device" in " ".join(page.read_text().split())


def test_pages_are_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 70
    for page in DOCS.rglob("*.md"):
        if page.parent.name != "reference":
            assert len(page.read_text().splitlines()) <= 60, name_of(page)
    assert (
        max(len(line) for page in PAGES if page.parent.name != "reference" for line in prose(page).splitlines()) <= 130
    )


def test_the_picture_is_small():
    picture = DOCS / "images" / "report.png"
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture.stat().st_size < 400_000


# --- pages against the code -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def script() -> dict:
    return runpy.run_path(str(ROOT / "scripts" / "make_reference.py"))


def test_the_reference_is_up_to_date(script):
    made = script["pages"]()
    assert {p.name for p in (DOCS / "reference").glob("*.md")} == set(made)
    for name, text in made.items():
        assert (DOCS / "reference" / name).read_text() == text, f"docs/reference/{name} is old: run `make docs`"


def test_the_reference_lists_every_measurement_of_a_run(ran):
    listed = (DOCS / "reference" / "measurements.md").read_text()
    for m in json.loads((ran / "OUT/sub-P01/ses-01/measurements.json").read_text())["measurements"]:
        assert f"| `{m['name']}` |" in listed, m["name"]


def test_events_page_names_every_column_and_event():
    text = (DOCS / "how-to" / "events.md").read_text()
    missing = [word for word in (*COLUMNS, *(kind.value for kind in EventKind)) if word not in text]
    assert missing == []


def test_floors_are_those_that_are_enforced():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    enforced = [layer.removeprefix("tumorboard.") for layer in settings["contracts"][0]["layers"]]
    (block,) = [t for _, t in blocks(ROOT / "CONTRIBUTING.md", "text")]
    assert block.split() == enforced


def test_changelog_names_the_version():
    from tumorboard import __version__

    assert re.search(rf"^## \[{re.escape(__version__)}\] - ", (ROOT / "CHANGELOG.md").read_text(), re.M)


def test_every_picture_stands_on_a_page():
    """A picture that no page shows has come there by mistake, and may be of a real case."""
    shown = {Path(unquote(link)).name for page in PAGES for link in LINK.findall(page.read_text())}
    assert {p.name for p in (DOCS / "images").iterdir()} <= shown
