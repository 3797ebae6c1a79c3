"""The author's answers in a file: written out as a form with the open items, and read back.

Why it exists: what a run cannot know (title, ethics, funding) is answered once, by a person, beside the run, and not in
code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from tumorboard.appraise.answer import Answer, Appraisal, Told
from tumorboard.appraise.checklist import CHECKLISTS
from tumorboard.errors import InputError

_WORDS = {a.value: a for a in (Answer.YES, Answer.NO, Answer.NOT_APPLICABLE)}


def author_form(appraisals: Iterable[Appraisal]) -> str:
    r"""Return a form for the author: every open item as a comment, to be filled in.

    Parameters
    ----------
    appraisals : iterable of Appraisal
        Of one run.

    Returns
    -------
    str
        TOML that :func:`parse_told` reads; a line counts when its ``#`` is taken away.

    Examples
    --------
    >>> from tumorboard.appraise import RunFacts, appraise, read_checklist
    >>> print("\n".join(author_form([appraise(RunFacts(), read_checklist("clear"))]).splitlines()[:4]))
    # Take the # away before = and write "yes: page", "no: why" or "not applicable: why".
    <BLANKLINE>
    [clear]
    # 1 Title names the radiomic method
    """
    lines = ['# Take the # away before = and write "yes: page", "no: why" or "not applicable: why".']
    for appraisal in appraisals:
        lines += ["", f"[{appraisal.checklist.id}]"]
        for a in appraisal.answers:
            if a.answer is Answer.AUTHOR:
                hint = f" ({' '.join(a.missing.split())})" if a.missing else ""
                lines += [f"# {a.item.number} {a.item.text}{hint}", f'#{a.item.number} = "yes: page "']
    return "\n".join(lines) + "\n"


def parse_told(text: str) -> dict[str, dict[str, Told]]:
    r"""Read the author's answers.

    Parameters
    ----------
    text : str
        TOML: a table for each checklist, ``number = "yes: page 3"``.

    Returns
    -------
    dict of str to dict of str to Told
        By checklist and item number, for :func:`tumorboard.appraise.answer.appraise`.

    Raises
    ------
    InputError
        No such checklist, or an answer in another form.

    Examples
    --------
    >>> parse_told('[tripod-2015]\n22 = "yes: page 9"')["tripod-2015"]["22"].where
    'page 9'
    """
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError("a form in TOML", got="something else", where="the author's answers") from error
    for name, table in tables.items():
        if name not in CHECKLISTS or not isinstance(table, Mapping):
            raise InputError(f"tables of {', '.join(CHECKLISTS)}", got=repr(name), where="the author's answers")
    return {name: {number: _told(number, said) for number, said in table.items()} for name, table in tables.items()}


def _told(number: str, said: object) -> Told:
    word, colon, where = str(said).partition(":")
    answer = _WORDS.get(word.strip())
    if answer is None or not colon or where.strip() in ("", "page"):
        expected = 'an answer like "yes: page 3", "no: why" or "not applicable: why"'
        raise InputError(expected, got="another form", where=f"the author's answer to {number}")
    return Told(answer, where.strip())
