"""Does a study follow a published brain tumour protocol? One row a requirement: met, not met, cannot tell.

Why it exists: a change between two studies may be a change of protocol, and a trial accepts only its own. The
tables hold presence, order, contrast timing, 2-D or 3-D, thickness and the match of the T1 pair. Ranges of
TR, TE, TI and flip angle are left out: the papers' tables were not read, and every row says so
(``unverified``).

References
----------
Ellingson BM et al., Neuro-Oncology 2015;17:1188-1198 (BTIP); Kaufmann TJ et al., Neuro-Oncology
2020;22:757-772 (BTIP-BM). Abstracts and a secondary table only.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass

from tumorboard.intake.evidence import SeriesVerdict
from tumorboard.intake.protocol_checks import (
    Requirement,
    State,
    StudySeen,
    dose,
    has_dimensions,
    has_directions,
    has_field,
    is_after,
    is_axial,
    is_before,
    is_before_t1c,
    is_isotropic,
    is_prepared,
    is_spin_echo,
    matched,
    present,
)
from tumorboard.sequences import Sequence
from tumorboard.series import Series


@dataclass(frozen=True)
class Protocol:
    """A published protocol as a table.

    Parameters
    ----------
    name, cites : str
        As the report prints them.
    requirements : tuple of Requirement
        In the order of the report.
    unverified : bool
        The source's own tables were not read.
    """

    name: str
    cites: str
    requirements: tuple[Requirement, ...]
    unverified: bool = True


@dataclass(frozen=True)
class ProtocolRow:
    """One line of the answer.

    Parameters
    ----------
    requirement : str
        In words.
    state : State
        Met, not met, cannot tell.
    seen : str
        What was found: words and numbers with units.
    unverified : bool
        The requirement's source was not read in full.
    """

    requirement: str
    state: State
    seen: str
    unverified: bool


@dataclass(frozen=True)
class ProtocolReport:
    """All lines for one study and one protocol.

    Parameters
    ----------
    protocol, cites : str
        Which.
    rows : tuple of ProtocolRow
        In the order of the protocol.
    unverified : bool
        To be printed with the table.
    """

    protocol: str
    cites: str
    rows: tuple[ProtocolRow, ...]
    unverified: bool

    @property
    def met(self) -> bool:
        """Whether every requirement is met; one that cannot be told is not."""
        return all(row.state is State.MET for row in self.rows)


_T1, _T1C, _T2, _FLAIR, _DWI = Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR, Sequence.DWI
_NATIVE, _LATE = "T1 before contrast agent", "T1 after contrast agent"

_GRADIENT_PAIR = (
    Requirement(_NATIVE, _T1, present),
    Requirement(f"{_NATIVE}: 3-D", _T1, has_dimensions, dims="3D"),
    Requirement(f"{_NATIVE}: inversion-prepared gradient echo", _T1, is_prepared, dims="3D"),
    Requirement(f"{_NATIVE}: isotropic, at most 1.5 mm", _T1, is_isotropic, dims="3D", limit=1.5),
    Requirement(_LATE, _T1C, present),
    Requirement(f"{_LATE}: 3-D", _T1C, has_dimensions, dims="3D"),
    Requirement(f"{_LATE}: inversion-prepared gradient echo", _T1C, is_prepared, dims="3D"),
    Requirement(f"{_LATE}: isotropic, at most 1.5 mm", _T1C, is_isotropic, dims="3D", limit=1.5),
    Requirement("T1 before and after with the same TR, TE, TI and flip angle", _T1C, matched),
)
_SPIN_ECHO_PAIR = (
    Requirement(f"{_NATIVE}: 3-D", _T1, has_dimensions, dims="3D"),
    Requirement(f"{_NATIVE}: turbo spin echo", _T1, is_spin_echo, dims="3D", limit=1),
    Requirement(f"{_LATE}: 3-D", _T1C, has_dimensions, dims="3D"),
    Requirement(f"{_LATE}: turbo spin echo", _T1C, is_spin_echo, dims="3D", limit=1),
    Requirement("T1 before and after with the same TR, TE, TI and flip angle", _T1C, matched),
)
_T2_ROWS = (
    Requirement("T2", _T2, present),
    Requirement("T2: axial", _T2, is_axial, dims="2D"),
    Requirement("T2: 2-D", _T2, has_dimensions, dims="2D"),
    Requirement("T2: turbo spin echo", _T2, is_spin_echo, dims="2D", limit=1),
    Requirement("T2 after the injection", _T2, is_after, dims="2D"),
    Requirement("T2 before the T1 after contrast agent", _T2, is_before_t1c, dims="2D"),
)
_FLAIR_2D = (
    Requirement("FLAIR: axial", _FLAIR, is_axial, dims="2D"),
    Requirement("FLAIR: 2-D", _FLAIR, has_dimensions, dims="2D"),
)
_FLAIR_ROWS = (
    Requirement("FLAIR", _FLAIR, present),
    Requirement("FLAIR before the injection", _FLAIR, is_before),
)
_DWI_ROWS = (
    Requirement("DWI", _DWI, present),
    Requirement("DWI: axial", _DWI, is_axial, dims="2D"),
    Requirement("DWI: 2-D", _DWI, has_dimensions, dims="2D"),
    Requirement("DWI: three directions", _DWI, has_directions, dims="2D", limit=3),
    Requirement("DWI before the injection", _DWI, is_before),
)
_DOSE_ROW = (Requirement("0.1 mmol/kg gadolinium", _T1C, dose),)
_CONSPICUOUS = (
    Requirement("2-D T1 spin echo after contrast agent", _T1C, present, dims="2D"),
    Requirement("2-D T1 spin echo after contrast agent: spin echo", _T1C, is_spin_echo, dims="2D"),
)
_IDEAL = (
    Requirement("field strength 3 T", _T1C, has_field, limit=2.8),
    Requirement("DSC perfusion", Sequence.DSC, present),
)

BTIP_2015 = Protocol(
    "BTIP 2015",
    "Ellingson et al., Neuro-Oncology 2015",
    (*_GRADIENT_PAIR, *_T2_ROWS, *_FLAIR_ROWS, *_FLAIR_2D, *_DWI_ROWS, *_DOSE_ROW),
)
"""Brain Tumor Imaging Protocol for trials in glioma: the minimum."""

BTIP_BM_2020 = Protocol(
    "BTIP-BM 2020",
    "Kaufmann et al., Neuro-Oncology 2020",
    (*_GRADIENT_PAIR, *_CONSPICUOUS, *_T2_ROWS, *_FLAIR_ROWS, *_DWI_ROWS, *_DOSE_ROW),
)
"""The same for brain metastases: the minimum."""

BTIP_BM_2020_IDEAL = Protocol(
    "BTIP-BM 2020, ideal",
    "Kaufmann et al., Neuro-Oncology 2020",
    (*_SPIN_ECHO_PAIR, *_T2_ROWS, *_FLAIR_ROWS, *_DWI_ROWS, *_IDEAL, *_DOSE_ROW),
)
"""What the same paper calls ideal: 3-D turbo spin echo T1, 3 T, DSC."""

PROTOCOLS = (BTIP_2015, BTIP_BM_2020, BTIP_BM_2020_IDEAL)
"""Every protocol a study can be compared with."""


def check_protocol(series: Many[Series], verdicts: Many[SeriesVerdict], protocol: Protocol) -> ProtocolReport:
    """Compare one study with a protocol.

    Parameters
    ----------
    series : sequence of Series
        All series of the study.
    verdicts : sequence of SeriesVerdict
        What each is, in the same order.
    protocol : Protocol
        One of :data:`PROTOCOLS`.

    Returns
    -------
    ProtocolReport
        One row a requirement. Words and numbers only; nothing that identifies a person.

    Raises
    ------
    ValueError
        As many verdicts as series are needed.

    Examples
    --------
    >>> report = check_protocol([], [], BTIP_2015)
    >>> report.rows[0].requirement, report.rows[0].state.value, report.met, report.unverified
    ('T1 before contrast agent', 'not met', False, True)
    """
    seen = StudySeen(tuple(zip(series, verdicts, strict=True)))
    rows = [ProtocolRow(r.text, *r.check(seen, r), r.unverified) for r in protocol.requirements]
    return ProtocolReport(protocol.name, protocol.cites, tuple(rows), protocol.unverified)
