"""One package's half of ``radiomics.py``: read a case, extract its features a few times, say what it cost.

``radiomics.py`` runs it in each package's own environment: ``python radiomics_driver.py PACKAGE ASKED.json``. Each
function imports its own package only, and needs nothing else but the standard library. What it found is written beside
what was asked.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import contextlib
import json
import resource
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

Asked = dict[str, Any]
Values = dict[str, float]
Extract = Callable[[], Values]

CLASSES = ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
MIRP_FAMILIES = ["intensity_histogram", "statistics", "glcm", "glrlm", "glszm", "ngtdm", "ngldm"]


def parameters(asked: Asked, classes: str = "featureClass") -> dict[str, Any]:
    """Return the parameters of PyRadiomics."""
    images: dict[str, Any] = {"Original": {}}
    images |= {"LoG": {"sigma": asked["sigma"]}} if asked["sigma"] else {}
    images |= {"Wavelet": {}} if asked["wavelet"] else {}
    bins = {"binCount": asked["bins"]} if asked["bins"] else {"binWidth": 25}
    return {
        "setting": bins | {"additionalInfo": False},
        "imageType": images,
        classes: {name: [] for name in CLASSES},
    }


def tumorboard(asked: Asked) -> Extract:
    """Return our extraction."""
    from tumorboard.io.images import read_volume
    from tumorboard.radiomics.pyradiomics.extract import extract_pyradiomics

    told = parameters(asked)
    image, mask = read_volume(Path(asked["image"])), read_volume(Path(asked["mask"]))
    return lambda: extract_pyradiomics(image, mask, told)


def pyradiomics(asked: Asked) -> Extract:
    """Return that of PyRadiomics, on images in memory and one thread."""
    import radiomics
    import SimpleITK as sitk
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    radiomics.setVerbosity(60)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    image, mask = sitk.ReadImage(asked["image"]), sitk.ReadImage(asked["mask"])
    extractor = RadiomicsFeatureExtractor(parameters(asked))
    return lambda: {name: float(value) for name, value in extractor.execute(image, mask).items()}


def flash(asked: Asked) -> Extract:
    """Return that of flash-radiomics, on images in memory and one thread; it always writes a file."""
    import SimpleITK as sitk
    from flash_radiomics import RadiomicsFeatureExtractor, setVerbosity

    setVerbosity(60)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    image, mask = sitk.ReadImage(asked["image"]), sitk.ReadImage(asked["mask"])
    extractor = RadiomicsFeatureExtractor(parameters(asked, "scalarFeatureClass"), backend="cpu", num_threads=1)
    out = str(Path(asked["image"]).with_name("flash.h5"))

    def extract() -> Values:
        return {name: float(v) for name, v in extractor.execute(image, mask, output_hdf5_path=out).items()}

    return extract


def mirp(asked: Asked) -> Extract:
    """Return that of MIRP, which reads the files itself; its wavelets are undecimated, too."""
    import logging

    from mirp import extract_features

    logging.disable(logging.CRITICAL)
    told: dict[str, Any] = {
        "base_discretisation_method": "fixed_bin_number",
        "base_discretisation_n_bins": asked["bins"],
        "base_feature_families": ["morphological", *MIRP_FAMILIES],
        "glcm_spatial_method": "3d_average",
        "glrlm_spatial_method": "3d_average",
    }
    kernels = ["laplacian_of_gaussian"] if asked["sigma"] else []
    kernels += ["separable_wavelet"] if asked["wavelet"] else []
    if kernels:
        told |= {
            "filter_kernels": kernels,
            "laplacian_of_gaussian_sigma": asked["sigma"] or None,
            "separable_wavelet_families": "coif1",
            "separable_wavelet_set": "all",
            "separable_wavelet_rotation_invariance": False,
            "response_map_feature_families": MIRP_FAMILIES,
            "response_map_discretisation_method": "fixed_bin_number",
            "response_map_discretisation_n_bins": asked["bins"],
        }

    def extract() -> Values:
        (table,) = extract_features(image=asked["image"], mask=asked["mask"], image_modality="mri", num_cpus=1, **told)
        numbers = table.select_dtypes("number").iloc[0]
        return {str(name): float(value) for name, value in numbers.items()}

    return extract


PACKAGES = {"tumorboard": tumorboard, "pyradiomics": pyradiomics, "flash": flash, "mirp": mirp}
DISTRIBUTIONS = {"flash": "flash-radiomics"}


def cpu_s() -> float:
    """Return CPU seconds of this process, all its threads, and its children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def peak_mb() -> float:
    """Return the most memory that this process held since it was last forgotten."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    except OSError:  # no Linux: of all its life, which begins with the process that started it
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def forget_peak() -> None:
    """Let the peak begin at what is held now, where that can be said."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def main() -> None:
    """Extract as often as asked, and write what it cost."""
    name, path = sys.argv[1], Path(sys.argv[2])
    asked = json.loads(path.read_text())
    extract = PACKAGES[name](asked)
    forget_peak()
    ready, before, runs = cpu_s(), peak_mb(), []
    for _ in range(asked["runs"]):
        cpu, wall = cpu_s(), time.perf_counter()
        values = extract()
        runs.append({"cpu_s": cpu_s() - cpu, "wall_s": time.perf_counter() - wall})
    told = {"version": version(DISTRIBUTIONS.get(name, name)), "ready_s": ready, "runs": runs}
    path.with_suffix(f".{name}.json").write_text(json.dumps(told | {"mb": peak_mb() - before, "values": values}))


if __name__ == "__main__":
    main()
