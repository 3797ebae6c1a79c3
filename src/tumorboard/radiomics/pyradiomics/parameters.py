"""PyRadiomics' parameter files: what of them is computed here, and what is refused by name.

Why it exists: the settings of published models are such files. A setting that would be passed over makes other values
under the same names, so what is not supported is refused.

Source: van Griethuysen JJM et al., Cancer Res 2017;77:e104-e107 (pyradiomics 3.0.1, ``schemas/paramSchema.yaml``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import pywt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from tumorboard.errors import FileFormatError, InputError, MissingDependency
from tumorboard.radiomics.pyradiomics.names import CLASSES

IMAGE_TYPES = ("Original", "LoG", "Wavelet")

PER_IMAGE = (
    *("binWidth", "binCount", "voxelArrayShift", "force2D", "force2Ddimension"),
    *("weightingNorm", "sigma", "wavelet", "level", "start_level"),
)
"""Settings that an image type may have of its own; others act before there are types."""

DEFAULT: dict[str, dict[str, Any]] = {
    "setting": {},
    "imageType": {"Original": {}},
    "featureClass": {name: [] for name in CLASSES},
}
REMEDY = "leave it out, or compute with PyRadiomics"


class Setting(BaseModel):
    """Settings of one image type, by PyRadiomics' names and with its defaults.

    Examples
    --------
    >>> Setting.model_validate({"binWidth": 10}).bin_width
    10.0
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: int = Field(default=1, gt=0)
    minimum_dimensions: int = Field(default=2, ge=1, le=3, alias="minimumROIDimensions")
    minimum_size: int | None = Field(default=None, gt=0, alias="minimumROISize")
    correct_mask: Literal[False] = Field(default=False, alias="correctMask")
    additional_info: bool = Field(default=True, alias="additionalInfo")
    label_channel: Literal[0] = 0
    bin_width: float = Field(default=25.0, gt=0, alias="binWidth")
    bin_count: int | None = Field(default=None, gt=0, alias="binCount")
    normalize: bool = False
    normalize_scale: float = Field(default=1.0, gt=0, alias="normalizeScale")
    remove_outliers: float | None = Field(default=None, gt=0, alias="removeOutliers")
    resampled_spacing: tuple[float, float, float] | None = Field(default=None, alias="resampledPixelSpacing")
    interpolator: str | None = "sitkBSpline"
    pad_distance: int = Field(default=5, ge=0, alias="padDistance")
    pre_crop: bool = Field(default=False, alias="preCrop")
    distances: tuple[Literal[1]] = (1,)
    force_2d: bool = Field(default=False, alias="force2D")
    force_2d_dimension: int = Field(default=0, ge=0, le=2, alias="force2Ddimension")
    resegment_range: tuple[float] | tuple[float, float] | None = Field(default=None, alias="resegmentRange")
    resegment_mode: Literal["absolute", "relative", "sigma"] = Field(default="absolute", alias="resegmentMode")
    resegment_shape: bool = Field(default=False, alias="resegmentShape")
    sigma: tuple[int | float, ...] = ()
    start_level: int = Field(default=0, ge=0, le=6)
    level: int = Field(default=1, gt=0, le=6)
    wavelet: str = "coif1"
    shift: float = Field(default=0.0, alias="voxelArrayShift")
    symmetrical: Literal[True] = Field(default=True, alias="symmetricalGLCM")
    weighting: Literal["no_weighting"] | None = Field(default=None, alias="weightingNorm")
    gldm_a: Literal[0] = 0

    @field_validator("wavelet")
    @classmethod
    def _discrete(cls, value: str) -> str:
        if value not in pywt.wavelist(kind="discrete"):
            raise ValueError("a discrete wavelet of PyWavelets, as haar, db3 or coif1")
        return value

    @field_validator("sigma", "resampled_spacing")
    @classmethod
    def _millimetres(cls, value: tuple[float, ...] | None, info: ValidationInfo) -> tuple[float, ...] | None:
        least = 1e-3 if info.field_name == "sigma" else 0.0  # a spacing of 0 keeps the image's
        if value is not None and any(not least <= v <= 100 for v in value):
            raise ValueError("lengths in mm, up to 100")
        return value

    @property
    def plane_axis(self) -> int | None:
        """Axis that planes stand across, of (i, j, k); None in space. PyRadiomics counts them backwards."""
        return 2 - self.force_2d_dimension if self.force_2d else None


