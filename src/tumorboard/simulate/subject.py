"""One patient of a cohort: who, what tumour, what happens, and its studies, each made when it is asked for.

Why it exists: a cohort of hundreds is made study by study in bounded memory. Everything follows from the cohort's
seed and the patient's number; people, treatment, look and images have streams of their own, so that one can be
changed without the others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tumorboard.labels import LabelMap
from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.body.anatomy import Anatomy, AnatomyParameters, cropped, draw_anatomy
from tumorboard.simulate.body.background import Background, draw_background
from tumorboard.simulate.disease.foci import Focus
from tumorboard.simulate.disease.glioma import draw_glioma, grown
from tumorboard.simulate.disease.glioma_course import Bed, lay_bed, state_at
from tumorboard.simulate.disease.lymphoma import draw_lymphoma
from tumorboard.simulate.disease.mass import displaced, swelling
from tumorboard.simulate.disease.metastases import PRIMARIES, draw_metastases
from tumorboard.simulate.disease.multiple import Deposit, deposits, drawn, lymphoma_deposits, new_deposits
from tumorboard.simulate.disease.treatment import Plan, Visit, draw_plan, visit, visit_days
from tumorboard.simulate.patient import FIRST_STUDY
from tumorboard.simulate.person.effects import Traits, traits_of
from tumorboard.simulate.person.genes import Tissue, draw_tissue
from tumorboard.simulate.person.people import Person, draw_person
from tumorboard.simulate.person.survival import Outcome, draw_outcome
from tumorboard.simulate.scanner.kspace import ghosted
from tumorboard.simulate.scanner.maps import EXTRAS, Extra
from tumorboard.simulate.scanner.mixture import Mixture, State, mixed
from tumorboard.simulate.scanner.render import acquired, clean_signals
from tumorboard.simulate.scanner.sites import SITES, Mishaps, Site, draw_mishaps, sliced
from tumorboard.simulate.scanner.weighting import PROTOCOLS
from tumorboard.volume import Volume


class Kind(StrEnum):
    """What a cohort's patients have."""

    GLIOMA = "glioma"
    METASTASES = "metastases"
    PCNSL = "pcnsl"
    MIXED = "mixed"


POPULATION = {Kind.GLIOMA: "ucsf-pdgm", Kind.METASTASES: "ucsf-bmsr", Kind.PCNSL: "lymphoma"}

MIXED_SHARES = ((Kind.GLIOMA, 0.6), (Kind.METASTASES, 0.3), (Kind.PCNSL, 0.1))
"""Shares of a mixed cohort (chosen)."""

SEEN_SHARE = 0.25
"""Share of vital tumour from which readers call a voxel enhancing."""

FOLLOW_DAYS = 84
"""Between studies of metastases and lymphoma."""


@dataclass(frozen=True)
class Member:
    """A patient before any image is made.

    Parameters
    ----------
    number : int
        From 0.
    kind : Kind
        Of tumour.
    site : Site
        Where all studies are made.
    person, tissue, outcome
        What tables say.
    primary : str
        Of metastases; empty otherwise.
    traits : Traits
        What the tumour is like; a stranger's under the null.
    plan : Plan
        What happens; used for gliomas.
    days : tuple of int
        Of the studies, from the first.
    age_years : float
        Of the head that is imaged; a stranger's under the null.
    tumour_of : Person
        Whose type decides volumes and form.
    """

    number: int
    kind: Kind
    site: Site
    person: Person
    tissue: Tissue
    outcome: Outcome
    primary: str
    traits: Traits
    plan: Plan
    days: tuple[int, ...]
    age_years: float
    tumour_of: Person

    def visit(self, n: int) -> Visit:
        """Return what is there at study ``n``, from 0; of gliomas."""
        return visit(self.plan, self.days[n])


@dataclass(frozen=True)
class Made:
    """One study with its truth.

    Parameters
    ----------
    id : str
        ``ses-01`` …
    day : int
        From the first study.
    date : date
        Fictional.
    volumes : mapping of Sequence to Volume
        int16, stripped, on one grid: the box around the brain.
    extras : mapping of Sequence to Extra
        Maps and series that were asked for.
    truth : LabelMap
        1 NETC, 2 SNFH, 3 ET, 4 RC.
    necrosis : ndarray of bool
        Necrosis apart from other non-enhancing core.
    lesions : ndarray of uint16
        Number of each lesion; empty for gliomas, whose lesions are not followed one by one.
    seen : mapping of int to Focus
        Round lesions by number.
    mixture : Mixture
        What everything was made from.
    head : Anatomy
        As displaced.
    mishaps : Mishaps
        What went wrong.
    place : str
        Side and lobe in which a glioma began; empty for other tumours.
    deposits : tuple of Deposit
        Round lesions with their fates, in the order of their numbers (from 1); empty for gliomas.
    """

    id: str
    day: int
    date: dt.date
    volumes: Mapping[Sequence, Volume]
    extras: Mapping[Sequence, Extra]
    truth: LabelMap
    necrosis: NDArray[np.bool_]
    lesions: NDArray[np.uint16] | None
    seen: Mapping[int, Focus]
    mixture: Mixture
    head: Anatomy
    mishaps: Mishaps
    place: str = ""
    deposits: tuple[Deposit, ...] = ()


