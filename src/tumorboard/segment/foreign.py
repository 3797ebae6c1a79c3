"""``nnunet`` and ``monai-bundle``: a network that the user brings, as a segmenter.

Why it exists: a model of the field is called like any method of ours, and answers in our classes. A study that lacks a
sequence of the model is refused by the name of that sequence; a region that the model has no output for is unknown.
"""

from __future__ import annotations

from pathlib import Path

from tumorboard.labels import LabelMap
from tumorboard.networks.foreign.model import ForeignModel
from tumorboard.networks.foreign.monai_bundle import read_monai_bundle
from tumorboard.networks.foreign.nnunet import read_nnunet
from tumorboard.segment.base import Card, Segmentation, Validity
from tumorboard.study import Study
from tumorboard.volume import Volume

SHOWN = ("WT", "TC", "ET")
"""Regions that leave as probabilities."""

COARSER = 1.5
"""Voxels that are larger than the model's by this factor are said to be unlike its training."""

LIMITS = "The model was brought by the user; how well it does was not measured here. It wants all of its sequences."


class _ForeignSegmenter:
    """What both kinds share.

    Parameters
    ----------
    model : ForeignModel
        The model, read.
    """

    def __init__(self, model: ForeignModel) -> None:
        self.model = model
        self.card = _card(model)

    def segment(self, study: Study) -> Segmentation:
        """Segment one prepared study.

        Raises
        ------
        SequenceError
            The study lacks a sequence that the model wants; it is named.
        InputError
            The brain mask is empty.
        """
        heads = self.model.heads
        outputs = self.model.probabilities(study)
        maps = {r: heads.probability(r, outputs) for r in SHOWN}
        return Segmentation(
            labels=LabelMap(heads.labels(outputs), study.grid),
            probabilities={r: Volume(m, study.grid) for r, m in maps.items() if m is not None},
            validity=_validity(self.model, study),
            card=self.card,
            not_assessable=heads.not_assessable,
        )


class NnUnetSegmenter(_ForeignSegmenter):
    """A trained-model folder of nnU-Net v2.

    Parameters
    ----------
    folder : Path
        With ``plans.json``, ``dataset.json`` and ``fold_*/checkpoint_final.pth``.
    mirror : bool
        Average over flips as nnU-Net does by default: eight times the time.

    Raises
    ------
    InputError
        See :func:`tumorboard.networks.foreign.nnunet.read_nnunet`.
    """

    def __init__(self, folder: Path, mirror: bool = False) -> None:
        super().__init__(read_nnunet(folder, mirror))


class MonaiBundleSegmenter(_ForeignSegmenter):
    """A MONAI bundle.

    Parameters
    ----------
    folder : Path
        With ``configs/metadata.json``, ``configs/inference.json`` and ``models/model.pt``.

    Raises
    ------
    InputError
        See :func:`tumorboard.networks.foreign.monai_bundle.read_monai_bundle`.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(read_monai_bundle(folder))


def _card(model: ForeignModel) -> Card:
    sequences = ", ".join(model.layout.sequences)
    size = " x ".join(f"{s:g}" for s in model.layout.spacing_mm)
    kind = "classes" if model.heads.exclusive else "regions"
    return Card(
        id=model.id,
        version=model.version,
        title=model.title,
        citation=model.citation,
        method=f"A network that the user brought saw {sequences} at {size} mm in windows of {model.window} voxels; "
        f"its outputs ({kind} {', '.join(model.heads.regions)}) were translated into our classes by name.",
        limits=LIMITS,
        needs_any=model.layout.sequences,
    )


def _validity(model: ForeignModel, study: Study) -> Validity:
    told: list[str] = []
    if max(study.grid.spacing_mm) > COARSER * max(model.layout.spacing_mm):
        told.append("voxels are larger than those the model learned from")
    if "none" in model.layout.normalise:
        told.append("the model takes intensities as they come, and ours are not those of its training")
    return Validity(max(0.0, 1.0 - 0.5 * len(told)), tuple(told))
