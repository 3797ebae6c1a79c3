"""Signs in what the object is: Image Type, modality, class and body part.

Why it exists: a map, a projection, a reformatted stack or a screen shot carries the physics of the series it
was computed from. Only these tags say that it is none. Defined terms: PS3.3 C.7.6.1.1.2, C.8.3.1.1.1,
C.8.13.3.1.1; vendors write further ones.
"""

from __future__ import annotations

from tumorboard.intake.evidence.facts import equals, every, no, says, typed
from tumorboard.intake.evidence.row import Row

IMAGE_TYPES = (
    Row("image type", typed("ADC"), "ADC +10; DWI, DTI -4", "Image Type says apparent diffusion coefficient"),
    Row("image type", typed("FA"), "FA +10; DWI, DTI -4", "Image Type says fractional anisotropy"),
    Row("image type", typed("TRACEW", "TRACE"), "DWI +6; DTI, ADC -3", "Image Type says trace-weighted"),
    Row(
        "image type",
        typed("EXP", "EADC", "TENSOR", "TENSOR_B0"),
        "derived +16; diffusion -3",
        "Image Type says a diffusion map that is not used",
    ),
    Row("image type", typed("DIFFUSION"), "diffusion +3; structural, DSC, BOLD -3", "Image Type says diffusion"),
    Row("image type", typed("RELCBV", "RCBV", "CBV"), "CBV +10; DSC -5", "Image Type says blood volume"),
    Row(
        "image type",
        typed("RELCBF", "CBF", "RELMTT", "MTT", "TTP", "GBP", "PBP", "TMAX", "T1_MAP", "T2_MAP", "T1 MAP", "T2 MAP"),
        "derived +12; DSC -5",
        "Image Type says a map that is not used",
    ),
    Row("image type", typed("PERFUSION"), "DSC +2; CBV +2; DCE +1; BOLD -2", "Image Type says perfusion"),
    Row("image type", typed("KTRANS"), "KTRANS +10", "Image Type says transfer constant"),
    Row("image type", typed("FMRI"), "BOLD +5; DSC -2", "Image Type says functional"),
    Row("image type", typed("ASL"), "ASL +6; DSC -3", "Image Type says spin labelling"),
    Row("image type", typed("SUB", "SUBTRACT", "SUBTRACTION"), "SUB +14; derived -2", "Image Type says subtraction"),
    Row(
        "image type",
        typed("MPR", "CSA MPR", "REFORMATTED", "RESAMPLED", "CURVED MPR", "CPR", "OBLIQUE"),
        "derived +14",
        "Image Type says reformatted",
    ),
    Row(
        "image type",
        typed(
            "PROJECTION IMAGE",
            "MIP",
            "CSA MIP",
            "MNIP",
            "MIN IP",
            "MINIP",
            "COLLAPSE",
            "PROJECTION",
            "MAX_IP",
            "MIN_IP",
            "VOLUME_RENDER",
            "VRT",
        ),
        "derived +14",
        "Image Type says projection",
    ),
    Row(
        "image type",
        typed("P", "PHASE", "PHASE MAP", "B0 MAP", "B0", "REAL", "IMAGINARY", "R", "I", "FIELDMAP", "VELOCITY"),
        "phase +14",
        "Image Type says phase, not magnitude",
    ),
    Row("image type", typed("SWI", "SUSCEPTIBILITY"), "SWI +5; T2STAR -1", "Image Type says susceptibility"),
    Row("image type", typed("LOCALIZER", "SCOUT"), "localizer +14", "Image Type says localizer"),
    Row(
        "image type",
        typed("SCREEN SAVE", "SCREENSAVE", "SCREEN_SAVE", "CAPTURE"),
        "secondary capture +14",
        "Image Type says screen shot",
    ),
    Row("image type", typed("SPECTROSCOPY"), "MRS +10", "Image Type says spectroscopy"),
    Row("image type", typed("TOF", "ANGIO", "FLOW_ENCODED", "MRA"), "angiography +8", "Image Type says angiography"),
    Row("image type", typed("T1"), "T1 +1.5", "Image Type says T1"),
    Row("image type", typed("T2"), "T2 +2", "Image Type says T2"),
    Row("image type", typed("FLUID_ATTENUATED"), "FLAIR +4; T2 -1", "Image Type says fluid attenuated"),
    Row("image type", typed("T2_STAR"), "T2STAR +3; DSC, BOLD +1", "Image Type says T2*"),
    Row("image type", typed("PROTON_DENSITY"), "PD +2", "Image Type says proton density"),
    Row("image type", typed("STIR"), "STIR +4", "Image Type says STIR"),
    Row("image type", typed("DYNAMIC"), "DCE +2; DSC +1", "Image Type says dynamic"),
    Row(
        "image type",
        every(typed("DERIVED"), typed("SECONDARY"), no(typed("SUB", "SUBTRACT"))),
        "acquired -1; derived +2; SUB, CBV, KTRANS, ADC, FA +1",
        "Image Type says computed from other images",
    ),
)
"""Signs in Image Type (PS3.3 C.7.6.1.1.2 and vendors' further values)."""

OBJECTS = (
    Row("modality", equals("modality", "CT"), "CT +12; MR -12", "Modality says CT"),
    Row(
        "modality",
        every(equals("modality", "PT"), says(r"fet|fluoroethyl\w*")),
        "PET_FET +12; MR -12",
        "Modality says PET, with the word FET",
    ),
    Row(
        "modality",
        every(equals("modality", "PT"), says(r"met|methionin\w*|c11")),
        "PET_MET +12; MR -12",
        "Modality says PET, with a word for methionine",
    ),
    Row("modality", equals("modality", "PT"), "PET_FET, PET_MET +3; MR -12", "Modality says PET"),
    Row(
        "modality",
        equals("modality", "SR", "PR", "KO", "DOC", "SEG", "RTSTRUCT", "RTDOSE", "RTPLAN", "REG", "RWV", "PLAN"),
        "not an image +30",
        "Modality says that it holds no acquired image",
    ),
    Row("modality", equals("modality", "SC", "OT"), "secondary capture +14", "Modality says screen shot or other"),
    Row("contrast agent", lambda f: f.agent, "DSC, DCE +2; BOLD -2", "a contrast agent is named"),
    Row(
        "class",
        lambda f: f.tags.sop_class.startswith("1.2.840.10008.5.1.4.1.1.7"),
        "secondary capture +14",
        "a Secondary Capture object",
    ),
    Row("class", equals("sop_class", "1.2.840.10008.5.1.4.1.1.4.2"), "MRS +14", "an MR Spectroscopy object"),
    Row(
        "body part",
        equals(
            "body_part",
            "SPINE",
            "CSPINE",
            "TSPINE",
            "LSPINE",
            "SSPINE",
            "CTSPINE",
            "TLSPINE",
            "LSSPINE",
            "NECK",
            "ABDOMEN",
            "CHEST",
            "PELVIS",
            "KNEE",
            "SHOULDER",
            "HEART",
            "PROSTATE",
            "BREAST",
            "LIVER",
        ),
        "not brain +6",
        "Body Part Examined is not the head",
    ),
)
"""Signs in what the object is and of what."""
