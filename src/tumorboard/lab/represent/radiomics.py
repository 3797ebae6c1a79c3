"""Radiomics of every sequence in every region, as the standard defines it.

Why it exists: most published systems are this. Shape is computed once a region; maps with a unit keep it.

Source: Zwanenburg A et al., Radiology 2020;295:328-338 (IBSI); settings as in :mod:`tumorboard.radiomics.presets`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from tumorboard.errors import InputError, TumorboardError
from tumorboard.lab.represent.base import Job
from tumorboard.lab.represent.cache import Made
from tumorboard.lab.represent.rows import ImageSettings, OfImages
from tumorboard.lab.scene import Scene
from tumorboard.radiomics.extract import extract
from tumorboard.radiomics.families import families_of
from tumorboard.radiomics.presets import preset
from tumorboard.radiomics.settings import FilterSettings, Interpolation, RadiomicsSettings
from tumorboard.sequences import Sequence
from tumorboard.volume import Volume

UNITS: dict[Sequence, float] = {
    Sequence.ADC: 1000.0,
    Sequence.FA: 1000.0,
    Sequence.CBV: 100.0,
    Sequence.KTRANS: 1000.0,
    Sequence.PET_FET: 100.0,
    Sequence.PET_MET: 100.0,
    Sequence.CT: 1.0,
}
"""Maps that have a unit, and by what they are multiplied so that bins of width 25 resolve them (chosen)."""

SHAPE = "morphology"
OF_INTENSITY = ("morph_com", "morph_integ_int", "morph_moran_i", "morph_geary_c")
"""The family of shape, and those of its features that need an image."""


class RadiomicsSet(ImageSettings):
    """Settings of :class:`Radiomics`.

    Parameters
    ----------
    preset, maps : str
        Settings by name, for images without a unit and for maps with one.
    families : tuple of str
        Empty: all of the standard.
    filters : tuple of mapping
        Each with its ``kind``, as in a settings file; empty: the preset's.
    spacing_mm : float, optional
        Voxel size of the features, instead of the preset's.
    """

    preset: str = "mri"
    maps: str = "quantitative"
    families: tuple[str, ...] = ()
    filters: tuple[FilterSettings, ...] = ()
    spacing_mm: float | None = Field(default=None, gt=0.3, le=10)


class Radiomics(OfImages[RadiomicsSet]):
    """Features of the image biomarker standard, by sequence and region: ``T1C.ET.original.cm_contrast_3D_comb``."""

    name = "radiomics"
    title = "IBSI radiomics of every sequence in every region"
    source = "Zwanenburg A et al., Radiology 2020;295:328-338"
    settings = RadiomicsSet

    def one(self, scene: Scene, job: Job[RadiomicsSet]) -> Made:
        """Return the features of one unit."""
        return Made(radiomics_of(scene, job.sequences, job.regions, job.settings))


def radiomics_of(
    scene: Scene, sequences: tuple[Sequence, ...], regions: tuple[str, ...], how: RadiomicsSet
) -> dict[str, float]:
    """Return the features of one unit by name; what is missing is noted in the scene.

    Raises
    ------
    InputError
        A preset, family or filter is unknown, or no sequence is asked for.
    """
    out: dict[str, float] = {}
    shaped: set[str] = set()
    for name, image, mask in scene.pairs(sequences, regions):
        kind, region = name.split(".", 1)
        told = settings_for(Sequence(kind), how, shape=region not in shaped)
        if not told.families and how.families:
            continue
        scaled = image.with_data(image.data * UNITS.get(Sequence(kind), 1.0))
        try:
            found = without_intensity(extract(scaled, Volume(mask.astype("uint8"), scene.grid), told).values)
        except TumorboardError as error:
            scene.gaps[name] = str(error)
            continue
        tags = {n: n.split(".", 1)[1] for n in found}
        out |= {f"shape.{region}.{tags[n]}": v for n, v in found.items() if tags[n].startswith("morph_")}
        out |= {f"{name}.{n}": v for n, v in found.items() if not tags[n].startswith("morph_")}
        shaped.add(region)
    return out


def settings_for(sequence: Sequence, how: RadiomicsSet, shape: bool = True) -> RadiomicsSettings:
    """Return the settings of one sequence; shape does not depend on the image, and is wanted once.

    Examples
    --------
    >>> settings_for(Sequence.ADC, RadiomicsSet(families=("glcm",))).name
    'quantitative'
    """
    base = preset(how.maps if sequence in UNITS else how.preset)
    every = [f.name for f in families_of(how.families)]
    families = tuple(f for f in every if shape or f != SHAPE)
    changes: dict[str, Any] = {"families": families}
    if how.filters:
        changes["filters"] = how.filters
    if how.spacing_mm is not None:
        kept = base.interpolation or Interpolation()
        changes["interpolation"] = kept.model_copy(update={"spacing_mm": (how.spacing_mm,) * 3})
    return base.model_copy(update=changes)


def without_intensity(values: Mapping[str, float]) -> dict[str, float]:
    """Return features without those shape features that need an image: they would be those of the first one only.

    Examples
    --------
    >>> without_intensity({"original.morph_volume": 1.0, "original.morph_moran_i": 0.1})
    {'original.morph_volume': 1.0}
    """
    return {n: v for n, v in values.items() if not n.split(".", 1)[1].startswith(OF_INTENSITY)}


def check_radiomics(how: RadiomicsSet) -> None:
    """Refuse settings that name what does not exist, before any image is read.

    Raises
    ------
    InputError
        As :func:`~tumorboard.radiomics.extract.names_of`.
    """
    from tumorboard.radiomics.extract import names_of

    for sequence in (Sequence.T1, Sequence.ADC):
        if not names_of(settings_for(sequence, how)):
            raise InputError("radiomics with at least one feature", got="none", where="radiomics")
