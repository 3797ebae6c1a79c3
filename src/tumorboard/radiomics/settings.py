"""What an extraction is told: interpolation, re-segmentation, grey levels, families, filters, as one frozen file.

Why it exists: a radiomics value without these settings cannot be repeated. They are written beside every table.

Source: the image processing scheme of the standard, arXiv:1612.07003, chapter 2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tumorboard.radiomics.feature import BY_DIRECTION, BY_SLICE
from tumorboard.settings import read_model

Order = Literal["nearest", "linear", "cubic"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interpolation(_Frozen):
    """The grid that features are computed on.

    Examples
    --------
    >>> Interpolation(spacing_mm=(2.0, 2.0, None)).image
    'cubic'
    """

    spacing_mm: tuple[float | None, float | None, float | None] = Field(
        default=(1.0, 1.0, 1.0), description="voxel size along i, j, k; null keeps the image's own"
    )
    image: Order = "cubic"
    mask: Order = Field(default="linear", description="a voxel belongs to the region from 0.5")
    rounded: bool = Field(default=False, description="to whole numbers afterwards, as for Hounsfield units")

    @model_validator(mode="after")
    def _positive(self) -> Interpolation:
        if any(s is not None and not 0 < s < 100 for s in self.spacing_mm):
            raise ValueError("voxel sizes between 0 and 100 mm, or null")
        return self


class Resegmentation(_Frozen):
    """Which intensities stay in the region; the outline itself does not change."""

    low: float | None = Field(default=None, description="least intensity that stays")
    high: float | None = Field(default=None, description="greatest intensity that stays")
    sigma: float | None = Field(default=None, gt=0, description="standard deviations around the mean that stay")


class Discretisation(_Frozen):
    """How intensities become grey levels.

    Examples
    --------
    >>> Discretisation(method="fbs", width=25.0).width
    25.0
    """

    method: Literal["fbn", "fbs", "equalised", "none", "pyradiomics"] = Field(
        default="fbn",
        description="fixed bin number, fixed bin size, histogram equalisation, intensities are levels, "
        "or edges at multiples of the width as in PyRadiomics (not in the standard)",
    )
    count: int = Field(default=32, ge=2, le=65535, description="of bins (fbn, equalised)")
    width: float = Field(default=25.0, gt=0, description="of a bin (fbs, pyradiomics)")
    lowest: float | None = Field(
        default=None, description="lower edge of the first bin (fbs); null: the re-segmentation's, else the minimum"
    )


class Normalisation(_Frozen):
    """How intensities without a unit are scaled before anything else: mean 0 and standard deviation ``scale``."""

    over: Literal["image", "brain"] = Field(default="image", description="voxels that are not 0, or all of the image")
    scale: float = Field(default=1.0, gt=0, description="of one standard deviation")
    shift: float = Field(default=0.0, description="added afterwards")


class FilterSettings(BaseModel):
    """One filter: its kind, and what that kind takes (see ``tumorboard.radiomics.filters``)."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str

    @property
    def options(self) -> dict[str, Any]:
        """What was given beside the kind."""
        return dict(self.model_extra or {})


class RadiomicsSettings(_Frozen):
    """Settings of an extraction.

    Examples
    --------
    >>> RadiomicsSettings().texture.count
    32
    """

    name: str = "own"
    source: str = Field(default="", description="where these settings come from")
    normalisation: Normalisation | None = None
    interpolation: Interpolation | None = None
    resegmentation: Resegmentation = Resegmentation()
    texture: Discretisation = Discretisation()
    ivh: Discretisation | None = Field(default=None, description="null: intensities as they are")
    ivh_range: tuple[float, float] | None = Field(default=None, description="that fractions of intensity refer to")
    families: tuple[str, ...] = Field(default=(), description="empty: all")
    ways: tuple[str, ...] = Field(default=("3D_comb", "3D"), description="of aggregation")
    original: bool = Field(default=True, description="whether the image itself is used beside its filtered ones")
    filters: tuple[FilterSettings, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> RadiomicsSettings:
        known = (*BY_DIRECTION, *BY_SLICE)
        wrong = [w for w in self.ways if w not in known]
        if wrong:
            raise ValueError(f"ways among {', '.join(known)}; got {', '.join(wrong)}")
        return self

    def spacing_on(self, own_mm: tuple[float, float, float]) -> tuple[float, float, float]:
        """Return the voxel size of the grid that features of an image are computed on, mm.

        Parameters
        ----------
        own_mm : (float, float, float)
            Of the image.

        Examples
        --------
        >>> RadiomicsSettings(interpolation=Interpolation(spacing_mm=(2.0, 2.0, None))).spacing_on((1.0, 1.0, 3.0))
        (2.0, 2.0, 3.0)
        """
        if self.interpolation is None:
            return own_mm
        i, j, k = (o if w is None else w for o, w in zip(own_mm, self.interpolation.spacing_mm, strict=True))
        return i, j, k


def read_radiomics_settings(path: Path) -> RadiomicsSettings:
    """Read settings from a TOML file.

    Raises
    ------
    InputError
        The file is absent, is no TOML, or holds what is no setting.
    """
    return read_model(path, RadiomicsSettings, "settings of radiomics")
