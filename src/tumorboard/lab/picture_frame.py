"""What the laboratory's pictures have in common: colours, axes, legend, the strip that names the world.

Why it exists: pictures of one house look alike, and none forgets to say whose patients it shows.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from tumorboard.metrics.estimate import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REAL = "patients"
"""The one world that no picture has to name."""

INK, FAINT, OTHERS, ALARM = "#333333", "#e3e3e3", "#9a9a9a", "#B00020"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
"""Of Okabe and Ito, which colour-blind readers can tell apart."""
Corner = Literal["lower right", "upper left", "upper right"]
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (2, 1)), (0, (6, 1.5, 1.5, 1.5)))
STRIP_INCH, ROW_INCH = 0.3, 0.19
_MINUS = "\N{MINUS SIGN}"


def told(estimate: Estimate, digits: int = 2) -> str:
    """Return an estimate in words: value and interval, or why there is none.

    Parameters
    ----------
    estimate : Estimate
        Of a metric.
    digits : int
        After the point.

    Examples
    --------
    >>> told(Estimate(0.812, 0.7, 0.9, 40)), told(Estimate.missing("patients of one class only"))
    ('0.81 (0.70 to 0.90)', 'patients of one class only')
    """
    if not estimate.known:
        return estimate.reason
    value, low, high = (f"{x:.{digits}f}".replace("-", _MINUS) for x in (estimate.value, estimate.low, estimate.high))
    return value if math.isnan(estimate.low) else f"{value} ({low} to {high})"


def square(x: str, y: str) -> tuple[Figure, Axes]:
    """Return axes from 0 to 1 on both sides, with their labels.

    Examples
    --------
    >>> square("x", "y")[1].get_xlabel()
    'x'
    """
    return _axes((4.9, 4.6 + STRIP_INCH), x, y, lambda axes: axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.03)))


def wide(x: str, y: str) -> tuple[Figure, Axes]:
    """Return axes that are wider than high, with their labels.

    Examples
    --------
    >>> wide("x", "y")[1].get_ylabel()
    'y'
    """
    return _axes((6.4, 3.7 + STRIP_INCH), x, y, lambda axes: None)


def _axes(size: tuple[float, float], x: str, y: str, then: Callable[[Axes], object]) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=150, layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(x, fontsize=9, color=INK)
    axes.set_ylabel(y, fontsize=9, color=INK)
    then(axes)
    tidy(axes)
    return figure, axes


def above_a_table(x: str, y: str, rows: int) -> tuple[Figure, Axes, Axes]:
    """Return axes, and others below them for a table of so many rows and its head.

    Examples
    --------
    >>> len(above_a_table("days", "alive", 2))
    3
    """
    from matplotlib.figure import Figure

    table = ROW_INCH * (rows + 1)
    height = STRIP_INCH + 3.4 + table
    figure = Figure(figsize=(7.0, height), dpi=150)
    axes = figure.add_axes((0.2, (table + 0.6) / height, 0.77, 2.8 / height))
    axes.set_xlabel(x, fontsize=9, color=INK)
    axes.set_ylabel(y, fontsize=9, color=INK)
    tidy(axes)
    return figure, axes, figure.add_axes((0.2, 0.06 / height, 0.77, table / height), sharex=axes)


def tidy(axes: Axes) -> None:
    """Draw small ticks, a faint grid, and no frame above and on the right.

    Examples
    --------
    >>> tidy(wide("x", "y")[1])
    """
    axes.tick_params(labelsize=8, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=FAINT, lw=0.6)
    axes.set_axisbelow(True)


def legend(axes: Axes, where: Corner = "lower right") -> None:
    """Draw a small legend.

    Examples
    --------
    >>> axes = wide("x", "y")[1]; _ = axes.plot([0, 1], label="model"); legend(axes)
    """
    axes.legend(loc=where, fontsize=7.5, frameon=True, framealpha=0.9, edgecolor=FAINT, labelcolor=INK)


def refusal(reason: str, world: str) -> bytes:
    """Return a picture of why there is none, as PNG.

    Examples
    --------
    >>> refusal("patients of one class only", world="digital patients")[1:4]
    b'PNG'
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, STRIP_INCH + 0.8), dpi=150)
    figure.text(0.5, 0.4, f"Not assessable:\n{reason}", ha="center", va="center", fontsize=9, color=INK)
    return png(figure, world)


def png(figure: Figure, world: str) -> bytes:
    """Encode a figure as PNG; its top strip is kept free for the world, unless that is patients.

    Examples
    --------
    >>> png(wide("x", "y")[0], world="patients")[1:4]
    b'PNG'
    """
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    engine, strip = figure.get_layout_engine(), STRIP_INCH / figure.get_figheight()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0, 0, 1, 1 - strip))
    if world != REAL:
        figure.text(0.99, 1 - strip / 2, world, ha="right", va="center", fontsize=9, color=ALARM, weight="bold")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()
