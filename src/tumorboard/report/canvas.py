"""Drawing of panels on a dark strip and encoding of figures; no choice of slices is made here.

Why it exists: every picture of the report has the same look, the same direction marks and the same
proportions, so there is one place that draws. It keeps no global state (no pyplot) and writes no file.
"""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from PIL import Image

from tumorboard.report.model import Picture

Box = tuple[float, float, float, float]
Point = tuple[float, float]

DARK = "#0b0d10"
PANEL_PX = 620
GAP_PX = 8
LEGEND_PX = 56
DPI = 100
JPEG_QUALITY = 90

_EDGE = [withStroke(linewidth=2.5, foreground="black")]
_MARK_AT = ((0.015, 0.5, "left", "center"), (0.985, 0.5, "right", "center"))
_MARK_AT_VERTICAL = ((0.5, 0.985, "center", "top"), (0.5, 0.015, "center", "bottom"))


@dataclass(frozen=True)
class Outline:
    """The edge of a mask, in picture orientation."""

    mask: NDArray[np.bool_]
    colour: str


@dataclass(frozen=True)
class Segment:
    """A straight line between two places in mm, solid or dashed."""

    ends: tuple[Point, Point]
    colour: str
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """One slice with all that is drawn on it.

    Parameters
    ----------
    image : ndarray, shape (rows, columns)
        In picture orientation.
    extent_mm : tuple of float
        Left, right, bottom, top edge of the image in mm.
    box_mm : tuple of float
        Left, right, bottom, top of what is shown.
    window : (float, float)
        Black and white.
    title, text : str
        At the top left and the bottom left.
    marks : tuple of str
        Direction letters at the left, right, top and bottom edge.
    outlines, segments : tuple
        Drawn on top.
    bar_mm : float
        Length of the scale bar; 0: none, where the size of a voxel is not known.
    """

    image: NDArray[np.floating]
    extent_mm: Box
    box_mm: Box
    window: tuple[float, float]
    title: str
    marks: tuple[str, str, str, str]
    text: str = ""
    outlines: tuple[Outline, ...] = ()
    segments: tuple[Segment, ...] = ()
    bar_mm: float = 50.0


def strip(panels: list[Panel], legend: list[tuple[str, str]], caption: str, alt: str) -> Picture:
    """Draw panels side by side at equal height and encode them.

    Parameters
    ----------
    panels : list of Panel
        At least one.
    legend : list of (str, str)
        Colour and words; none when empty.
    caption, alt : str
        Go into the picture as they are.

    Raises
    ------
    ValueError
        There is no panel.
    """
    if not panels:
        raise ValueError("expected at least one panel; got none")
    widths = [max(1, round(PANEL_PX * _ratio(panel.box_mm))) for panel in panels]
    total = sum(widths) + GAP_PX * (len(widths) - 1)
    below = LEGEND_PX if legend else 0
    height = PANEL_PX + below
    figure = Figure(figsize=(total / DPI, height / DPI), dpi=DPI, facecolor=DARK)
    left = 0
    for panel, width in zip(panels, widths, strict=True):
        axes = figure.add_axes((left / total, below / height, width / total, PANEL_PX / height))
        draw_panel(axes, panel)
        left += width + GAP_PX
    if legend:
        _draw_legend(figure, legend, total)
    return encode_jpeg(figure, caption, alt)


def draw_panel(axes: Axes, panel: Panel) -> None:
    """Draw one panel on axes whose proportions are those of the panel's box."""
    low, high = panel.window
    axes.imshow(
        panel.image, cmap="gray", vmin=low, vmax=high, extent=panel.extent_mm, interpolation="bicubic", aspect="equal"
    )
    for outline in panel.outlines:
        _draw_outline(axes, outline, panel.extent_mm)
    for segment in panel.segments:
        _draw_segment(axes, segment)
    left, right, bottom, top = panel.box_mm
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_axis_off()
    _draw_texts(axes, panel)
    if panel.bar_mm > 0:
        _draw_bar(axes, panel)


def _ratio(box: Box) -> float:
    left, right, bottom, top = box
    return (right - left) / (bottom - top)


