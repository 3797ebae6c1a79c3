"""What must not be found in any output of a patient, and the search for it.

Why it exists: a table can be wrong and a reader can misread, so nothing is trusted: whatever identified
the patient in any of the inputs is searched in the bytes of each output, in every usual encoding. The
values live in memory while a run lasts and are written nowhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tumorboard.deidentify.secret import is_standard
from tumorboard.deidentify.words import OWN_WORDS, is_word

ENCODINGS = (
    *("utf-8", "latin-1", "utf-16-le", "utf-16-be", "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-9", "cp1251"),
    *("shift_jis", "euc_jp", "iso2022_jp", "euc_kr", "gb18030"),
)
"""How a name may be written in bytes: the defined character sets of PS3.3 C.12.1.1.2, and UTF-16."""

_IDENTIFYING = """
    PatientID OtherPatientIDs AccessionNumber AdmissionID MedicalRecordLocator ServiceEpisodeID IssuerOfPatientID
    PlacerOrderNumberImagingServiceRequest FillerOrderNumberImagingServiceRequest RequestedProcedureID PatientBirthDate
    ScheduledProcedureStepID PerformedProcedureStepID DeviceSerialNumber StationName InstitutionName PatientAddress
    InstitutionAddress InstitutionalDepartmentName PatientTelephoneNumbers OrderCallbackPhoneNumber BarcodeValue
    ReferringPhysicianAddress ReferringPhysicianTelephoneNumbers PersonTelephoneNumbers InsurancePlanIdentification
    StudyID PersonAddress SpecimenIdentifier ClinicalTrialSubjectID ClinicalTrialSubjectReadingID
"""
IDENTIFYING = frozenset(_IDENTIFYING.split())
"""Attributes whose whole value identifies; names (PN) and unique identifiers (UI) do so wherever they stand."""

OF_SOFTWARE = frozenset(("ImplementationClassUID",))
"""Unique identifiers of programs, which other files of anybody hold too."""

MIN_LETTERS, MIN_DIGITS, SURE_LETTERS, SURE_DIGITS = 3, 5, 6, 8
"""Shorter ones cannot be searched at all; shorter than sure, as whole words of text values only. Chosen: three
letters stand in every large image by chance."""

_SPLIT = re.compile(r"[\^=\\\s,;]+")
_UID = re.compile(rb"(?<![0-9.])[0-2](?:\.(?:0|[1-9][0-9]*)){2,}(?![0-9.])")
_NOT_TEXT = frozenset(("DS", "IS", "UI", "TM", "DA", "DT", "AS", "SQ", "OB", "OW", "OF", "OD", "OL", "OV"))


@dataclass
class Identifiers:
    """What identifies one patient, gathered from all inputs.

    Parameters
    ----------
    texts : set of str
        Name parts, numbers, addresses, the birth date; folded.
    uids : set of str
        Unique identifiers that are not of the standard.
    unsearchable : set of str
        Too short, or words of the field.
    """

    texts: set[str] = field(default_factory=set, repr=False)
    uids: set[str] = field(default_factory=set, repr=False)
    unsearchable: set[str] = field(default_factory=set, repr=False)
    _patterns: list[tuple[bytes, bool]] | None = field(default=None, repr=False)

    def add_text(self, text: str) -> None:
        """Take one identifying text, if it can be searched."""
        folded = fold(text)
        if not folded or set(folded) <= set("0x-. "):
            return
        enough = len(folded) >= (MIN_DIGITS if folded.isdigit() else MIN_LETTERS if folded.isascii() else 2)
        (self.texts if enough and not _everyones(folded) else self.unsearchable).add(folded)
        self._patterns = None

    def absorb(self, other: Identifiers) -> None:
        """Take everything that another one holds."""
        self.texts |= other.texts
        self.uids |= other.uids
        self.unsearchable |= other.unsearchable
        self._patterns = None

    def gather(self, dataset: Any) -> None:
        """Take everything that identifies from a dataset and its sequences; unreadable values are passed over."""
        for element in readable(dataset):
            if element.VR == "SQ":
                for item in element.value or ():
                    self.gather(item)
                continue
            values = [str(v) for v in _values(element)]
            if element.VR == "PN":
                for part in (p for v in values for p in _SPLIT.split(v)):
                    self.add_text(part)
            elif element.VR == "UI" and element.keyword not in OF_SOFTWARE:
                self.uids.update(plain for v in values if (plain := v.strip("\0 ")) and not is_standard(plain))
            elif element.keyword in IDENTIFYING:
                for value in values:
                    self.add_text(value)
                    self.add_written_dates(value, element.VR)

    def add_written_dates(self, text: str, vr: str) -> None:
        """Take a date as people write it, too."""
        if vr == "DA" and len(text) == 8:
            year, month, day = text[:4], text[4:6], text[6:]
            for written in (f"{year}-{month}-{day}", f"{day}.{month}.{year}", f"{month}/{day}/{year}"):
                self.add_text(written)

    def in_text(self, text: str) -> bool:
        """Whether a text value holds any of them, the short ones as whole words.

        Examples
        --------
        >>> known = Identifiers(); known.add_text("Lee"); known.add_text("Mustermann")
        >>> known.in_text("T1 lee"), known.in_text("sleep"), known.in_text("xMUSTERMANNx")
        (True, False, True)
        """
        folded = fold(text)
        return any(
            value in folded and (_sure(value) or re.search(rf"(?<!\w){re.escape(value)}(?!\w)", folded))
            for value in self.texts
        )

    def in_bytes(self, content: bytes) -> bool:
        """Whether a file's bytes hold a sure one in any encoding, or a unique identifier."""
        if any(found[0].decode() in self.uids for found in _UID.finditer(content)):
            return True
        lowered = content.lower()
        return any(_stands(pattern, bounded, lowered) for pattern, bounded in self._searched())

    def in_dataset(self, dataset: Any) -> bool:
        """Whether a text value of a dataset or its sequences holds any of them."""
        for element in readable(dataset):
            if element.VR == "SQ":
                if any(self.in_dataset(item) for item in element.value or ()):
                    return True
            elif element.VR not in _NOT_TEXT and any(self.in_text(str(v)) for v in _values(element)):
                return True
        return False

    def _searched(self) -> list[tuple[bytes, bool]]:
        if self._patterns is None:
            found = {(p, value.isdigit()) for value in self.texts if _sure(value) for p in encoded(value)}
            self._patterns = sorted(found)
        return self._patterns


