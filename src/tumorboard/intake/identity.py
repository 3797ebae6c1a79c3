"""Names that public layouts give to patients and time points: BIDS and BraTS of every year.

Why it exists: such a name is the only thing in a file name that says whose image it is, so it decides
whether two files may stand in one study. A name that follows no table row is a person's business and
is never interpreted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """A patient and a time point as a public layout writes them.

    Parameters
    ----------
    convention : str
        ``BIDS`` or ``BraTS``.
    patient : str
        As written, without the time point.
    session : str
        Session label or time point; empty where the layout has none.
    end : int
        How many characters of the name it takes.
    """

    convention: str
    patient: str
    session: str
    end: int


_LABEL = r"[^\W_]+(?:-(?!ses-|ce-|t1|t2|flair|mask|seg)[^\W_]+)*"

IDENTITIES: tuple[tuple[str, re.Pattern[str]], ...] = (
    # BraTS 2023 and later, e.g. BraTS-GLI-00001-000-t1n (GLI, MET, MEN, MEN-RT, PED, SSA)
    ("BraTS", re.compile(r"(?P<patient>BraTS-[A-Z]{3}(?:-RT)?-\d{4,5})-(?P<session>\d{1,3})(?=[-_.]|$)", re.I)),
    # BraTS 2021, e.g. BraTS2021_00000_t1ce
    ("BraTS", re.compile(r"(?P<patient>BraTS2021_\d{5})(?=[-_.]|$)", re.I)),
    # BraTS 2020, e.g. BraTS20_Training_001_t1
    ("BraTS", re.compile(r"(?P<patient>BraTS20_(?:Training|Validation|Testing)_\d{3})(?=[-_.]|$)", re.I)),
    # BraTS 2017-2019, e.g. Brats18_2013_21_1_t1ce, Brats17_CBICA_AAB_1, Brats18_WashU_S036_1
    (
        "BraTS",
        re.compile(
            r"(?P<patient>BraTS1[789]_(?:2013|CBICA|TCIA\d{0,2}|TMC|MDA|UAB|WashU)_[A-Z0-9]{1,5}_\d)(?=[-_.]|$)", re.I
        ),
    ),
    # BraTS 2013-2016: the patient folder, e.g. brats_2013_pat0001_1, brats_tcia_pat118_0102
    ("BraTS", re.compile(r"(?P<patient>brats_(?:2013|tcia)_pat\d{1,4})_(?P<session>\d{1,4})(?=[-_.]|$)", re.I)),
    # BraTS 2012, e.g. BRATS_HG0001, SimBRATS_LG0001
    ("BraTS", re.compile(r"(?P<patient>(?:Sim)?BRATS_[HL]G\d{4})(?=[-_.]|$)", re.I)),
    # BIDS, e.g. sub-01_ses-baseline_T1w
    # (a dash in place of an underscore is tolerated, so that sub-01-t1 is patient 01)
    (
        "BIDS",
        re.compile(rf"sub-(?P<patient>{_LABEL})(?:[_-]ses-(?P<session>{_LABEL}))?(?=[-_.]|$)", re.I),
    ),
)
"""Layouts in the order they are tried; a name must begin with the pattern."""


def identify(name: str) -> Identity | None:
    """Return whose image a file or folder name says it is, or None.

    Examples
    --------
    >>> identify("BraTS-GLI-00001-000-t1n")
    Identity(convention='BraTS', patient='BraTS-GLI-00001', session='000', end=19)
    >>> identify("sub-01_ses-02_T1w").session, identify("DOE_JOHN_T1")
    ('02', None)
    """
    for convention, pattern in IDENTITIES:
        found = pattern.match(name)
        if found:
            parts = found.groupdict()
            return Identity(convention, parts["patient"], parts.get("session") or "", found.end())
    return None
