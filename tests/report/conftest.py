"""A small synthetic patient: an ellipsoid brain with texture, a ring tumour with oedema, known numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from tumorboard.labels import LabelMap
from tumorboard.measurement import Diameters, Measurement, Source, StudyMeasurements
from tumorboard.report.build import MethodSentence, PatientHeader, StudyBundle
from tumorboard.sequences import Sequence
from tumorboard.study import Event, EventKind, Study
from tumorboard.volume import Volume

SOURCE = Source(file="ses-01/seg/dseg.nii.gz", voxels=10)
TISSUE_VALUES = {  # grey: white, grey matter, CSF, NETC, SNFH, ET, RC
    Sequence.T1: (1.0, 0.3, -1.6, -0.6, 0.2, 0.2, -1.5),
    Sequence.T1C: (1.0, 0.3, -1.6, -0.6, 0.2, 3.0, -1.5),
    Sequence.T2: (-0.4, 0.4, 2.8, 2.0, 1.6, 0.8, 2.7),
    Sequence.FLAIR: (-0.2, 0.5, -1.8, 0.9, 2.4, 1.2, -1.6),
}


def measured(name: str, region: str, value: Any, unit: str, **more: Any) -> Measurement:
    """A measurement with a method and a source."""
    more.setdefault("method", f"how {name} is made")
    return Measurement(name=name, region=region, value=value, unit=unit, source=SOURCE, **more)


def make_labels(shape: tuple[int, int, int], spacing: tuple[float, float, float], radius: float) -> np.ndarray:
    """Ring tumour in the right frontal lobe (high i, high j), oedema around it."""
    x, y, z = np.meshgrid(*(np.arange(n) * s for n, s in zip(shape, spacing, strict=True)), indexing="ij")
    size = [n * s for n, s in zip(shape, spacing, strict=True)]
    centre = (0.66 * size[0], 0.62 * size[1], 0.6 * size[2])
    wobble = 1 + 0.12 * np.sin(x / 5) * np.cos(y / 7)
    r = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2) * wobble
    labels = np.zeros(shape, dtype=np.uint8)
    labels[r < 1.8 * radius] = 2
    labels[r < radius] = 3
    labels[r < 0.6 * radius] = 1
    return labels


def make_volumes(
    labels: np.ndarray, spacing: tuple[float, float, float], names: tuple[Sequence, ...]
) -> tuple[dict[Sequence, np.ndarray], np.ndarray]:
    """z-like images on the label grid, and the brain mask."""
    shape = labels.shape
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    r = np.sqrt(sum((a / e) ** 2 for a, e in zip(axes, (0.78, 0.9, 0.85), strict=True)))
    brain = r < 1
    rng = np.random.default_rng(7)
    folds = gaussian_filter(rng.standard_normal(shape), [4 / s for s in spacing])
    folds /= folds.std()
    ventricle = sum((a / e) ** 2 for a, e in zip(axes, (0.14, 0.4, 0.2), strict=True)) < 1
    kind = np.where((r > 0.85) | (folds > 1.1), 1, 0)
    kind = np.where((r > 0.96) | ventricle, 2, kind)
    kind = np.where(labels > 0, labels + 2, kind)
    images = {}
    for name in names:
        image = np.array(TISSUE_VALUES[name])[kind] + 0.15 * rng.standard_normal(shape)
        image = gaussian_filter(image, 0.6)
        images[name] = np.where(brain, image, 0).astype(np.float32)
    return images, brain


def make_diameters(labels: np.ndarray, spacing: tuple[float, float, float], values: tuple[int, ...]) -> Diameters:
    """Row and column through the middle of a region: a stand-in with true end points."""
    mask = np.isin(labels, values)
    k = int(mask.sum(axis=(0, 1)).argmax())
    i, j = np.nonzero(mask[:, :, k])
    ci, cj = int(i.mean()), int(j.mean())
    first = ((int(i.min()), cj, k), (int(i.max()), cj, k))
    second = ((ci, int(j.min()), k), (ci, int(j.max()), k))
    pairs = [((i.max() - i.min()) * spacing[0], first), ((j.max() - j.min()) * spacing[1], second)]
    (short_mm, short), (long_mm, long) = sorted(pairs)
    return Diameters(
        longest_mm=long_mm,
        perpendicular_mm=short_mm,
        slice_index=k,
        slice_axis=2,
        longest_ijk=long,
        perpendicular_ijk=short,
        edge_mm=(0.0, 0.0),
    )


def volumes_of(labels: LabelMap, missing: str) -> list[Measurement]:
    """Volumes of all regions; enhancing ones are not assessable when ``missing`` says why."""
    found = []
    for region in ("ET", "NETC", "SNFH", "RC", "TC", "WT"):
        if missing and region in ("ET", "NETC", "TC"):
            found.append(Measurement.missing("volume", region, "mL", missing))
        else:
            found.append(measured("volume", region, labels.volume_ml(region), "mL"))
    return found


def lesion_measurements(diameters: dict[str, Diameters], missing: str) -> list[Measurement]:
    """The measurements of lesion 1 in each reading."""
    found = []
    for reading in ("ce_only", "filled", "flair"):
        names = (f"longest_diameter_{reading}", f"perpendicular_diameter_{reading}", f"diameter_product_{reading}")
        units = ("mm", "mm", "mm2")
        if reading in diameters:
            d = diameters[reading]
            values = (d.longest_mm, d.perpendicular_mm, d.product_mm2)
            found += [measured(n, "lesion 1", v, u) for n, v, u in zip(names, values, units, strict=True)]
        else:
            found += [Measurement.missing(n, "lesion 1", u, missing) for n, u in zip(names, units, strict=True)]
    return found


def location_measurements() -> list[Measurement]:
    """Fixed words and numbers about the place."""
    return [
        measured("side_share_left", "WT", 4.2, "%"),
        measured("side_share_right", "WT", 95.8, "%"),
        measured("crosses_midline", "WT", "no", "1"),
        measured("midline_shift", "brain", 3.4, "mm", quality="proxy", interval=(2.9, 4.1)),
        measured("lobe", "WT", "right frontal", "1", quality="coarse"),
        measured("depth_to_ventricles", "TC", 11.0, "mm"),
        measured("centroid_mni_x", "WT", 28.0, "mm", quality="coarse"),
        Measurement.missing("depth_to_cortex", "TC", "mm", "the brain mask touches the image edge"),
    ]


@pytest.fixture(scope="session")
def make_bundle() -> Callable[..., StudyBundle]:
    """Build a bundle: sequences, spacing, tumour radius in mm (0 for none), study number."""

    def build(
        number: int = 1,
        radius: float = 14.0,
        sequences: tuple[Sequence, ...] = (Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR),
        shape: tuple[int, int, int] = (48, 58, 46),
        spacing: tuple[float, float, float] = (3.0, 3.0, 3.0),
        dated: bool = True,
        **more: Any,
    ) -> StudyBundle:
        study_id = f"ses-{number:02d}"
        array = make_labels(shape, spacing, radius)
        affine = np.diag([*spacing, 1.0])
        images, brain = make_volumes(array, spacing, sequences)
        array[~brain] = 0
        missing = "" if Sequence.T1C in sequences else "T1C is missing"
        labels = LabelMap.of(array, affine)
        readings = {}
        if radius > 0:
            readings = {"flair": make_diameters(array, spacing, (1, 2, 3))}
            if not missing:
                readings |= {
                    "ce_only": make_diameters(array, spacing, (3,)),
                    "filled": make_diameters(array, spacing, (1, 3)),
                }
        numbers = volumes_of(labels, missing)
        numbers.append(measured("lesion_count", "WT", int(radius > 0), "1"))
        if radius > 0:
            numbers += [*lesion_measurements(readings, missing), *location_measurements()]
            numbers.append(measured("volume", "lesion 1", labels.volume_ml("WT"), "mL"))
            numbers.append(measured("measurable", "lesion 1", "yes", "1"))
        settings: dict[str, Any] = {
            "study": Study(study_id, {s: Volume.of(a, affine) for s, a in images.items()}, brain),
            "date": dt.date(2021, 1, 10) + dt.timedelta(days=80 * (number - 1)) if dated else None,
            "labels": labels,
            "lesions": (array > 0).astype(np.int16),
            "measurements": StudyMeasurements(
                patient="p01",
                study=study_id,
                sequences=tuple(s.value for s in sequences),
                segmenter="fuzzy",
                measurements=tuple(numbers),
            ),
            "diameters": {1: readings} if readings else {},
            "decisions": [("T1C", "…_t1ce.nii.gz", "3-D before 2-D")],
            "warnings": [],
            "segmenter_name": "fuzzy",
        }
        return StudyBundle(**(settings | more))

    return build


@pytest.fixture
def header() -> PatientHeader:
    """A header with events, settings, methods and costs."""
    return PatientHeader(
        "p01",
        events=(
            Event(dt.date(2021, 1, 20), EventKind.SURGERY, detail="subtotal resection"),
            Event(dt.date(2021, 2, 15), EventKind.RADIOTHERAPY, dt.date(2021, 3, 29), "60", "Gy", "30 fractions"),
            Event(dt.date(2021, 2, 15), EventKind.DRUG, dt.date(2021, 6, 1), "75", "mg/m2", "temozolomide"),
        ),
        software_version="0.1.0",
        settings={"segment": {"method": "fuzzy", "classes": 4}, "grid_mm": 1.0},
        methods=[
            MethodSentence("Images were brought to one grid.", "Author A. One grid. J Grid 2020."),
            MethodSentence("Tissue was labelled by fuzzy clustering.", "Author B. Fuzzy. J Clust 1999."),
            MethodSentence("Volumes were summed over voxels.", ""),
            MethodSentence("The grid was checked.", "Author A. One grid. J Grid 2020."),
        ],
        costs=[("prepare", "ses-01", 12.3, 812.0)],
    )


@pytest.fixture(scope="session")
def bundle(make_bundle: Callable[..., StudyBundle]) -> StudyBundle:
    """One study with four sequences and a ring tumour."""
    return make_bundle()
