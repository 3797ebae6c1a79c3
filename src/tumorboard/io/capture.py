"""Pictures of ours as secondary captures, with what they are not for burned into the pixels.

Why it exists: a picture in a PACS is copied, printed and shown without its header. What must never be
missed therefore stands in the pixels themselves, on a strip above and below the picture.

Source: PS3.3 A.8.1 (Secondary Capture Image), C.8.6.1 (SC Equipment).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import IntensityError
from tumorboard.io.dicom.maker import LONG_STRING, Maker, plain
from tumorboard.io.dicom.templates import blank, first_header, quiet
from tumorboard.io.dicom.uids import uid_from
from tumorboard.series import Series
from tumorboard.store import digest

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont
    from pydicom import Dataset

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
"""Secondary Capture Image Storage."""

STATEMENT = "Research – not for diagnosis"
"""Burned into every picture, above and below."""

SIMULATED = "Simulated patient"
"""Burned in as well where the patient is digital."""

STRIP_SHARE, STRIP_PIXELS = 0.05, 18
"""Height of a strip as a share of the picture's, and at least so many pixels; chosen."""

NARROWEST_PIXELS, SMALLEST_POINTS = 320, 8
"""Columns that the words need at least, and the smallest type; chosen."""


def capture(picture: NDArray[np.uint8], series: Series, title: str, number: int, maker: Maker) -> Dataset:
    """Return a picture as a secondary capture of the study that a series belongs to.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns, 3)
        RGB.
    series : Series
        Any series of the study.
    title : str
        What it shows, put into ASCII; the first 64 characters stand in the upper strip too.
    number : int
        Instance number, from 1; captures of one study share one series.
    maker : Maker
        Who makes it.

    Returns
    -------
    Dataset

    Raises
    ------
    IntensityError
        The picture is not RGB in bytes.
    GeometryError, FileFormatError
        The source has no planes or cannot be read.

    Examples
    --------
    >>> import datetime as dt
    >>> from pydicom.data import get_testdata_file
    >>> from tumorboard.io.dicom.scan import scan_dicom
    >>> series = scan_dicom([Path(get_testdata_file("MR_small.dcm"))]).series[0]
    >>> maker = Maker("tumorboard", "0.1", "fuzzy", "1.0", False, "a1", dt.datetime(2026, 1, 2))
    >>> shown = capture(np.zeros((400, 500, 3), np.uint8), series, "Lesion 1", 1, maker)
    >>> shown.Rows, shown.Columns, shown.BurnedInAnnotation
    (440, 500, 'YES')
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        got = f"{picture.dtype} of shape {picture.shape}"
        raise IntensityError("an RGB picture in bytes", got=got, where="capture")
    shown = marked(picture, title, maker.digital)
    made = digest(shown.tobytes(), title, str(number), maker.settings_digest, maker.version)
    of_series = uid_from(series.study_uid, "captures", maker.settings_digest, maker.version)
    with quiet():
        uids = of_series, uid_from(of_series, made)
        out = blank(first_header(series), maker, SECONDARY_CAPTURE, "OT", "captures", uids)
        out.InstanceNumber = number
        out.ImageType = ["DERIVED", "SECONDARY"]
        out.ImageComments = plain(title)
        out.ConversionType = "WSD"
        out.DateOfSecondaryCapture, out.TimeOfSecondaryCapture = maker.date, maker.time
        out.BodyPartExamined, out.PatientOrientation = "BRAIN", ""
        out.BurnedInAnnotation = "YES"
        out.SamplesPerPixel, out.PhotometricInterpretation, out.PlanarConfiguration = 3, "RGB", 0
        out.Rows, out.Columns = shown.shape[:2]
        out.BitsAllocated = out.BitsStored = 8
        out.HighBit, out.PixelRepresentation = 7, 0
        pixels = shown.tobytes()
        out.PixelData = pixels + b"\0" * (len(pixels) % 2)
        out["PixelData"].VR = "OB"
    return out


def marked(picture: NDArray[np.uint8], title: str, digital: bool = False) -> NDArray[np.uint8]:
    """Return a picture between two strips that say what it is not for.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns, 3)
        Kept as it is; a picture too narrow for the words is set on a wider black ground.
    title : str
        Stands in the upper strip as far as there is room.
    digital : bool
        Say that the patient is simulated.

    Returns
    -------
    ndarray of uint8, shape (rows + 2 strips, columns or more, 3)

    Examples
    --------
    >>> marked(np.zeros((200, 400, 3), np.uint8), "ET").shape
    (236, 400, 3)
    """
    rows, columns, _ = picture.shape
    height = max(STRIP_PIXELS, round(rows * STRIP_SHARE))
    wide = max(columns, NARROWEST_PIXELS)
    ground = np.zeros((rows, wide, 3), np.uint8)
    left = (wide - columns) // 2
    ground[:, left : left + columns] = picture
    said = f"{STATEMENT}{f' – {SIMULATED.lower()}' if digital else ''}"
    upper = _strip(f"{said}   {plain(title, LONG_STRING)}".strip(), said, (wide, height))
    return np.concatenate([upper, ground, _strip(said, said, (wide, height))])


def _strip(text: str, needed: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Draw white words on black; the type is as large as the strip lets the needed words be."""
    from PIL import Image, ImageDraw

    wide, height = size
    points = height * 0.72
    margin = height // 3
    font = _font(points)
    while points > SMALLEST_POINTS and font.getlength(needed) > wide - 2 * margin:
        points -= 0.5
        font = _font(points)
    while len(text) > len(needed) and font.getlength(text) > wide - 2 * margin:
        text = f"{text.removesuffix('...')[:-1].rstrip()}..." if len(text) > len(needed) + 8 else needed
    image = Image.new("RGB", size)
    ImageDraw.Draw(image).text((margin, height / 2), text, fill=(255, 255, 255), font=font, anchor="lm")
    return np.asarray(image, np.uint8)


def _font(points: float) -> FreeTypeFont:
    """Return the DejaVu Sans that matplotlib ships; Pillow's own font has no dash."""
    from matplotlib import get_data_path
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), points)
