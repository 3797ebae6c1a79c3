"""Explanations drawn: bars of drivers, answers over columns, and maps over the slice where they are strongest.

Why it exists: a picture is what is remembered. Bars carry their intervals and units; a map lies on the image in
radiological convention with its marks, the tumour's edge is drawn, and warnings stand in the picture's own caption.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.explain.explanation import Driver, Drivers, Explanation, Scope
from tumorboard.explain.images.saliency import Saliency
from tumorboard.explain.tables.effects import Effect
from tumorboard.explain.words import column_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tumorboard.report.canvas import Panel
    from tumorboard.report.model import Picture
    from tumorboard.volume import Volume

MORE, LESS, INK, EDGE = "#D55E00", "#0072B2", "#333333", "#2ee6a8"
"""For the outcome, against it, letters, the tumour's edge. Source: Okabe and Ito's palette."""
MOST = 4
"""Columns side by side."""
FAINT = 0.15
"""Part of the map's peak below which nothing is painted; chosen."""


def drivers_picture(found: Drivers, count: int = 10) -> Picture:
    """Draw the strongest drivers as bars with their intervals.

    Parameters
    ----------
    found : Drivers
        Local ones to both sides of 0: for the outcome to the right, against it to the left.
    count : int
        How many.

    Returns
    -------
    Picture
        PNG; the caption holds the sentence and the warnings.

    Raises
    ------
    InputError
        There is nothing to draw.

    Examples
    --------
    >>> from tumorboard.explain.explanation import About
    >>> from tumorboard.metrics.estimate import Estimate
    >>> one = Driver(("age",), Estimate(0.8, 0.5, 1.1, 40))
    >>> drivers_picture(Drivers(method="shap", cites="", about=About(), scope=Scope.GLOBAL, drivers=(one,))).media_type
    'image/png'
    """
    shown = [d for d in found.leading(count) if d.effect.known]
    if not shown:
        raise InputError("a driver with a known effect", got="none", where="picture of drivers")
    from matplotlib.figure import Figure

    from tumorboard.report.canvas import encode_png

    figure = Figure(figsize=(8.6, 0.9 + 0.34 * len(shown)), dpi=110, layout="constrained")
    axes = figure.subplots()
    for row, driver in enumerate(shown):
        _bar(axes, row, driver)
    axes.set_yticks(range(len(shown)), [_label(d) for d in shown], fontsize=7.5, color=INK)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.axvline(0, color=INK, linewidth=0.8)
    local = found.scope is Scope.LOCAL
    axes.set_xlabel(f"{'contribution' if local else 'importance'}: {found.unit}", fontsize=8, color=INK)
    axes.tick_params(axis="x", labelsize=7)
    axes.spines[["top", "right", "left"]].set_visible(False)
    if found.about.world:
        axes.set_title(found.about.world, fontsize=7.5, color="#B00020", loc="right")
    names = ", ".join(d.title for d in shown)
    return encode_png(figure, _caption(found), f"Bars of the strongest drivers, the strongest first: {names}.")


def _bar(axes: Axes, row: int, driver: Driver) -> None:
    effect = driver.effect
    axes.barh(row, effect.value, color=MORE if effect.value > 0 else LESS, height=0.62)
    if np.isfinite([effect.low, effect.high]).all():
        axes.plot([effect.low, effect.high], [row, row], color=INK, linewidth=1.1)


def _label(driver: Driver) -> str:
    more = len(driver.names) - 1
    value = "" if np.isnan(driver.value) else f" = {driver.value:.3g}"
    return column_words(driver.names[0]) + value + (f" (+{more})" if more else "")


def _caption(found: Explanation) -> str:
    warned = f" Beware: {'; '.join(found.warnings)}." if found.warnings else ""
    return f"{found.sentence}{warned} {found.method} ({found.taxonomy}); {found.cites}.".strip()


def effects_picture(found: Sequence[Effect]) -> Picture:
    """Draw how the answer changes over columns, side by side on one scale, with their bands.

    Parameters
    ----------
    found : sequence of Effect
        Of one method; at most four.

    Returns
    -------
    Picture
        PNG; the caption holds the sentences and the warnings.

    Raises
    ------
    InputError
        There is none, or more than four.

    Examples
    --------
    >>> from tumorboard.explain.tables.effects import local_effects
    >>> from tumorboard.explain.tables.inputs import Rows
    >>> rows = Rows(np.random.default_rng(0).normal(size=(60, 2)), ("a", "b"))
    >>> effects_picture([local_effects(lambda x: 2 * x[:, 0], rows, "a", bins=4)]).media_type
    'image/png'
    """
    if not 1 <= len(found) <= MOST:
        raise InputError(f"1 to {MOST} columns", got=str(len(found)), where="picture of effects")
    from matplotlib.figure import Figure

    from tumorboard.report.canvas import encode_png

    figure = Figure(figsize=(0.6 + 2.7 * len(found), 2.7), dpi=110, layout="constrained")
    panels = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    for axes, one in zip(panels, found, strict=True):
        axes.fill_between(one.grid, one.low, one.high, color=LESS, alpha=0.15, lw=0)
        axes.plot(one.grid, one.values, color=LESS, lw=1.6, marker="." if len(one.grid) < 4 else None)
        axes.set_xlabel(fill(column_words(one.column), 30), fontsize=7.5, color=INK)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("the model's answer", fontsize=8, color=INK)
    if found[0].about.world:
        panels[-1].set_title(found[0].about.world, fontsize=7.5, color="#B00020", loc="right")
    words = " ".join(one.sentence for one in found)
    warned = "; ".join(dict.fromkeys(f"{column_words(one.column)}: {w}" for one in found for w in one.warnings))
    first = found[0]
    caption = f"{words}{f' Beware: {warned}.' if warned else ''} {first.method} ({first.taxonomy}); {first.cites}."
    return encode_png(figure, caption, f"The answer over {', '.join(one.column for one in found)}, with bands.")


