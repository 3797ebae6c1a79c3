"""How sequences are weighted: repetition, echo and inversion times of departments, and the signal they give.

Why it exists: a site is its protocol. The tables hold what is usual (chosen, no advice); the signal of every tissue
follows by the equations of :mod:`tumorboard.physics.relaxation`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.physics.relaxation import gradient_echo, inversion_recovery, spin_echo, with_gadolinium
from tumorboard.sequences import Sequence
from tumorboard.simulate.scanner.matter import MATTERS, Matter

ENHANCED = frozenset({Sequence.T1C, Sequence.BB})
"""Sequences that come after contrast agent."""

FLOW_VOID = frozenset({Sequence.BB})
"""Sequences in which blood that flows gives no signal, also after contrast agent."""


@dataclass(frozen=True)
class Weighting:
    """Times of one sequence.

    Parameters
    ----------
    kind : str
        ``SE`` (spin echo, also turbo), ``GRE`` (spoiled gradient echo) or ``IR`` (inversion recovery).
    tr_ms, te_ms : float
        Repetition and echo time.
    ti_ms, flip_deg : float
        Where the kind has them.
    """

    kind: str
    tr_ms: float
    te_ms: float
    ti_ms: float = 0.0
    flip_deg: float = 90.0


@dataclass(frozen=True)
class Protocol:
    """Field and weighting of a department's sequences.

    Parameters
    ----------
    field_t : float
        1.5 or 3.
    weightings : dict of Sequence to Weighting
        What is acquired with a signal equation.
    """

    field_t: float
    weightings: dict[Sequence, Weighting]


def _protocol(field_t: float, t1: Weighting, t2: Weighting, flair: Weighting, bb: Weighting) -> Protocol:
    swi = Weighting("GRE", 28.0, 20.0 if field_t > 2 else 40.0, flip_deg=15.0)
    star = Weighting("GRE", 650.0, 20.0 if field_t > 2 else 26.0, flip_deg=20.0)
    s = Sequence
    return Protocol(field_t, {s.T1: t1, s.T1C: t1, s.T2: t2, s.FLAIR: flair, s.BB: bb, s.SWI: swi, s.T2STAR: star})


PROTOCOLS: dict[str, Protocol] = {
    "3t-spgr": _protocol(
        3.0,
        Weighting("GRE", 8.0, 3.2, flip_deg=12.0),
        Weighting("SE", 5000.0, 95.0),
        Weighting("IR", 9000.0, 120.0, ti_ms=2500.0),
        Weighting("SE", 700.0, 20.0),
    ),
    "3t-mprage": _protocol(
        3.0,
        Weighting("IR", 1900.0, 2.5, ti_ms=950.0),
        Weighting("SE", 6000.0, 100.0),
        Weighting("IR", 8000.0, 110.0, ti_ms=2350.0),
        Weighting("SE", 600.0, 15.0),
    ),
    "1.5t-se": _protocol(
        1.5,
        Weighting("SE", 550.0, 12.0),
        Weighting("SE", 4200.0, 100.0),
        Weighting("IR", 8500.0, 115.0, ti_ms=2350.0),
        Weighting("SE", 550.0, 15.0),
    ),
}
"""Departments by name."""

DEFAULT = "3t-spgr"


def matter_signal(
    matter: Matter, sequence: Sequence, protocol: Protocol, gd_mmol_l: float | NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the signal of a tissue.

    Parameters
    ----------
    matter : Matter
        Which.
    sequence : Sequence
        One of the protocol's.
    protocol : Protocol
        Field and times.
    gd_mmol_l : float or ndarray, optional
        Contrast agent; the tissue's own where the sequence comes after it, else none.

    Returns
    -------
    ndarray of float64
        Fully relaxed fluid is 1; shape of ``gd_mmol_l``.

    Raises
    ------
    KeyError
        The protocol has no such sequence.

    Examples
    --------
    >>> wm, fluid = (float(matter_signal(MATTERS[m], Sequence.T2, PROTOCOLS[DEFAULT])) for m in ("wm", "csf"))
    >>> fluid > 3 * wm
    True
    """
    how = protocol.weightings[sequence]
    if gd_mmol_l is None:
        gd_mmol_l = matter.gd_mmol_l if sequence in ENHANCED else 0.0
    field = protocol.field_t
    t1, t2 = with_gadolinium(matter.t1(field), matter.t2(field), gd_mmol_l, field)
    if how.kind == "SE":
        return spin_echo(matter.water, t1, t2, how.tr_ms, how.te_ms)
    if how.kind == "IR":
        return inversion_recovery(matter.water, t1, t2, how.tr_ms, how.te_ms, how.ti_ms)
    t2star = np.full_like(t1, matter.t2star_ms * (1.0 if field > 2 else 1.6))
    return gradient_echo(matter.water, t1, t2star, how.tr_ms, how.te_ms, how.flip_deg)


def table(sequence: Sequence, protocol: Protocol) -> dict[str, float]:
    """Return the signal of every tissue in a sequence; white matter without contrast agent is 1.

    Parameters
    ----------
    sequence : Sequence
        One of the protocol's.
    protocol : Protocol
        Field and times.

    Returns
    -------
    dict of str to float
        By the names of :data:`~tumorboard.simulate.scanner.matter.MATTERS`.

    Examples
    --------
    >>> t1 = table(Sequence.T1, PROTOCOLS[DEFAULT])
    >>> t1["wm"], t1["csf"] < t1["gm"] < 1.0
    (1.0, True)
    """
    unit = float(matter_signal(MATTERS["wm"], sequence, protocol, 0.0))
    return {name: float(signal_in(matter, name, sequence, protocol)) / unit for name, matter in MATTERS.items()}


def signal_in(matter: Matter, name: str, sequence: Sequence, protocol: Protocol) -> float:
    """Return the signal of a tissue, with the void that flow leaves.

    Blood flows into gradient echoes unsaturated: after contrast agent its water counts in full there.

    Examples
    --------
    >>> signal_in(MATTERS["vessel"], "vessel", Sequence.BB, PROTOCOLS[DEFAULT])
    0.0
    """
    if name == "vessel":
        if sequence in FLOW_VOID:
            return 0.0
        if sequence in ENHANCED:
            return float(matter_signal(Matter(0.8, matter.t1_ms, matter.t2_ms, 60.0), sequence, protocol, 0.8))
    return float(matter_signal(matter, sequence, protocol))
