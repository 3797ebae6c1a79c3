"""Answers of a checklist from the facts of a run, with the evidence, and what the score can still become.

Why it exists: the published radiomics papers report about half of what the checklists ask. Here every item is answered
from what ran: yes with the numbers, no with what is missing, or it is left to the author by name. An item that the
facts do not settle is never a yes, and the score is a range until the author has answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tumorboard.appraise.checklist import Checklist, Item, Scope
from tumorboard.appraise.expression import Found
from tumorboard.appraise.facts import RunFacts
from tumorboard.appraise.words import noun, paths
from tumorboard.errors import InputError


class Answer(StrEnum):
    """What is answered to an item."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    AUTHOR = "for the author"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Told:
    """What an author answers to an item that the facts leave open.

    Parameters
    ----------
    answer : Answer
        ``YES``, ``NO`` or ``NOT_APPLICABLE``.
    where : str
        The page or the reason.
    """

    answer: Answer
    where: str

    def __post_init__(self) -> None:
        if self.answer not in (Answer.YES, Answer.NO, Answer.NOT_APPLICABLE) or not self.where.strip():
            raise InputError("yes, no or not applicable, with the page or the reason", where="the author's answer")


@dataclass(frozen=True, slots=True)
class Answered:
    """One item with its answer.

    Parameters
    ----------
    item : Item
        Of the checklist.
    answer : Answer
        Its answer.
    evidence : str
        What speaks for it: sentences made of the facts, or where the author says that it stands.
    missing : str
        What is false or unknown, or why the item does not apply.
    low, high : float
        Points that it has, and that it can have when the author has answered.
    most : float
        Points that it could give; 0 where it does not apply.
    droppable : bool
        Whether the author may find that it does not apply.
    denied : bool
        Whether the facts say no, so that the author can only find that it does not apply.
    """

    item: Item
    answer: Answer
    evidence: str = ""
    missing: str = ""
    low: float = 0.0
    high: float = 0.0
    most: float = 0.0
    droppable: bool = False
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """A score that the author's answers can still raise.

    Parameters
    ----------
    low, high : float
        Now, and at most.
    most : float
        That a study of this kind can have.
    """

    low: float
    high: float
    most: float

    @property
    def settled(self) -> bool:
        """Whether nothing is open."""
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class Appraisal:
    """A checklist, answered.

    Parameters
    ----------
    checklist : Checklist
        Which one.
    answers : tuple of Answered
        Of each item, in its order.
    digital : bool or None
        Whether the patients are simulated; ``None`` where the facts do not tell.
    shuffled : bool or None
        Whether outcomes were shuffled among them.
    """

    checklist: Checklist
    answers: tuple[Answered, ...]
    digital: bool | None
    shuffled: bool | None = None

    @property
    def score(self) -> Score:
        """The checklist's score."""
        return self._score(self.answers)

    @property
    def by_section(self) -> dict[str, Score]:
        """The score of each section, in order; a section that does not apply is left out."""
        parts = {s: tuple(a for a in self.answers if a.item.section == s) for s in self.checklist.sections}
        return {s: self._score(found) for s, found in parts.items() if any(a.most for a in found)}

    def count(self, answer: Answer) -> int:
        """Return how many items have this answer."""
        return sum(a.answer is answer for a in self.answers)

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the lowest and of the highest score that are possible; one where they are the same."""
        score = self.score
        names = [self._band(score.low), self._band(score.high)]
        return tuple(dict.fromkeys(name for name in names if name))

    def _score(self, answers: tuple[Answered, ...]) -> Score:
        low, high = (round(sum(getattr(a, end) for a in answers), 6) for end in ("low", "high"))
        most = round(sum(a.most for a in answers), 6)
        if self.checklist.score != "percent":
            return Score(low, high, most)
        kept = sum(a.most for a in answers if not (a.droppable and a.high < a.most))
        return Score(_percent(low, most), _percent(high, kept), 100.0)

    def _band(self, score: float) -> str:
        return next((band.name for band in self.checklist.bands if score < band.below), "")


def appraise(facts: RunFacts, checklist: Checklist, told: Mapping[str, Told] | None = None) -> Appraisal:
    """Answer a checklist from the facts of a run.

    Parameters
    ----------
    facts : RunFacts
        What is known of the run.
    checklist : Checklist
        From :func:`tumorboard.appraise.checklist.read_checklist`.
    told : mapping of str to Told, optional
        The author's answers by item number; only to items that the facts leave to the author.

    Returns
    -------
    Appraisal

    Raises
    ------
    InputError
        The author answers an item that does not exist or that the facts have settled.

    Examples
    --------
    >>> from tumorboard.appraise import DataFacts, read_checklist
    >>> facts = RunFacts(data=DataFacts(missing_share=0.02, missing_method="mean, in folds"))
    >>> found = appraise(facts, read_checklist("tripod-2015")).answers
    >>> [(a.answer.value, a.evidence) for a in found if a.item.number == "9"]
    [('yes', '2.0% of values missing; missing values: mean, in folds')]
    """
    told = told or {}
    answers = tuple(_answered(facts, item, checklist.scopes) for item in checklist.items)
    _check_told(told, answers)
    answers = tuple(_with_author(a, told[a.item.number]) if a.item.number in told else a for a in answers)
    return Appraisal(checklist, answers, facts.data.digital, facts.data.shuffled)


def _answered(facts: RunFacts, item: Item, scopes: Mapping[str, Scope]) -> Answered:
    beyond, words = _beyond(facts, [scopes[name] for name in item.scope])
    if beyond:
        return Answered(item, Answer.NOT_APPLICABLE, missing=f"it is {words}")
    found = [Found(None) if part.ask is None else part.ask.of(facts) for part in item.ways]
    answer = _answer(item, found)
    high = _points(item, [f.truth is not False for f in found])
    if beyond is None:
        denied, missing = answer is Answer.NO, _missing(facts, item, found, f"whether it applies ({words})")
        return Answered(item, Answer.AUTHOR, "", missing, _points(item, []), high, item.most, True, denied)
    missing = "" if answer is Answer.YES else _missing(facts, item, found)
    low = _points(item, [f.truth is True for f in found])
    return Answered(item, answer, _evidence(facts, item, found), missing, low, high, item.most)


def _answer(item: Item, found: list[Found]) -> Answer:
    truths = [f.truth for f in found]
    if True in truths:
        whole = item.combine == "best" or all(truths)
        return Answer.YES if whole else Answer.PARTLY
    return Answer.AUTHOR if None in truths else Answer.NO


def _points(item: Item, earned: list[bool]) -> float:
    points = [part.points for part, yes in zip(item.ways, earned, strict=False) if yes]
    if not item.essential:
        return 0.0
    return (sum(points) if item.combine == "sum" else max(points)) if points else item.otherwise


def _beyond(facts: RunFacts, scopes: list[Scope]) -> tuple[bool | None, str]:
    """Return whether an item is for another kind of study (``None``: the facts do not tell), and for which."""
    found = [(scope.not_applicable_when.of(facts).truth, scope.words) for scope in scopes]
    for kind in (True, None):
        words = [said for truth, said in found if truth is kind]
        if words:
            return kind, ", ".join(words)
    return False, ""


def _evidence(facts: RunFacts, item: Item, found: list[Found]) -> str:
    shown = [path for f in found if f.truth for path in f.shown]
    if not shown:
        return ""
    order = paths().index
    told = [*sorted(set(shown), key=order), *sorted(set(item.also) - set(shown), key=order)]
    said = [facts.say(path) for path in told]
    return "; ".join(sentence for sentence in said if sentence)


def _missing(facts: RunFacts, item: Item, found: list[Found], first: str = "") -> str:
    """Return what is false or unknown, and what the run does tell of an item that it cannot answer."""
    lacking = dict.fromkeys(path for f in found if not f.truth for path in f.lacking)
    asked = [part.text for part, f in zip(item.parts, found, strict=False) if part.ask is None]
    yes = [path for f in found if f.truth for path in f.shown]
    hints = [facts.say(path) for path in (yes if first else () if yes else item.also)]
    told = ", ".join(hint for hint in hints if hint)
    parts = (first, *(noun(path) for path in lacking), *asked, f"the run tells: {told}" if told else "")
    return "; ".join(part for part in parts if part)


def _check_told(told: Mapping[str, Told], answers: tuple[Answered, ...]) -> None:
    left = {a.item.number: a for a in answers if a.answer is Answer.AUTHOR}
    for number, given in told.items():
        if number not in left:
            expected = f"answers to items that are left to the author ({', '.join(left) or 'none'})"
            raise InputError(expected, got=number, where="the author's answers", remedy="leave it out")
        if given.answer is Answer.YES and left[number].denied:
            expected = f"no or not applicable to {number}, because the run did not do it"
            raise InputError(expected, got="yes", where="the author's answers")


def _with_author(answered: Answered, told: Told) -> Answered:
    """Return an item as the author answers it; parts that the facts deny stay without points."""
    item, words = answered.item, f"the author: {told.where}"
    if told.answer is Answer.NOT_APPLICABLE:
        return Answered(item, told.answer, missing=words)
    if told.answer is Answer.NO:
        return Answered(item, told.answer, missing=words, low=answered.low, high=answered.low, most=item.most)
    return Answered(item, told.answer, words, low=answered.high, high=answered.high, most=item.most)


def _percent(points: float, most: float) -> float:
    return round(100.0 * points / most, 2) if most else 0.0