@dataclass(frozen=True)
class Parameters:
    """What PyRadiomics was told.

    Parameters
    ----------
    setting : Setting
        Of all image types.
    images : tuple of (str, Setting)
        Image types in order, each with its own settings.
    classes : mapping of str to tuple of str
        Feature classes in order, and which of their features.
    """

    setting: Setting
    images: tuple[tuple[str, Setting], ...]
    classes: Mapping[str, tuple[str, ...]]


def read_parameters(path: Path) -> Parameters:
    """Read a parameter file.

    Parameters
    ----------
    path : Path
        YAML (needs ``pyyaml``), or JSON.

    Raises
    ------
    InputError
        It holds what is not supported; the message names it.
    FileFormatError
        It is neither YAML nor JSON.
    MissingDependency
        A YAML file, and no reader of YAML is installed.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix.lower() == ".json" else _yaml(text)
    except OSError as error:
        raise InputError("a parameter file", got="none that can be read", where="parameters") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise FileFormatError("a parameter file of PyRadiomics", got="something else", where="parameters") from error
    return parameters_of(content)


def _yaml(text: str) -> Any:
    try:
        yaml = import_module("yaml")
    except ImportError as error:
        remedy = "pip install pyyaml, or write the same as JSON"
        raise MissingDependency("a reader of YAML", got="none", where="parameters", remedy=remedy) from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise FileFormatError("YAML", got="something else", where="parameters") from error


def parameters_of(content: Any) -> Parameters:
    """Return the parameters that nested names stand for, as a parameter file holds them.

    Raises
    ------
    InputError
        Something is not supported; the message names it.

    Examples
    --------
    >>> found = parameters_of({"setting": {"binWidth": 10}, "imageType": {"LoG": {"sigma": [2.0]}}})
    >>> found.images[0][1].bin_width, len(found.classes)
    (10.0, 7)
    >>> parameters_of({"setting": {"gldm_a": 2}})
    Traceback (most recent call last):
    tumorboard.errors.InputError: setting.gldm_a: expected 0; got 2. What to do: leave it out, or compute with ...
    """
    parts = _mapping(content, "parameters")
    _known(parts, (*DEFAULT, "voxelSetting"), "parameters")
    if parts.get("voxelSetting"):
        raise InputError("features of regions", got="maps of features", where="voxelSetting", remedy=REMEDY)
    common = _given(_mapping(parts.get("setting"), "setting"))
    return Parameters(
        setting=_setting(common, "setting"),
        images=tuple(_images(_mapping(parts.get("imageType"), "imageType") or DEFAULT["imageType"], common)),
        classes=dict(_classes(_mapping(parts.get("featureClass"), "featureClass") or DEFAULT["featureClass"])),
    )


def _images(types: Mapping[str, Any], common: Mapping[str, Any]) -> Iterator[tuple[str, Setting]]:
    _known(types, IMAGE_TYPES, "imageType")
    for name, custom in types.items():
        where = f"imageType.{name}"
        own = _given(_mapping(custom, where))
        _known(own, PER_IMAGE, where)
        setting = _setting({**common, **own}, where)
        if name == "LoG" and not setting.sigma:
            raise InputError("one sigma or more", got="none", where=where, remedy="give sigma: [1.0, 2.0, 3.0]")
        yield name, setting


def _classes(classes: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    _known(classes, tuple(CLASSES), "featureClass")
    for name, wanted in classes.items():
        where = f"featureClass.{name}"
        if wanted is not None and not isinstance(wanted, list | tuple):
            raise InputError("a list of features", got=type(wanted).__name__, where=where)
        _known(wanted or (), tuple(CLASSES[name]), where)
        yield name, tuple(wanted or CLASSES[name])


def _mapping(content: Any, where: str) -> Mapping[str, Any]:
    if content is not None and not isinstance(content, Mapping):
        raise InputError("names with values", got=type(content).__name__, where=where)
    return content or {}


def _given(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without those left empty, which have PyRadiomics' default, but for the interpolator."""
    return {name: value for name, value in settings.items() if value is not None or name == "interpolator"}


def _known(given: Any, supported: tuple[str, ...], where: str) -> None:
    for name in given:
        if name not in supported:
            raise InputError(f"one of {', '.join(supported)}", got=str(name), where=where, remedy=REMEDY)


def _setting(values: Mapping[str, Any], where: str) -> Setting:
    try:
        return Setting.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        what = f"{first.get('ctx', {}).get('expected', '')}" or first["msg"]
        if first["type"] == "extra_forbidden":
            raise InputError("a setting that is supported", got=name, where=where, remedy=REMEDY) from error
        raise InputError(what, got=repr(first["input"]), where=f"{where}.{name}", remedy=REMEDY) from error
