"""What a network looked at in one patient: its sequences taken away one by one, and a map over its crop.

Why it exists: a network has no columns to weigh. Which sequence the answer rests on is asked by experiment; where it
looked is drawn by Grad-CAM on the very crop it was given, for views that keep a patient's axes.

Sources: Zeiler MD, Fergus R. ECCV 2014:818-833; Selvaraju RR et al. Int J Comput Vis 2020;128:336-359.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError, TumorboardError
from tumorboard.explain.explanation import Drivers

if TYPE_CHECKING:
    from tumorboard.explain.images.asked import Asked
    from tumorboard.lab.apply.explained import Case
    from tumorboard.lab.apply.told import Told
    from tumorboard.report.model import Picture

_DRAWN = ("cube", "slices")
"""Views that keep a patient's axes."""


def sequences_of(case: Case, told: Told) -> Drivers:
    """Return how the network's output changes without each sequence.

    Raises
    ------
    InputError
        It looks at curves, which are no images.
    """
    from tumorboard.explain.images.occlusion import sequence_ablation

    return sequence_ablation(_asked(case, told))


def map_of(case: Case, told: Told) -> Picture | None:
    """Return Grad-CAM over the crop, on the sequence that matters most; None where it cannot be drawn.

    Parameters
    ----------
    case : Case
        Of a network.
    told : Told
        What it says.
    """
    from tumorboard.explain.images.grad_cam import grad_cam
    from tumorboard.explain.pictures import saliency_picture
    from tumorboard.volume import Volume

    learner: Any = case.ready.model.fitted.pipeline.learner
    if case.images is None or case.images.view not in _DRAWN or learner.view_ == "planes":
        return None
    try:
        asked = _asked(case, told)
        found = grad_cam(asked)
        names = [d.column for d in told.why.drivers if d.column in asked.sequences] or list(asked.sequences)
        shown = names[0]
        image = Volume.of(asked.pixels[asked.sequences.index(shown)], np.eye(4))
        return saliency_picture(found, image, _region(case), title=shown, to_scale=False)
    except TumorboardError:
        return None


def _region(case: Case) -> NDArray[np.bool_] | None:
    """Return the region in the crop, as the image lies; None where the crop does not hold it."""
    from tumorboard.lab.explained.answering import pictured

    for step, raw in zip(case.ready.model.fitted.material, case.one.material, strict=True):
        if hasattr(step, "regions"):
            shown = pictured(case.images, step.regions(list(raw.rows))[0], 0)
            return None if shown is None else shown.region
    return None


def _asked(case: Case, told: Told) -> Asked:
    from tumorboard.explain.images.asked import Asked
    from tumorboard.lab.apply.explained import target_of
    from tumorboard.lab.explained.answering import Answering, pictured

    learner: Any = case.ready.model.fitted.pipeline.learner
    shown = pictured(case.images, None, 0)
    if shown is None:
        raise InputError("an image of this row", got="none", where="explanation")
    module = Answering(learner, case.images.view, case.prepared)
    target = target_of(case.ready, told)
    target = 0 if len(case.ready.card.outcome) == 2 and learner.task_.outputs == 1 else target
    return Asked(module, shown.pixels, target, case.images.channels, about=case.about(told))