def fold(text: str) -> str:
    """Return a text composed, in lower case and without padding, so that equal ones are equal."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("\0", " ").casefold().split())


def encoded(value: str) -> set[bytes]:
    """Return the lower-case bytes of a folded text in every encoding that can hold it.

    Examples
    --------
    >>> [len(code) for code in sorted(encoded("weiss1"))]
    [12, 12, 6]
    """
    out = set()
    for name in ENCODINGS:
        for variant in (value, value.upper(), value.title()):
            try:
                out.add(_bare(variant.encode(name)).lower())
            except UnicodeEncodeError:
                continue
    return {pattern for pattern in out if len(pattern) >= SURE_LETTERS}


def _bare(code: bytes) -> bytes:
    """Drop the escape sequences of ISO 2022 at both ends, which depend on what stands beside."""
    return re.sub(rb"^\x1b\$B|\x1b\(B$", b"", code)


def _sure(value: str) -> bool:
    """Whether a value is too long to stand anywhere by chance."""
    return len(value) >= (SURE_DIGITS if value.isdigit() else SURE_LETTERS if value.isascii() else 2)


def _everyones(folded: str) -> bool:
    """Whether a text says nothing, since every output may hold it."""
    return all(is_word(token) or token in OWN_WORDS for token in re.findall(r"[^\W_]+", folded))


def _stands(pattern: bytes, bounded: bool, content: bytes) -> bool:
    at = content.find(pattern)
    while at >= 0:
        before, after = content[max(at - 1, 0) : at], content[at + len(pattern) : at + len(pattern) + 1]
        if not bounded or not (before.isdigit() or after.isdigit()):
            return True
        at = content.find(pattern, at + 1)
    return False


def readable(dataset: Any) -> Iterator[Any]:
    """Yield the elements of a dataset whose values can be read, large binary ones not touched."""
    for tag in list(dataset.keys()):
        try:
            yield dataset[tag]
        except Exception:  # noqa: S112 - a damaged value: whoever writes removes it
            continue


def _values(element: Any) -> list[Any]:
    value = element.value
    if value is None or isinstance(value, bytes):
        return []
    return list(value) if element.VM > 1 else [value]
