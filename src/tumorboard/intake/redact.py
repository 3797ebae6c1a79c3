"""File names as they may be shown: words of the field stay, everything else becomes a star.

Why it exists: a file name is where a patient's name and birth date most often stand. Whatever is printed,
logged or raised shows a name through here. Nothing is shown because it looks harmless; only what is in
the vocabulary is.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from tumorboard.intake.identity import identify
from tumorboard.intake.vocabulary import EXTENSION, WORDS, words

DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d{2}([-_. ]?)\d{2}\1\d{2}|\d{1,2}[-_. ]\d{1,2}[-_. ](?:19|20)\d{2}|\d{8,})(?!\d)", re.ASCII
)
"""Runs of digits that may be a date, with or without separators."""

_ENTITY = re.compile(r"(?:sub|ses|ce|run)-[A-Za-z0-9]+")
_LONG_NUMBER = re.compile(r"\d{4,}")
_PART = re.compile(r"(?:sub|ses|ce|run)-[A-Za-z0-9]+(?=[_.]|$)|[^\W_]+|[\W_]+")
_SEPARATORS = frozenset(" _-.+*(),")
_HIDDEN_RUN = re.compile(r"\*(?:[\W_]*\*)+")


def shown_name(path: Path | str) -> str:
    """Return a file's name with every token that is not a word of the field replaced by ``*``.

    Parameters
    ----------
    path : Path or str
        Only its last part is looked at.

    Returns
    -------
    str
        Sequence and technique words, BIDS entities, BraTS names and the ending as written. Dates and
        numbers of four digits or more are hidden, BraTS names excepted.

    Examples
    --------
    >>> shown_name("DOE_JOHN_1961-03-04_T1_post.nii.gz"), shown_name("BraTS-GLI-00001-000-t1c.nii.gz")
    ('*_T1_post.nii.gz', 'BraTS-GLI-00001-000-t1c.nii.gz')
    """
    name = unicodedata.normalize("NFC", Path(path).name)
    ending = EXTENSION.search(name)
    stem, suffix = (name[: ending.start()], name[ending.start() :]) if ending else (name, "")
    identity = identify(stem)
    kept = stem[: identity.end] if identity is not None and identity.convention == "BraTS" else ""
    rest = DATE.sub("*", stem[len(kept) :])
    text = "".join(_shown_part(part) for part in _PART.findall(rest))
    return kept + _HIDDEN_RUN.sub("*", text) + suffix


def shown_image(path: Path, number: int | None, description: str) -> str:
    """Return how an image is called in print: a file's redacted name, or a series by number and known words.

    Examples
    --------
    >>> shown_image(Path("IM1"), 5, "Ax T1 post DOE JANE"), shown_image(Path("T1_post.nii"), None, "")
    ('series 5 (Ax T1 post *)', 'T1_post.nii')
    """
    if number is None:
        return shown_name(path)
    words_known = shown_name(description.replace("/", " ")[:80]) if description else ""
    return f"series {number} ({words_known})" if words_known.strip("* ") else f"series {number}"


def _shown_part(part: str) -> str:
    if _ENTITY.fullmatch(part):
        key, _, value = part.partition("-")
        return f"{key}-*" if _LONG_NUMBER.search(value) else part
    if not any(c.isalnum() for c in part):
        return "".join(c if c in _SEPARATORS else "_" for c in part)
    return part if all(word in WORDS for word in words(part)) else "*"
