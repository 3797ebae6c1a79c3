"""What a file's header says, in the words of :mod:`tumorboard.series`.

Why it exists: real headers are empty where they must not be, hold two values where one belongs, and keep
the same fact in different places in classic and enhanced objects. Everything optional becomes None;
nothing here raises for a bad optional value. Source: PS3.3 C.7.6.2, C.7.6.16, C.8.3, C.8.13.
"""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

from tumorboard.series import Person, Plane, SeriesTags

_ENHANCED_CODES = {"SPIN_ECHO": "SE", "GRADIENT_ECHO": "GR", "ECHO_PLANAR": "EP", "INVERSION_RECOVERY": "IR"}

Vector6 = tuple[float, float, float, float, float, float]


def value(dataset: Any, keyword: str) -> Any:
    """Return an element's value, or None where it is absent, empty or cannot be decoded."""
    try:
        found = dataset.get(keyword)
    except Exception:  # damaged elements throw anything when they are decoded
        return None
    return None if found is None or (isinstance(found, str) and not found.strip()) else found


def text(dataset: Any, keyword: str) -> str:
    """Return an element as text; multiple values joined by a backslash, the empty string for none."""
    found = value(dataset, keyword)
    if found is None:
        return ""
    try:
        many = "\\".join(str(part) for part in found) if _is_many(found) else str(found)
    except Exception:  # a value whose own printing fails says nothing
        return ""
    return many.replace("\x00", "").strip()


def number(dataset: Any, keyword: str) -> float | None:
    """Return an element's first value as a finite number, or None."""
    found = value(dataset, keyword)
    if _is_many(found):
        found = found[0] if len(found) else None
    try:
        result = float(found)
    except (TypeError, ValueError, OverflowError, ArithmeticError):
        return None
    return result if math.isfinite(result) else None


def words(dataset: Any, keyword: str) -> tuple[str, ...]:
    """Return the values of a coded element in upper case."""
    return tuple(part.strip().upper() for part in text(dataset, keyword).split("\\") if part.strip())


def numbers(dataset: Any, keyword: str, count: int) -> tuple[float, ...] | None:
    """Return exactly ``count`` finite numbers, or None."""
    found = value(dataset, keyword)
    if not _is_many(found) or len(found) != count:
        return None
    try:
        result = tuple(float(part) for part in found)
    except (TypeError, ValueError, OverflowError, ArithmeticError):
        return None
    return result if all(math.isfinite(part) for part in result) else None


def clock_s(dataset: Any, *keywords: str) -> float | None:
    """Return the first readable time (TM or DT) as seconds since midnight, or None."""
    for keyword in keywords:
        digits = text(dataset, keyword).split("\\")[0].split("+")[0].split("-")[0].replace(":", "")
        if len(digits.split(".")[0]) >= 14:
            digits = digits[8:]
        try:
            hours, minutes, seconds = int(digits[:2]), int(digits[2:4] or 0), float(digits[4:] or 0)
        except ValueError:
            continue
        if 0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 61:
            return hours * 3600.0 + minutes * 60.0 + seconds
    return None


def date_of(dataset: Any, *keywords: str) -> dt.date | None:
    """Return the first readable date (DA or DT), or None."""
    for keyword in keywords:
        digits = text(dataset, keyword).replace(".", "").replace("-", "")[:8]
        try:
            return dt.datetime.strptime(digits, "%Y%m%d").date()
        except ValueError:
            continue
    return None


def person_of(dataset: Any) -> Person:
    """Return whom the file says it is of; compared, never shown."""
    return Person(
        text(dataset, "PatientID"),
        text(dataset, "IssuerOfPatientID"),
        text(dataset, "PatientName"),
        text(dataset, "PatientBirthDate"),
    )


def items_of(dataset: Any, keyword: str) -> list[Any]:
    """Return the items of a sequence; empty where there is none."""
    found = value(dataset, keyword)
    return list(found) if _is_many(found) else []


def groups(dataset: Any) -> tuple[Any, list[Any]]:
    """Return the shared functional groups (an item or None) and those of every frame of an enhanced object."""
    shared = items_of(dataset, "SharedFunctionalGroupsSequence")
    return shared[0] if shared else None, items_of(dataset, "PerFrameFunctionalGroupsSequence")


def macro(shared: Any, frame: Any, keyword: str) -> Any:
    """Return the one item of a functional group macro: the frame's own, else the shared one, else None."""
    for group in (frame, shared):
        found = [] if group is None else items_of(group, keyword)
        if found:
            return found[0]
    return None


