"""Which sequence a file name speaks of, and why.

Why it exists: the wrong sequence in the wrong place is a wrong tumour. Recognition is one table, read
from top to bottom, and every row carries the reason that is printed. A name that speaks of two
sequences at once is never guessed. Nothing here opens a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tumorboard.intake.identity import identify
from tumorboard.intake.vocabulary import VOCABULARY, stem_of, words
from tumorboard.sequences import Sequence


@dataclass(frozen=True)
class Recognition:
    """What a name says: a sequence, or a reason to leave the file out.

    Parameters
    ----------
    sequence : Sequence or None
        None when the file is to be skipped.
    reason : str
        Words for the printed table; they identify nobody.
    """

    sequence: Sequence | None
    reason: str


UNKNOWN = Recognition(None, "no sequence recognised in its name")
"""The name says nothing; its folder may."""


def _any(*groups: str) -> str:
    return r"\b(?:" + "|".join(word for group in groups for word in VOCABULARY[group]) + r")\b"


_WEIGHT = r"(?:t1|t2|flair|fla)"
_CONTRAST = _any("contrast") + r"|\bt1 c\b|\bplus c\b|\bc plus\b|\bt1 plus(?= |$)"
_T1 = _any("t1", "t1 technique")
_T2 = r"\bt2\b"
_AGENT = (
    r"\b(?:gd|gad|gado|gadolinium|gadolinio|gadovist|dotarem|km|mdc|contrast|contraste|contrasto|kontrast|kontrastmittel"
    r"|postgad|postgd|postcontrast)\b"
)

_WITHOUT = r"(?:pre|pra|prä|ohne|o|without|wo|w o|non|no|sans|avant|sin|senza|sem|s|zonder|vor|voor|antes|prima)"
_MEDIUM = r"(?:contrast[eo]?|kontrast|kontrastmittel|km|gad|gado|gadolinio|gadolinium|gd|mdc|injection|iv|ce|c)"

PHRASES: tuple[tuple[re.Pattern[str], str], ...] = (
    # A study described "with and without contrast" says nothing about one series of it.
    (re.compile(r"\b(?:w|with|mit) (?:and |und |o )?(?:wo|w o|without|ohne) (?:contrast|gad|gado|gd|km)\b"), ""),
    # Before or after an operation is not before or after contrast.
    (
        re.compile(r"\b(?:pre|post) (?:op|operative|operativ|surgery|surgical|rt|radio\w*|treatment|therapy|chemo)\b"),
        "",
    ),
    # Moved onto another sequence's grid: the first one is the image.
    (
        re.compile(rf"(\b{_WEIGHT}\b.*?) (?:to|in|on|onto|into|2) {_WEIGHT}\b(?: (?:c|ce|gd|post|native))?(?: space)?"),
        r"\1",
    ),
    (re.compile(r"\bm d c\b"), "mdc"),
    (re.compile(rf"\b{_WITHOUT} {_MEDIUM}\b"), "native"),
    (re.compile(r"\bce (?:none|no|pre)\b"), "native"),
)
"""Runs of words that would mislead word by word, and what they are replaced by."""

_RULES: tuple[tuple[str, Sequence | None, str], ...] = (
    (_any("mask"), None, "a mask, not an image"),
    (_any("segmentation") + r"|\bvsd\b.* ot\b", None, "a segmentation; own labels only with --labels"),
    (r"\b(?:sub(?:tr\w*))\b|(?<!^)\bsub\b|^sub\b(?! \d)", None, "a subtraction, computed from other images"),
    (_any("diffusion"), None, "diffusion is not used yet"),
    (_any("perfusion"), None, "perfusion is not used yet"),
    (
        _any("susceptibility") + r"|\bt2 star\b|\bt2\b.*\bgre\b|\bgre\b.*\bt2\b",
        None,
        "susceptibility is not used yet",
    ),
    (_any("planning"), None, "a planning image"),
    (_any("vessels"), None, "an angiogram"),
    (_any("spectroscopy"), None, "spectroscopy is not used yet"),
    (_any("function"), None, "functional MRI is not used yet"),
    (_any("other modality"), None, "not an MR sequence"),
    (_any("projection"), None, "a projection or a phase image"),
    (_any("map") + r"|\bbias field\b", None, "a computed map, not an image"),
    (rf"(?=.*{_T1})(?=.*{_T2})", None, "its name speaks of T1 and of T2; say which with --sequence NAME=FILE"),
    (rf"(?=.*{_T1})(?=.*\bpre\b)(?=.*\bpost\b)", None, "its name speaks of before and after contrast; use --sequence"),
    (rf"^(?!.*{_T1}).*(?:\b(?:flair|fla|tirm|darkfluid|dark fluid|da fl)\b|\btir2d\w*)", Sequence.FLAIR, "FLAIR"),
    (r"\bpdt2\b|(?=.*\bpdw?\b)(?=.*\bt2\b)", None, "two echoes in one name (PD and T2); use --sequence NAME=FILE"),
    (_T2, Sequence.T2, "T2"),
    (rf"(?=.*{_T1})(?=.*(?:{_CONTRAST}))", Sequence.T1C, "T1 with a word for contrast agent"),
    (_any("density"), None, "proton density is not used"),
    (_T1, Sequence.T1, "T1 without a word for contrast agent"),
    (_AGENT, Sequence.T1C, "a contrast agent and no other weighting"),
)

RULES: tuple[tuple[re.Pattern[str], Recognition], ...] = tuple(
    (re.compile(pattern), Recognition(sequence, reason)) for pattern, sequence, reason in _RULES
)
"""Patterns over the words of a name, the first that fits decides. T1 FLAIR is a T1; T2 FLAIR is a FLAIR."""

_BIDS_PART = re.compile(r"(?P<key>[a-z]+)-(?P<value>[A-Za-z0-9]+)")


def recognise(name: str) -> Recognition:
    """Return the sequence that a file name speaks of, or why the file is left out.

    Parameters
    ----------
    name : str
        A file name with or without its ending, or a folder's name.

    Returns
    -------
    Recognition
        :data:`UNKNOWN` when the name holds no word of the field.

    Examples
    --------
    >>> recognise("sub-01_ce-gadolinium_T1w.nii.gz").sequence
    <Sequence.T1C: 'T1C'>
    >>> recognise("BraTS-GLI-00001-000-t2f.nii.gz").reason
    'BraTS name: FLAIR'
    >>> recognise("brain-mask-on-t1c.nii.gz")
    Recognition(sequence=None, reason='a mask, not an image')
    """
    stem = stem_of(name)
    identity = identify(stem)
    text = stem if identity is None else stem[identity.end :]
    if identity is not None and identity.convention == "BIDS":
        text = _bids_words(text)
    said = " ".join(words(text))
    for pattern, replacement in PHRASES:
        said = pattern.sub(replacement, said)
    found = next((recognition for pattern, recognition in RULES if pattern.search(said)), UNKNOWN)
    if identity is None or found.sequence is None:
        return found
    return Recognition(found.sequence, f"{identity.convention} name: {found.reason}")


def _bids_words(text: str) -> str:
    """Keep a BIDS name's suffix, its contrast entity, and words for contrast in ``acq-`` and ``rec-``."""
    kept = []
    for part in text.split("_"):
        entity = _BIDS_PART.fullmatch(part)
        if entity is None:
            kept.append(part)
        elif entity["key"] == "ce":
            kept.append("ce none" if entity["value"].lower() in VOCABULARY["native"] else "ce")
        elif entity["key"] in ("acq", "rec", "part"):
            wanted = {*VOCABULARY["contrast"], "phase"}
            kept.extend(word for word in words(entity["value"]) if word in wanted)
    return " ".join(kept)
