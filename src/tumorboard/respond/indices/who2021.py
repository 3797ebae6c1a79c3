"""The integrated diagnosis of an adult-type diffuse glioma (WHO 2021) from what the laboratory told.

Why it exists: a marker that was not tested is not a negative one. Every input is positive, negative or unknown; the
result lists which diagnoses are still possible, which inputs decided, and what each missing one could change.

- Not tested, and more than one diagnosis possible: NOS. Tested, and none fits: NEC.
- IDH is wild-type only by sequencing; a negative stain for R132H leaves the other mutations.
- A codeletion of 1p/19q overrides ATRX; both together are a conflict, which is told.
- CDKN2A/B homozygous deletion makes an IDH-mutant astrocytoma grade 4. MGMT classifies nothing.

It refuses to tell a glioma from anything else: that it is a diffuse glioma of adult type is taken from the histology.

Source: WHO Classification of Tumours of the Central Nervous System, 5th edition, 2021, as in PMC11540532, Table 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tumorboard.errors import InputError
from tumorboard.respond.indices.base import UNKNOWN, Frozen, check_names, plain
from tumorboard.respond.indices.tables import HERE
from tumorboard.respond.indices.who2021_rules import (
    NEG,
    NOT,
    POS,
    Entity,
    Markers,
    Outcome,
    Tri,
    any_of,
    codeletion,
    conflicts,
    decided_by,
    idh_status,
    outcomes,
)
from tumorboard.settings import read_model

WORDS = {
    **dict.fromkeys(("positive", "pos", "yes"), POS),
    **dict.fromkeys(("negative", "neg", "no"), NEG),
    **dict.fromkeys(UNKNOWN, NOT),
}
"""Words that are read for a marker."""

RULES_OUT, NO_CHANGE = "rules out ", "no change"
"""How an answer is told that leaves the diagnosis as it is."""


class Words(Frozen):
    """The names of ``who2021.toml``."""

    title: str
    version: str
    source: str
    markers: dict[str, str]
    names: dict[Entity, str]
    nos: dict[Tri, str]
    work_up: dict[Entity, str]
    unverified: dict[str, str]
    who2016: dict[str, dict[int, str]]


@cache
def words() -> Words:
    """Return the names of markers and diagnoses."""
    return read_model(HERE / "who2021.toml", Words, "names of diagnoses")


@dataclass(frozen=True, slots=True)
class IntegratedDiagnosis:
    """What the markers say.

    Parameters
    ----------
    diagnosis : str
        With its grade, or with NOS or NEC.
    entity : Entity
        The type; ``nos`` where more than one is possible.
    grade : int or None
        CNS WHO grade; ``None`` where it is open or there is none.
    possible : tuple of str
        All diagnoses that agree with what is known.
    decided_by : tuple of str
        Markers that the diagnosis and its grade rest on.
    missing : tuple of str
        Markers that are unknown and could change diagnosis or grade.
    would_change : mapping of str to (mapping of str to str)
        For each missing marker the diagnosis if it is positive and if it is negative, or what that rules out.
    conflicts : tuple of str
        Findings that contradict each other.
    who2016 : str or None
        Name in the edition of 2016, if asked for; empty where it cannot be told.
    markers : mapping of str to str
        What was told.
    source, version : str
        Of the classification.
    unverified : tuple of str
        What was not read in the source.
    sentence : str
        All of this in words.
    """

    diagnosis: str
    entity: Entity
    grade: int | None
    possible: tuple[str, ...]
    decided_by: tuple[str, ...]
    missing: tuple[str, ...]
    would_change: Mapping[str, Mapping[str, str]]
    conflicts: tuple[str, ...]
    who2016: str | None
    markers: Mapping[str, str]
    source: str
    version: str
    unverified: tuple[str, ...]
    sentence: str

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return plain(self)


def _named(found: frozenset[Outcome]) -> tuple[str, ...]:
    """Return the name of each type in a set of outcomes, with the grades that are possible."""
    names = []
    for entity in (e for e in Entity if any(o.entity is e for o in found)):
        *few, last = sorted(str(o.grade or "") for o in found if o.entity is entity)
        grade = f"{', '.join(few)} or {last}" if few else last
        names.append(words().names[entity] + (f", CNS WHO grade {grade}" if last else ""))
    return tuple(names)


def _told(markers: Markers, found: frozenset[Outcome]) -> str:
    """Return the diagnosis that a set of outcomes amounts to."""
    names = _named(found)
    return names[0] if len(names) == 1 else words().nos[idh_status(markers)]


def _changes(markers: Markers) -> dict[str, dict[str, str]]:
    """Return, for each unknown marker that could change something, what either answer would."""
    now, wrong = outcomes(markers), conflicts(markers)
    found = {}
    for name in (n for n, told in markers.items() if told is NOT):
        answers = {tri: {**markers, name: tri} for tri in (POS, NEG)}
        # an answer that would contradict what is known is not expected
        sound = {tri.value: m for tri, m in answers.items() if conflicts(m) == wrong}
        if any(outcomes(m) != now for m in sound.values()):
            found[name] = {answer: _change(markers, m) for answer, m in sound.items()}
    return found


def _change(before: Markers, after: Markers) -> str:
    """Return the diagnosis that another answer would give, or else what it would rule out."""
    now, left = outcomes(before), outcomes(after)
    told = _told(after, left)
    if told != _told(before, now):
        return told
    return f"{RULES_OUT}{'; '.join(_named(now - left))}" if left != now else NO_CHANGE


def _name_2016(markers: Markers) -> str:
    """Return the name in the edition of 2016, by IDH, 1p/19q and histology alone; empty where one is open."""
    idh, codel = idh_status(markers), codeletion(markers)
    if idh is NOT or markers["h3_alteration"] is POS or (idh is POS and codel is NOT):
        return ""
    family = "wildtype" if idh is NEG else "oligodendroglioma" if codel is POS else "astrocytoma"
    names = words().who2016[family]
    highest, anaplasia = any_of(markers, ("necrosis", "microvascular_proliferation")), markers["anaplasia"]
    if highest is POS:
        return names[max(names)]
    if NOT in (highest, anaplasia):
        return ""
    return names[3 if anaplasia is POS else 2]


def _read(given: Mapping[str, object]) -> dict[str, Tri]:
    known = tuple(words().markers)
    check_names(known, given)
    markers = dict.fromkeys(known, NOT)
    for name, value in given.items():
        text = {True: "yes", False: "no", None: ""}[value] if value is None or isinstance(value, bool) else str(value)
        if text.strip().lower() not in WORDS:
            raise InputError("positive, negative or unknown", got="another word", where=name)
        markers[name] = WORDS[text.strip().lower()]
    return markers


def integrated_diagnosis(given: Mapping[str, object], *, who2016: bool = False) -> IntegratedDiagnosis:
    """Classify an adult-type diffuse glioma.

    Parameters
    ----------
    given : mapping of str to object
        Markers of ``who2021.toml``: positive, negative or unknown (also pos, neg, yes, no, booleans and None). Positive
        is what the name says: ``atrx_loss`` is positive when ATRX is lost. What is absent is unknown.
    who2016 : bool
        Tell the name in the edition of 2016 too.

    Returns
    -------
    IntegratedDiagnosis
        With what is missing and what it could change.

    Raises
    ------
    InputError
        An unknown marker, or another word.

    Examples
    --------
    >>> known = {"idh_r132h_ihc": "negative", "tert_promoter": "positive", "h3_alteration": "negative"}
    >>> integrated_diagnosis(known).diagnosis
    'Diffuse glioma, NOS'
    >>> integrated_diagnosis({**known, "idh_sequencing": "negative"}).diagnosis
    'Glioblastoma, IDH-wildtype, CNS WHO grade 4'
    """
    markers = _read(given)
    found = outcomes(markers)
    entities = {o.entity for o in found}
    grades = {o.grade for o in found}
    entity = next(iter(entities)) if len(entities) == 1 else Entity.NOS
    grade = next(iter(grades)) if len(entities) == len(grades) == 1 else None
    diagnosis, decided, changes = _told(markers, found), decided_by(markers, entity, grade), _changes(markers)
    doubts = [entity.value, *(["who2016"] if who2016 else [])]
    return IntegratedDiagnosis(
        diagnosis=diagnosis,
        entity=entity,
        grade=grade,
        possible=_named(found),
        decided_by=decided,
        missing=tuple(changes),
        would_change=changes,
        conflicts=conflicts(markers),
        who2016=_name_2016(markers) if who2016 else None,
        markers={name: tri.value for name, tri in markers.items()},
        source=words().source,
        version=words().version,
        unverified=tuple(f"{k}: {words().unverified[k]}" for k in doubts if k in words().unverified),
        sentence=_sentence(diagnosis, markers, decided, changes, words().work_up.get(entity, "")),
    )


def _sentence(
    diagnosis: str, markers: Markers, decided: tuple[str, ...], changes: Mapping[str, Mapping[str, str]], advice: str
) -> str:
    labels = words().markers
    text = f"{diagnosis}.{advice}"
    if decided:
        text += f" Decided by: {'; '.join(f'{labels[n]} {markers[n]}' for n in decided)}."
    at_once = [labels[n] for n, answers in changes.items() if any(_is_diagnosis(a) for a in answers.values())]
    if at_once:
        text += f" Would change with: {'; '.join(at_once)}."
    text += "".join(f" Conflict: {wrong}." for wrong in conflicts(markers))
    if markers["mgmt_methylation"] is not NOT:
        text += " MGMT methylation is no part of the classification."
    return text


def _is_diagnosis(answer: str) -> bool:
    return answer != NO_CHANGE and not answer.startswith(RULES_OUT)