def saliency_picture(
    found: Saliency,
    image: Volume,
    tumour: ArrayLike | None = None,
    *,
    title: str = "",
    to_scale: bool = True,
) -> Picture:
    """Draw a map over the slices where it is strongest: the image alone, and with the map.

    Parameters
    ----------
    found : Saliency
        On the image's grid; a map of shape (i, j) belongs to an image of one slice.
    image : Volume
        In RAS.
    tumour : array_like of bool, shape of the image, optional
        Its edge is drawn.
    title : str
        Name of the sequence.
    to_scale : bool
        Whether the spacing of the image is that of the patient; if not, no bar of millimetres is drawn.

    Returns
    -------
    Picture
        JPEG in radiological convention: the patient's right is on the left.

    Raises
    ------
    InputError
        Shapes differ, or the image is not in RAS.

    Examples
    --------
    >>> from torch import nn
    >>> from tumorboard.explain.images.asked import Asked
    >>> from tumorboard.explain.images.saliency import saliency_of
    >>> from tumorboard.volume import Volume
    >>> data = np.random.default_rng(0).random((12, 14, 6)).astype(np.float32)
    >>> found = saliency_of(Asked(nn.Flatten(), data[None]), ("rise", ""), data)
    >>> saliency_picture(found, Volume.of(data, np.eye(4)), title="FLAIR").media_type
    'image/jpeg'
    """
    values = found.positive.reshape(found.values.shape + (1,) * (3 - found.values.ndim))
    edge = np.zeros(image.data.shape, dtype=np.bool_) if tumour is None else np.asarray(tumour).astype(np.bool_)
    edge = edge.reshape(edge.shape + (1,) * (3 - edge.ndim))
    if not values.shape == image.data.shape == edge.shape or image.grid.axcodes != "RAS":
        got = f"shapes {values.shape}, {image.data.shape}, {edge.shape} in {image.grid.axcodes}"
        raise InputError("a map, an image in RAS and a mask of one shape", got=got, where="picture of a map")
    from matplotlib.figure import Figure

    from tumorboard.report.canvas import DARK, DPI, GAP_PX, PANEL_PX, draw_panel, encode_jpeg

    index = int(values.sum(axis=(0, 1)).argmax())
    bare = _panel(image, index, edge, title)
    bare = bare if to_scale else dataclasses.replace(bare, bar_mm=0.0)
    panels = (bare, dataclasses.replace(bare, title=f"{title} + map" if title else "map", text=found.about.world))
    left, right, bottom, top = panels[0].box_mm
    width = round(PANEL_PX * (right - left) / (bottom - top))
    total = 2 * width + GAP_PX
    figure = Figure(figsize=(total / DPI, PANEL_PX / DPI), dpi=DPI, facecolor=DARK)
    for place, panel in enumerate(panels):
        axes = figure.add_axes((place * (width + GAP_PX) / total, 0, width / total, 1))
        draw_panel(axes, panel)
        if place:
            _paint(axes, values, index, panel)
    where = f"Axial slice {index + 1} of {image.grid.shape[2]}: the one with most of the map"
    caption = f"{_caption(found)} {where}. The patient's right is on the left."
    return encode_jpeg(figure, caption, f"{title} without and with the map of {found.method}. {found.sentence}".strip())


def _panel(image: Volume, index: int, edge: NDArray[np.bool_], title: str) -> Panel:
    from tumorboard.report.canvas import Outline, Panel
    from tumorboard.report.planes import AXIAL, cut, extent_mm
    from tumorboard.report.views import widen, window

    everywhere = np.ones(image.data.shape, dtype=np.bool_)
    known = image.data != 0
    extent = extent_mm(image.grid.shape, image.spacing_mm, AXIAL)
    return Panel(
        image=np.asarray(cut(image.data, AXIAL, index), dtype=np.float32),
        extent_mm=extent,
        box_mm=widen(extent, least_mm=1.0),
        window=window(image.data, known if known.any() else everywhere),
        title=title,
        marks=AXIAL.marks,
        outlines=(Outline(cut(edge, AXIAL, index), EDGE),),
        bar_mm=_round_bar(extent[1] - extent[0]),
    )


def _round_bar(width_mm: float) -> float:
    """Return a round length of at most a third of the picture."""
    fitting = [b for b in (1.0, 2.0, 5.0, 10.0, 20.0, 50.0) if b <= width_mm / 3]
    return fitting[-1] if fitting else 1.0


def _paint(axes: Axes, values: NDArray[np.float64], index: int, panel: Panel) -> None:
    from matplotlib import colormaps

    from tumorboard.report.planes import AXIAL, cut

    peak = float(values.max())
    part = np.clip(cut(values, AXIAL, index) / peak, 0, 1) if peak > 0 else np.zeros_like(panel.image)
    colours = np.asarray(colormaps["inferno"](part))
    colours[..., 3] = np.where(part > FAINT, 0.25 + 0.45 * part, 0.0)
    axes.imshow(colours, extent=panel.extent_mm, interpolation="nearest", aspect="equal")
    left, right, bottom, top = panel.box_mm
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