def tags_of(dataset: Any) -> SeriesTags:
    """Return what one file says about its series.

    Parameters
    ----------
    dataset : pydicom.Dataset
        A header, classic or enhanced; b-values, directions, time points and echoes are those of this file.

    Returns
    -------
    SeriesTags

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset(); header.Modality = "MR"; header.EchoTime = "90"; header.ScanningSequence = "SE"
    >>> tags = tags_of(header)
    >>> tags.te_ms, tags.tr_ms, tags.scanning_sequence
    (90.0, None, ('SE',))
    """
    shared, frames = groups(dataset)
    first = frames[0] if frames else None
    timing = macro(shared, first, "MRTimingAndRelatedParametersSequence") or dataset
    echo = macro(shared, first, "MREchoSequence") or dataset
    modifier = macro(shared, first, "MRModifierSequence") or dataset
    measures = macro(shared, first, "PixelMeasuresSequence") or dataset
    b_values, directions = _diffusion(dataset, shared, frames)
    return SeriesTags(
        modality=text(dataset, "Modality"),
        sop_class=text(dataset, "SOPClassUID"),
        manufacturer=text(dataset, "Manufacturer"),
        model=text(dataset, "ManufacturerModelName"),
        field_t=_field_t(dataset),
        image_type=words(dataset, "ImageType"),
        description=text(dataset, "SeriesDescription"),
        protocol=text(dataset, "ProtocolName"),
        sequence_name=text(dataset, "SequenceName") or text(dataset, "PulseSequenceName"),
        body_part=text(dataset, "BodyPartExamined"),
        scanning_sequence=words(dataset, "ScanningSequence") or _enhanced_sequence(dataset),
        sequence_variant=words(dataset, "SequenceVariant"),
        scan_options=words(dataset, "ScanOptions"),
        acquisition_type=text(dataset, "MRAcquisitionType").upper(),
        tr_ms=number(timing, "RepetitionTime"),
        te_ms=_first(number(echo, "EffectiveEchoTime"), number(echo, "EchoTime"), number(dataset, "EchoTime")),
        ti_ms=_first(number(dataset, "InversionTime"), number(modifier, "InversionTimes")),
        flip_deg=number(timing, "FlipAngle"),
        echo_train=_whole(number(timing, "EchoTrainLength")),
        contrast_agent=_agent(dataset),
        contrast_start_s=clock_s(dataset, "ContrastBolusStartTime"),
        acquired_s=clock_s(dataset, "AcquisitionTime", "AcquisitionDateTime", "ContentTime", "SeriesTime"),
        b_values=b_values,
        directions=directions,
        temporal_positions=_whole(number(dataset, "NumberOfTemporalPositions")) or 1,
        thickness_mm=number(measures, "SliceThickness"),
        between_mm=number(measures, "SpacingBetweenSlices"),
        burned_in=text(dataset, "BurnedInAnnotation").upper() == "YES",
        derivation=text(dataset, "DerivationDescription"),
    )


def planes_of(dataset: Any, path: Path) -> tuple[Plane, ...]:
    """Return the planes of one file; empty where it holds no image in patient space.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Header of a single-frame or an enhanced multi-frame image.
    path : Path
        Where it lies.
    """
    rows, columns = _whole(number(dataset, "Rows")), _whole(number(dataset, "Columns"))
    if not rows or not columns:
        return ()
    shared, frames = groups(dataset)
    made = []
    for index, frame in enumerate(frames or [None], start=1):
        place = macro(shared, frame, "PlanePositionSequence") or dataset
        turn = macro(shared, frame, "PlaneOrientationSequence") or dataset
        measures = macro(shared, frame, "PixelMeasuresSequence") or dataset
        position = numbers(place, "ImagePositionPatient", 3)
        orientation = numbers(turn, "ImageOrientationPatient", 6)
        spacing = numbers(measures, "PixelSpacing", 2)
        if position is None or orientation is None or spacing is None or min(spacing) <= 0:
            continue
        a, b, c = position
        p, q, r, s, t, u = orientation
        uids = (text(dataset, "SOPInstanceUID"), text(dataset, "SOPClassUID"))
        made.append(Plane(path, *uids, (a, b, c), (p, q, r, s, t, u), (spacing[0], spacing[1]), rows, columns, index))
    return tuple(made)


def b_value(dataset: Any, shared: Any, frame: Any) -> float | None:
    """Return the b-value of a plane, s/mm², or None."""
    group = macro(shared, frame, "MRDiffusionSequence")
    return number(dataset if group is None else group, "DiffusionBValue")


def _diffusion(dataset: Any, shared: Any, frames: list[Any]) -> tuple[tuple[float, ...], int]:
    found = {b_value(dataset, shared, frame) for frame in frames or [None]}
    directions = set()
    for frame in frames or [None]:
        group = macro(shared, frame, "MRDiffusionSequence")
        inner = dataset if group is None else macro(None, group, "DiffusionGradientDirectionSequence") or group
        directions.add(numbers(inner, "DiffusionGradientOrientation", 3))
    return tuple(sorted(b for b in found if b is not None)), len(directions - {None})


def _agent(dataset: Any) -> str | None:
    try:
        present = "ContrastBolusAgent" in dataset or "ContrastBolusAgentSequence" in dataset
    except Exception:  # a dataset that cannot be searched says nothing
        return None
    if not present:
        return None
    return text(dataset, "ContrastBolusAgent") or ("sequence" if value(dataset, "ContrastBolusAgentSequence") else "")


def _field_t(dataset: Any) -> float | None:
    found = number(dataset, "MagneticFieldStrength")
    return found / 10000.0 if found is not None and found > 100 else found  # some write gauss


def _enhanced_sequence(dataset: Any) -> tuple[str, ...]:
    pulse = text(dataset, "EchoPulseSequence").upper()
    made = {"SPIN": "SE", "GRADIENT": "GR"}.get(pulse)
    out = [made] if made else []
    for keyword, code in (("EchoPlanarPulseSequence", "EP"), ("InversionRecovery", "IR")):
        if text(dataset, keyword).upper() == "YES":
            out.append(code)
    return tuple(out)


def _whole(found: float | None) -> int | None:
    return None if found is None or abs(found) > 1e9 else int(found)


def _first(*found: float | None) -> float | None:
    return next((item for item in found if item is not None), None)


def _is_many(found: Any) -> bool:
    return hasattr(found, "__len__") and hasattr(found, "__getitem__") and not isinstance(found, str | bytes)