def draw_member(
    seed: int, n: int, kind: Kind, sites: int, visits: int, null: bool = False, grades: tuple[int, ...] = ()
) -> Member:
    """Draw who a patient is.

    Parameters
    ----------
    seed : int
        Of the cohort.
    n : int
        Number of the patient, from 0.
    kind : Kind
        Of the cohort.
    sites : int
        Patients go to them in turn.
    visits : int
        Studies of each.
    null : bool
        What is seen and how long they live depends on nothing that tables say.
    grades : tuple of int
        Only these WHO grades of gliomas; none: all.

    Returns
    -------
    Member

    Examples
    --------
    >>> member = draw_member(1, 0, Kind.METASTASES, 2, 3)
    >>> member.kind.value, member.days, member.primary in PRIMARIES
    ('metastases', (0, 84, 168), True)
    """
    own = _kind(kind, np.random.default_rng([seed, n, 3]))
    person, tissue, primary = _who(own, np.random.default_rng([seed, n, 4]), grades)
    outcome = draw_outcome(person, np.random.default_rng([seed, n, 9]), null=null)
    shown, shown_tissue, shown_outcome = person, tissue, outcome
    if null:
        stranger = np.random.default_rng([seed, n, 8])
        shown, shown_tissue, _ = _who(own, stranger, grades)
        shown_outcome = draw_outcome(shown, stranger, null=True)
    return Member(
        number=n,
        kind=own,
        site=SITES[n % sites],
        person=person,
        tissue=tissue,
        outcome=outcome,
        primary=primary,
        traits=traits_of(shown, shown_tissue, np.random.default_rng([seed, n, 7])),
        plan=draw_plan(shown, shown_outcome, np.random.default_rng([seed, n, 6])),
        days=visit_days(visits) if own is Kind.GLIOMA else tuple(FOLLOW_DAYS * v for v in range(visits)),
        age_years=shown.age_years,
        tumour_of=shown,
    )


def _kind(kind: Kind, rng: np.random.Generator) -> Kind:
    if kind is not Kind.MIXED:
        return kind
    place = rng.random()
    for own, share in MIXED_SHARES:
        place -= share
        if place < 0:
            return own
    return Kind.GLIOMA


def _who(kind: Kind, rng: np.random.Generator, grades: tuple[int, ...] = ()) -> tuple[Person, Tissue, str]:
    primary = ""
    if kind is Kind.METASTASES:
        counts = np.cumsum([p.patients for p in PRIMARIES.values()])
        primary = list(PRIMARIES)[int(np.searchsorted(counts, rng.random() * counts[-1]))]
    person = draw_person(rng, POPULATION[kind], grades=grades if kind is Kind.GLIOMA else ())
    if kind is Kind.PCNSL:
        return person, replace(draw_tissue(person, rng, "renal"), markers={}), primary
    return person, draw_tissue(person, rng, primary), primary


@dataclass(frozen=True)
class _Ground:
    """What a patient's studies share."""

    head: Anatomy
    background: Background
    site: str
    bed: Bed | None
    deposits: tuple[Deposit, ...]


def studies(
    seed: int, member: Member, spacing_mm: float, extras: tuple[Sequence, ...] = (), volumes: bool = True
) -> Iterator[Made]:
    """Make the studies of a patient, one after the other.

    Parameters
    ----------
    seed : int
        Of the cohort.
    member : Member
        From :func:`draw_member`.
    spacing_mm : float
        Voxel size.
    extras : tuple of Sequence
        Further maps and series (see :data:`tumorboard.simulate.scanner.maps.EXTRAS`).
    volumes : bool
        Whether the four sequences are made.

    Yields
    ------
    Made

    Raises
    ------
    GeometryError
        The spacing is one that the atlas refuses, or so coarse that a tumour finds no place.

    Examples
    --------
    >>> member = draw_member(1, 0, Kind.PCNSL, 1, 1)
    >>> [sorted(s.value for s in study.volumes) for study in studies(1, member, 6.0)]
    [['FLAIR', 'T1', 'T1C', 'T2']]
    """
    ground = _ground(member, spacing_mm, np.random.default_rng([seed, member.number, 5]))
    for n, day in enumerate(member.days):
        rng = np.random.default_rng([seed, member.number, 10, n])
        yield _study(member, ground, n, day, extras, volumes, rng)