def _draw_outline(axes: Axes, outline: Outline, extent: Box) -> None:
    """Contour a mask a quarter pixel inside its edge, so that neighbours' lines lie side by side."""
    if not outline.mask.any():
        return
    rows, columns = outline.mask.shape
    left, right, bottom, top = extent
    width, height = (right - left) / columns, (bottom - top) / rows
    across = left + width * (np.arange(-1, columns + 1) + 0.5)
    down = top + height * (np.arange(-1, rows + 1) + 0.5)
    padded = np.pad(outline.mask.astype(np.float32), 1)
    axes.contour(across, down, padded, levels=[0.75], colors=[outline.colour], linewidths=1.6, antialiased=True)


def _draw_segment(axes: Axes, segment: Segment) -> None:
    (x0, y0), (x1, y1) = segment.ends
    line = Line2D([x0, x1], [y0, y1], color=segment.colour, linewidth=2.2, marker="o", markersize=4.5)
    line.set_linestyle("--" if segment.dashed else "-")
    line.set_path_effects([withStroke(linewidth=4.4, foreground="black")])
    axes.add_line(line)


def _draw_texts(axes: Axes, panel: Panel) -> None:
    for letter, (x, y, ha, va) in zip(panel.marks, (*_MARK_AT, *_MARK_AT_VERTICAL), strict=True):
        _write(axes, (x, y), letter, ha, va)
    _write(axes, (0.025, 0.978), panel.title, "left", "top")
    if panel.text:
        _write(axes, (0.025, 0.022), panel.text, "left", "bottom")


def _write(axes: Axes, at: Point, text: str, ha: str, va: str) -> None:
    axes.text(
        *at, text, transform=axes.transAxes, ha=ha, va=va, color="white", fontsize=17, path_effects=_EDGE, clip_on=True
    )


def _draw_bar(axes: Axes, panel: Panel) -> None:
    left, right, bottom, top = panel.box_mm
    end, y = right - 0.03 * (right - left), bottom - 0.035 * (bottom - top)
    bar = Line2D([end - panel.bar_mm, end], [y, y], color="white", linewidth=2.2, solid_capstyle="butt")
    bar.set_path_effects([withStroke(linewidth=4, foreground="black")])
    axes.add_line(bar)
    above = y - 0.02 * (bottom - top)
    axes.text(
        end, above, f"{panel.bar_mm:.0f} mm", ha="right", va="bottom", color="white", fontsize=13.5, path_effects=_EDGE
    )


def _draw_legend(figure: Figure, legend: list[tuple[str, str]], total_px: int) -> None:
    """One line of coloured words at the bottom, smaller letters where the strip is narrow."""
    letters = sum(len(words) + 7 for _, words in legend)
    size = max(7.0, min(15.0, total_px / letters / 0.62 * 72 / DPI))
    handles = [Line2D([], [], color=colour, linewidth=2.6) for colour, _ in legend]
    drawn = figure.legend(
        handles,
        [words for _, words in legend],
        loc="lower center",
        ncols=len(legend) if size > 7 else math.ceil(len(legend) / 2),
        frameon=False,
        fontsize=size,
        labelcolor="white",
        handlelength=1.6,
        columnspacing=1.4,
        borderaxespad=0.4 if size > 7 else 0.0,
    )
    drawn.set_in_layout(False)


def encode_jpeg(figure: Figure, caption: str, alt: str) -> Picture:
    """Encode a figure as JPEG without loss of colour resolution (thin coloured lines stay crisp)."""
    image = _drawn(figure)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=True)
    return _picture(image, stream, "image/jpeg", caption, alt)


def encode_png(figure: Figure, caption: str, alt: str) -> Picture:
    """Encode a figure of lines and letters as PNG with a palette of 128 colours."""
    image = _drawn(figure).quantize(128)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return _picture(image, stream, "image/png", caption, alt)


def _drawn(figure: Figure) -> Image.Image:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib ships no annotation for it
    rgba = canvas.buffer_rgba()  # type: ignore[no-untyped-call]  # the same
    return Image.fromarray(np.asarray(rgba)).convert("RGB")


def _picture(image: Image.Image, stream: io.BytesIO, media_type: str, caption: str, alt: str) -> Picture:
    return Picture.model_validate(
        {
            "media_type": media_type,
            "data": base64.b64encode(stream.getvalue()).decode("ascii"),
            "width_px": image.width,
            "height_px": image.height,
            "caption": caption,
            "alt": alt,
        }
    )
