"""A volume as one Enhanced MR multi-frame image.

Why it exists: half of today's scanners write these, and their facts stand in functional groups. What the
classic header says is carried over; where it says nothing, the plainest permitted value is written.
Source: PS3.3 A.36.2 (Enhanced MR Image), C.7.6.16 (functional groups), C.8.13 (those of MR).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom import Dataset

from tumorboard.io.dicom.plane_tags import PlaneTags, plane_tags
from tumorboard.io.dicom.uids import uid_from
from tumorboard.volume import Volume

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
"""Enhanced MR Image Storage."""

_ELSEWHERE = (
    *("RepetitionTime", "EchoTime", "InversionTime", "FlipAngle", "EchoTrainLength", "SliceThickness"),
    *("SpacingBetweenSlices", "ScanningSequence", "SequenceVariant", "ScanOptions", "SequenceName"),
    *("PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "SliceLocation", "DiffusionBValue"),
    *("WindowCenter", "WindowWidth", "ContrastBolusAgent", "ContrastBolusStartTime", "AcquisitionTime"),
    *("TemporalPositionIdentifier", "NumberOfTemporalPositions", "AcquisitionDate", "EchoNumbers"),
    *("BodyPartExamined", "ImageType"),
)
"""Attributes that an enhanced image keeps in other places, or not at all."""

_TYPE: dict[str, Any] = {
    "PixelPresentation": "MONOCHROME",
    "VolumetricProperties": "VOLUME",
    "VolumeBasedCalculationTechnique": "NONE",
    "ComplexImageComponent": "MAGNITUDE",
    "AcquisitionContrast": "UNKNOWN",
}
_IMAGE: dict[str, Any] = {
    **_TYPE,
    "ContentQualification": "RESEARCH",
    "ApplicableSafetyStandardAgency": "IEC",
    "ResonantNucleus": "1H",
    "KSpaceFiltering": "NONE",
    "LossyImageCompression": "00",
    "PresentationLUTShape": "IDENTITY",
    "BurnedInAnnotation": "NO",
    **dict.fromkeys(("MultipleSpinEcho", "MultiPlanarExcitation", "PhaseContrast", "TimeOfFlightContrast"), "NO"),
    **dict.fromkeys(("EchoPlanarPulseSequence", "SaturationRecovery"), "NO"),
    **dict.fromkeys(("SpectrallySelectedSuppression", "SteadyStatePulseSequence", "OversamplingPhase"), "NONE"),
    "SegmentedKSpaceTraversal": "SINGLE",
    "RectilinearPhaseEncodeReordering": "LINEAR",
    "GeometryOfKSpaceTraversal": "RECTILINEAR",
    "NumberOfKSpaceTrajectories": 1,
    "PulseSequenceName": "unknown",
    "AcquisitionNumber": 1,
    "DeviceSerialNumber": "unknown",
    "SoftwareVersions": "unknown",
    "ManufacturerModelName": "unknown",
    "Manufacturer": "unknown",
    "AcquisitionDuration": 60.0,
    "MagneticFieldStrength": "3",
}
"""What stands in an enhanced image, where the header does not say it."""

_PLAIN_GROUPS: dict[str, dict[str, Any]] = {
    "MRModifierSequence": {
        **dict.fromkeys(("FlowCompensation", "SpectrallySelectedExcitation", "SpatialPresaturation"), "NONE"),
        **dict.fromkeys(("PartialFourier", "ParallelAcquisition", "T2Preparation"), "NO"),
        "Spoiling": "NONE",
    },
    "MRImagingModifierSequence": {
        "MagnetizationTransfer": "NONE",
        "BloodSignalNulling": "NO",
        "Tagging": "NONE",
        "TransmitterFrequency": 123.0,
        "PixelBandwidth": 200.0,
    },
    "MRReceiveCoilSequence": {
        "ReceiveCoilName": "HEAD",
        "ReceiveCoilManufacturerName": "",
        "ReceiveCoilType": "VOLUME",
        "QuadratureReceiveCoil": "YES",
    },
    "MRTransmitCoilSequence": {
        "TransmitCoilName": "BODY",
        "TransmitCoilManufacturerName": "",
        "TransmitCoilType": "BODY",
    },
    "MRAveragesSequence": {"NumberOfAverages": 1.0},
    "PixelValueTransformationSequence": {"RescaleIntercept": "0", "RescaleSlope": "1", "RescaleType": "US"},
}
"""Functional groups that are alike in every image written here."""


def enhanced_image(volume: Volume, header: Dataset, thickness_mm: float | None) -> Dataset:
    """Make one enhanced image of a volume.

    Parameters
    ----------
    volume : Volume
        int16 or uint16; axes are columns, rows, slices.
    header : pydicom.Dataset
        What a classic image says but its place; pixels described.
    thickness_mm : float or None
        Of a slice; the header's own, else the step between slices, when None.

    Returns
    -------
    pydicom.Dataset
        With pixels; all slices are one stack.
    """
    tags = plane_tags(volume.grid)
    out = Dataset()
    out.update({element.tag: element for element in header if element.keyword not in _ELSEWHERE})
    for keyword, value in _IMAGE.items():
        if out.get(keyword) in (None, ""):
            setattr(out, keyword, value)
    out.SOPClassUID, out.ImageType = ENHANCED_MR, _image_type(header)
    out.AcquisitionDateTime = _moment(header)
    out.ContentDate, out.ContentTime = out.AcquisitionDateTime[:8], out.AcquisitionDateTime[8:]
    out.MRAcquisitionType = header.get("MRAcquisitionType") or "2D"
    out.EchoPulseSequence = "GRADIENT" if "GR" in _words(header, "ScanningSequence") else "SPIN"
    if out.MRAcquisitionType == "3D":
        out.CoverageOfKSpace = "FULL"
    out.AcquisitionContextSequence = []
    _add_stack(out)
    _add_contrast(out, header)
    out.SharedFunctionalGroupsSequence = [_shared(header, tags, thickness_mm, volume)]
    out.NumberOfFrames = volume.grid.shape[2]
    out.PerFrameFunctionalGroupsSequence = [_frame(out, header, tags, k) for k in range(volume.grid.shape[2])]
    out.PixelData = np.ascontiguousarray(volume.data.T).astype("<i2").tobytes()
    out["PixelData"].VR = "OW"
    return out


def _item(**values: Any) -> Dataset:
    """Return a dataset with these attributes; lists are sequences or several values."""
    out = Dataset()
    for keyword, value in values.items():
        setattr(out, keyword, value)
    return out


def _words(header: Dataset, keyword: str) -> list[str]:
    value = header.get(keyword) or []
    return [value] if isinstance(value, str) else list(value)


def _image_type(header: Dataset) -> list[str]:
    """Return an Image Type of four values (PS3.3 C.8.13.3.1.1)."""
    origin = (_words(header, "ImageType") or ["ORIGINAL"])[0]
    return [origin, "PRIMARY", "OTHER", "NONE"]


def _moment(header: Dataset) -> str:
    date = header.get("AcquisitionDate") or header.get("StudyDate") or "19000101"
    time = header.get("AcquisitionTime") or header.get("SeriesTime") or header.get("StudyTime") or "000000"
    return f"{date}{time}"


def _add_stack(out: Dataset) -> None:
    """Say along which dimensions the frames are sorted (PS3.3 C.7.6.17): stack, then place in it."""
    uid = uid_from(out.SOPInstanceUID, "dimensions")
    group = 0x00209111  # Frame Content Sequence
    out.DimensionOrganizationSequence = [_item(DimensionOrganizationUID=uid)]
    out.DimensionIndexSequence = [
        _item(DimensionOrganizationUID=uid, DimensionIndexPointer=pointer, FunctionalGroupPointer=group)
        for pointer in (0x00209056, 0x00209057)  # Stack ID, In-Stack Position Number
    ]


def _add_contrast(out: Dataset, header: Dataset) -> None:
    """Say which agent was given (PS3.3 C.7.6.4b, Enhanced Contrast/Bolus)."""
    if not header.get("ContrastBolusAgent"):
        return
    out.ContrastBolusAgentSequence = [
        _item(
            **_code_values("385420005", "SCT", "Contrast Agent"),
            ContrastBolusAgentNumber=1,
            ContrastBolusAdministrationRouteSequence=[_item(**_code_values("47625008", "SCT", "Intravenous route"))],
            ContrastBolusIngredientCodeSequence=[_item(**_code_values("105879004", "SCT", "Gadolinium"))],
            ContrastBolusVolume=None,
            ContrastBolusIngredientConcentration=None,
            ContrastBolusIngredientOpaque="",
        )
    ]


def _shared(header: Dataset, tags: PlaneTags, thickness_mm: float | None, volume: Volume) -> Dataset:
    """Return the functional groups that all frames share."""
    thickness = thickness_mm if thickness_mm is not None else header.get("SliceThickness") or tags.between
    columns, rows = volume.grid.shape[:2]
    out = _item(
        PixelMeasuresSequence=[
            _item(PixelSpacing=list(tags.spacing), SliceThickness=thickness, SpacingBetweenSlices=tags.between)
        ],
        PlaneOrientationSequence=[_item(ImageOrientationPatient=list(tags.orientation))],
        FrameAnatomySequence=[_item(FrameLaterality="U", AnatomicRegionSequence=[_brain()])],
        MRImageFrameTypeSequence=[_item(FrameType=_image_type(header), **_TYPE)],
        MRTimingAndRelatedParametersSequence=[_timing(header)],
        MRFOVGeometrySequence=[
            _item(
                InPlanePhaseEncodingDirection="ROW",
                MRAcquisitionFrequencyEncodingSteps=columns,
                MRAcquisitionPhaseEncodingStepsInPlane=rows,
                PercentSampling=100.0,
                PercentPhaseFieldOfView=100.0,
            )
        ],
        MREchoSequence=[_item(EffectiveEchoTime=float(header.get("EchoTime") or 0.0))],
        FrameVOILUTSequence=[_item(WindowCenter=header.WindowCenter, WindowWidth=header.WindowWidth)],
        **{name: [_item(**values)] for name, values in _PLAIN_GROUPS.items()},
    )
    inverted = bool(header.get("InversionTime"))
    out.MRModifierSequence[0].InversionRecovery = "YES" if inverted else "NO"
    if inverted:
        out.MRModifierSequence[0].InversionTimes = [float(header.InversionTime)]
    if header.get("ContrastBolusAgent"):
        out.ContrastBolusUsageSequence = [
            _item(ContrastBolusAgentNumber=1, ContrastBolusAgentAdministered="YES", ContrastBolusAgentDetected="YES")
        ]
    return out


def _timing(header: Dataset) -> Dataset:
    return _item(
        RepetitionTime=float(header.get("RepetitionTime") or 0.0),
        FlipAngle=float(header.get("FlipAngle") or 90.0),
        EchoTrainLength=int(header.get("EchoTrainLength") or 1),
        RFEchoTrainLength=int(header.get("EchoTrainLength") or 1),
        GradientEchoTrainLength=0,
        OperatingModeSequence=[_item(OperatingModeType="STATIC FIELD", OperatingMode="IEC_NORMAL")],
        GradientOutput=0.0,
        GradientOutputType="DB_DT",
        SpecificAbsorptionRateSequence=[
            _item(SpecificAbsorptionRateDefinition="IEC_HEAD", SpecificAbsorptionRateValue=0.0)
        ],
    )


def _frame(out: Dataset, header: Dataset, tags: PlaneTags, k: int) -> Dataset:
    """Return the functional groups of one frame."""
    moment = _moment(header)
    content = _item(
        FrameAcquisitionDateTime=moment,
        FrameReferenceDateTime=moment,
        FrameAcquisitionDuration=1000.0,
        FrameAcquisitionNumber=1,
        StackID="1",
        InStackPositionNumber=k + 1,
        DimensionIndexValues=[1, k + 1],
        TemporalPositionIndex=1,
    )
    return _item(
        FrameContentSequence=[content],
        PlanePositionSequence=[_item(ImagePositionPatient=list(tags.positions[k]))],
    )


def _code_values(value: str, scheme: str, meaning: str) -> dict[str, str]:
    return {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}


def _brain() -> Dataset:
    return _item(**_code_values("12738006", "SCT", "Brain"))
