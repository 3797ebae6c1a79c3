"""What a header is asked, and the few kinds of question a row of evidence may put to it.

Why it exists: the table of evidence (:mod:`.row` and its tables) is to be read as a table. The questions are
named here, missing tags answer no question, and numbers are shown in one way. Free text is read for words
of the field only and is never shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from tumorboard.intake.names import PHRASES
from tumorboard.intake.vocabulary import words
from tumorboard.series import SeriesTags

Question = Callable[["Facts"], bool]
"""Answered by a header with yes or no; a tag that is missing makes it no."""

TELLING = re.compile(
    r"\b(?:t1|t2|pd|flair|tirm|mprage|mpr|bravo|f?spgr|tfe|vibe|space|spc|cube|vista|view|dwi|diff\w*|difus\w*|adc|dti|"
    r"swi\w*|swan|perf\w*|dsc|dce|bold|fmri|tof|mra|mrv|asl|pcasl|svs|csi|ep2d|stir|localizer|survey)\b"
)
"""Words that tell of a technique. A protocol name without one names the examination, not the series."""

_NUMBERS = {
    "tr": ("TR", "tr_ms", "ms"),
    "te": ("TE", "te_ms", "ms"),
    "ti": ("TI", "ti_ms", "ms"),
    "flip": ("flip angle", "flip_deg", "°"),
    "train": ("echo train", "echo_train", ""),
    "times": ("time points", "temporal_positions", ""),
    "directions": ("gradient directions", "directions", ""),
    "thick": ("slice thickness", "thickness_mm", "mm"),
}


@dataclass(frozen=True)
class Around:
    """What the other series of the study tell about the injection; clock times in seconds.

    Parameters
    ----------
    injected_s : float or None
        When the agent was in at the latest, by the start time or by the first series that shows it.
    by_start_time : bool
        Whether that is a Contrast/Bolus Start Time.
    agent_everywhere : bool
        The agent stands in the first series already, without a time: it says nothing about any one series.
    contrast_seen : bool
        Some series of the study shows the agent.
    t1_before, alike_before : bool
        Another T1, and one with the same parameters, was acquired earlier.
    alike_after : bool
        A T1 with the same parameters was acquired later.
    before_bolus : bool
        Acquired before the first DSC or DCE of the study.
    """

    injected_s: float | None = None
    by_start_time: bool = False
    agent_everywhere: bool = False
    contrast_seen: bool = False
    t1_before: bool = False
    alike_before: bool = False
    alike_after: bool = False
    before_bolus: bool = False


@dataclass(frozen=True)
class Facts:
    """One header, prepared for questions.

    Parameters
    ----------
    tags : SeriesTags
        The header.
    around : Around
        What its siblings tell.
    """

    tags: SeriesTags
    around: Around = Around()
    said: str = field(init=False, repr=False)
    said_of_contrast: str = field(init=False, repr=False)
    types: frozenset[str] = field(init=False, repr=False)
    codes: frozenset[str] = field(init=False, repr=False)
    pulse: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Cut the texts into words once."""
        description, protocol = (folded(t) for t in (self.tags.description, self.tags.protocol))
        both = f"{description} {protocol}" if TELLING.search(protocol) else description
        set_ = object.__setattr__
        set_(self, "said", description if TELLING.search(description) else both)
        set_(self, "said_of_contrast", both)
        set_(self, "types", frozenset(v.strip().upper() for v in self.tags.image_type))
        set_(self, "codes", frozenset(v.strip().upper() for v in self.tags.scanning_sequence))
        set_(self, "pulse", self.tags.sequence_name.strip().lstrip("*").lower())

    def shown(self, template: str) -> str:
        """Fill ``{tr}``, ``{te}`` … with the name, value and unit of the number."""
        values = {}
        for key, (name, attribute, unit) in _NUMBERS.items():
            value = getattr(self.tags, attribute)
            gap = "" if unit in ("", "°") else " "
            values[key] = f"no {name}" if value is None else f"{name} {_plain(value)}{gap}{unit}"
        return template.format_map(values)

    @property
    def agent(self) -> bool:
        """Whether an agent is named; the empty tag names none, and one that stands everywhere says nothing."""
        agent = (self.tags.contrast_agent or "").strip().lower()
        return agent not in ("", "no", "none", "n", "nein", "non", "0", "-") and not self.around.agent_everywhere

    @property
    def timed(self) -> bool:
        """Whether the time of the injection is written, here or in a sibling, rather than concluded."""
        return (self.agent and self.tags.contrast_start_s is not None) or self.around.by_start_time

    @property
    def seconds_after_injection(self) -> float | None:
        """Its own clock, else its siblings'; None where neither is known."""
        start = self.tags.contrast_start_s if self.agent else None
        start = self.around.injected_s if start is None else start
        return None if start is None or self.tags.acquired_s is None else self.tags.acquired_s - start


def _plain(value: float) -> str:
    """Return four digits of a number, never as a power of ten."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def folded(text: str) -> str:
    """Return the words of a text in lower case without accents, phrases that mislead replaced.

    Examples
    --------
    >>> folded("T1 après injection"), folded("t1_tra_ohne_KM"), folded("T2 FLAIR")
    ('t1 apres injection', 't1 tra native', 't2 flair')
    """
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    said = " ".join(words(bare))
    for pattern, replacement in PHRASES:
        said = pattern.sub(replacement, said)
    return " ".join(said.split())


def within(tag: str, low: float, high: float) -> Question:
    """Whether a number is there and lies in a closed range."""

    def ask(facts: Facts) -> bool:
        value = getattr(facts.tags, tag)
        return value is not None and low <= value <= high

    return ask


def missing(tag: str) -> Question:
    """Whether a number is not there (0 in a time is not a time)."""
    return lambda facts: not getattr(facts.tags, tag)


def says(pattern: str) -> Question:
    """Whether the description (or a telling protocol name) holds whole words of a pattern."""
    compiled = re.compile(rf"\b(?:{pattern})\b")
    return lambda facts: compiled.search(facts.said) is not None


def says_of_contrast(pattern: str) -> Question:
    """As :func:`says`, in the description and in a telling protocol name alike."""
    compiled = re.compile(rf"\b(?:{pattern})\b")
    return lambda facts: compiled.search(facts.said_of_contrast) is not None


def typed(*values: str) -> Question:
    """Whether Image Type holds any of the values."""
    wanted = frozenset(values)
    return lambda facts: bool(wanted & facts.types)


def scans(*codes: str) -> Question:
    """Whether Scanning Sequence holds any of the codes."""
    wanted = frozenset(codes)
    return lambda facts: bool(wanted & facts.codes)


def pulse(pattern: str) -> Question:
    """Whether Sequence Name begins with a pattern."""
    compiled = re.compile(pattern)
    return lambda facts: compiled.match(facts.pulse) is not None


def equals(tag: str, *values: str) -> Question:
    """Whether a text tag is one of the values, whatever its case."""
    wanted = frozenset(values)
    return lambda facts: str(getattr(facts.tags, tag)).strip().upper() in wanted


def every(*questions: Question) -> Question:
    """Whether all are answered yes."""
    return lambda facts: all(q(facts) for q in questions)


def any_of(*questions: Question) -> Question:
    """Whether one is answered yes."""
    return lambda facts: any(q(facts) for q in questions)


def no(question: Question) -> Question:
    """Whether it is answered no."""
    return lambda facts: not question(facts)


def acquired(low: float, high: float) -> Question:
    """Whether it began between two times after the injection, in seconds."""

    def ask(facts: Facts) -> bool:
        after = facts.seconds_after_injection
        return after is not None and low <= after <= high

    return ask
