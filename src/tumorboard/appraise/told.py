"""What only an author knows, in a file beside a run: facts that answer items of every checklist, and answers to items.

Why it exists: what a run cannot know (where patients came from, ethics, funding) is told once, by a person, and not in
code. What the run has settled cannot be told again, and what it did not do cannot be claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic import ValidationError

from tumorboard.appraise.answer import Answer, Appraisal, Told
from tumorboard.appraise.checklist import CHECKLISTS
from tumorboard.appraise.facts import RunFacts
from tumorboard.appraise.fields import SECTIONS
from tumorboard.appraise.words import known_path, noun, paths
from tumorboard.errors import InputError

_WHERE = "the author's answers"
_WORDS = {a.value: a for a in (Answer.YES, Answer.NO, Answer.NOT_APPLICABLE)}
_HEAD = """\
# What only the author knows. Take the # away before a line to tell it; the other lines are not read.
# A fact answers items of every checklist; an answer is for one item: "yes: page", "no: why" or "not applicable: why".
"""


@dataclass(frozen=True)
class Authors:
    """What an author tells.

    Parameters
    ----------
    facts : mapping of str to object
        By path, as ``data.prospective``.
    answers : mapping of str to mapping of str to Told
        By checklist and item number, for :func:`tumorboard.appraise.answer.appraise`.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, Told]] = field(default_factory=dict)

    def joined(self, facts: RunFacts) -> RunFacts:
        """Return the facts of a run with those of the author.

        Parameters
        ----------
        facts : RunFacts
            Of the run, closed.

        Raises
        ------
        InputError
            The run has settled a fact, a value is of another kind, or facts contradict one another.

        Examples
        --------
        >>> Authors({"data.prospective": False}).joined(RunFacts()).data.prospective
        False
        """
        sections: dict[str, dict[str, Any]] = facts.model_dump()
        for path, value in self.facts.items():
            section, _, name = path.partition(".")
            if sections[section][name] is not None:
                expected = "facts that the run leaves open"
                raise InputError(expected, got=path, where=_WHERE, remedy="leave it out; the run has settled it")
            sections[section][name] = tuple(value) if isinstance(value, list) else value
        try:
            return RunFacts.model_validate(sections)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "facts"
            why = str(first["msg"]).removeprefix("Value error, ")
            raise InputError(f"a value that fits {where}", got=why, where=_WHERE) from error


def author_form(facts: RunFacts, appraisals: Iterable[Appraisal]) -> str:
    r"""Return a form for the author: every open fact and every open item as a comment, to be filled in.

    Parameters
    ----------
    facts : RunFacts
        Of the run, closed.
    appraisals : iterable of Appraisal
        Of the same run.

    Returns
    -------
    str
        YAML that :func:`parse_authors` reads; a line counts when its ``#`` is taken away.

    Examples
    --------
    >>> from tumorboard.appraise import appraise, read_checklist
    >>> form = author_form(RunFacts(), [appraise(RunFacts(), read_checklist("clear"))])
    >>> [line for line in form.splitlines() if "prospective" in line or line.startswith('#    "2')][0]
    '#  data.prospective: no                  # a prospective design: yes or no'
    """
    some = tuple(appraisals)
    lines = [_HEAD, "facts:"]
    lines += [_fact_line(path) for path in _open_facts(facts, some)]
    lines += ["", "answers:"]
    for appraisal in some:
        lines.append(f"  {appraisal.checklist.id}:")
        for a in appraisal.answers:
            if a.answer is Answer.AUTHOR:
                hint = f" ({' '.join(a.missing.split())})" if a.missing else ""
                lines += [f"#   {a.item.number} {a.item.text}{hint}", f'#    "{a.item.number}": "yes: page "']
    return "\n".join(lines) + "\n"


def _open_facts(facts: RunFacts, appraisals: Iterable[Appraisal]) -> list[str]:
    """Return the facts that open items ask for and nobody has told, in their order."""
    asked = {
        path
        for appraisal in appraisals
        for a in appraisal.answers
        if a.answer is Answer.AUTHOR
        for part in a.item.ways
        if part.ask is not None
        for path in part.ask.paths
    }
    known = {p: facts.look(p) for p in paths() if p in asked and not p.startswith("derived.")}
    return [p for p, found in known.items() if found.value is None and not found.barred]


def _fact_line(path: str) -> str:
    section, _, name = path.partition(".")
    annotation = SECTIONS[section].model_fields[name].annotation
    example, hint = next(v for k, v in _KINDS.items() if k in str(annotation))
    words = [str(w) for part in get_args(annotation) for w in get_args(part)] if "Literal" in str(annotation) else []
    hint = f": {', '.join(words)}" if words else hint
    return f"{f'#  {path}: {example}':<41}# {noun(path)}{hint}"


_KINDS = {
    "Literal": ('""', ""),
    "bool": ("no", ": yes or no"),
    "tuple": ("[ ]", ""),
    "int": ("0", ""),
    "float": ("0.0", ""),
    "str": ('""', ""),
}
"""How a fact of each kind is written, and what is said of it."""


def parse_authors(text: str) -> Authors:
    r"""Read what an author tells.

    Parameters
    ----------
    text : str
        YAML with ``facts`` by path and ``answers`` by checklist and item number.

    Returns
    -------
    Authors

    Raises
    ------
    InputError
        No YAML, another key, no such checklist or fact (the nearest is proposed), or an answer in another form.

    Examples
    --------
    >>> authors = parse_authors('answers:\n  tripod-2015:\n    "22": "yes: page 9"')
    >>> authors.answers["tripod-2015"]["22"].where
    'page 9'
    """
    import yaml

    try:
        content = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise InputError("YAML with facts and answers", got="something else", where=_WHERE) from error
    if not isinstance(content, dict) or set(content) - {"facts", "answers"}:
        raise InputError("the keys facts and answers", got="another", where=_WHERE)
    facts, answers = (_table(content.get(key), key) for key in ("facts", "answers"))
    for name in answers:
        if name not in CHECKLISTS:
            raise InputError(f"answers to {', '.join(CHECKLISTS)}", got=repr(name), where=_WHERE)
    for path in facts:
        if path.startswith("derived."):
            raise InputError("facts that do not follow from others", got=path, where=_WHERE)
        known_path(path)
    told = {n: {str(k): _told(str(k), v) for k, v in _table(items, n).items()} for n, items in answers.items()}
    return Authors(facts, told)


def _table(found: object, what: str) -> dict[str, Any]:
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InputError(f"a table of {what}", got="something else", where=_WHERE)
    return {str(k): v for k, v in found.items()}


def _told(number: str, said: object) -> Told:
    word, colon, where = str(said).partition(":")
    answer = _WORDS.get(word.strip())
    if answer is None or not colon or where.strip() in ("", "page"):
        expected = 'an answer like "yes: page 3", "no: why" or "not applicable: why"'
        raise InputError(expected, got="another form", where=f"{_WHERE} to {number}")
    return Told(answer, where.strip())
