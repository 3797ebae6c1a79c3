"""A checklist's table as a page: its items, what each asks of the facts, its points, and what is not verified.

Why it exists: who reads a *yes* must be able to see which facts make one.
"""

from __future__ import annotations

from tumorboard.appraise.checklist import CHECKLISTS, Checklist, Item, Part, read_checklist
from tumorboard.appraise.expression import Ask
from tumorboard.appraise.text import cell
from tumorboard.appraise.words import about_world, noun, paths

_SCORES = {
    "points": "points are summed",
    "count": "items answered yes are counted, of those that apply",
    "percent": "points of the items answered yes, as a share of those that apply",
}


def describe(checklist: Checklist) -> str:
    """Return a checklist as Markdown, for the reference.

    Parameters
    ----------
    checklist : Checklist
        From :func:`tumorboard.appraise.checklist.read_checklist`.

    Returns
    -------
    str
        A heading of the second order, what it is, and its items.

    Examples
    --------
    >>> from tumorboard.appraise import read_checklist
    >>> describe(read_checklist("rqs")).splitlines()[0]
    '## Radiomics Quality Score (2017)'
    """
    score = f"{checklist.count} items; {_SCORES[checklist.score]} ({checklist.least:g} to {checklist.most:g})."
    lines = [f"## {checklist.title} ({checklist.version})", ""]
    lines += [f"`{checklist.id}`. {checklist.source}. Read: {checklist.reading}. {score}"]
    if checklist.bands:
        named = ", ".join(f"below {b.below:g} {b.name}" for b in checklist.bands[:-1])
        lines += ["", f"Names of scores: {named}, else {checklist.bands[-1].name}."]
    lines += _scopes(checklist) + _unverified(checklist)
    lines += ["", "| item | section | asks | points | yes when | only |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [row for item in checklist.items for row in _rows(item)]
    return "\n".join(lines) + "\n"


def checklists_page() -> str:
    """Return all checklists that we ship and the facts that they ask for, for the reference.

    Returns
    -------
    str
        Markdown below a page's heading.

    Examples
    --------
    >>> checklists_page().count("## ")
    8
    """
    said = "Any of them may be unknown; those called `derived` follow from others."
    parts = [describe(read_checklist(name)) for name in CHECKLISTS]
    return "\n".join([*parts, f"## Facts\n\n{said}\n\n{describe_facts()}"])


def describe_facts() -> str:
    """Return every fact with its meaning, for the reference.

    Returns
    -------
    str
        A Markdown table.

    Examples
    --------
    >>> describe_facts().splitlines()[2]
    '| `question.endpoint` | the outcome that is predicted |  |'
    """
    lines = ["| fact | is | digital patients |", "| --- | --- | --- |"]
    lines += [f"| `{p}` | {cell(noun(p))} | {'cannot show it' if about_world(p) else ''} |" for p in paths()]
    return "\n".join(lines) + "\n"


def ask_words(ask: Ask | None) -> str:
    """Return a question as words with the names of facts.

    Examples
    --------
    >>> ask_words(Ask.model_validate({"any": ["open.code", {"at_least": {"data.sites": 2}}]}))
    '(`open.code` or `data.sites` ≥ 2)'
    """
    if ask is None:
        return "the author"
    clauses = [f"`{p}`" for p in ask.true] + [f"`{p}` known" for p in ask.known]
    clauses += [f"`{p}` ≥ {limit:g}" for p, limit in ask.at_least.items()]
    clauses += [f"`{p}` ≤ {limit:g}" for p, limit in ask.at_most.items()]
    clauses += [f"`{p}` is {' or '.join(_value(v) for v in values)}" for p, values in ask.one_of.items()]
    clauses += [ask_words(inner) for inner in ask.all]
    if ask.any:
        clauses.append(f"({' or '.join(ask_words(inner) for inner in ask.any)})")
    return " and ".join(clauses)


def _value(value: bool | float | str) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _rows(item: Item) -> list[str]:
    only = ", ".join(item.scope)
    note = f" ({item.unverified})" if item.unverified else ""
    points = f"{item.points:g}" + (f", else {item.otherwise:g}" if item.otherwise else "")
    if not item.parts:
        shown = points if item.essential else "not counted"
        return [_row(item.number, item.section, item.text + note, shown, ask_words(item.ask), only)]
    how = "the best of" if item.combine == "best" else "the sum of"
    head = _row(item.number, item.section, item.text + note, f"{how}{_else(item)}", "", only)
    return [head, *(_part(part) for part in item.parts)]


def _else(item: Item) -> str:
    return f", else {item.otherwise:g}" if item.otherwise else ""


def _part(part: Part) -> str:
    return _row("", "", part.text, f"{part.points:g}", ask_words(part.ask), "")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell(c) for c in cells) + " |"


def _scopes(checklist: Checklist) -> list[str]:
    if not checklist.scopes:
        return []
    said = [f"- {k}: {s.words}; not when {ask_words(s.not_applicable_when)}" for k, s in checklist.scopes.items()]
    return ["", "Items that are not for all studies:", "", *said]


def _unverified(checklist: Checklist) -> list[str]:
    if not checklist.unverified:
        return []
    return ["", "Ours or unverified:", "", *(f"- {k}: {why}" for k, why in checklist.unverified.items())]
