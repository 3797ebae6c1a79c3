"""DICOM headers of people who do not exist, as four vendors and seven languages write them.

Why it exists: recognition must be tried on many headers, and patients' headers may not be kept. These are
drawn from :mod:`.header_techniques` (what is acquired) and :mod:`.header_words` (what it is called), then
spoilt as departments spoil them: tags missing, descriptions vague or of another sequence, a contrast
agent left in from the last series. They say nothing about how often that happens anywhere.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from pydicom import Dataset
from pydicom.uid import (
    CTImageStorage,
    MRImageStorage,
    MRSpectroscopyStorage,
    PositronEmissionTomographyImageStorage,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from tumorboard.sequences import Sequence
from tumorboard.simulate.files.header_techniques import TECHNIQUES, Range, Technique
from tumorboard.simulate.files.header_words import (
    AFTER,
    AGENTS,
    BEFORE,
    LANGUAGES,
    LOCAL_NAMES,
    NAMES,
    PLANES,
    VAGUE,
)

T = TypeVar("T")

__all__ = ["KINDS", "LANGUAGES", "VENDORS", "DrawnSeries", "draw_header", "draw_study"]

VENDORS = ("SIEMENS", "GE", "PHILIPS", "CANON")
"""Vendors a header can be drawn for."""

KINDS = tuple(dict.fromkeys(t.what for t in TECHNIQUES))
"""Everything that can be drawn: values of :class:`~tumorboard.sequences.Sequence`, then kinds that are none."""

VAGUE_SHARE, WRONG_SHARE, UNTAGGED_SHARE, STALE_SHARE = 0.08, 0.015, 0.25, 0.06
"""Chosen shares: vague descriptions, descriptions of another sequence, series after the injection without an
agent, and series before it with one."""

MISSING_SHARE, STRIPPED_SHARE = 0.04, 0.03
"""Chosen shares: any one physical tag missing; all tags of the pulse sequence missing."""

MAKERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "SIEMENS": (("SIEMENS", "Siemens", "Siemens Healthineers"), ("Skyra", "Prisma_fit", "Avanto", "MAGNETOM Vida")),
    "GE": (("GE MEDICAL SYSTEMS",), ("SIGNA HDxt", "DISCOVERY MR750", "Optima MR450w", "SIGNA Architect")),
    "PHILIPS": (("Philips", "Philips Medical Systems", "Philips Healthcare"), ("Ingenia", "Achieva", "Intera")),
    "CANON": (("CANON_MEC", "TOSHIBA_MEC"), ("Vantage Galan 3T", "MRT200PP3", "Orian")),
}  # fmt: skip
"""Manufacturer and model names by vendor."""

MATCHED_SHARE = 0.85
"""Chosen share of studies in which T1 before and after the injection have the same parameters."""

_MATCHED = {"RepetitionTime", "EchoTime", "InversionTime", "FlipAngle", "SliceThickness", "EchoTrainLength"}
_USUAL_TYPES: dict[str, tuple[str, ...]] = {
    "SIEMENS": (r"ORIGINAL\PRIMARY\M\ND\NORM", r"ORIGINAL\PRIMARY\M\NORM\DIS2D", r"ORIGINAL\PRIMARY\M\ND"),
    "GE": (r"ORIGINAL\PRIMARY\OTHER",) * 20 + (r"DERIVED\PRIMARY\OTHER",),
    "PHILIPS": (r"ORIGINAL\PRIMARY\M_{s}\M\{s}",),
    "CANON": (r"ORIGINAL\PRIMARY\OTHER", r"ORIGINAL\PRIMARY"),
}
_STORAGE = {"CT": CTImageStorage, "PT": PositronEmissionTomographyImageStorage}
_STORAGE_OF_KIND = {"secondary capture": SecondaryCaptureImageStorage, "MRS": MRSpectroscopyStorage}
_AFTER = frozenset({"T1C", "BB", "DSC", "CBV", "DCE", "KTRANS", "SUB"})
_TELLS = frozenset({"T1", "T1C"})


@dataclass(frozen=True)
class DrawnSeries:
    """One header and what it truly is.

    Parameters
    ----------
    what : str
        A value of :data:`KINDS`.
    header : pydicom.Dataset
        Tags of one instance; no pixels, no geometry but the slice thickness.
    """

    what: str
    header: Dataset


@dataclass(frozen=True)
class _Habit:
    """How a study is run: when the agent went in (s of the day), and how that is written down."""

    start_s: float
    injected_s: float
    agent: str
    tags_agent: bool
    tags_time: bool
    tags_everything: bool = False


def draw_header(rng: np.random.Generator, what: Sequence | str, vendor: str, language: str) -> Dataset:
    """Draw the header of one series.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance; the same state gives the same header.
    what : Sequence or str
        What it truly is: one of :data:`KINDS`.
    vendor : str
        One of :data:`VENDORS`.
    language : str
        One of :data:`LANGUAGES`, of its description.

    Returns
    -------
    pydicom.Dataset
        Tags of one classic instance of a fictional person (PS3.3 C.7, C.8.3), without pixels and without
        an image plane. Clock times lie in one day. A T1 always bears some sign of whether it was acquired
        before or after the injection, if only in its clock time.

    Raises
    ------
    ValueError
        Unknown kind, vendor or language.

    Examples
    --------
    >>> header = draw_header(np.random.default_rng(3), Sequence.FLAIR, "SIEMENS", "de")
    >>> header.Modality, str(header.PatientName)
    ('MR', 'Fictional^Person')
    """
    technique = _technique(rng, str(what), vendor)
    habit = _habit(rng)
    after = str(what) in _AFTER or (str(what) in ("T2", "FLAIR") and rng.random() < 0.2)
    acquired = habit.injected_s + (rng.uniform(120, 900) if after else -rng.uniform(60, 900))
    header = _base(rng, vendor, habit)
    _describe_technique(rng, header, technique, vendor)
    said = _describe(rng, header, technique, language, after)
    _write_contrast(rng, header, habit, (acquired, after, said or technique.what not in _TELLS))
    _spoil(rng, header)
    return header


def draw_study(rng: np.random.Generator, vendor: str, language: str) -> tuple[DrawnSeries, ...]:
    """Draw the headers of one tumour study, in the order of acquisition.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    vendor, language : str
        As in :func:`draw_header`; one vendor and one language for the study.

    Returns
    -------
    tuple of DrawnSeries
        Localizer, native series, perhaps perfusion, the same T1 after the injection, computed series, and
        at times a spine. T1 before and after share the technique, and may be told apart by the clock alone.

    Examples
    --------
    >>> study = draw_study(np.random.default_rng(3), "GE", "fr")
    >>> study[0].what, len({s.header.StudyInstanceUID for s in study})
    ('localizer', 1)
    """
    habit = _habit(rng)
    base = _base(rng, vendor, habit)
    plan = [(what, after) for what, after, share in _STUDY if rng.random() < share]
    times = _times(plan, habit)
    pair = _technique(rng, "T1", vendor)
    drawn: list[DrawnSeries] = []
    for number, (what, after) in enumerate(plan):
        header = deepcopy(base)
        _identify(rng, header, number + 1)
        first = all(earlier.what != what for earlier in drawn)
        technique = _as(what, pair) if what in _TELLS and first else _technique(rng, what, vendor)
        _describe_technique(rng, header, technique, vendor)
        if what == "T1C" and first:
            _match(rng, header, [earlier.header for earlier in drawn if earlier.what == "T1"])
        _describe(rng, header, technique, language, after)
        _write_contrast(rng, header, habit, (times[number], after, True))
        drawn.append(DrawnSeries(what, header))
    for series in drawn:
        _spoil(rng, series.header)
    return tuple(drawn)


def _times(plan: list[tuple[str, bool]], habit: _Habit) -> list[float]:
    """Return when each series began, s of the day: evenly up to the injection, then every 200 s."""
    native = sum(not after for _, after in plan)
    step = (habit.injected_s - habit.start_s - 60) / max(1, native)
    return [
        habit.injected_s + 90 + 200 * (n - native) if after else habit.start_s + step * n
        for n, (_, after) in enumerate(plan)
    ]


def _as(what: str, pair: Technique) -> Technique:
    return replace(pair, what=what)


def _match(rng: np.random.Generator, header: Dataset, before: list[Dataset]) -> None:
    """Give a T1 after contrast agent the parameters of the one before, as departments mostly do."""
    if before and rng.random() < MATCHED_SHARE:
        for tag in _MATCHED & set(before[0].dir()):
            setattr(header, tag, before[0].get(tag))


_STUDY = (
    *(("localizer", False, 1.0), ("T1", False, 0.97), ("T2", False, 0.6), ("FLAIR", False, 0.9)),
    *(("DWI", False, 0.9), ("ADC", False, 0.9), ("T2STAR", False, 0.4), ("SWI", False, 0.5), ("phase", False, 0.3)),
    *(("DTI", False, 0.2), ("FA", False, 0.1), ("BOLD", False, 0.1), ("angiography", False, 0.2), ("ASL", False, 0.1)),
    *(("DCE", True, 0.15), ("DSC", True, 0.4), ("CBV", True, 0.3), ("T2", True, 0.35), ("T1C", True, 1.0)),
    *(("T1C", True, 0.5), ("FLAIR", True, 0.08), ("derived", True, 0.5), ("SUB", True, 0.2), ("BB", True, 0.1)),
    *(("not brain", True, 0.15), ("secondary capture", True, 0.2)),
)
"""What is acquired in a study, whether after the injection, and in which (chosen) share of studies."""


def _technique(rng: np.random.Generator, what: str, vendor: str) -> Technique:
    if vendor not in VENDORS:
        raise ValueError(f"expected a vendor ({', '.join(VENDORS)})")
    found = [t for t in TECHNIQUES if t.what == what and vendor[0] in t.vendors]
    if not found:
        raise ValueError(f"expected a kind of series ({', '.join(KINDS)})")
    return found[int(rng.integers(len(found)))]


def _habit(rng: np.random.Generator) -> _Habit:
    start = float(rng.uniform(7.5, 18)) * 3600
    tags = rng.random() >= UNTAGGED_SHARE
    everything = bool(tags and rng.random() < STALE_SHARE)
    agent = _one(rng, AGENTS)
    return _Habit(start, start + rng.uniform(900, 1800), agent, tags, bool(rng.random() < 0.6), everything)


def _base(rng: np.random.Generator, vendor: str, habit: _Habit) -> Dataset:
    """Return what all series of a study share."""
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    header.PatientName, header.PatientID = "Fictional^Person", f"SIM{rng.integers(10**6):06d}"
    header.PatientBirthDate, header.PatientSex = "19000101", "O"
    header.StudyDate = header.SeriesDate = header.AcquisitionDate = (
        f"2020{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}"
    )
    header.StudyTime, header.StudyID, header.AccessionNumber = _clock(habit.start_s), "1", ""
    header.ReferringPhysicianName = ""
    makers, models = MAKERS[vendor]
    header.Manufacturer, header.ManufacturerModelName = _one(rng, makers), _one(rng, models)
    header.MagneticFieldStrength = _one(rng, ("1.5", "3", "3", "2.89362" if vendor == "SIEMENS" else "3.0"))
    header.StudyInstanceUID = _uid(rng)
    _identify(rng, header, int(rng.integers(1, 20)))
    return header


def _identify(rng: np.random.Generator, header: Dataset, number: int) -> None:
    header.SeriesInstanceUID, header.SOPInstanceUID = _uid(rng), _uid(rng)
    header.SeriesNumber, header.InstanceNumber = number, 1


def _describe_technique(rng: np.random.Generator, header: Dataset, technique: Technique, vendor: str) -> None:
    """Write modality, class, image type and the physics."""
    t, kind = technique, technique.what
    header.Modality = "OT" if kind == "secondary capture" and rng.random() < 0.3 else t.modality
    header.SOPClassUID = _STORAGE_OF_KIND.get(kind, _STORAGE.get(t.modality, MRImageStorage))
    family = "IR" if "IR" in t.scanning else "FFE" if "GR" in t.scanning else "SE"
    header.ImageType = (t.image_type or _one(rng, _USUAL_TYPES[vendor]).replace("{s}", family)).split("\\")
    header.BodyPartExamined = _one(rng, ("HEAD", "BRAIN", "BRAIN", "SKULL", ""))
    if kind == "not brain":
        header.BodyPartExamined = _one(rng, ("SPINE", "LSPINE", "CSPINE", "HEAD", "TSPINE"))
    for tag, text in (("ScanningSequence", t.scanning), ("SequenceVariant", t.variant)):
        if text:
            setattr(header, tag, text.split("\\"))
    if t.dims:
        header.MRAcquisitionType = t.dims
    if t.sequence_name and (vendor == "SIEMENS" or rng.random() < 0.5):
        header.SequenceName = t.sequence_name
    if vendor == "GE" and t.modality == "MR":
        _private(header, 0x0019, "GEMS_ACQU_01", (0x9C, "LO", t.name.upper()))
    if vendor == "PHILIPS" and t.modality == "MR":
        _private(header, 0x2001, "Philips Imaging DD 001", (0x20, "LO", t.name.upper()))
    _write_numbers(rng, header, technique)


def _write_numbers(rng: np.random.Generator, header: Dataset, t: Technique) -> None:
    ranges: dict[str, Range | None] = {
        "RepetitionTime": t.tr, "EchoTime": t.te, "InversionTime": t.ti,
        "FlipAngle": t.flip, "SliceThickness": t.thick,
    }  # fmt: skip
    for tag, limits in ranges.items():
        if limits is not None:
            setattr(header, tag, f"{rng.uniform(*limits):.4g}")
    if t.train is not None:
        header.EchoTrainLength = int(rng.integers(int(t.train[0]), int(t.train[1]) + 1))
    if t.dims == "2D":
        header.SpacingBetweenSlices = f"{float(header.SliceThickness) * rng.choice([1.0, 1.1, 1.2]):.4g}"
    if t.times is not None:
        header.NumberOfTemporalPositions = int(rng.integers(int(t.times[0]), int(t.times[1]) + 1))
        header.TemporalPositionIdentifier = 1
    if t.b and rng.random() < 0.8:
        header.DiffusionBValue = float(_one(rng, t.b))


def _describe(rng: np.random.Generator, header: Dataset, technique: Technique, language: str, after: bool) -> bool:
    """Write description and protocol name; return whether they tell before from after the injection."""
    if language not in LANGUAGES:
        raise ValueError(f"expected a language ({', '.join(LANGUAGES)})")
    drawn, told = rng.random(), False
    if technique.what == "T1C" or (after and rng.random() < 0.4):
        told = bool(rng.random() < 0.82)
    elif technique.what == "T1":
        told = bool(rng.random() < 0.35)
    contrast = _one(rng, (AFTER if after else BEFORE)[language]) if told else ""
    if drawn < VAGUE_SHARE:
        template = _one(rng, VAGUE["any"] + (VAGUE["after" if after else "before"] if technique.what in _TELLS else ()))
        told = (
            "after" in template or "before" in template or "post" in template or "pre" in template or "+C" in template
        )
    elif drawn < VAGUE_SHARE + WRONG_SHARE:
        template, contrast, told = _one(rng, NAMES[_one(rng, ("tse", "flair", "mprage", "t2star"))]), "", False
    else:
        local = LOCAL_NAMES.get(f"{language} {technique.name}", ())
        template = _one(rng, local * 2 + NAMES[technique.name])
    text = _fill(rng, template, technique.what, language)
    if contrast and drawn >= VAGUE_SHARE:
        separator = "_" if "_" in text and " " not in text else " "
        text = f"{text}{separator}{contrast.replace(' ', separator)}"
    if rng.random() < 0.1:
        text += _one(rng, (" RPT", "_ND", " fs", " 3mm", " p2"))
    header.SeriesDescription = " ".join(text.split())[:64]
    if drawn < VAGUE_SHARE and rng.random() < 0.5:
        header.ProtocolName = _one(rng, ("Brain Tumor", "HEAD", "Routine Brain", "Kopf", "Crane", "Cerebro"))
    elif rng.random() < 0.5:
        header.ProtocolName = header.SeriesDescription
    return told


def _fill(rng: np.random.Generator, template: str, what: str, language: str) -> str:
    tra, sag, cor = (_one(rng, words) for words in PLANES[language])
    weighting = {"PD": "PD", "T2": "T2", "FLAIR": "T2"}.get(what, "T1")
    return template.format(
        tra=tra, sag=sag, cor=cor, Ax=tra.capitalize(), Sag=sag.capitalize(), w=weighting.lower(), W=weighting,
        after=_one(rng, AFTER[language]), before=_one(rng, BEFORE[language]),
    )  # fmt: skip


def _write_contrast(rng: np.random.Generator, header: Dataset, habit: _Habit, moment: tuple[float, bool, bool]) -> None:
    """Write clock times and what is said of the agent; ``moment``: when, after the injection, otherwise told."""
    acquired, after, told = moment
    header.AcquisitionTime = header.SeriesTime = _clock(acquired)
    if header.Modality != "MR":
        return
    stale = not after and (habit.tags_everything or rng.random() < STALE_SHARE / 3)
    if (after and (habit.tags_agent or not told)) or stale:
        header.ContrastBolusAgent = habit.agent
        if habit.tags_time or (stale and not told):
            header.ContrastBolusStartTime = _clock(habit.injected_s)
    elif rng.random() < 0.1:
        header.ContrastBolusAgent = ""


def _spoil(rng: np.random.Generator, header: Dataset) -> None:
    """Leave tags out, as exports and anonymisers do."""
    physical = ("RepetitionTime", "EchoTime", "InversionTime", "FlipAngle", "EchoTrainLength", "ScanningSequence",
                "SequenceVariant", "SequenceName", "MRAcquisitionType", "BodyPartExamined")  # fmt: skip
    gone = {tag for tag in physical if rng.random() < MISSING_SHARE}
    if rng.random() < STRIPPED_SHARE:
        gone |= {"ScanningSequence", "SequenceVariant", "SequenceName", "MRAcquisitionType"}
    for tag in gone & set(header.dir()):
        delattr(header, tag)


def _private(header: Dataset, group: int, creator: str, element: tuple[int, str, str]) -> None:
    offset, vr, value = element
    header.private_block(group, creator, create=True).add_new(offset, vr, value)


def _clock(seconds: float) -> str:
    whole = int(seconds) % 86400
    return f"{whole // 3600:02d}{whole // 60 % 60:02d}{whole % 60:02d}.{int(seconds % 1 * 1e6):06d}"


def _uid(rng: np.random.Generator) -> str:
    return str(generate_uid(entropy_srcs=[rng.bytes(16).hex()]))


def _one(rng: np.random.Generator, items: tuple[T, ...]) -> T:
    return items[int(rng.integers(len(items)))]
