"""An audit as files: a page with its picture, Markdown, and a table.

Why it exists: the share that is not told says as much of a field as the share that is not done; both are drawn beside
what reviews counted.
"""

from __future__ import annotations

import base64
import html
import io
import math
from pathlib import Path

from tumorboard.appraise.audit import Audit, audit_markdown
from tumorboard.appraise.checklist import read_checklist
from tumorboard.appraise.write import PAGE_STYLE
from tumorboard.csv_text import table_text
from tumorboard.store import write_atomic

_YES, _NO, _UNTOLD, _INK = "#0072B2", "#D9B38C", "#EFEFEF", "#333333"
FILES = ("audit.html", "audit.md", "audit.csv", "audit.png")


def write_audit(found: Audit, folder: Path) -> Path:
    """Write an audit.

    Parameters
    ----------
    found : Audit
        From :func:`tumorboard.appraise.audit.audit`.
    folder : Path
        Made where it is not there.

    Returns
    -------
    Path
        Of the page; beside it the other :data:`FILES`.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    picture = audit_picture(found)
    write_atomic(folder / "audit.png", picture)
    write_atomic(folder / "audit.md", audit_markdown(found))
    write_atomic(folder / "audit.csv", audit_csv(found))
    write_atomic(folder / "audit.html", _page(found, picture))
    return folder / "audit.html"


def audit_csv(found: Audit) -> str:
    """Return one line a study and question: yes, no, or nothing where it is not told."""
    rows = []
    for row in found.rows:
        for name in found.runs:
            rows.append((name, row.question.text, "yes" if name in row.yes else "no" if name in row.no else ""))
    return table_text(("study", "question", "answer"), rows)


def audit_picture(found: Audit) -> bytes:
    r"""Draw how many studies did what: yes, no, and not told.

    Parameters
    ----------
    found : Audit
        From :func:`tumorboard.appraise.audit.audit`.

    Returns
    -------
    bytes
        PNG.

    Examples
    --------
    >>> from tumorboard.appraise import RunFacts
    >>> from tumorboard.appraise.audit import audit
    >>> audit_picture(audit({"one": RunFacts()}))[:4]
    b'\x89PNG'
    """
    from matplotlib.figure import Figure

    n = len(found.runs)
    figure = Figure(figsize=(8.6, 0.9 + 0.27 * len(found.rows)), dpi=110, layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(found.rows):
        start = 0
        for some, colour in ((row.yes, _YES), (row.no, _NO), (row.unknown, _UNTOLD)):
            axes.barh(place, len(some), left=start, color=colour, height=0.72)
            start += len(some)
        axes.text(n * 1.01, place, f"{len(row.yes)}/{n}", va="center", fontsize=7, color=_INK)
        axes.text(-n * 0.01, place, row.question.text, va="center", ha="right", fontsize=7.5, color=_INK)
    axes.set_xlim(0, n)
    axes.set_ylim(len(found.rows) - 0.5, -0.5)
    axes.set_axis_off()
    figure.supxlabel("blue: yes · brown: no · grey: not told", fontsize=7.5, color=_INK)
    figure.suptitle(_whose(found), fontsize=8, color=_INK)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _whose(found: Audit) -> str:
    n, digital = len(found.runs), len(found.digital)
    said = f"{n} stud{'y' if n == 1 else 'ies'}"
    return f"{said}, {digital} of them on digital patients" if digital else said


def _page(found: Audit, picture: bytes) -> str:
    shown = base64.b64encode(picture).decode()
    head = "<tr><th>question</th><th>yes</th><th>no</th><th>not told</th><th>published reviews</th></tr>"
    rows = "".join(
        f"<tr><td>{html.escape(r.question.text)}</td><td>{len(r.yes)}</td><td>{len(r.no)}</td>"
        f"<td>{len(r.unknown)}</td><td>{html.escape(r.question.published)}</td></tr>"
        for r in found.rows
    )
    scores = "".join(_score(found, name) for name in found.scores)
    body = (
        f"<h1>Audit of {html.escape(_whose(found))}</h1><p>Research – not for diagnosis.</p>"
        f'<img src="data:image/png;base64,{shown}" alt="shares of studies">'
        f"<h2>What was done</h2><table>{head}{rows}</table>"
        "<h2>Scores</h2><table><tr><th>checklist</th><th>mean of what is settled</th><th>standard deviation</th></tr>"
        f"{scores}</table>"
    )
    top = f'<meta charset="utf-8"><title>Audit</title>{PAGE_STYLE}'
    return f'<!doctype html><html lang="en"><head>{top}</head><body>{body}</body></html>\n'


def _score(found: Audit, name: str) -> str:
    mean, deviation = found.mean(name)
    spread = "" if math.isnan(deviation) else f"{deviation:.1f}"
    title = html.escape(read_checklist(name).title)
    return f"<tr><td>{title}</td><td>{mean:.1f}</td><td>{spread}</td></tr>"
