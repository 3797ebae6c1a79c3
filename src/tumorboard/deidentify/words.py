"""Free text as words of the field: everything else in it goes.

Why it exists: a series is recognised by what its description says, and a name hides best in a description.
No list of names is complete, a list of words can be: what is not on it does not leave. Codes keep the
meaning their scheme gives them, not what the file says they mean.
"""

from __future__ import annotations

import re
from functools import lru_cache

from tumorboard.intake.evidence.contrast import said_of_contrast
from tumorboard.intake.vocabulary import WORDS, words

REMOVED = "REMOVED"
"""Stands where a text was that must not be empty."""

_EXTRA = """acquired acquisition agent algorithm apparent area automated average axis basal bilateral bolus center
    centre cerebellum cerebral coefficient coil coils cortex coverage csf cyst delay delayed derived diameter dielectric
    digital direction dixon dose dynamic echo edema oedema enhancing enhancement fast fat field filtered flow
    frontal ganglia geometric glioma gradient grey gray hemisphere high image images imaging inferior injection
    intensity intravenous inversion iv large lateral left lesion long longest low lower magnitude map matter maximum
    mean medial median metastasis middle minimum motion multi multiple navigator necrosis neck neoplasm nonenhancing
    normal normalised normalized occipital oblique original oral parallel parietal part peak perpendicular plane
    planes position posterior anterior primary pulse quantitative ratio real reconstruction recon reference region
    relative research resection cavity right saturation scan secondary sense sequence series short shift signal
    single slab slice slices small spin spine spectral stem study superior suppressed suppression surface temporal
    thalamus thin thick time tissue total transit tumor tumour turbo unilateral upper value ventricle vessel volume
    water weighted weighting white whole with body bone routine thorax abdomen pelvis chest cervical lumbar thoracic
    head skull kopf schaedel mrt irm cerebrale omniscan multihance gadavist primovist elucirem vueway gadobutrol
    gadoterate gadopiclenol"""
EXTRA = frozenset(_EXTRA.split())
"""Words of descriptions and of result objects that file names seldom hold; lower case."""

STANDARD_SCHEMES = frozenset(
    (
        "DCM",
        "SCT",
        "SRT",
        "SNM3",
        "99SDM",
        "UCUM",
        "LN",
        "FMA",
        "RADLEX",
        "NCIt",
        "UMLS",
        "NEU",
        "MDC",
        "IBSI",
        "I10",
        "I9C",
    )
)
"""Coding schemes whose code values are published (PS3.16 Section 8); others are a site's own."""

_TOKEN = re.compile(r"[cC]-(?=[_\s.]|$)|[^\W_]+|[+*]")
_TECHNICAL = re.compile(
    r"b(?:0|50|[1-9]\d?[05]0)t?|p\d|\d{1,3}(?:mm|ms|ml|dir|deg|ch)|t[12](?:tse|tfe|ffe|se|ir|flair)"
    r"|(?:tir|tse|se|fl|tfl|gre|spc|epfid|ir)[23]d\d{0,2}"
)
"""b-values, acceleration, lengths, times and directions, and the names of pulse sequences."""

_OF_CONTRAST = {"before": "pre contrast", "after": "post contrast", "": ""}
"""What is added where the words that said so had to go."""

_LONG = re.compile(r"\d{5,}")


def is_word(token: str) -> bool:
    """Whether a token is made of words of the field alone.

    Examples
    --------
    >>> is_word("MPRAGE"), is_word("AxT1Post"), is_word("Weiss")
    (True, True, False)
    """
    if _LONG.search(token) or not token.isascii():
        return False
    parts = words(token)
    return bool(parts) and all(p in WORDS or p in EXTRA or _TECHNICAL.fullmatch(p) for p in parts)


def clean_text(text: str) -> str:
    """Return the words of the field in a text, in their order, and nothing else.

    What a text says of contrast agent is kept whatever its language: a small word that is dropped ("sans", "vor")
    would turn *before* into *after*.

    Parameters
    ----------
    text : str
        A description, label or comment.

    Examples
    --------
    >>> clean_text("Ms DOE 4711: AX T1 +C post_Gd 04.03.1961"), clean_text("for Dr. Who")
    ('AX T1 + C post Gd', '')
    >>> clean_text("T1 sans injection DOE"), clean_text("T1 o. KM")
    ('T1 injection pre contrast', 'T1 KM pre contrast')
    """
    tokens = [t for t in _TOKEN.findall(text[:10_000]) if t in "+*" or t in ("c-", "C-") or is_word(t)]
    while tokens and tokens[-1] == "+":
        tokens.pop()
    kept, said = " ".join(tokens).lstrip("+* ").strip(), said_of_contrast(text[:10_000])
    return kept if said == said_of_contrast(kept) else f"{kept} {_OF_CONTRAST[said]}".strip()


@lru_cache(maxsize=1)
def _meanings() -> dict[tuple[str, str], str]:
    from pydicom.sr.codedict import codes

    out: dict[tuple[str, str], str] = {}
    for scheme in codes.schemes():
        for code in getattr(codes, scheme).concepts.values():
            out.setdefault((scheme, str(code.value)), str(code.meaning))
    return out


def meaning_of(scheme: str, value: str) -> str | None:
    """Return what a published code means (PS3.16), or None where it is not in the dictionary.

    Examples
    --------
    >>> meaning_of("DCM", "113100"), meaning_of("99WARD", "4711")
    ('Basic Application Confidentiality Profile', None)
    """
    return _meanings().get((scheme, value))


METHOD = "tumorboard, PS3.15 Annex E"
"""De-identification Method (0012,0063)."""

OPTIONS = {
    "113100": "Basic Application Confidentiality Profile",
    "113102": "Clean Recognizable Visual Features Option",
    "113104": "Clean Structured Content Option",
    "113105": "Clean Descriptors Option",
    "113106": "Retain Longitudinal Temporal Information Full Dates Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
    "113111": "Retain Safe Private Option",
}
"""De-identification Method codes (CID 7050) of what can be done here."""

_TERMS = """
    YES NO MODIFIED UNMODIFIED TUMORBOARD TEXT NUM CODE CONTAINER PNAME DATE TIME DATETIME UIDREF IMAGE COMPOSITE
    WAVEFORM SCOORD SCOORD3D TCOORD TABLE CONTAINS HAS OBS CONTEXT CONCEPT MOD PROPERTIES INFERRED FROM SELECTED ACQ
    ORIGINAL PRIMARY DERIVED SECONDARY MONOCHROME1 MONOCHROME2 SEPARATE CONTINUOUS COMPLETE PARTIAL VERIFIED UNVERIFIED
"""
_WRITTEN = (METHOD, REMOVED, _TERMS, *STANDARD_SCHEMES)
OWN_WORDS = frozenset(w.lower() for text in (*_WRITTEN, *OPTIONS.values()) for w in re.findall(r"[^\W_]+", text))
"""Words that every output may hold, defined terms of the standard among them; to find one says nothing."""
