"""The action table: what becomes of each attribute (PS3.15 Annex E, Table E.1-1), and of those it does not list.

Why it exists: de-identification is a table, not a program. ``actions.csv`` holds a row an attribute: the
code of the Basic Application Confidentiality Profile, and what is done instead under the options that are
recorded. Whatever no row names falls to a rule for its value representation, so that an attribute nobody
thought of is not kept for that reason.

Codes: X remove, Z empty, D dummy, K keep, C keep words of the field only (in a sequence: clean its items),
U another identifier; and for this profile's options S shift a date, A cap an age, P the pseudonym. Of a
combined code the last is taken: what suits an attribute of any type.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

RULES_BY_VR: Mapping[str, str] = {
    **dict.fromkeys(("PN",), "Z"),
    **dict.fromkeys(("DA", "DT", "TM"), "S"),
    **dict.fromkeys(("UI",), "U"),
    **dict.fromkeys(("AS",), "A"),
    **dict.fromkeys(("LO", "SH", "ST", "LT", "UT", "UC", "SQ"), "C"),
    **dict.fromkeys(("AE", "UR", "UN", "OB", "OW", "OD", "OF", "OL", "OV", "OB or OW"), "X"),
    **dict.fromkeys(("CS", "DS", "IS", "FL", "FD", "SS", "US", "SL", "UL", "SV", "UV", "AT", "US or SS"), "K"),
}
"""What becomes of an attribute that the table does not list."""

OVERLAYS_AND_CURVES = (0x5000, 0x6000)
"""Repeating groups (50xx, 60xx) that are removed whole: text may be drawn in them."""


@dataclass(frozen=True)
class Action:
    """One row of the table.

    Parameters
    ----------
    tag : int
        Group and element.
    keyword : str
        Of the data dictionary (PS3.6).
    basic : str
        Code in the Basic Profile; empty where Table E.1-1 does not list the attribute.
    ours : str
        What is done under the options; empty where the basic code holds.
    """

    tag: int
    keyword: str
    basic: str
    ours: str

    @property
    def code(self) -> str:
        """The one letter that is done.

        Examples
        --------
        >>> Action(0x00081140, "ReferencedImageSequence", "X/Z/U*", "").code
        'U'
        """
        return self.ours or self.basic.split("/")[-1].rstrip("*")


@lru_cache(maxsize=1)
def action_table() -> Mapping[int, Action]:
    """Return every row by tag.

    Examples
    --------
    >>> action_table()[0x00080050].basic, action_table()[0x0008103E].code
    ('Z', 'C')
    """
    text = (files("tumorboard.deidentify") / "actions.csv").read_text()
    rows = (Action(int(r["tag"], 16), r["keyword"], r["basic"], r["ours"]) for r in csv.DictReader(text.splitlines()))
    return {row.tag: row for row in rows}


def code_of(tag: int, vr: str, known: bool) -> str:
    """Return the one letter for an attribute.

    Parameters
    ----------
    tag : int
        Group and element; private ones are decided elsewhere.
    vr : str
        Its value representation in the file.
    known : bool
        Whether the data dictionary has it; what it does not have goes.

    Examples
    --------
    >>> code_of(0x00100010, "PN", True), code_of(0x00291010, "OB", False), code_of(0x60003000, "OW", True)
    ('P', 'X', 'X')
    """
    group, element = tag >> 16, tag & 0xFFFF
    if group & 0xFF00 in OVERLAYS_AND_CURVES or element == 0 or group < 8:
        return "X"
    row = action_table().get(tag)
    if row is not None:
        return row.code
    return RULES_BY_VR.get(vr, "X") if known else "X"
