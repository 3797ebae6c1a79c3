"""The facts that urgency is made of, read from what the chain wrote into a case folder.

Why it exists: a number that is not there is not 0. Each fact is a value with its unit, or the reason why there is none;
nothing is computed anew from images here.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumorboard.errors import FileFormatError, InputError, did_you_mean
from tumorboard.measurement import StudyMeasurements
from tumorboard.serve.data.priority import Priority
from tumorboard.store import CaseFolder

LEAST_CORE_ML = 0.5
"""A core smaller than this has no growth in percent (chosen): a few voxels more would double it."""


@dataclass(frozen=True)
class Fact:
    """A number that a finding is judged by, or the reason why there is none.

    Parameters
    ----------
    value : float or None
        In the unit of the table's line.
    reason : str
        Why there is none.
    note : str
        What must stand beside the value: ``proxy``, ``coarse``.
    applies : bool
        False where the question does not arise, as growth in a first study; it is then not listed as missing.
    word : str
        What is said instead of the number.
    """

    value: float | None
    reason: str = ""
    note: str = ""
    applies: bool = True
    word: str = ""


_NOT_EARLIER = Fact(None, "there is no earlier study to compare with", applies=False)


@dataclass(frozen=True)
class CaseFacts:
    """What the chain wrote about a study and the one before it.

    Parameters
    ----------
    study : str
        ``ses-01`` …
    latest : StudyMeasurements
        Of the study.
    earlier : StudyMeasurements or None
        Of the study before it by date.
    digital : bool
        A simulated patient.
    new_lesions : int or None
        Lesions of the enhancing core that the course calls new at this study; None where none was judged.
    progressed : tuple of str or None
        Criteria whose category by images alone is PD at this study; None where none was judged.
    detected : int or None
        Lesions that a detector reports; None where none was run.
    undetected : str
        Why a detector that was run could tell nothing.
    ordered : Priority or None
        What the order said.
    """

    study: str
    latest: StudyMeasurements
    earlier: StudyMeasurements | None = None
    digital: bool = False
    new_lesions: int | None = None
    progressed: tuple[str, ...] | None = None
    detected: int | None = None
    undetected: str = ""
    ordered: Priority | None = None

    def number(self, name: str, region: str, earlier: bool = False) -> Fact:
        """Return a measurement of the study (or the one before it) as a fact."""
        listed = self.earlier if earlier else self.latest
        if listed is None:
            return _NOT_EARLIER
        try:
            m = listed.get(name, region)
        except KeyError:
            return Fact(None, "not measured in this study")
        if isinstance(m.value, str) or m.value is None:
            return Fact(None, m.reason or "not a number")
        return Fact(float(m.value), note=m.quality if m.quality != "measured" else "")


def _size(fact: Fact) -> Fact:
    return fact if fact.value is None else Fact(abs(fact.value), note=fact.note)


def _posterior(facts: CaseFacts) -> Fact:
    volume = facts.number("volume", "WT")
    if not volume.value:  # none, or nothing that could lie anywhere
        return volume
    try:
        lobe = facts.latest.get("lobe", "WT")
    except KeyError:
        return Fact(None, "the place of the tumour was not measured")
    if lobe.value is None:
        return Fact(None, lobe.reason)
    return Fact(volume.value if lobe.value == "cerebellum" else 0.0, note=lobe.quality)


def _rise(facts: CaseFacts) -> Fact:
    now, before = facts.number("evans_index", "brain"), facts.number("evans_index", "brain", earlier=True)
    if facts.earlier is None:
        return _NOT_EARLIER
    if now.value is None or before.value is None:
        return Fact(None, now.reason or f"in the earlier study: {before.reason}")
    return Fact(now.value - before.value, note=now.note)


def _growth(facts: CaseFacts) -> Fact:
    now, before = facts.number("volume", "TC"), facts.number("volume", "TC", earlier=True)
    if facts.earlier is None:
        return _NOT_EARLIER
    if now.value is None or before.value is None:
        return Fact(None, now.reason or f"in the earlier study: {before.reason}")
    if before.value < LEAST_CORE_ML:
        told = f"the core had less than {LEAST_CORE_ML:g} mL in the earlier study, too little for a change in percent"
        return Fact(None, told)
    return Fact(100.0 * (now.value / before.value - 1.0))


def _first(facts: CaseFacts) -> Fact:
    if facts.earlier is not None:
        return Fact(None, "there is an earlier study; new and growing lesions are looked at instead", applies=False)
    return facts.number("volume", "ET")


def _new(facts: CaseFacts) -> Fact:
    if facts.new_lesions is None:
        return _NOT_EARLIER if facts.earlier is None else Fact(None, "the studies were not judged together")
    return Fact(float(facts.new_lesions))


def _progression(facts: CaseFacts) -> Fact:
    if facts.progressed is None:
        return _NOT_EARLIER if facts.earlier is None else Fact(None, "the studies were not judged together")
    return Fact(float(len(facts.progressed)), note=", ".join(facts.progressed))


def _detected(facts: CaseFacts) -> Fact:
    if facts.detected is None:
        return Fact(None, facts.undetected or "no detector was run")
    return Fact(float(facts.detected))


def _ordered(facts: CaseFacts) -> Fact:
    if facts.ordered is None:
        return Fact(None, "the order told none", applies=False)
    return Fact(float(facts.ordered), word=facts.ordered.name)


READERS: Mapping[str, Callable[[CaseFacts], Fact]] = {
    "midline_shift": lambda f: _size(f.number("midline_shift", "brain")),
    "tumour_volume": lambda f: f.number("volume", "WT"),
    "posterior_fossa": _posterior,
    "ventricles": lambda f: f.number("evans_index", "brain"),
    "ventricles_wider": _rise,
    "bright_on_t1": lambda f: f.number("t1_bright_volume", "WT"),
    "susceptibility": lambda f: Fact(None, "susceptibility images are not read"),
    "first_tumour": _first,
    "new_lesions": _new,
    "core_growth": _growth,
    "detected_lesions": _detected,
    "progression": _progression,
    "ordered_priority": _ordered,
}
"""Which fact each line of the table looks at; one line enrols another."""


def read_facts(folder: CaseFolder, study: str = "") -> CaseFacts:
    """Read the facts of one study of a case folder.

    Parameters
    ----------
    folder : CaseFolder
        Of the patient, as ``tumorboard run`` wrote it.
    study : str
        ``ses-01`` …; the latest by date where none is named.

    Returns
    -------
    CaseFacts

    Raises
    ------
    InputError
        There is no such study in the folder, or it was not measured.
    FileFormatError
        A file of the folder cannot be read.
    """
    told = _json(folder.root / "patient.json")
    studies = sorted(told.get("studies", []), key=lambda s: (str(s.get("date") or ""), str(s["id"])))
    names = [str(s["id"]) for s in studies]
    if not names:
        raise InputError("a case folder with a study", got="none", where="case folder", remedy="run the chain first")
    name = study or names[-1]
    if name not in names:
        raise InputError("a study of the case folder", got=name, where="study", remedy=did_you_mean(name, names))
    place = names.index(name)
    listed = _measurements(folder, name)
    if listed is None:
        raise InputError("a study that was measured", got="none", where=name, remedy="run the chain to its end")
    before = [m for m in (_measurements(folder, n) for n in names[:place]) if m is not None]
    detected, why = _detections(folder, name)
    return CaseFacts(
        study=name,
        latest=listed,
        earlier=before[-1] if before else None,
        digital=bool(told.get("digital", False)),
        new_lesions=_new_lesions(folder.root, name),
        progressed=_progressed(folder.root, studies[place].get("date"), first=not before),
        detected=detected,
        undetected=why,
    )


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileFormatError("a case folder as the chain writes it", got="one file less", where=path.name) from error


def _measurements(folder: CaseFolder, study: str) -> StudyMeasurements | None:
    path = folder.session(study) / "measurements.json"
    return StudyMeasurements.model_validate(_json(path)) if path.is_file() else None


def _new_lesions(root: Path, study: str) -> int | None:
    path = root / ".stages" / "response.json"
    if not path.is_file():
        return None
    kept = _json(path)
    names, visits = kept["studies"], kept["course"]["visits"]
    if study not in names or names.index(study) == 0:
        return None
    visit = visits[names.index(study)]
    return sum(1 for lesion in visit["lesions"] if lesion["new"] and lesion["compartment"] == "ce")


def _progressed(root: Path, date: str | None, first: bool) -> tuple[str, ...] | None:
    path = root / "verdicts.csv"
    if first or date is None or not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["date"] == date]
    return tuple(r["criterion"] for r in rows if r["imaging_only"] == "PD") if rows else None


def _detections(folder: CaseFolder, study: str) -> tuple[int | None, str]:
    path = folder.seg(study, "detections.json")
    if not path.is_file():
        return None, ""
    told = _json(path)
    if told.get("not_assessable"):
        return None, str(told["not_assessable"])
    return sum(1 for lesion in told["lesions"] if lesion["reported"]), ""
