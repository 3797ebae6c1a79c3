"""The objects that a study becomes, made here from a small image of pydicom's; so a page can say what is in them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.data import get_testdata_file

from tumorboard.io.capture import capture
from tumorboard.io.dicom.maker import Maker
from tumorboard.io.dicom.scan import scan_dicom
from tumorboard.io.dicom.templates import to_bytes
from tumorboard.io.pdf import encapsulated_pdf
from tumorboard.io.seg import plane_affine, segmentation
from tumorboard.io.sr import measurement_report
from tumorboard.labels import LabelMap, Tissue
from tumorboard.measurement import Measurement, Source, StudyMeasurements


@dataclass(frozen=True)
class MadeObject:
    """An object as the chain writes it: its kind, what it says of itself, and its bytes read back."""

    kind: str
    dataset: Any

    @property
    def sop_class(self) -> str:
        """Its class."""
        return str(self.dataset.SOPClassUID)

    @property
    def transfer_syntax(self) -> str:
        """As it is written and sent."""
        return str(self.dataset.file_meta.TransferSyntaxUID)

    @property
    def character_set(self) -> str:
        """What it says of its texts; empty for the default repertoire."""
        return str(self.dataset.get("SpecificCharacterSet", ""))

    @property
    def about(self) -> str:
        """What it says of its standing."""
        said = {"VerificationFlag": "verification", "CompletionFlag": "completion", "BurnedInAnnotation": "words in it"}
        told = [f"{word} {self.dataset.get(name)}" for name, word in said.items() if self.dataset.get(name)]
        return "; ".join([str(self.dataset.SeriesDescription), *told])


@lru_cache(maxsize=1)
def made_objects() -> tuple[MadeObject, ...]:
    """Return one object of every kind that a run of the chain writes."""
    return tuple(MadeObject(kind, pydicom.dcmread(BytesIO(to_bytes(made)))) for kind, made in _made())


def _made() -> Iterator[tuple[str, Any]]:
    (series,) = scan_dicom([Path(str(get_testdata_file("MR_small.dcm")))]).series
    maker = Maker("tumorboard", "1", "fuzzy", "1", False, "a1", dt.datetime(2026, 1, 2))
    data = np.full((64, 64, 1), Tissue.ET, np.uint8)
    labels = LabelMap.of(data, plane_affine(series.planes[0]))
    seg = segmentation(labels, series, maker)
    volume = Measurement(
        name="volume", region="ET", value=1.0, unit="mL", method="m", source=Source(file="dseg.nii.gz")
    )
    absent = Measurement.missing("volume", "RC", "mL", "no cavities are looked for")
    listed = StudyMeasurements(patient="P", study="ses-01", sequences=(), segmenter="s", measurements=(volume, absent))
    yield "seg", seg
    yield "labelmap", segmentation(labels, series, maker, kind="labelmap")
    yield "sr", measurement_report(listed, series, (series,), seg, maker)
    yield "report", encapsulated_pdf(b"%PDF-1.7", series, "Report", maker)
    yield "capture", capture(np.zeros((400, 500, 3), np.uint8), series, "Lesion", 1, maker)


def coded_by() -> list[str]:
    """Return the coding schemes of the codes in the objects."""
    return sorted({str(e.value) for made in made_objects() for e in _elements(made.dataset) if e.tag == 0x00080102})


def private_of() -> list[str]:
    """Return the private attributes of the objects, less those that came with the source."""
    return sorted({str(e.tag) for made in made_objects() for e in _elements(made.dataset) if e.tag.is_private})


def _elements(dataset: Any) -> Iterator[Any]:
    for element in dataset:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)
