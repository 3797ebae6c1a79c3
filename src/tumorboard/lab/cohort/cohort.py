"""A cohort: patients with their studies and tables, from a folder or a table.

Why it exists: recipes run on what ``tumorboard simulate`` makes, on a hospital's BIDS tree, on BraTS folders, on the
results of ``tumorboard run``, and on tables alone, without knowing which. A cohort is either of patients or of digital
patients, and says so; a column or sequence that it lacks is named before anything is computed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError, did_you_mean
from tumorboard.lab.cohort.happened import Happened, began
from tumorboard.lab.cohort.load import Loaded, NotThere, load
from tumorboard.lab.cohort.places import Visit
from tumorboard.lab.cohort.sheets import Sheet, shown
from tumorboard.lab.table import Unit
from tumorboard.sequences import Sequence as Kind

SITE = ("site", "centre", "center", "institution", "hospital", "scanner")
"""What a column of sites is called; the first that is there counts."""

_BIOPSY, _EVENT = "biopsy-", "event:"


@dataclass(frozen=True)
class Cohort:
    r"""Patients, their studies and tables.

    Parameters
    ----------
    people : mapping of str to mapping of str to Visit
        Studies by patient and id.
    sheets : mapping of str to Sheet
        Tables by name; the first says who there is.
    digital : bool
        Whether they are digital; every result says so.
    notes : tuple of str
        What reading noticed, in words that identify nobody.
    happened : mapping of str to tuple of Event
        Treatment and course by patient, in order of date.

    Examples
    --------
    >>> from tumorboard.lab.cohort import parse_sheet
    >>> cohort = Cohort({}, {"people": parse_sheet("people", "participant_id,age,idh\nA,60,1\nB,44,0\n")})
    >>> cohort.patients, dict(cohort.column("age"))
    (('A', 'B'), {'A': '60', 'B': '44'})
    >>> cohort.column("idhh")
    Traceback (most recent call last):
    ...
    tumorboard.errors.InputError: cohort: expected a column of the tables (age, idh); got 'idhh'. What to do: did ...
    """

    people: Mapping[str, Mapping[str, Visit]] = field(repr=False)
    sheets: Mapping[str, Sheet] = field(repr=False)
    digital: bool = False
    notes: tuple[str, ...] = ()
    happened: Happened = field(default_factory=dict, repr=False)

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """Everyone in a table of patients, in its order, then those who have images only."""
        listed = [p for sheet in self.sheets.values() if sheet.of_patients for p in sheet.patients]
        return tuple(dict.fromkeys([*listed, *self.people]))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns of all tables; one that is in a later table again is named with it, as ``visits.kps``."""
        names: list[str] = []
        for sheet in self.sheets.values():
            names += [c if c not in names else f"{sheet.name}.{c}" for c in sheet.columns]
        return tuple(names)

    @cached_property
    def sites(self) -> Mapping[str, str]:
        """Site by patient; empty where no column says it."""
        name = next((s for s in SITE if any(c.lower() == s for c in self.columns)), None)
        return {} if name is None else self.column(next(c for c in self.columns if c.lower() == name))

    def column(self, name: str) -> Mapping[str, str]:
        """Return a column by patient; those without a word are left out.

        Parameters
        ----------
        name : str
            ``age``, or with its table ``visits.kps``; of a table of studies, the first study counts.
            ``event:bevacizumab`` is ``yes`` or ``no`` for whom there are events.

        Raises
        ------
        InputError
            There is none of that name; the nearest is proposed.
        """
        units = [Unit(p) for p in self.patients]
        return {u.patient: v for u, v in zip(units, self.values(name, units), strict=True) if v}

    def values(self, name: str, units: Sequence[Unit]) -> tuple[str, ...]:
        """Return a column for units: a lesion's own cell, else that of its study, else of its patient.

        Raises
        ------
        InputError
            As :meth:`column`.
        """
        if name.startswith(_EVENT):
            return self._had(name.removeprefix(_EVENT), units)
        sheet, column = self._find(name)
        return tuple(sheet.cell(u, column) for u in units)

    def visits(self, patient: str) -> Mapping[str, Visit]:
        """Return the studies of a patient by id, in order; empty where there are no images."""
        return self.people.get(patient, {})

    def study_of(self, unit: Unit, study: str = "first") -> str:
        """Return the id of the study that a unit's images are of.

        Parameters
        ----------
        unit : Unit
            A lesion and a study say it themselves.
        study : str
            Of a patient: ``first``, ``last``, an id, or ``before:`` and ``after:`` with a word of the events, as
            ``before:bevacizumab``: the last study until that day, and the first one beyond it.

        Raises
        ------
        NotThere
            There are no images, or no such study.
        """
        ids = list(self.visits(unit.patient))
        if not ids:
            raise NotThere("no images of this patient")
        side, colon, word = study.partition(":")
        if colon and side in ("before", "after") and not unit.study:
            return self._about(unit.patient, side, word)
        wanted = unit.study or {"first": ids[0], "last": ids[-1]}.get(study, study)
        if wanted not in ids:
            raise NotThere("no images of this study")
        return wanted

    def loaded(self, unit: Unit, study: str = "first") -> Loaded:
        """Return the images of a unit; see :meth:`study_of`.

        Raises
        ------
        NotThere
            As there.
        """
        return load(self.visits(unit.patient)[self.study_of(unit, study)])

    def dates(self, patient: str) -> Mapping[str, dt.date]:
        """Return when a patient's studies were acquired, where that is known."""
        return {i: v.date for i, v in self.visits(patient).items() if v.date is not None}

    def days(self, patient: str) -> Mapping[str, int]:
        """Return days from a patient's first dated study, by id."""
        dates = self.dates(patient)
        return {i: (d - min(dates.values())).days for i, d in dates.items()}

    def units(self, kind: str = "patient", study: str = "first") -> tuple[Unit, ...]:
        """Return what the rows of a table are about.

        Parameters
        ----------
        kind : str
            ``patient``, ``study``, ``lesion`` or ``biopsy``.
        study : str
            Of lesions: ``first``, ``last``, ``all``, or an id. Of patients, the study that they stand for. Of studies
            ``last`` or an id; anything else is all of them.

        Raises
        ------
        InputError
            Another kind, or the cohort has none of them.
        """
        makers = {"patient": self._patients, "study": self._studies, "lesion": self._lesions, "biopsy": self._biopsies}
        if kind not in makers:
            raise InputError(f"a unit of {', '.join(makers)}", got=repr(kind), where="cohort")
        found = makers[kind](study)
        if not found:
            raise InputError(f"at least one {kind}", got="none", where="cohort")
        return found

    def biopsy_mm(self, unit: Unit) -> NDArray[np.float64]:
        """Return where a biopsy was taken, RAS mm, shape (3,).

        Raises
        ------
        NotThere
            The unit is no biopsy, or its place is not known.
        """
        sheet = self.sheets.get("biopsies")
        row = None if sheet is None else sheet.rows.get(unit)
        try:
            place = [float(row[c]) for c in ("x_mm", "y_mm", "z_mm")] if row is not None else []
        except (KeyError, ValueError):
            place = []
        if not place:
            raise NotThere("no place of a biopsy (x_mm, y_mm, z_mm)")
        return np.array(place, dtype=np.float64)

    def require(self, columns: Iterable[str] = (), sequences: Iterable[Kind] = (), masks: bool = False) -> None:
        """Refuse a cohort that cannot answer a recipe, before anything is computed.

        Parameters
        ----------
        columns : iterable of str
            Of its tables.
        sequences : iterable of Sequence
            That at least one study must have.
        masks : bool
            Whether at least one study must be outlined.

        Raises
        ------
        InputError
            Something is missing from all of it; it is named.
        """
        for name in columns:
            self.values(name, ())
        studies = [v for visits in self.people.values() for v in visits.values()]
        if sequences and not studies:
            raise InputError("a cohort with images", got="a table without", where="cohort")
        has = {s for v in studies for s in v.images} | derivable(studies)
        missing = [s.value for s in sequences if s not in has]
        if missing:
            got = f"none with {', '.join(missing)}; there are {shown(sorted(s.value for s in has))}"
            raise InputError("studies with every sequence of the recipe", got=got, where="cohort")
        if masks and not any(v.labels for v in studies):
            remedy = "run `tumorboard run` on them and give its results, or put masks beside the images"
            raise InputError("at least one outlined study", got="none", where="cohort", remedy=remedy)

    def of(self, patients: Iterable[str]) -> Cohort:
        """Return the cohort with these patients only."""
        kept = set(patients)
        sheets = {
            n: replace(s, rows={u: r for u, r in s.rows.items() if u.patient in kept}) for n, s in self.sheets.items()
        }
        people = {p: v for p, v in self.people.items() if p in kept}
        happened = {p: e for p, e in self.happened.items() if p in kept}
        return replace(self, people=people, sheets=sheets, happened=happened)

    def _had(self, word: str, units: Sequence[Unit]) -> tuple[str, ...]:
        """Return whether something happened to the patients of units; empty where nothing is known of them."""
        if not self.happened:
            remedy = "add events.csv"
            raise InputError("a cohort with a table of events", got="none", where="cohort", remedy=remedy)
        had = {p: "yes" if began(events, word) else "no" for p, events in self.happened.items()}
        return tuple(had.get(u.patient, "") for u in units)

    def _about(self, patient: str, side: str, word: str) -> str:
        """Return the study before or after something happened."""
        start, dates = began(self.happened.get(patient, ()), word), self.dates(patient)
        if start is None:
            raise NotThere(f"no event {word!r}")
        found = [i for i, d in dates.items() if (d <= start if side == "before" else d > start)]
        if not found:
            raise NotThere(f"no dated study {side} the event {word!r}")
        return found[-1] if side == "before" else found[0]

    def _find(self, name: str) -> tuple[Sheet, str]:
        table, _, column = name.partition(".")
        if column and table in self.sheets and column in self.sheets[table].columns:
            return self.sheets[table], column
        found = next((s for s in self.sheets.values() if name in s.columns), None)
        if found is not None:
            return found, name
        remedy = did_you_mean(name, self.columns, "add it to a table, or name another")
        expected = f"a column of the tables ({shown(self.columns)})"
        raise InputError(expected, got=repr(name), where="cohort", remedy=remedy)

    def _patients(self, study: str) -> tuple[Unit, ...]:
        if study in ("first", "all"):
            return tuple(Unit(p) for p in self.patients)
        return tuple(Unit(p, self._which(p, study)) for p in self.patients)

    def _studies(self, study: str) -> tuple[Unit, ...]:
        listed = [u for s in self.sheets.values() for u in s.rows if u.study and not u.lesion]
        seen = [Unit(p, i) for p, visits in self.people.items() for i in visits]
        rank = {p: n for n, p in enumerate(self.patients)}
        every = sorted(dict.fromkeys([*seen, *listed]), key=lambda u: (rank.get(u.patient, len(rank)), u.study))
        if study in ("first", "all"):
            return tuple(every)
        return tuple(u for u in every if u.study == self._which(u.patient, study))

    def _lesions(self, study: str) -> tuple[Unit, ...]:
        sheet = self.sheets.get("lesions")
        if sheet is None or not sheet.rows:
            return tuple(self._seen_lesions(study))
        every = [u for u in sheet.rows if u.lesion]
        return tuple(u for u in every if study == "all" or u.study == self._which(u.patient, study))

    def _seen_lesions(self, study: str) -> list[Unit]:
        out = []
        for patient, visits in self.people.items():
            for name, visit in visits.items():
                wanted = study == "all" or name == self._which(patient, study)
                if wanted and (visit.labels is not None or visit.lesions is not None):
                    numbers = np.unique(load(visit).lesions)
                    out += [Unit(patient, name, str(n)) for n in numbers if n > 0]
        return out

    def _which(self, patient: str, study: str) -> str:
        """Return the id of a study by what it is called; empty where the patient has none such."""
        if ":" in study:
            try:
                return self.study_of(Unit(patient), study)
            except NotThere:
                return ""
        ids = list(self.visits(patient)) or sorted(
            {u.study for s in self.sheets.values() for u in s.rows if u.patient == patient and u.study}
        )
        return "" if not ids else ids[-1] if study == "last" else ids[0] if study == "first" else study

    def _biopsies(self, _: str) -> tuple[Unit, ...]:
        sheet = self.sheets.get("biopsies")
        return () if sheet is None else tuple(u for u in sheet.rows if u.lesion.startswith(_BIOPSY))


def derivable(studies: Sequence[Visit]) -> set[Kind]:
    """Return maps that can be made of what studies have."""
    from tumorboard.lab.cohort.fitted import MAKERS

    has = {s for v in studies for s in v.images}
    out = {s for s, sources in MAKERS.items() if has & set(sources)}
    return out | ({Kind.SUB} if {Kind.T1, Kind.T1C} <= has else set())
