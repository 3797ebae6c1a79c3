"""What a patient is called in every output, and how the input's own name is remembered.

Why it exists: the case folder carries the pseudonym, so it must be stable, tell two patients apart, and
never be a name or a date that the user did not put there on purpose.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from tumorboard.errors import SequenceError
from tumorboard.intake.group import Owner
from tumorboard.intake.sessions import is_container

_NUMBER = re.compile(r"\d{5,}")
_DIGITAL = {"DICOM": re.compile(r"DIGITAL-\d+|DIGITALP[A-Z2-7]+"), "BIDS": re.compile(r"digital\d*")}
"""What digital patients are called in each layout by ``tumorboard simulate``, and after ``tumorboard deidentify``."""


def hashed(*parts: str, length: int = 8) -> str:
    """Return the first hexadecimal digits of a BLAKE2 hash of the parts.

    Examples
    --------
    >>> hashed("a", "b") == hashed("a", "b"), hashed("a", "b") == hashed("ab"), len(hashed("a"))
    (True, False, 8)
    """
    composed = "\0".join(unicodedata.normalize("NFC", part) for part in parts)
    return hashlib.blake2b(composed.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()[:length]


def identity_of(owner: Owner) -> str:
    """Return the hash of what the input calls the patient; empty when it does not call them anything."""
    return hashed(*owner.key, length=32) if owner.patient else ""


def is_digital(owner: Owner) -> bool:
    """Whether the input calls its patient simulated.

    Examples
    --------
    >>> from pathlib import Path
    >>> is_digital(Owner("DICOM", "DIGITAL-7", Path())), is_digital(Owner("BIDS", "01", Path()))
    (True, False)
    """
    pattern = _DIGITAL.get(owner.convention)
    return pattern is not None and pattern.fullmatch(owner.patient) is not None


def pseudonym_of(owner: Owner, depth: int = 2) -> str:
    """Return letters and digits that stand for a patient.

    Parameters
    ----------
    owner : Owner
        A BIDS subject keeps its label and a BraTS case its name; a folder becomes 8 hexadecimal digits
        of the hash of its last ``depth`` names, so that it is the same wherever the data are mounted.
    depth : int
        How many folder names count.

    Examples
    --------
    >>> from pathlib import Path
    >>> pseudonym_of(Owner("BIDS", "01", Path())), pseudonym_of(Owner("BraTS", "BraTS-GLI-00001", Path()))
    ('01', 'GLI00001')
    >>> pseudonym_of(Owner("BraTS", "Brats18_2013_21_1", Path()))
    'Brats18x2013x21x1'
    """
    if owner.convention == "BraTS":
        short = re.sub(r"^brats-", "", owner.patient, flags=re.I)
        return re.sub(r"[-_]", "", re.sub(r"(?<=\d)[-_](?=\d)", "x", short))
    if owner.convention == "BIDS":
        plain = re.fullmatch(r"[A-Za-z0-9]+", owner.patient)
        return owner.patient if plain and not looks_like_a_number_of_a_person(owner.patient) else hashed(owner.patient)
    if owner.convention == "DICOM":
        return hashed(owner.patient)
    parts = list(owner.folder.parts)
    while len(parts) > 1 and is_container(parts[-1]):
        parts.pop()
    return hashed(*parts[-depth:])


def looks_like_a_number_of_a_person(name: str) -> bool:
    """Whether a name holds five digits or more in a row: a date, or a hospital's number."""
    return _NUMBER.search(name) is not None


def tell_apart(owners: Iterable[Owner]) -> dict[tuple[str, str], str]:
    """Return a pseudonym for each patient; no two are the same, whatever the case of their letters.

    Folders alike in their last two names are told apart by more of their names, other patients by a
    hash of what the input calls them.
    """
    unique = {owner.key: owner for owner in owners}
    chosen = {key: pseudonym_of(owner) for key, owner in unique.items()}
    for depth in range(3, 40):
        folded = Counter(name.casefold() for name in chosen.values())
        twice = [key for key, name in chosen.items() if folded[name.casefold()] > 1]
        if not twice:
            break
        for key in twice:
            owner = unique[key]
            chosen[key] = chosen[key] + hashed(*key)[:4] if owner.patient else pseudonym_of(owner, depth)
    return chosen


def check_pseudonym(name: str) -> str:
    """Return the name given with ``--patient`` if it can stand in file names as it is.

    Raises
    ------
    SequenceError
        It holds anything but letters A-Z and digits; the message never repeats it.
    """
    if re.fullmatch(r"[A-Za-z0-9]+", name) and len(name) <= 64:
        return name
    odd = sorted({c for c in name if not (c.isascii() and c.isalnum())})
    shown = ", ".join(repr(c) if c.isascii() and c.isprintable() else "a letter outside A-Z" for c in odd[:3])
    got = f"a name with {shown}" if odd else "an empty name" if not name else "more than 64 characters"
    remedy = "use the same without those characters, or a study number such as P01"
    raise SequenceError("letters A-Z, a-z and digits only", got=got, where="--patient", remedy=remedy)
