"""What is found in the tissue of digital patients: genes, methylation class, expression and blood.

Why it exists: every published system that predicts a marker needs a cohort that has it. Shares of mutations of
gliomas are those of 862 TCGA patients by IDH status (table of somatic mutations, CC BY 4.0); amplifications,
deletions, promoter mutations and the markers of metastases are shares as usually quoted and **unverified**.
Expression and blood are invented: a table of the right shape whose classes can be found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.simulate.person.people import Diagnosis, Person

GLIOMA_SHARES: dict[str, tuple[float, float]] = {
    "TP53": (0.582, 0.252),
    "ATRX": (0.459, 0.067),
    "PTEN": (0.014, 0.308),
    "NF1": (0.019, 0.136),
    "RB1": (0.002, 0.089),
    "PDGFRA": (0.007, 0.042),
    "CIC": (0.246, 0.027),
    "EGFR amplification": (0.01, 0.45),
    "CDKN2A deletion": (0.12, 0.55),
    "TERT promoter": (0.05, 0.75),
}
"""Share of altered tumours with and without an IDH mutation."""

ODD_ONES: dict[tuple[str, bool], float] = {
    ("TERT promoter", True): 0.96,
    ("CIC", True): 0.60,
    ("TP53", True): 0.06,
    ("ATRX", True): 0.02,
}
"""Shares that differ in 1p/19q-codeleted tumours (unverified)."""

PRIMARY_MARKERS: dict[str, dict[str, float]] = {
    "lung": {"EGFR": 0.25, "ALK": 0.06, "KRAS": 0.28},
    "breast": {"HER2": 0.35},
    "melanoma": {"BRAF": 0.48},
    "renal": {"VHL": 0.55},
    "gi": {"KRAS": 0.45},
}
"""Share of altered primaries (unverified)."""

DISCORDANT = 0.15
"""Chance that a marker of the metastasis differs from the primary's (chosen; Brastianos PK et al., Cancer Discov
2015;5:1164-1177, found something that differed in 53 % of patients, over all genes)."""

METHYLATION: dict[Diagnosis, tuple[tuple[str, float], ...]] = {
    Diagnosis.GLIOBLASTOMA: (("GBM, RTK I", 0.25), ("GBM, RTK II", 0.40), ("GBM, MES", 0.35)),
    Diagnosis.ASTROCYTOMA_WILDTYPE: (("GBM, RTK I", 0.3), ("GBM, RTK II", 0.3), ("GBM, MES", 0.4)),
    Diagnosis.ASTROCYTOMA_MUTANT: (("IDH glioma, A", 0.8), ("IDH glioma, A HG", 0.2)),
    Diagnosis.OLIGODENDROGLIOMA: (("IDH glioma, O", 1.0),),
}
"""Methylation classes and their shares (unverified)."""

SUBTYPES, GENES = 6, 60
"""Expression subtypes, and genes of the invented table; each gene is high in one subtype."""


@dataclass(frozen=True)
class Tissue:
    """What a laboratory would report.

    Parameters
    ----------
    markers : mapping of str to bool
        Altered or not; for metastases the marker of the metastasis, and of the primary as ``primary NAME``.
    methylation : str
        Class; empty for metastases and lymphoma.
    subtype : int
        Expression subtype, from 1.
    expression : ndarray of float64, shape (60,)
        Invented log expression.
    blood : mapping of str to float
        LDH (U/L), C-reactive protein (mg/L), ratio of neutrophils to lymphocytes, haemoglobin (g/L).
    """

    markers: Mapping[str, bool]
    methylation: str
    subtype: int
    expression: NDArray[np.float64]
    blood: Mapping[str, float]


def draw_tissue(person: Person, rng: np.random.Generator, primary: str = "") -> Tissue:
    """Draw markers, expression and blood.

    Parameters
    ----------
    person : Person
        Whose; the integrated type decides shares.
    rng : numpy.random.Generator
        Source.
    primary : str
        Key of :data:`PRIMARY_MARKERS` for a patient with metastases.

    Returns
    -------
    Tissue

    Raises
    ------
    KeyError
        There is no such primary.

    Examples
    --------
    >>> from tumorboard.simulate.person.people import draw_person
    >>> rng = np.random.default_rng(0)
    >>> sorted(draw_tissue(draw_person(rng), rng).markers)[:3]
    ['ATRX', 'CDKN2A deletion', 'CIC']
    """
    markers = _of_primary(primary, rng) if primary else _of_glioma(person, rng)
    methylation = "" if primary else _pick(METHYLATION[person.diagnosis], rng)
    subtype = int(rng.integers(1, SUBTYPES + 1))
    expression = rng.normal(6.0, 1.0, GENES)
    expression[(np.arange(GENES) % SUBTYPES) == subtype - 1] += 2.5
    blood = {
        "ldh_u_l": float(rng.lognormal(np.log(210.0), 0.25)),
        "crp_mg_l": float(rng.lognormal(np.log(3.0), 0.8)),
        "nlr": float(rng.lognormal(np.log(3.2), 0.45)),
        "haemoglobin_g_l": float(rng.normal(135.0, 14.0)),
    }
    return Tissue(markers, methylation, subtype, expression, blood)


def _of_glioma(person: Person, rng: np.random.Generator) -> dict[str, bool]:
    markers = {}
    for name, (mutant, wildtype) in GLIOMA_SHARES.items():
        share = mutant if person.idh_mutant else wildtype
        if person.codeleted:
            share = ODD_ONES.get((name, True), share)
        markers[name] = bool(rng.random() < share)
    return markers


def _of_primary(primary: str, rng: np.random.Generator) -> dict[str, bool]:
    markers = {}
    for name, share in PRIMARY_MARKERS[primary].items():
        before, differs = bool(rng.random() < share), bool(rng.random() < DISCORDANT)
        markers[f"primary {name}"], markers[name] = before, before ^ differs
    return markers


def _pick(shares: tuple[tuple[str, float], ...], rng: np.random.Generator) -> str:
    names, parts = zip(*shares, strict=True)
    return str(names[int(np.searchsorted(np.cumsum(parts), rng.random() * sum(parts)))])
