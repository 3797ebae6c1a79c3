"""What a file's header says, in the words of :mod:`tumorboard.series`.

Why it exists: classic and enhanced objects keep the same facts in different places. Here both become one
:class:`~tumorboard.series.SeriesTags`, a person and planes. Nothing raises for a bad optional value.
Source: PS3.3 C.7.6.2, C.7.6.16, C.8.3, C.8.13.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tumorboard.io.dicom.diffusion import b_value, gradient
from tumorboard.io.dicom.header import (
    Asked,
    clock_s,
    groups,
    item,
    quiet,
    text,
    whole,
    words,
)
from tumorboard.series import Person, Plane, SeriesTags

MOST_MM = 1e5
"""A position farther from the isocentre than this (100 m) is damage. Chosen."""

SPACING_MM = (1e-3, 1e3)
"""A pixel smaller or larger than this is damage. Chosen."""

_TIMING, _ECHO, _MODIFIER = "MRTimingAndRelatedParametersSequence", "MREchoSequence", "MRModifierSequence"
_MEASURES, _TYPE = "PixelMeasuresSequence", "MRImageFrameTypeSequence"

_PULSES = {"SPIN": ("SE",), "GRADIENT": ("GR",), "BOTH": ("SE", "GR")}
"""Echo Pulse Sequence (0018,9008) as Scanning Sequence. Source: PS3.3 C.8.13.2."""


def person_of(dataset: Any) -> Person:
    """Return whom a file says it is of; compared, never shown."""
    with quiet():
        keywords = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate")
        return Person(*(text(dataset, keyword) for keyword in keywords))


def tags_of(dataset: Any, frame: int = 0) -> SeriesTags:
    """Return what one file says about its series.

    Parameters
    ----------
    dataset : pydicom.Dataset
        A header, classic or enhanced.
    frame : int
        Of an enhanced object, the one frame that is asked (1-based); 0 asks the first one, and all for their
        b-values and directions.

    Returns
    -------
    SeriesTags
        Time points are those of this file.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset(); header.Modality = "MR"; header.EchoTime = "90"; header.ScanningSequence = "SE"
    >>> tags = tags_of(header)
    >>> tags.te_ms, tags.tr_ms, tags.scanning_sequence
    (90.0, None, ('SE',))
    """
    with quiet():
        asked = Asked(dataset, frame or 1)
        every = asked_of(dataset) if not frame else [asked]
        contrast = item(dataset, "ContrastBolusAgentSequence")
        profile = item(contrast, "ContrastAdministrationProfileSequence")
        start = clock_s(dataset, "ContrastBolusStartTime")
        gradients = {gradient(one) for one in every} - {None}
        return SeriesTags(
            **_plain_texts(dataset),
            **_numbers(asked),
            image_type=asked.words("FrameType", _TYPE) if frame and asked.group(_TYPE) else words(dataset, "ImageType"),
            sequence_name=text(dataset, "SequenceName") or text(dataset, "PulseSequenceName"),
            scanning_sequence=asked.words("ScanningSequence") or _enhanced_sequence(asked),
            sequence_variant=asked.words("SequenceVariant"),
            scan_options=asked.words("ScanOptions"),
            acquisition_type="".join(asked.words("MRAcquisitionType")[:1]),
            contrast_agent=_agent(dataset, contrast),
            contrast_start_s=clock_s(profile, "ContrastBolusStartTime") if start is None else start,
            acquired_s=acquired_s(asked),
            b_values=tuple(sorted({b for one in every if (b := b_value(one)) is not None})),
            directions=len(gradients),
            temporal_positions=max(1, whole(dataset, "NumberOfTemporalPositions", 1)),
            burned_in=text(dataset, "BurnedInAnnotation").upper() == "YES",
        )


def asked_of(dataset: Any) -> list[Asked]:
    """Return the frames of a header, each ready to be asked; a classic header is one."""
    grouped = groups(dataset)
    return [Asked(dataset, n, grouped) for n in range(1, max(1, len(grouped[1])) + 1)]


def acquired_s(asked: Asked) -> float | None:
    """Return when a plane was acquired, seconds since midnight, or None."""
    content = asked.group("FrameContentSequence")
    found = clock_s(content, "FrameAcquisitionDateTime", "FrameReferenceDateTime")
    keywords = ("AcquisitionTime", "AcquisitionDateTime", "ContentTime", "SeriesTime")
    return clock_s(asked.dataset, *keywords) if found is None else found


def planes_of(dataset: Any, path: Path) -> tuple[Plane, ...]:
    """Return the planes of one file; empty where it holds no image with a place in the patient.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Header of a single-frame or an enhanced multi-frame image.
    path : Path
        Where it lies.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset(); header.Rows = header.Columns = 4; header.PixelSpacing = [1, 2]
    >>> header.ImagePositionPatient, header.ImageOrientationPatient = [0, 0, 9], [1, 0, 0, 0, 1, 0]
    >>> planes_of(header, Path())[0].position_mm
    (0.0, 0.0, 9.0)
    """
    with quiet():
        frames = asked_of(dataset)
        if len(frames) != max(1, whole(dataset, "NumberOfFrames", 1)):
            return ()  # frames without groups of their own have no place of their own
        made = (_plane(asked, n, path) for n, asked in enumerate(frames, start=1))
        return tuple(plane for plane in made if plane is not None)


def _plane(asked: Asked, frame: int, path: Path) -> Plane | None:
    rows, columns = whole(asked.dataset, "Rows"), whole(asked.dataset, "Columns")
    position = asked.numbers("ImagePositionPatient", 3, "PlanePositionSequence")
    turn = asked.numbers("ImageOrientationPatient", 6, "PlaneOrientationSequence")
    spacing = asked.numbers("PixelSpacing", 2, _MEASURES)
    if rows < 1 or columns < 1 or position is None or turn is None or spacing is None:
        return None
    far = max(map(abs, position)) > MOST_MM or max(map(abs, turn)) > 2
    if far or not all(SPACING_MM[0] <= size <= SPACING_MM[1] for size in spacing):
        return None
    return Plane(
        path=path,
        sop_uid=text(asked.dataset, "SOPInstanceUID"),
        sop_class=text(asked.dataset, "SOPClassUID"),
        position_mm=(position[0], position[1], position[2]),
        orientation=(turn[0], turn[1], turn[2], turn[3], turn[4], turn[5]),
        spacing_mm=(spacing[0], spacing[1]),
        rows=rows,
        columns=columns,
        frame=frame,
    )


def _plain_texts(dataset: Any) -> dict[str, Any]:
    keywords = {
        "modality": "Modality",
        "sop_class": "SOPClassUID",
        "manufacturer": "Manufacturer",
        "model": "ManufacturerModelName",
        "description": "SeriesDescription",
        "protocol": "ProtocolName",
        "body_part": "BodyPartExamined",
        "derivation": "DerivationDescription",
    }
    return {name: text(dataset, keyword) for name, keyword in keywords.items()}


def _numbers(asked: Asked) -> dict[str, Any]:
    found = {
        "tr_ms": asked.number("RepetitionTime", _TIMING),
        "te_ms": echo_time(asked),
        "ti_ms": asked.number("InversionTime"),
        "flip_deg": asked.number("FlipAngle", _TIMING),
        "thickness_mm": asked.number("SliceThickness", _MEASURES),
        "between_mm": asked.number("SpacingBetweenSlices", _MEASURES),
        "field_t": asked.number("MagneticFieldStrength"),
    }
    if found["ti_ms"] is None:
        found["ti_ms"] = asked.number("InversionTimes", _MODIFIER)
    if (field := found["field_t"]) is not None and field > 100:
        found["field_t"] = field / 10_000  # some write gauss
    train = asked.number("EchoTrainLength", _TIMING)
    train = asked.number("RFEchoTrainLength", _TIMING) if train is None else train
    return found | {"echo_train": None if train is None or abs(train) > 1e6 else int(train)}


def echo_time(asked: Asked) -> float | None:
    """Return the echo time of a plane in ms, or None."""
    found = asked.number("EffectiveEchoTime", _ECHO)
    return asked.number("EchoTime", _ECHO) if found is None else found


def _agent(dataset: Any, contrast: Any) -> str | None:
    """Return the agent, the empty string where its tag is there and empty, None where it is not."""
    try:
        present = "ContrastBolusAgent" in dataset or "ContrastBolusAgentSequence" in dataset
    except Exception:  # a dataset that cannot be searched says nothing
        return None
    if not present:
        return None
    coded = text(contrast, "CodeMeaning") or ("named by a code" if contrast is not None else "")
    return text(dataset, "ContrastBolusAgent") or coded


def _enhanced_sequence(asked: Asked) -> tuple[str, ...]:
    pulse = "".join(asked.words("EchoPulseSequence")[:1])
    planar = asked.words("EchoPlanarPulseSequence")[:1] == ("YES",)
    inverted = asked.words("InversionRecovery", _MODIFIER)[:1] == ("YES",)
    return (*_PULSES.get(pulse, ()), *(["EP"] if planar else []), *(["IR"] if inverted else []))
