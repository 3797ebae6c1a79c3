"""A cohort of digital patients: people, courses, images, truth and tables, told by one seed.

Why it exists: recipes are trained and judged on cohorts. Every patient follows from the cohort's seed and its own
number alone, so that it does not matter how many are made at once, in which order, or after which stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from tumorboard.errors import InputError
from tumorboard.sequences import Sequence
from tumorboard.simulate.files.cohort_tree import (
    is_whole,
    write_cohort_tables,
    write_merged_tables,
    write_patient,
    write_patient_dicom,
)
from tumorboard.simulate.scanner.maps import EXTRAS
from tumorboard.simulate.scanner.sites import SITES
from tumorboard.simulate.subject import Kind, Member, draw_member

MOST_PATIENTS, MOST_VISITS = 10_000, 12
SPACINGS_MM = (1.0, 6.0)
GRADES = (2, 3, 4)


@dataclass(frozen=True)
class CohortPlan:
    """What a cohort is; equal plans give equal bytes on one machine.

    Parameters
    ----------
    patients : int
        1 to 10,000.
    seed : int
        At least 0.
    visits : int
        1 to 12.
    spacing_mm : float
        1 to 6.
    null : bool
        Neither images nor survival depend on anything that tables say.
    kind : Kind
        Of tumours.
    sites : int
        1 to 7, and not more than patients; things go wrong on the seventh.
    extras : tuple of Sequence
        Maps and series besides T1, T1C, T2 and FLAIR.
    form : str
        ``bids`` or ``dicom``.
    grades : tuple of int
        Only these WHO grades of gliomas, in the shares that they have among themselves; none: all.

    Raises
    ------
    InputError
        Outside these ranges.

    Examples
    --------
    >>> CohortPlan(0)
    Traceback (most recent call last):
    tumorboard.errors.InputError: --patients: expected 1 to 10000; got 0. What to do: choose a number within.
    """

    patients: int
    seed: int = 7
    visits: int = 4
    spacing_mm: float = 2.0
    null: bool = False
    kind: Kind = Kind.GLIOMA
    sites: int = 1
    extras: tuple[Sequence, ...] = ()
    form: str = "bids"
    grades: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        most_sites = min(len(SITES), self.patients)
        for option, value, low, high in (
            ("--patients", self.patients, 1, MOST_PATIENTS),
            ("--seed", self.seed, 0, 2**31),
            ("--visits", self.visits, 1, MOST_VISITS),
            ("--spacing-mm", self.spacing_mm, *SPACINGS_MM),
            ("--sites", self.sites, 1, most_sites),
        ):
            if not low <= value <= high:
                told = f"{low:g} to {high:g}"
                raise InputError(told, got=f"{value:g}", where=option, remedy="choose a number within")
        self._check_extras()
        self._check_grades()

    def _check_extras(self) -> None:
        unknown = [s for s in self.extras if s not in EXTRAS]
        if unknown:
            names = ", ".join(s.value for s in EXTRAS)
            raise InputError(names, got=unknown[0].value, where="--also", remedy="name some of these")
        if self.form == "dicom" and self.extras:
            told = "leave --also out, or write --format bids"
            raise InputError("no further maps in DICOM", got=self.extras[0].value, where="--also", remedy=told)

    def _check_grades(self) -> None:
        unknown = [g for g in self.grades if g not in GRADES]
        if unknown:
            raise InputError("WHO grade 2, 3 or 4", got=str(unknown[0]), where="--grade", remedy="name some of these")
        if self.grades and self.kind not in (Kind.GLIOMA, Kind.MIXED):
            told = "leave --grade out, or choose --kind glioma"
            raise InputError("--grade of gliomas", got=self.kind.value, where="--grade", remedy=told)

    def label(self, n: int) -> str:
        """Return the BIDS subject label of a patient."""
        return f"digital{n + 1:0{len(str(self.patients))}d}"

    def member(self, n: int) -> Member:
        """Return who patient ``n`` is, counted from 0."""
        return draw_member(self.seed, n, self.kind, self.sites, self.visits, self.null, self.grades)


def write_cohort(plan: CohortPlan, folder: Path, workers: int = 1) -> Iterator[int]:
    """Write a cohort; patients that are whole already are kept.

    Parameters
    ----------
    plan : CohortPlan
        What.
    folder : Path
        Made if absent. Root of a BIDS tree, or of one folder a patient with DICOM studies; ``participants.tsv`` holds
        people and outcomes, ``events.csv`` treatment, ``derivatives/truth`` label maps and tables.
    workers : int
        Processes; the bytes do not depend on it.

    Yields
    ------
    int
        How many patients are whole: at first, and after each that is made.

    Raises
    ------
    OutputError
        The folder cannot be written; what is written stays, and the same call goes on.
    """
    members = {plan.label(n): plan.member(n) for n in range(plan.patients)}
    name = f"Digital cohort ({plan.kind.value}{', null' if plan.null else ''})"
    write_cohort_tables(folder, name, plan.seed, members, plan.form == "dicom")
    left = [n for n in range(plan.patients) if not is_whole(folder, plan.label(n))]
    yield plan.patients - len(left)
    for made, _ in enumerate(_written(plan, folder, left, workers), 1):
        yield plan.patients - len(left) + made
    write_merged_tables(folder, members)


def _written(plan: CohortPlan, folder: Path, left: list[int], workers: int) -> Iterator[None]:
    if workers <= 1 or len(left) <= 1:
        for n in left:
            _write_one(plan, n, folder)
            yield
        return
    # spawned, not forked: libraries hold threads that a fork would lose
    with ProcessPoolExecutor(min(workers, len(left)), mp_context=get_context("spawn")) as pool:
        for made in as_completed([pool.submit(_write_one, plan, n, folder) for n in left]):
            made.result()
            yield


def _write_one(plan: CohortPlan, n: int, folder: Path) -> None:
    member, label = plan.member(n), plan.label(n)
    if plan.form == "dicom":
        write_patient_dicom(folder, label, plan.seed, member, plan.spacing_mm)
    else:
        write_patient(folder, label, plan.seed, member, plan.spacing_mm, plan.extras)
