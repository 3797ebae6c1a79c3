"""Small things that the writers share: cells of tables, and a score in words.

Why it exists: a score without its range and without what is open is read as if it were settled.
"""

from __future__ import annotations

from tumorboard.appraise.answer import Answer, Appraisal, Score

DIGITAL = "Digital patients: simulated, no real persons. What is about hospitals and people cannot be shown on them."
"""Said above every appraisal of a run on simulated patients."""

SHUFFLED = "Outcomes were shuffled among the patients: what is measured here is chance, and nothing of a model."
"""Said above every appraisal of a null cohort."""

UNTOLD = "The facts do not tell whether the patients are real; what is about hospitals and people stays open."
"""Said where the facts do not tell which."""


def cell(text: str) -> str:
    r"""Return a text that stays within one cell of a Markdown table.

    Examples
    --------
    >>> print(cell("a|b"))
    a\|b
    """
    return " ".join(text.split()).replace("|", r"\|")


def number(value: float) -> str:
    """Return a score without needless digits.

    Examples
    --------
    >>> number(12.0), number(24.03)
    ('12', '24.0')
    """
    return f"{value:.0f}" if abs(value - round(value)) < 1e-9 else f"{value:.1f}"


def banner(appraisal: Appraisal) -> str:
    """Return what is to be said above an appraisal; empty for real patients."""
    whose = UNTOLD if appraisal.digital is None else DIGITAL if appraisal.digital else ""
    return f"{SHUFFLED} {whose}".strip() if appraisal.shuffled else whose


def score_words(appraisal: Appraisal) -> str:
    """Return the score with its range in one sentence.

    Parameters
    ----------
    appraisal : Appraisal
        An answered checklist.

    Returns
    -------
    str

    Examples
    --------
    >>> from tumorboard.appraise import RunFacts, appraise, read_checklist
    >>> score_words(appraise(RunFacts(), read_checklist("rqs")))
    '-8 of 36 points; up to 36 when the author has answered 16 open items'
    """
    score, kind = appraisal.score, appraisal.checklist.score
    units = {"points": " points", "count": " items that apply", "percent": " %"}
    of = "" if kind == "percent" else f" of {number(score.most)}"
    low, high = (f" ({name})" if name else "" for name in _ends(appraisal.bands))
    text = f"{number(score.low)}{of}{units[kind]}{low}"
    if score.settled:
        return text
    left = sum(a.answer is Answer.AUTHOR or a.high > a.low for a in appraisal.answers)
    return f"{text}; up to {number(score.high)}{' %' if kind == 'percent' else ''}{high} {_once(left)}"


def range_words(score: Score) -> str:
    """Return a score as ``low-high/most``, or ``low/most`` where it is settled.

    Examples
    --------
    >>> range_words(Score(3.0, 5.0, 8.0))
    '3–5/8'
    """
    ends = number(score.low) if score.settled else f"{number(score.low)}–{number(score.high)}"
    return f"{ends}/{number(score.most)}"


def _ends(bands: tuple[str, ...]) -> tuple[str, str]:
    return (bands[0], bands[-1]) if bands else ("", "")


def _once(left: int) -> str:
    return f"when the author has answered {left} open item{'s' if left != 1 else ''}"
