"""Read a cohort: find images and tables, and see that they are of the same patients.

Why it exists: what does not fit together is told, or refused, before anything is computed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tumorboard.errors import InputError
from tumorboard.lab.cohort.cohort import Cohort
from tumorboard.lab.cohort.happened import read_happened
from tumorboard.lab.cohort.places import People, find_people, with_maps
from tumorboard.lab.cohort.sheets import Sheet, bare, read_sheet

_DIGITAL = re.compile(r"digital\d*", re.I)
_SHEETS = ("visits", "lesions", "biopsies", "expression")


def read_cohort(
    place: Path, scheme: str | None = None, tables: Sequence[Path] = (), maps: Path | None = None
) -> Cohort:
    r"""Read a cohort.

    Parameters
    ----------
    place : Path
        A folder (of ``tumorboard simulate``, BIDS, BraTS, or the results of ``tumorboard run``), or a table.
    scheme : str, optional
        What the values of masks mean, where they are not ours.
    tables : sequence of Path
        Further tables, by patient.
    maps : Path, optional
        Another folder of the same patients and studies, whose maps and series (ADC, DSC …) are taken; they lie by their
        headers, and are resampled linearly where grids differ.

    Returns
    -------
    Cohort

    Raises
    ------
    InputError
        Nothing there, no patient, masks of an unknown scheme, tables that name nobody of the folder, or digital
        patients among others.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     _ = (Path(d) / "people.csv").write_text("participant_id,age\nsub-digital1,60\n")
    ...     cohort = read_cohort(Path(d) / "people.csv")
    >>> cohort.patients, cohort.digital
    (('digital1',), True)
    """
    if not place.exists():
        raise InputError("a folder or a table", got="nothing there", where="cohort", remedy="check the name")
    people, digital = find_people(place, scheme) if place.is_dir() else ({}, False)
    if maps is not None:
        others, also = find_people(maps, scheme or "tumorboard")
        if also != digital:
            raise InputError("maps of the same world", got="patients and digital ones", where="maps")
        people = with_maps(people, others)
    files = [*(_own_tables(place) if place.is_dir() else [place]), *tables]
    sheets = _sheets(files)
    events = place / "events.csv" if place.is_dir() else place
    happened = read_happened(events) if events.name == "events.csv" and events.is_file() else {}
    cohort = Cohort(people, sheets, happened=happened)
    if not cohort.patients:
        remedy = "give a folder of sub-… with images, results of tumorboard run, or a table"
        raise InputError("a cohort of at least one patient", got="none", where="cohort", remedy=remedy)
    notes = _check_names(people, sheets)
    return replace(cohort, digital=_is_digital(cohort.patients, digital), notes=notes)


def _own_tables(home: Path) -> list[Path]:
    found = [p for p in (home / "participants.tsv", home / "participants.csv") if p.is_file()][:1]
    for name in _SHEETS:
        places = [home / f"{name}.tsv", home / f"{name}.csv", *sorted(home.glob(f"derivatives/*/{name}.tsv"))]
        found += [p for p in places if p.is_file()][:1]
    return found


def _sheets(files: Sequence[Path]) -> dict[str, Sheet]:
    sheets: dict[str, Sheet] = {}
    for path in files:
        sheet = read_sheet(path)
        if sheet.name in sheets:
            got = "two of one name"
            raise InputError("tables of different names", got=got, where="cohort", remedy="rename one")
        sheets[sheet.name] = sheet
    return sheets


def _check_names(people: People, sheets: Mapping[str, Sheet]) -> tuple[str, ...]:
    """Return what does not fit between tables and images; refuse tables that fit nobody."""
    listed = {p for s in sheets.values() if s.of_patients for p in s.patients}
    if not listed or not people:
        return ()
    if not listed & set(people):
        got = f"{len(listed)} in tables and {len(people)} with images, none of them the same"
        remedy = "name patients in tables as their folders are (sub-…)"
        raise InputError("tables and images of the same patients", got=got, where="cohort", remedy=remedy)
    without, unlisted = len(listed - set(people)), len(set(people) - listed)
    notes = [f"{without} of {len(listed)} patients in tables have no images"] if without else []
    notes += [f"{unlisted} of {len(people)} patients with images are in no table"] if unlisted else []
    return tuple(notes)


def _is_digital(patients: Sequence[str], told: bool) -> bool:
    called = [_DIGITAL.fullmatch(bare(p)) is not None for p in patients]
    if any(called) and not all(called) and not told:
        remedy = "keep them apart: nothing that is learned from digital patients holds for patients"
        got = f"{sum(called)} digital ones among {len(called)}"
        raise InputError("a cohort of patients, or one of digital patients", got=got, where="cohort", remedy=remedy)
    return told or all(called)
