"""Settings by name, each with where it comes from.

Why it exists: MRI has no unit, and nobody knows what to set. These are places to begin, not recommendations of a body.
"""

from __future__ import annotations

from tumorboard.errors import InputError
from tumorboard.radiomics.reference import CHEST, DIGITAL
from tumorboard.radiomics.settings import (
    Discretisation,
    FilterSettings,
    Interpolation,
    Normalisation,
    RadiomicsSettings,
    Resegmentation,
)

_LOGS = tuple(FilterSettings.model_validate({"kind": "log", "sigma_mm": s}) for s in (1.0, 2.0, 3.0))
_WAVELET = (FilterSettings.model_validate({"kind": "wavelets", "wavelet": "coif1", "level": 1}),)

_MRI = RadiomicsSettings(
    name="mri",
    source="unverified: common practice for MR images without a unit (brain z-score, 1 mm, 3 standard deviations, "
    "32 bins, merged 3-D matrices); field strength and protocol still move the values",
    normalisation=Normalisation(over="brain", scale=100.0, shift=300.0),
    interpolation=Interpolation(spacing_mm=(1.0, 1.0, 1.0), image="cubic", mask="linear"),
    resegmentation=Resegmentation(sigma=3.0),
    texture=Discretisation(method="fbn", count=32),
)

PRESETS: dict[str, RadiomicsSettings] = {
    s.name: s
    for s in (
        _MRI,
        _MRI.model_copy(update={"name": "mri-filters", "filters": (*_LOGS, *_WAVELET)}),
        RadiomicsSettings(
            name="quantitative",
            source="chosen: maps with a unit (ADC in 1e-6 mm2/s, rCBV x 100) keep it; bins of one width for all",
            interpolation=Interpolation(spacing_mm=(1.0, 1.0, 1.0), image="linear", mask="linear"),
            resegmentation=Resegmentation(low=0.0),
            texture=Discretisation(method="fbs", width=25.0, lowest=0.0),
        ),
        RadiomicsSettings(
            name="plain",
            source="chosen: the image as it is, no interpolation, 32 bins",
            texture=Discretisation(method="fbn", count=32),
        ),
        DIGITAL,
        *CHEST.values(),
    )
}
"""One line enrols another."""


def preset(name: str) -> RadiomicsSettings:
    """Return settings by name.

    Raises
    ------
    InputError
        There are none of that name.

    Examples
    --------
    >>> preset("mri").texture.count
    32
    """
    if name not in PRESETS:
        raise InputError(f"settings among {', '.join(PRESETS)}, or a TOML file", got=repr(name), where="--settings")
    return PRESETS[name]
