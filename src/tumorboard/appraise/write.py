"""An answered checklist as JSON, Markdown and HTML.

Why it exists: journals ask for the filled form, reviewers read it beside the paper, programs count it. All three are
written from the same answers, and each says what is unverified and when the patients are digital.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from pathlib import Path

from tumorboard.appraise.answer import Answer, Answered, Appraisal
from tumorboard.appraise.picture import appraisal_picture
from tumorboard.appraise.text import banner, cell, score_words
from tumorboard.store import write_atomic

_STYLE = (
    "body{font:14px/1.45 system-ui,sans-serif;margin:2rem;color:#222}table{border-collapse:collapse;width:100%}"
    "td,th{border-top:1px solid #ddd;padding:.3rem .5rem;text-align:left;vertical-align:top}"
    ".digital{color:#b00020;font-weight:600}.yes{color:#00664b}.no{color:#b23c00}.open{color:#0060a0}.na{color:#777}"
)
PAGE_STYLE = f"<style>{_STYLE}img{{max-width:100%}}</style>"
"""Of pages of this room."""
_CLASSES = {
    Answer.YES: "yes",
    Answer.PARTLY: "yes",
    Answer.NO: "no",
    Answer.AUTHOR: "open",
    Answer.NOT_APPLICABLE: "na",
}


def appraisal_json(appraisal: Appraisal) -> str:
    """Return an answered checklist as JSON.

    Parameters
    ----------
    appraisal : Appraisal
        From :func:`tumorboard.appraise.answer.appraise`.

    Returns
    -------
    str
        One object: ``checklist``, ``source``, ``digital``, ``score`` (``low``, ``high``, ``most``), ``bands``,
        ``unverified`` and ``items``.

    Examples
    --------
    >>> from tumorboard.appraise import RunFacts, appraise, read_checklist
    >>> json.loads(appraisal_json(appraise(RunFacts(), read_checklist("rqs"))))["score"]["high"]
    36.0
    """
    checklist, score = appraisal.checklist, appraisal.score
    found = {
        "checklist": checklist.id,
        "title": checklist.title,
        "version": checklist.version,
        "source": checklist.source,
        "reading": checklist.reading,
        "unverified": dict(checklist.unverified),
        "digital": appraisal.digital,
        "shuffled": appraisal.shuffled,
        "score": {"kind": checklist.score, "low": score.low, "high": score.high, "most": score.most},
        "bands": list(appraisal.bands),
        "items": [_item(a) for a in appraisal.answers],
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _item(answered: Answered) -> dict[str, object]:
    item = answered.item
    return {
        "number": item.number,
        "section": item.section,
        "text": item.text,
        "answer": answered.answer.value,
        "evidence": answered.evidence,
        "missing": answered.missing,
        "points": {"low": answered.low, "high": answered.high, "most": answered.most},
        "counted": item.essential,
        "unverified": item.unverified,
    }


def appraisal_markdown(appraisal: Appraisal) -> str:
    """Return an answered checklist as a Markdown table with its score.

    Parameters
    ----------
    appraisal : Appraisal
        From :func:`tumorboard.appraise.answer.appraise`.

    Returns
    -------
    str

    Examples
    --------
    >>> from tumorboard.appraise import RunFacts, appraise, read_checklist
    >>> appraisal_markdown(appraise(RunFacts(), read_checklist("rqs"))).splitlines()[0]
    '## Radiomics Quality Score (2017)'
    """
    lines = [f"## {appraisal.checklist.title} ({appraisal.checklist.version})", "", *_head(appraisal)]
    lines += ["", "| item | asks | answer | evidence | missing |", "| --- | --- | --- | --- | --- |"]
    for a in appraisal.answers:
        cells = (a.item.number, _asks(a), a.answer.value, a.evidence, a.missing)
        lines.append("| " + " | ".join(cell(c) for c in cells) + " |")
    return "\n".join(lines) + "\n"


def appraisal_html(appraisal: Appraisal) -> str:
    """Return an answered checklist as one ``section`` element, every text escaped.

    Parameters
    ----------
    appraisal : Appraisal
        From :func:`tumorboard.appraise.answer.appraise`.

    Returns
    -------
    str
        With the classes ``yes``, ``no``, ``open``, ``na`` and ``digital``, to be styled by the page.

    Examples
    --------
    >>> from tumorboard.appraise import RunFacts, appraise, read_checklist
    >>> appraisal_html(appraise(RunFacts(), read_checklist("rqs")))[:33]
    '<section class="checklist"><h2>Ra'
    """
    title = html.escape(f"{appraisal.checklist.title} ({appraisal.checklist.version})")
    digital = ' class="digital"' if appraisal.digital or appraisal.shuffled else ""
    told = "".join(f"<p{digital if n == 0 else ''}>{html.escape(p)}</p>" for n, p in enumerate(_said(appraisal)))
    rows = "".join(_row(a) for a in appraisal.answers)
    head = "<tr><th>item</th><th>asks</th><th>answer</th><th>evidence</th><th>missing</th></tr>"
    return f'<section class="checklist"><h2>{title}</h2>{told}<table>{head}{rows}</table></section>\n'


def _row(answered: Answered) -> str:
    kind = _CLASSES[answered.answer]
    texts = (answered.item.number, _asks(answered), answered.answer.value, answered.evidence, answered.missing)
    return f'<tr class="{kind}">' + "".join(f"<td>{html.escape(text)}</td>" for text in texts) + "</tr>"


def _asks(answered: Answered) -> str:
    item = answered.item
    note = f" [ours or unverified: {item.unverified}]" if item.unverified else ""
    return f"{item.text}{'' if item.essential else ' [not counted]'}{note}"


def _head(appraisal: Appraisal) -> list[str]:
    first, *rest = _said(appraisal)
    return [first, *(line for text in rest for line in ("", text))]


def _said(appraisal: Appraisal) -> list[str]:
    """Return the sentences above the table; the digital banner comes first."""
    checklist = appraisal.checklist
    counts = ", ".join(f"{n} {kind.value}" for kind in Answer if (n := appraisal.count(kind)))
    said = [
        banner(appraisal),
        f"{score_words(appraisal)}. {counts}.",
        f"{checklist.source}. Read: {checklist.reading}.",
    ]
    said += [f"Ours or unverified, {key}: {why}." for key, why in checklist.unverified.items()]
    return [text for text in said if text]


def write_appraisals(folder: Path, appraisals: Iterable[Appraisal]) -> tuple[Path, ...]:
    """Write answered checklists: each as JSON and Markdown, all as one page and one picture.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    appraisals : iterable of Appraisal
        Of one run.

    Returns
    -------
    tuple of Path
        ``{id}.json``, ``{id}.md``, ``checklists.html``, ``checklists.png``.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    found = tuple(appraisals)
    files: dict[str, str | bytes] = {}
    for one in found:
        files[f"{one.checklist.id}.json"] = appraisal_json(one)
        files[f"{one.checklist.id}.md"] = appraisal_markdown(one)
    body = "".join(appraisal_html(one) for one in found)
    head = f'<meta charset="utf-8"><title>Checklists</title>{PAGE_STYLE}'
    drawn = '<p>Research – not for diagnosis.</p><img src="checklists.png" alt="scores of each section">'
    files["checklists.html"] = f'<!doctype html><html lang="en"><head>{head}</head><body>{drawn}{body}</body></html>\n'
    files["checklists.png"] = appraisal_picture(found)
    for name, content in files.items():
        write_atomic(folder / name, content)
    return tuple(folder / name for name in files)
