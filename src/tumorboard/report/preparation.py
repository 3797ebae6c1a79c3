"""What preparing measured and what a protocol asks, as tables a reader can check.

Why it exists: a sequence that was laid onto another wrongly makes every number after it wrong. How well each
one lies, and which was refused, stands beside the results.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from tumorboard.report.model import Matrix

HEADER = (
    "Sequence",
    "Motion taken out",
    "Shared information",
    "Lost when moved by 4 mm or 4°",
    "Brain covered",
    "Signal to noise",
    "Ghosts",
    "Verdict",
)

NOTES = (
    "Shared information: mutual information as a part of the smaller entropy of both images, in the brain.",
    "Shared information and its loss depend on the contrast of the two sequences; compare like with like.",
)


def preparation_matrix(quality: Mapping[str, Any]) -> Matrix | None:
    """Return one line a sequence of a study of native heads; None for images that came prepared.

    Parameters
    ----------
    quality : mapping
        Content of ``quality.json``.

    Examples
    --------
    >>> fit = {"moved_mm": 2.04, "turned_deg": 1.0, "shared": 0.21, "drop": 0.33, "cover": 1.0}
    >>> preparation_matrix({"reference": "T1C", "registration": {"T1": fit}, "dropped": {}, "images": {}}).rows[1][:3]
    ('T1', '2.0 mm, 1.0°', '0.21')
    >>> preparation_matrix({}) is None
    True
    """
    fits, refused = quality.get("registration", {}), quality.get("dropped", {})
    if not fits and not refused and not quality.get("images"):
        return None
    images = quality.get("images", {})
    reference = str(quality["reference"])
    rows: list[tuple[str, ...]] = [(reference, *("",) * 4, *_image(images.get(reference, {})), "reference")]
    rows += [_row(name, fit, images, "accepted") for name, fit in fits.items()]
    rows += [_row(name, fit, images, f"refused: {fit['why']}") for name, fit in refused.items()]
    return Matrix(title=f"How the sequences were laid onto {reference}", header=HEADER, rows=tuple(rows), notes=NOTES)


def _row(name: str, fit: Mapping[str, Any], images: Mapping[str, Any], verdict: str) -> tuple[str, ...]:
    measured = (
        f"{fit['moved_mm']:.1f} mm, {fit['turned_deg']:.1f}°",
        f"{fit['shared']:.2f}",
        f"{100 * fit['drop']:.0f} %",
        f"{100 * fit['cover']:.0f} %",
    )
    return (name, *measured, *_image(images.get(name, {})), verdict)


def _image(quality: Mapping[str, Any]) -> tuple[str, str]:
    snr, ghost = quality.get("snr"), quality.get("ghost")
    return ("" if snr is None else f"{snr:.0f}"), ("" if ghost is None else f"{100 * ghost:.0f} %")


def protocol_matrices(lines: tuple[tuple[str, str, str, str], ...]) -> tuple[Matrix, ...]:
    """Return a table for each consensus protocol: what is not met, and what cannot be told.

    Parameters
    ----------
    lines : tuple of (str, str, str, str)
        Protocol, what it asks, whether that is met, what was seen.

    Examples
    --------
    >>> lines = ("BTIP 2015", "T2", "met", "1 series"), ("BTIP 2015", "DWI", "not met", "none")
    >>> table = protocol_matrices(lines)[0]
    >>> table.title, table.rows
    ('Against BTIP 2015: 1 of 2 met', (('DWI', 'not met', 'none'),))
    """
    return tuple(_protocol(name, [line[1:] for line in of]) for name, of in groupby(lines, key=lambda line: line[0]))


def _protocol(name: str, answers: list[tuple[str, str, str]]) -> Matrix:
    left = tuple(answer for answer in answers if answer[1] != "met")
    return Matrix(
        title=f"Against {name}: {len(answers) - len(left)} of {len(answers)} met",
        header=("Asked", "Answer", "Seen"),
        rows=left,
        notes=("Unverified: the papers' own tables were not read in full. What headers do not say cannot be told.",),
    )
