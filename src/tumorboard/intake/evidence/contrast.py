"""Signs of a contrast agent, and of when it went in; asked only of a T1.

Why it exists: a T1 taken for a T1C, or the other way round, is the error that costs most. The agent's tag is
often empty, left in from the last series, or missing; the clock and the siblings tell more.
"""

from __future__ import annotations

from tumorboard.intake.evidence.facts import Facts, acquired, every, no, says_of_contrast, typed
from tumorboard.intake.evidence.row import Row
from tumorboard.series import SeriesTags

_MEDIUM = r"(?:iv|injection|contrast\w*|gd|gado|km|mdc)"
_AFTER_WORDS = (
    r"post|postgad|postgd|postkm|postcontrast|gad|gado|gadolinium|gadolinio|gadovist|dotarem|magnevist|prohance|"
    r"clariscan|multihance|km|ce|gd|mdc|m d c|civ|c plus|plus c|t1 plus|c c|contrast|contraste|contrasto|kontrast|"
    r"kontrastmittel|injection|injecte|inj|enhanced|iv plus|t1c|t1ce|"
    rf"(?:apres|after|dopo|nach|na|con|com|avec|met|mit|w|with|pos|plus) {_MEDIUM}"
)
_BEFORE_WORDS = (
    r"pre|non con|native|nativ|natif|plain|unenhanced|precontrast|noncontrast|pregad|pregd|prekm|basale|basal|blanco|"
    r"simple|diretto|s c|s mdc|o km|s m d c|w o|wo|"
    rf"(?:sans|without|sin|senza|sem|zonder|ohne|avant|vor|voor|antes|pra|s|o|non) {_MEDIUM}"
)
_AFTER_SAID = every(says_of_contrast(_AFTER_WORDS), no(says_of_contrast(_BEFORE_WORDS)))
_BEFORE_SAID = says_of_contrast(_BEFORE_WORDS)
BEFORE_ALL, EVER = -1e6, 1e6


def said_of_contrast(text: str) -> str:
    """Return what a description says of contrast agent: ``before``, ``after`` or nothing.

    Examples
    --------
    >>> said_of_contrast("T1 sans injection"), said_of_contrast("T1 + KM"), said_of_contrast("T2 tse")
    ('before', 'after', '')
    """
    facts = Facts(SeriesTags(description=text))
    return "before" if _BEFORE_SAID(facts) else "after" if _AFTER_SAID(facts) else ""


_SILENT = every(no(_AFTER_SAID), no(_BEFORE_SAID), lambda f: not f.agent)

CONTRAST = (
    Row("image type", typed("POST_CONTRAST"), "T1C +4", "Image Type says after contrast agent"),
    Row("image type", typed("PRE_CONTRAST"), "T1 +4", "Image Type says before contrast agent"),
    Row("description", _AFTER_SAID, "T1C +5", "a word for contrast agent or after it"),
    Row("description", _BEFORE_SAID, "T1 +5", "a word for before contrast agent"),
    Row(
        "contrast agent", every(lambda f: f.agent, no(acquired(BEFORE_ALL, -1))), "T1C +4", "a contrast agent is named"
    ),
    Row("injection", every(lambda f: f.timed, acquired(BEFORE_ALL, -1)), "T1 +5", "acquired before the injection"),
    Row("injection", every(lambda f: f.timed, acquired(0, 7200)), "T1C +4", "acquired after the injection"),
    Row(
        "injection",
        every(lambda f: not f.timed, acquired(1, 7200)),
        "T1C +4",
        "acquired after a series that shows contrast agent",
    ),
    Row("contrast agent", every(_SILENT, no(acquired(0, EVER))), "T1 +3", "no sign of a contrast agent"),
    Row(
        "siblings",
        lambda f: not f.timed and f.around.alike_after and not f.around.t1_before,
        "T1 +3",
        "the first of two T1 acquired in the same way",
    ),
    Row(
        "siblings",
        lambda f: not f.timed and f.around.before_bolus,
        "T1 +2",
        "acquired before the series that follows the contrast agent",
    ),
    Row("siblings", every(_SILENT, lambda f: f.around.alike_before), "T1C +2", "acquired before in the same way"),
    Row("siblings", every(_SILENT, lambda f: f.around.t1_before), "T1C +1.5", "not the first T1 of the study"),
    Row(
        "siblings",
        every(_SILENT, lambda f: f.around.t1_before and f.around.contrast_seen),
        "T1C +0.5",
        "not the first T1 of a study with contrast agent",
    ),
)
"""Signs of a contrast agent, and of when; asked only of a T1, and weighed against each other alone."""
