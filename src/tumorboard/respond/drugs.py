"""Words of a table of events: classes of drugs, names of steroids, reasons, and what denies them.

Why it exists: people write *Avastin 10 mg/kg + lomustine*; a criterion asks whether the drug is anti-angiogenic or an
immunotherapy. The words are a table, ``drugs.toml``; what it does not hold is not guessed.

Source: see the tables; classes and factors carry ``unverified``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def vocabulary() -> Mapping[str, Any]:
    """Return the words, as ``drugs.toml`` holds them."""
    return tomllib.loads((files("tumorboard.respond") / "drugs.toml").read_text(encoding="utf-8"))


@cache
def drug_classes(text: str) -> frozenset[str]:
    """Return the classes of the drugs that a cell names.

    Parameters
    ----------
    text : str
        Names, brands or words for a class; several are separated by ``+``, ``/``, ``;``, a comma or *and*. A part that
        denies (*no bevacizumab*, *after nivolumab*) names nothing.

    Returns
    -------
    frozenset of str
        Of ``antiangiogenic`` and ``immunotherapy``; empty for any other drug.

    Examples
    --------
    >>> sorted(drug_classes("Avastin 10 mg/kg + nivolumab")), sorted(drug_classes("immune checkpoint inhibitor"))
    (['antiangiogenic', 'immunotherapy'], ['immunotherapy'])
    >>> sorted(drug_classes("temozolomide after bevacizumab"))
    []
    """
    return frozenset(name for name, words in vocabulary()["classes"].items() if says(text, _names(words)))


def _names(words: Mapping[str, Any]) -> tuple[str, ...]:
    drugs = words["drugs"]
    return (*words["words"], *drugs, *(brand for brands in drugs.values() for brand in brands))


def says(text: str, phrases: Iterable[str]) -> bool:
    """Return whether a text names one of some phrases without denying it.

    Parameters
    ----------
    text : str
        As typed; case, hyphens and underscores do not matter.
    phrases : iterable of str
        In lower case, words with single blanks between.

    Examples
    --------
    >>> [says(t, ["tumour"]) for t in ("Tumour oedema", "no tumour", "asthma, not tumour", "tumours")]
    [True, False, False, False]
    """
    wanted = [f" {phrase} " for phrase in phrases]
    return any(phrase in piece for piece in _pieces(text) for phrase in wanted)


def _pieces(text: str) -> Iterator[str]:
    """Yield the parts of a text without what they deny."""
    words = vocabulary()["words"]
    for part in re.split(r"[+/;,&|]|\b(?:and|with|plus|or)\b", text.casefold()):
        said = plain_words(part).split()
        if not set(said) & set(words["denied"]):
            until = next((n for n, word in enumerate(said) if word in words["denied_after"]), len(said))
            yield f" {' '.join(said[:until])} "


def plain_words(text: str) -> str:
    """Return the words of a text in lower case, with single blanks between and around them."""
    return " ".join(("", *re.findall(r"[^\W_]+", text.casefold()), ""))


def whole_word(text: str, words: Mapping[str, Sequence[str]]) -> str:
    """Return the key whose words the whole text is; the empty string where there is none.

    Examples
    --------
    >>> [whole_word(t, {"worse": ["declined"]}) for t in ("Worse", "declined.", "not worse")]
    ['worse', 'worse', '']
    """
    plain = plain_words(text).strip()
    return next((key for key, also in words.items() if plain == key or plain in also), "")


def is_number(text: str) -> bool:
    """Return whether a cell is a number without a sign: digits, with a point where there are decimals."""
    return re.fullmatch(r"\d+(?:\.\d+)?", text.strip(), re.ASCII) is not None
