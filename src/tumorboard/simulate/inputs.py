"""What published systems read, and where a digital cohort has it.

Why it exists: a recipe that asks for an input nobody makes cannot be tried. The left side are the systems of
differential diagnosis (C), radiogenomics (D), prognosis (E) and treatment effect (F); the right side are sequences,
columns and tables by the names under which :mod:`tumorboard.simulate.cohort` writes them.
"""

from __future__ import annotations

from tumorboard.sequences import USED
from tumorboard.simulate.scanner.maps import EXTRAS
from tumorboard.simulate.tables import BIOPSIES, LESIONS, PARTICIPANTS, VISITS

_FOUR = "T1 T1C T2 FLAIR"
_GLIOMA = f"{_FOUR} kind:glioma"
_METS = "kind:metastases primary"

SYSTEMS: dict[str, str] = {
    "C1": f"T1C {_METS} kind:glioma",
    "C2": f"T1C T2 {_METS} kind:glioma",
    "C3": f"T1C T2 {_METS} kind:glioma",
    "C4": "ADC kind:pcnsl kind:glioma",
    "C5": f"T1 T1C FLAIR {_METS}",
    "C6": f"T1C {_METS}",
    "C7": f"{_GLIOMA} diagnosis",
    "D1": f"{_GLIOMA} idh 1p_19q mgmt",
    "D2": f"{_GLIOMA} idh age site",
    "D3": "T2 kind:glioma mgmt",
    "D4": f"{_GLIOMA} mgmt",
    "D5": f"{_GLIOMA} idh",
    "D6": "T1C T2 kind:glioma 1p_19q",
    "D7": f"{_GLIOMA} idh grade",
    "D8": f"{_GLIOMA} idh",
    "D9": f"{_GLIOMA} grade 1p_19q",
    "D10": "T1C T2 FLAIR kind:glioma mgmt",
    "D11": f"{_GLIOMA} ADC biopsy cells_mm2",
    "D12": f"{_GLIOMA} DTI DSC biopsy egfr_amplification pdgfra cdkn2a_deletion rb1",
    "D13": f"{_GLIOMA} ADC CBV SWI methylation_class egfr_amplification cdkn2a_deletion",
    "D14": f"{_GLIOMA} ADC CBV pten tp53 rb1 nf1 egfr_amplification",
    "D15": f"{_GLIOMA} idh tp53 grade",
    "D16": f"{_GLIOMA} ADC CBV idh survival_days",
    "D17": f"{_GLIOMA} place idh tert_promoter",
    "D18": "DTI FA kind:glioma idh",
    "D19": "DSC kind:glioma idh",
    "D20": f"{_GLIOMA} DTI DSC idh mgmt egfr_amplification survival_days",
    "D21": f"{_GLIOMA} grade",
    "D22": f"{_GLIOMA} grade",
    "D23": f"{_GLIOMA} grade",
    "D24a": f"DTI T1C {_METS} egfr primary_egfr",
    "D24b": f"T1C {_METS} egfr",
    "D24c": f"FLAIR {_METS} egfr primary_egfr",
    "D25": f"T1C {_METS} braf site",
    "D26": "table:expression expression_subtype",
    "D27": f"{_GLIOMA} ADC",
    "D28": "T2 FLAIR kind:glioma two_hg_mm idh",
    "D29": f"{_GLIOMA} table:expression",
    "D30": f"{_GLIOMA} survival_days idh 1p_19q",
    "D31": f"{_GLIOMA} idh",
    "D32": f"T1C FLAIR {_METS} alk kras",
    "D33": f"{_GLIOMA} idh",
    "E1": f"{_GLIOMA} survival_days dead age kps resection",
    "E2": f"{_GLIOMA} survival_days dead mgmt age kps resection",
    "E3": f"{_GLIOMA} survival_days dead age",
    "E4": f"{_GLIOMA} survival_days dead age kps",
    "E5": "T1 BOLD DTI kind:glioma survival_days",
    "E6": f"{_GLIOMA} DSC DTI survival_days",
    "E7": "CBV kind:glioma survival_days",
    "E8": f"{_GLIOMA} survival_days dead",
    "E9": f"T1C FLAIR {_METS} survival_days volume_ml",
    "E10": f"T1C {_METS} survival_days ldh_u_l kps",
    "E11": f"{_METS} kps age lesion survival_days",
    "E12": f"T1C {_METS} survival_days volume_ml",
    "E13": f"T1C {_METS} survival_days volume_ml",
    "E14": f"{_GLIOMA} survival_days",
    "F1": f"{_GLIOMA} ADC CBV truth",
    "F2": "CBV KTRANS kind:glioma truth site",
    "F3": f"{_GLIOMA} ADC CBV truth",
    "F4": "ADC CBV kind:glioma truth",
    "F5": "DTI kind:glioma truth day",
    "F6": "T1C kind:glioma truth age mgmt idh",
    "F7": "T1 T1C T2 kind:glioma event:bevacizumab progression_days survival_days",
    "F8": "T1 T1C T2 kind:glioma event:bevacizumab progression_days survival_days",
    "F9": f"T1C T2 {_METS} day table:lesions",
    "F10": f"T1C FLAIR {_METS} table:lesions",
    "F11a": f"T1C PET_FET {_METS} table:lesions",
    "F11b": f"PET_MET {_METS} table:lesions",
    "F12": f"T1C FLAIR {_METS} table:lesions age",
    "F13": f"CT {_METS} table:lesions",
    "F14": f"{_FOUR} day steroid_mg_d kps event:radiotherapy",
    "F15": f"PET_MET {_METS} table:lesions",
    "F16": f"PET_FET {_METS} nlr crp_mg_l ldh_u_l table:lesions",
    "F17": f"{_GLIOMA} PET_FET truth",
}
"""System to what it reads, separated by spaces."""

MADE: frozenset[str] = frozenset(
    [
        *(s.value for s in (*USED, *EXTRAS)),
        *(*PARTICIPANTS, *VISITS, *LESIONS, *BIOPSIES),
        *("kind:glioma", "kind:metastases", "kind:pcnsl"),
        *("table:expression", "table:lesions"),
        *("event:bevacizumab", "event:radiotherapy"),
    ]
)
"""What a cohort has."""


def missing(system: str) -> list[str]:
    """Return what a system reads and no digital cohort has.

    Parameters
    ----------
    system : str
        Key of :data:`SYSTEMS`.

    Returns
    -------
    list of str
        Empty where all is there.

    Examples
    --------
    >>> missing("D12")
    []
    """
    return [name for name in SYSTEMS[system].split() if name not in MADE]
