"""How pages are filled in: everything is escaped, a forgotten name is an error, and a few words for people.

Why it exists: a patient's name comes from a stranger's file. Nothing on a page is marked as safe but what our own
drawing code made. Sources: OWASP XSS Prevention Cheat Sheet; PS3.5 6.2 (PN, DA, TM).
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from tumorboard.report.model import DIGITAL_BANNER, RESEARCH_BANNER
from tumorboard.store import digest

PACKAGE = "tumorboard.serve.web"
OTHERS = ("tumorboard.serve.room",)
"""Packages that may bring templates of their own."""


def environment() -> Environment:
    """Return the environment of all pages."""
    loaders = [PackageLoader(PACKAGE), *(PackageLoader(name) for name in OTHERS if _has_templates(name))]
    made = Environment(
        loader=ChoiceLoader(loaders), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals |= {"research": RESEARCH_BANNER, "digital_words": DIGITAL_BANNER, "asset": asset}
    words = (person, day, clock_time, moment, ago, age_at, sex, sentence, plural)
    made.filters |= {word.__name__: word for word in words}
    return made


@lru_cache(maxsize=64)
def asset(name: str) -> str:
    """Return the address of a static file, with a digest so that a new release is fetched.

    Examples
    --------
    >>> asset("style.css").startswith("/static/style.css?v=")
    True
    """
    return f"/static/{name}?v={digest((files(PACKAGE) / 'static' / name).read_bytes())[:8]}"


def person(name: str) -> str:
    """Return a DICOM name for people. Source: PS3.5 6.2.1.1.

    Examples
    --------
    >>> person("Smith^John^Q^Dr"), person(""), person("Yamada^Tarou=山田^太郎")
    ('Smith, John Q', 'no name', 'Yamada, Tarou')
    """
    parts = [part.strip() for part in name.split("=", maxsplit=1)[0].split("^")[:3]]
    given = " ".join(part for part in parts[1:] if part)
    return ", ".join(part for part in (parts[0], given) if part) or "no name"


def day(text: str) -> str:
    """Return a DICOM date for people.

    Examples
    --------
    >>> day("20200103"), day(""), day("2020")
    ('2020-01-03', 'no date', '2020')
    """
    whole = len(text) == 8 and text.isdigit()
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if whole else text or "no date"


def clock_time(text: str) -> str:
    """Return a DICOM time for people.

    Examples
    --------
    >>> clock_time("101500.25"), clock_time("")
    ('10:15', '')
    """
    return f"{text[:2]}:{text[2:4]}" if len(text) >= 4 and text[:4].isdigit() else ""


def moment(at: dt.datetime | None) -> str:
    """Return a moment in the machine's own zone.

    Examples
    --------
    >>> moment(None)
    '–'
    """
    return at.astimezone().strftime("%Y-%m-%d %H:%M") if at else "–"


def ago(at: dt.datetime | None, since: dt.datetime) -> str:
    """Return how long ago a moment was.

    Examples
    --------
    >>> t = dt.datetime(2020, 1, 2, 12, tzinfo=dt.UTC)
    >>> [ago(t - dt.timedelta(seconds=s), t) for s in (20, 300, 7200, 200_000)]
    ['just now', '5 min', '2 h', '2 d']
    """
    if at is None:
        return "–"
    seconds = max(0, int((since - at).total_seconds()))
    steps = ((86_400, "d"), (3600, "h"), (60, "min"))
    return next((f"{seconds // step} {unit}" for step, unit in steps if seconds >= step), "just now")


def age_at(birth: str, date: str) -> str:
    """Return the age in years on a date, both as DICOM writes them; empty where it cannot be told.

    Examples
    --------
    >>> age_at("19500102", "20200101"), age_at("", "20200101")
    ('69', '')
    """
    if not (len(birth) == len(date) == 8 and (birth + date).isdigit()):
        return ""
    years = int(date[:4]) - int(birth[:4]) - (date[4:] < birth[4:])
    return str(years) if 0 <= years < 150 else ""


def sex(code: str) -> str:
    """Return a sex for people.

    Examples
    --------
    >>> sex("F"), sex("")
    ('female', '')
    """
    return {"F": "female", "M": "male", "O": "other"}.get(code, "")


def sentence(reason: object) -> str:
    """Return a reason of urgency as its sentence.

    Examples
    --------
    >>> sentence({"sentence": "Midline shift: 7 mm."}), sentence("Plain.")
    ('Midline shift: 7 mm.', 'Plain.')
    """
    return str(reason.get("sentence", "")) if isinstance(reason, dict) else str(reason)


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "study", "studies"), plural(3, "job")
    ('1 study', '3 jobs')
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


def _has_templates(name: str) -> bool:
    try:
        return (files(name) / "templates").is_dir()
    except ModuleNotFoundError:
        return False
