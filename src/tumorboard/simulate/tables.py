"""Tables of a cohort: people, visits, lesions, biopsies, expression and events, one row each.

Why it exists: recipes read tables, and truth that stands only in an array is found by nobody. Column names are fixed
here; what a patient lacks is ``n/a``, as BIDS wants it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from tumorboard.simulate.disease.treatment import RADIOTHERAPY_DAYS, SURGERY_DAY
from tumorboard.simulate.patient import FIRST_STUDY
from tumorboard.simulate.person.effects import altered
from tumorboard.simulate.person.genes import GENES, GLIOMA_SHARES, PRIMARY_MARKERS
from tumorboard.simulate.person.people import Resection
from tumorboard.simulate.scanner.maps import parameter
from tumorboard.simulate.subject import Kind, Made, Member
from tumorboard.study import Event, EventKind

Row = tuple[object, ...]

_METASTATIC = sorted({m for markers in PRIMARY_MARKERS.values() for m in markers})
MARKERS: tuple[str, ...] = (
    *("IDH", "1p/19q", "MGMT", *GLIOMA_SHARES),
    *_METASTATIC,
    *(f"primary {m}" for m in _METASTATIC),
)
"""Markers by name; columns are these in lower case with underscores."""

BLOOD = ("ldh_u_l", "crp_mg_l", "nlr", "haemoglobin_g_l")

_WHO = ("participant_id", "age", "sex", "kind", "site", "diagnosis", "grade", "primary", "resection", "kps")
_END = ("survival_days", "dead", "progression_days", "methylation_class", "expression_subtype", "two_hg_mm")

PARTICIPANTS: tuple[str, ...] = (
    *_WHO,
    *_END,
    *(m.lower().replace(" ", "_").replace("/", "_") for m in MARKERS),
    *BLOOD,
)

VISITS: tuple[str, ...] = (
    *("participant_id", "session_id", "day", "truth", "place", "et_ml", "netc_ml", "snfh_ml", "rc_ml", "necrosis_ml"),
    *("lesions", "steroid_mg_d", "kps", "ghost", "missing", "swapped"),
)

LESIONS = ("participant_id", "session_id", "lesion", "diameter_mm", "volume_ml", "kind", "x_mm", "y_mm", "z_mm")

BIOPSIES = ("participant_id", "session_id", "biopsy", "x_mm", "y_mm", "z_mm", "label", "cells_mm2")

CELLS_MM2 = {
    **{"wm": 900.0, "gm": 1100.0, "gliosis": 1200.0, "oedema": 1500.0, "infiltrate": 2600.0, "microcystic": 1600.0},
    **{"vital": 4600.0, "metastasis": 4200.0, "lymphoma": 6500.0, "necrosis": 500.0, "radionecrosis": 700.0},
    **{"inflamed": 2000.0},
}
"""Cells per mm² of section by matter (chosen; tumour is 3 to 5 times as cellular as white matter)."""


def participant(label: str, member: Member) -> Row:
    """Return who a patient is, in the order of :data:`PARTICIPANTS`.

    Parameters
    ----------
    label : str
        BIDS subject label.
    member : Member
        Whose row.

    Returns
    -------
    tuple

    Examples
    --------
    >>> from tumorboard.simulate.subject import draw_member
    >>> row = dict(zip(PARTICIPANTS, participant("digital1", draw_member(1, 0, Kind.PCNSL, 1, 1)), strict=True))
    >>> row["kind"], row["idh"], row["participant_id"]
    ('pcnsl', 'n/a', 'sub-digital1')
    """
    person, tissue, outcome = member.person, member.tissue, member.outcome
    glioma = member.kind is Kind.GLIOMA
    known = altered(person, tissue) if glioma else tissue.markers
    hg = np.random.default_rng([member.number, int(1000 * person.age_years)]).normal(0.0, 1.0)
    two_hg = max(0.0, 3.0 + hg if person.idh_mutant else 0.25 + 0.15 * hg)
    seen = outcome.dead or member.plan.progression < outcome.days
    progression = f"{member.plan.progression:.0f}" if glioma and seen else "n/a"
    return (
        f"sub-{label}",
        f"{person.age_years:.1f}",
        "M" if person.male else "F",
        member.kind.value,
        member.site.name,
        person.diagnosis.value,
        person.grade or "n/a",
        member.primary or "n/a",
        person.resection.value if glioma else "n/a",
        90 if person.age_years < 70 else 80,
        f"{outcome.days:.0f}",
        int(outcome.dead),
        progression,
        tissue.methylation if glioma else "n/a",
        tissue.subtype if glioma else "n/a",
        f"{two_hg:.2f}" if glioma else "n/a",
        *(_marker(known, name) for name in MARKERS),
        *(f"{tissue.blood[name]:.1f}" for name in BLOOD),
    )


def _marker(known: Mapping[str, bool], name: str) -> object:
    return int(known[name]) if name in known else "n/a"


def expression_header() -> tuple[str, ...]:
    """Return the columns of the invented expression table."""
    return ("participant_id", *(f"GENE{n + 1:03d}" for n in range(GENES)))


def expression(label: str, member: Member) -> Row:
    """Return a patient's invented expression."""
    return (f"sub-{label}", *(f"{value:.3f}" for value in member.tissue.expression))


