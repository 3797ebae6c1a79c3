"""A metric in each subgroup, drawn as a forest.

Why it exists: a site where a model is blind is seen at a glance, and so is how little a small subgroup can tell.

Source: Lewis S, Clarke M. BMJ 2001;322:1479-1480 (forest plots).
"""

from __future__ import annotations

import math

from tumorboard.lab.picture_frame import COLOURS, INK, OTHERS, STRIP_INCH, png, tidy, told
from tumorboard.metrics.subgroups import SubgroupTable


def subgroup_picture(table: SubgroupTable, metric: str, *, world: str, most: int = 20) -> bytes:
    """Draw a metric in each subgroup as a forest, with numbers of rows and the test that they differ.

    Parameters
    ----------
    table : SubgroupTable
        From :func:`~tumorboard.metrics.subgroups.subgroup_table`.
    metric : str
        Its name.
    world : str
        Whose patients (:attr:`Dataset.world`); unless they are ``patients``, the picture says it.
    most : int
        Subgroups to draw, the largest first; the picture says how many are left out.

    Returns
    -------
    bytes
        PNG.

    Examples
    --------
    >>> from tumorboard.metrics.subgroups import subgroup_table
    >>> from tumorboard.metrics.agreement import share
    >>> table = subgroup_table(lambda rows: share(len(rows) // 2, len(rows)), ["A"] * 9 + ["B"] * 7)
    >>> subgroup_picture(table, "accuracy", world="digital patients")[1:4]
    b'PNG'
    """
    from matplotlib.figure import Figure

    shown = table.subgroups[:most]
    lines = [("all", table.overall.n, table.overall), *((s.name, s.rows, s.estimate) for s in shown)]
    height = STRIP_INCH + 1.0 + 0.26 * len(lines)
    figure = Figure(figsize=(7.4, height), dpi=150)
    axes = figure.add_axes((0.26, 0.62 / height, 0.4, (height - STRIP_INCH - 0.75) / height))
    beside = axes.get_yaxis_transform()
    for row, (name, n, estimate) in enumerate(lines):
        colour = INK if not row else COLOURS[0]
        if not math.isnan(estimate.low):
            axes.plot([estimate.low, estimate.high], [row, row], color=colour, lw=1.3)
        axes.plot([estimate.value], [row], marker="D" if not row else "s", color=colour, ms=5, ls="none")
        axes.text(-0.02, row, f"{name} ({n})", transform=beside, fontsize=8, ha="right", va="center", color=INK)
        axes.text(1.03, row, told(estimate), transform=beside, fontsize=8, va="center", color=INK)
    if table.overall.known:
        axes.axvline(table.overall.value, color=OTHERS, lw=0.8)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_yticks([])
    left = f"; {len(table.subgroups) - most} smaller ones are not drawn" if len(table.subgroups) > most else ""
    axes.set_xlabel(f"{metric}\n{table.hint}{left}", fontsize=8.5, color=INK)
    tidy(axes)
    axes.spines["left"].set_visible(False)
    return png(figure, world)
