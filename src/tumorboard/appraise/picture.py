"""Scores of the sections of checklists, drawn: what is settled, what is open to the author, what is missing.

Why it exists: one number hides that a run is strong in its statistics and says nothing of its patients.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tumorboard.appraise.answer import Appraisal, Score
from tumorboard.appraise.text import banner, range_words
from tumorboard.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DONE, _OPEN, _REST, _INK = "#0072B2", "#A6D0EA", "#EFEFEF", "#333333"
_WIDTH_INCH, _ROW_INCH, _HEAD_INCH = 8.6, 0.2, 0.42


def appraisal_picture(appraisals: Sequence[Appraisal]) -> bytes:
    r"""Draw the sections of answered checklists as bars.

    Parameters
    ----------
    appraisals : sequence of Appraisal
        Of one run; one panel each.

    Returns
    -------
    bytes
        PNG. Dark: settled; pale: open to the author; grey: not done. Numbers: settled, possible, most.

    Raises
    ------
    InputError
        There is none.

    Examples
    --------
    >>> from tumorboard.appraise import RunFacts, appraise, read_checklist
    >>> appraisal_picture([appraise(RunFacts(), read_checklist("rqs"))])[:4]
    b'\x89PNG'
    """
    if not appraisals:
        raise InputError("one answered checklist at least", got="none", where="picture of checklists")
    from matplotlib.figure import Figure

    heights = [_HEAD_INCH + _ROW_INCH * len(a.by_section) for a in appraisals]
    figure = Figure(figsize=(_WIDTH_INCH, sum(heights) + 0.5), dpi=110, layout="constrained")
    panels = figure.subplots(len(appraisals), 1, squeeze=False, height_ratios=heights).ravel()
    for axes, appraisal in zip(panels, appraisals, strict=True):
        _draw(axes, appraisal)
    figure.supxlabel("dark: settled · pale: open to the author · grey: not done", fontsize=7, color=_INK)
    said = banner(appraisals[0])
    if said:
        figure.suptitle(said, fontsize=7.5, color="#B00020", x=0.99, ha="right")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _draw(axes: Axes, appraisal: Appraisal) -> None:
    sections = appraisal.by_section
    for row, (name, score) in enumerate(sections.items()):
        low, high = shares(score)
        axes.barh(row, 1.0, color=_REST, height=0.7)
        axes.barh(row, high, color=_OPEN, height=0.7)
        axes.barh(row, low, color=_DONE, height=0.7)
        axes.text(1.01, row, range_words(score), va="center", fontsize=6.5, color=_INK)
        axes.text(-0.01, row, name, va="center", ha="right", fontsize=6.5, color=_INK)
    axes.set_xlim(0, 1)
    axes.set_ylim(max(len(sections), 1) - 0.5, -0.5)
    axes.set_axis_off()
    short = f"{appraisal.checklist.title.partition(':')[0]} ({appraisal.checklist.version})"
    axes.set_title(f"{short}: {range_words(appraisal.score)}", fontsize=7.5, loc="left", color=_INK, weight="bold")


def shares(score: Score) -> tuple[float, float]:
    """Return where a section's bars end; points below 0 are drawn as none.

    Examples
    --------
    >>> shares(Score(-3.0, 4.0, 8.0))
    (0.0, 0.5)
    """
    if not score.most:
        return 0.0, 0.0
    return max(score.low / score.most, 0.0), max(score.high / score.most, 0.0)
