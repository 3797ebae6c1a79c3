"""The report as one HTML page that needs nothing but itself.

Why it exists: a page that can be mailed inside a hospital and opened without a network. It holds no
script and names no address to load from, and its own policy (CSP) forbids the browser to load any.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from tumorboard.report.methods import numbered
from tumorboard.report.model import Report, Table

_GLUED = re.compile(r"(?<=[\d×]) (?=[mM%×\d])")

DISPLAY_SCALE = 1.55
"""Encoded pixels for one CSS pixel, so that pictures are crisp on dense screens and on paper."""


def render_html(report: Report, *, unfold: bool = False) -> str:
    """Return the report as a self-contained page.

    Parameters
    ----------
    report : Report
        What is shown; every text is escaped.
    unfold : bool
        Open the folded parts, as paper needs it.

    Returns
    -------
    str
        HTML that loads nothing from elsewhere.

    Examples
    --------
    >>> report = Report(patient="P01", created_by="tumorboard", banners=("Research",), facts=(), studies=())
    >>> "P01" in render_html(report), "http-equiv" in render_html(report)
    (True, True)
    """
    paragraphs, references = numbered(report.methods)
    return _template().render(
        report=report,
        css=_css(),
        latest=report.studies[-1] if report.studies else None,
        paragraphs=paragraphs,
        references=references,
        footnotes=footnotes,
        glue=glue,
        scale=DISPLAY_SCALE,
        unfold=unfold,
    )


def footnotes(table: Table) -> dict[str, int]:
    """Return the methods of a table, each once, with its number in order of first use."""
    methods = dict.fromkeys(row.method for row in table.rows if row.method)
    return {method: number for number, method in enumerate(methods, start=1)}


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("tumorboard.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


def glue(text: str) -> str:
    """Return the text with numbers held to their units, so that no line breaks between them.

    Examples
    --------
    >>> glue("3.0 mL (−12 %)").count(" ")
    1
    """
    return _GLUED.sub("\N{NO-BREAK SPACE}", text)


def _css() -> Markup:
    """Our own style sheet, the one text that goes into the page as it is."""
    text = resources.files("tumorboard.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704  (a file of this package, no input)
