"""The rules of WHO 2021 for adult-type diffuse gliomas, on markers that may be unknown.

Why it exists: instead of one path through a tree, the set of all diagnoses that agree with what is known. One type in
it is a diagnosis, several are NOS; more knowledge only ever makes the set smaller, save where findings contradict.

Source: WHO Classification of Tumours of the Central Nervous System, 5th edition, 2021, as in PMC11540532, Table 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Tri(StrEnum):
    """What is known of a marker."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    UNKNOWN = "unknown"


POS, NEG, NOT = Tri.POSITIVE, Tri.NEGATIVE, Tri.UNKNOWN
Markers = Mapping[str, Tri]

IDH = ("idh_r132h_ihc", "idh_sequencing")
GLIOBLASTOMA = ("microvascular_proliferation", "necrosis", "tert_promoter", "egfr_amplification", "gain7_loss10")
"""One of these is enough in a tumour without mutations of IDH and H3."""
GRADE_4 = ("cdkn2ab_deletion", "necrosis", "microvascular_proliferation")
"""One of these is enough in an IDH-mutant astrocytoma."""
OLIGO_GRADE_3 = ("anaplasia", "necrosis", "microvascular_proliferation")
"""One of these is enough in an oligodendroglioma."""


class Entity(StrEnum):
    """Types among which the rules decide; ``NOS`` is no type: more than one is possible."""

    OLIGODENDROGLIOMA = "oligodendroglioma"
    ASTROCYTOMA = "astrocytoma"
    GLIOBLASTOMA = "glioblastoma"
    H3_ALTERED = "h3_altered"
    NEC = "nec"
    NOS = "nos"


class Outcome(NamedTuple):
    """A type and its grade; what is not of the classification has none."""

    entity: Entity
    grade: int | None


def any_of(markers: Markers, names: tuple[str, ...]) -> Tri:
    """Return positive if one is, negative if all are, else unknown."""
    told = {markers[name] for name in names}
    return POS if POS in told else NOT if NOT in told else NEG


def idh_status(markers: Markers) -> Tri:
    """Return whether IDH is mutated; unknown after a negative stain alone, and where stain and sequence disagree."""
    stain, sequence = (markers[name] for name in IDH)
    if stain is POS:
        return NOT if sequence is NEG else POS
    return sequence


def codeletion(markers: Markers) -> Tri:
    """Return whether 1p/19q is codeleted; loss of ATRX stands for no where it was not tested."""
    told = markers["codeletion_1p19q"]
    return NEG if told is NOT and markers["atrx_loss"] is POS else told


def outcomes(markers: Markers) -> frozenset[Outcome]:
    """Return every type and grade that agrees with what is known.

    Parameters
    ----------
    markers : mapping of str to Tri
        All of them.

    Returns
    -------
    frozenset of Outcome
        Never empty.
    """
    idh = idh_status(markers)
    found = _mutant(markers) if idh is not NEG else set()
    return frozenset(found | (_wildtype(markers) if idh is not POS else set()))


def _mutant(markers: Markers) -> set[Outcome]:
    codel = codeletion(markers)
    found: set[Outcome] = set()
    if codel is not NEG:
        found |= {Outcome(Entity.OLIGODENDROGLIOMA, g) for g in _two_or_three(any_of(markers, OLIGO_GRADE_3))}
    if codel is not POS:
        highest = any_of(markers, GRADE_4)
        grades = {4} if highest is not NEG else set()
        grades |= _two_or_three(markers["anaplasia"]) if highest is not POS else set()
        found |= {Outcome(Entity.ASTROCYTOMA, g) for g in grades}
    return found


def _two_or_three(high: Tri) -> set[int]:
    return {3} if high is POS else {2} if high is NEG else {2, 3}


def _wildtype(markers: Markers) -> set[Outcome]:
    h3, feature = markers["h3_alteration"], any_of(markers, GLIOBLASTOMA)
    found = {Outcome(Entity.H3_ALTERED, None)} if h3 is not NEG else set()
    if h3 is not POS:
        found |= {Outcome(Entity.GLIOBLASTOMA, 4)} if feature is not NEG else set()
        found |= {Outcome(Entity.NEC, None)} if feature is not POS else set()
    return found


def conflicts(markers: Markers) -> tuple[str, ...]:
    """Return findings that contradict each other, in words."""
    stain, sequence = (markers[name] for name in IDH)
    arms = markers["atrx_loss"] is POS and markers["codeletion_1p19q"] is POS
    both = (
        (stain is POS and sequence is NEG, "the stain for R132H is positive, sequencing of IDH is negative"),
        (arms, "loss of ATRX and a codeletion of 1p/19q exclude each other"),
    )
    return tuple(text for holds, text in both if holds)


def decided_by(markers: Markers, entity: Entity, grade: int | None) -> tuple[str, ...]:
    """Return the known markers that a diagnosis and its grade rest on.

    Parameters
    ----------
    markers : mapping of str to Tri
        All of them.
    entity : Entity
        The diagnosis; nothing decides NOS.
    grade : int or None
        Its grade, where it is decided.

    Returns
    -------
    tuple of str
        In the order of ``markers``.
    """
    arms = "codeletion_1p19q" if markers["codeletion_1p19q"] is not NOT else "atrx_loss"
    wildtype = ["idh_sequencing", "h3_alteration"]
    for_type = {
        Entity.OLIGODENDROGLIOMA: [*_enough(markers, IDH), arms],
        Entity.ASTROCYTOMA: [*_enough(markers, IDH), arms],
        Entity.GLIOBLASTOMA: [*wildtype, *_enough(markers, GLIOBLASTOMA)],
        Entity.H3_ALTERED: wildtype,
        Entity.NEC: [*wildtype, *GLIOBLASTOMA],
    }
    for_grade = {
        Entity.OLIGODENDROGLIOMA: _enough(markers, OLIGO_GRADE_3),
        Entity.ASTROCYTOMA: [*_enough(markers, GRADE_4), *(["anaplasia"] if grade != 4 else [])],
    }
    used = [*for_type.get(entity, []), *(for_grade.get(entity, []) if grade is not None else [])]
    return tuple(name for name in markers if name in used)


def _enough(markers: Markers, names: tuple[str, ...]) -> list[str]:
    """Return the positive ones, of which one is enough; all where none is: their absence decided."""
    return [name for name in names if markers[name] is POS] or list(names)