def visit_row(label: str, member: Member, n: int, made: Made) -> Row:
    """Return what study ``n`` really shows, in the order of :data:`VISITS`."""
    of = member.visit(n) if member.kind is Kind.GLIOMA else None
    ml = made.truth.grid.voxel_volume_ml
    volumes = (f"{made.truth.volume_ml(r):.3f}" for r in ("ET", "NETC", "SNFH", "RC"))
    lost = made.mishaps
    return (
        *(f"sub-{label}", made.id, made.day, of.truth.value if of else "follow-up" if n else "baseline"),
        made.place or "n/a",
        *volumes,
        f"{np.count_nonzero(made.necrosis) * ml:.3f}",
        len(made.seen) or "n/a",
        *((f"{of.steroid_mg:g}", of.kps) if of else ("n/a", "n/a")),
        *(lost.ghost or "n/a", lost.missing or "n/a", "+".join(lost.swapped) or "n/a"),
    )


def lesion_rows(label: str, made: Made) -> Iterator[Row]:
    """Yield the round lesions of a study, in the order of :data:`LESIONS`; the diameter is what was drawn."""
    if made.lesions is None:
        return
    ml = made.truth.grid.voxel_volume_ml
    for number, focus in made.seen.items():
        centre = made.truth.grid.to_world([focus.centre_ijk])[0]
        kind = focus.inside if focus.inside != focus.wall else f"solid {focus.wall}"
        volume = np.count_nonzero(made.lesions == number) * ml
        place = (f"{c:.1f}" for c in centre)
        yield (f"sub-{label}", made.id, number, f"{focus.diameter_mm:.2f}", f"{volume:.4f}", kind, *place)


def biopsy_rows(label: str, made: Made, rng: np.random.Generator, points: int = 6) -> Iterator[Row]:
    """Yield image-guided biopsies with the cellularity that the shares of tissue imply, as :data:`BIOPSIES`."""
    places = np.argwhere((made.truth.data > 0) & (made.truth.data < 4))
    if len(places) == 0:
        return
    cells = np.zeros(made.truth.data.shape, dtype=np.float32)
    for name, share in made.mixture.parts.items():
        cells += np.float32(CELLS_MM2.get(name, 0.0)) * share
    cells /= np.clip(parameter(made.mixture, "adc"), 0.3, 3.0)
    for number, place in enumerate(places[rng.integers(len(places), size=points)], 1):
        i, j, k = (int(c) for c in place)
        mm = (f"{c:.1f}" for c in made.truth.grid.to_world([[i, j, k]])[0])
        counted = float(cells[i, j, k]) * float(np.exp(0.08 * rng.standard_normal()))
        yield (f"sub-{label}", made.id, number, *mm, int(made.truth.data[i, j, k]), f"{counted:.0f}")


def events_of(member: Member) -> Iterator[Event]:
    """Yield what happens to a patient until the last study, in order of date."""
    last = member.days[-1]
    events = sorted(_events(member), key=lambda e: (e.date, e.kind.value))
    yield from (e for e in events if e.date <= _day(last))


def _events(member: Member) -> Iterable[Event]:
    kinds = EventKind
    if member.kind is Kind.METASTASES:
        yield Event(_day(14), kinds.RADIOTHERAPY, None, "20", "Gy", "radiosurgery, all lesions")
    elif member.kind is Kind.PCNSL:
        yield Event(_day(10), kinds.DRUG, _day(110), "3.5", "g/m2", "methotrexate, every 2 weeks")
    else:
        yield from _glioma_events(member)
    for n, day in enumerate(member.days):
        if member.kind is Kind.GLIOMA:
            at = member.visit(n)
            worse = at.kps <= 60
            yield Event(_day(day), kinds.CLINICAL, None, "worse" if worse else "stable", "", "")
            yield Event(_day(day), kinds.KPS, None, str(at.kps), "%", "")
            until = _day(member.days[n + 1] - 1) if n + 1 < len(member.days) else None
            yield Event(_day(day), kinds.STEROID, until, f"{at.steroid_mg:g}", "mg/d", "dexamethasone")


def _glioma_events(member: Member) -> Iterable[Event]:
    kinds, plan, person = EventKind, member.plan, member.tumour_of
    names = {
        Resection.GROSS: "gross total resection",
        Resection.PARTIAL: "partial resection",
        Resection.BIOPSY: "biopsy",
    }
    value = "biopsy" if person.resection is Resection.BIOPSY else "resection"
    yield Event(_day(SURGERY_DAY), kinds.SURGERY, None, value, "", names[person.resection])
    start, end = RADIOTHERAPY_DAYS
    yield Event(_day(start), kinds.RADIOTHERAPY, _day(end), "60", "Gy", "30 fractions")
    yield Event(_day(start), kinds.DRUG, _day(end), "75", "mg/m2/d", "temozolomide, concomitant")
    yield Event(_day(end + 28), kinds.DRUG, _day(end + 196), "150", "mg/m2/d", "temozolomide, adjuvant, days 1-5 of 28")
    if plan.bevacizumab is not None:
        yield Event(_day(plan.bevacizumab), kinds.DRUG, None, "10", "mg/kg", "bevacizumab, every 2 weeks")
    if plan.immunotherapy is not None:
        yield Event(_day(plan.immunotherapy), kinds.DRUG, None, "240", "mg", "nivolumab, every 2 weeks")


def _day(n: float) -> dt.date:
    return FIRST_STUDY + dt.timedelta(days=int(n))