def _ground(member: Member, spacing_mm: float, rng: np.random.Generator) -> _Ground:
    head = cropped(draw_anatomy(rng, spacing_mm, AnatomyParameters.of_age(member.age_years)))
    background = draw_background(head, rng, member.age_years)
    if member.kind is Kind.GLIOMA:
        glioma = draw_glioma(member.tumour_of, member.traits, rng)
        days, site = grown(glioma, head, rng)
        return _Ground(head, background, site, lay_bed(glioma, head, days, rng), ())
    if member.kind is Kind.PCNSL:
        return _Ground(head, background, "", None, tuple(lymphoma_deposits(draw_lymphoma(head, rng), rng)))
    first = deposits(_swollen(draw_metastases(member.primary, head, rng), member.traits), rng)
    later = new_deposits(draw_metastases(member.primary, head, rng)[::-1], member.days, rng)
    return _Ground(head, background, "", None, (*first, *later))


def _swollen(foci: list[Focus], traits: Traits) -> list[Focus]:
    return [replace(f, oedema=f.oedema * traits.oedema) for f in foci]


def _study(
    member: Member,
    ground: _Ground,
    n: int,
    day: int,
    extras: tuple[Sequence, ...],
    volumes: bool,
    rng: np.random.Generator,
) -> Made:
    state, numbers, seen = _state(member, ground, day, rng)
    bulge = swelling(state.truth.region("WT"), ground.head, _amount(member, ground, day))
    if numbers is not None:  # numbers of lesions move with everything else
        state = replace(state, painted={**state.painted, "numbers": numbers.astype(np.float32)})
    head, background, state = displaced(ground.head, ground.background, state, bulge)
    painted = dict(state.painted)
    moved = painted.pop("numbers", None)
    mixture = mixed(head, background, replace(state, painted=painted))
    truth = outlined(state.truth, mixture)
    mishaps = draw_mishaps(member.site, rng)
    dead = mixture.parts.get("necrosis", np.zeros(1, np.float32)) > 0.5
    return Made(
        id=f"ses-{n + 1:02d}",
        day=day,
        date=FIRST_STUDY + dt.timedelta(days=day),
        volumes=_imaged(mixture, head, member.site, mishaps, rng) if volumes else {},
        extras={s: EXTRAS[s](mixture, rng, member.site) for s in extras},
        truth=truth,
        necrosis=np.broadcast_to(dead & (truth.data == 1), truth.data.shape),
        lesions=None if moved is None else np.asarray(np.rint(moved) * (truth.data > 0), dtype=np.uint16),
        seen=seen,
        mixture=mixture,
        head=head,
        mishaps=mishaps,
        place=ground.site,
        deposits=ground.deposits,
    )


def outlined(truth: LabelMap, mixture: Mixture) -> LabelMap:
    """Return labels as readers draw them: a voxel is enhancing when a quarter of it visibly is.

    Source: with the half of a voxel as the rule, oedema next to the rim is far more skewed on T1C than in the outlines
    of UPENN-GBM (``benchmarks/realism.py``).
    """
    solid = [mixture.parts[name] for name in ("vital", "inflamed") if name in mixture.parts]
    if not solid:
        return truth
    bright = (sum(solid[1:], solid[0]) >= SEEN_SHARE) & ((truth.data == 1) | (truth.data == 2))
    return truth.with_data(np.where(bright, np.uint8(3), truth.data))


def _state(
    member: Member, ground: _Ground, day: int, rng: np.random.Generator
) -> tuple[State, NDArray[np.uint16] | None, Mapping[int, Focus]]:
    if ground.bed is not None:
        return state_at(ground.bed, visit(member.plan, day), member.plan.removed, rng), None, {}
    found = drawn(ground.deposits, day, ground.head, member.traits, rng)
    return found.state, found.lesions, found.seen


def _amount(member: Member, ground: _Ground, day: int) -> float:
    """Displacement: that of the tumour for gliomas; metastases and lymphoma displace nothing here."""
    if ground.bed is None:
        return 0.0
    return ground.bed.glioma.mass * visit(member.plan, day).mass


def _imaged(
    mixture: Mixture, head: Anatomy, site: Site, mishaps: Mishaps, rng: np.random.Generator
) -> dict[Sequence, Volume]:
    """Return the four sequences as the site gives them."""
    gain = float(rng.uniform(0.8, 1.25))
    made = {}
    for sequence in USED:
        image = clean_signals(mixture, PROTOCOLS[site.protocol], [sequence])[sequence]
        image = sliced(image, mixture.grid, site.slice_mm.get(sequence, 0.0))
        if sequence is mishaps.ghost:
            image = ghosted(image, 6.0, 0.25, rng)
        made[sequence] = acquired(image, mixture.grid, head.brain, gain, rng, site.scan)
    if mishaps.swapped:
        one, two = mishaps.swapped
        made[one], made[two] = made[two], made[one]
    return {s: v for s, v in made.items() if s is not mishaps.missing}
