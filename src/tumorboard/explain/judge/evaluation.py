"""One explanation of a network, judged on three grounds: what a computer can check is checked, the rest is named.

Why it exists: explanations are shown without having been evaluated. Functionally grounded tests need no reader and are
made for every map; tests with readers and tests in practice are said not to have been done, until they are.

Source: Doshi-Velez F, Kim B. arXiv:1702.08608 (functionally, human and application grounded).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from numpy.typing import ArrayLike

from tumorboard.explain.images.asked import Asked
from tumorboard.explain.images.saliency import Saliency
from tumorboard.explain.judge.deletion import Faithfulness, deletion_insertion
from tumorboard.explain.judge.inside import locate
from tumorboard.explain.judge.randomise import Explain, Sanity, randomisation_check
from tumorboard.explain.judge.stability import stability

CITES = "Doshi-Velez F, Kim B. arXiv:1702.08608"
NOT_DONE = (
    ("human-grounded", "not done: needs readers who predict the model's answer from its explanation"),
    ("expert-grounded", "not done: needs neuroradiologists who decide with and without it"),
)
"""What no program can do."""
STABLE = 0.5
"""Rank correlation under small noise below which a map is called unstable; chosen."""


@dataclass(frozen=True)
class Evaluation:
    """A map and its tests.

    Parameters
    ----------
    saliency : Saliency
        With its shares by region and every warning of the tests.
    sanity : Sanity
        By randomisation.
    faithfulness : Faithfulness
        By deletion and insertion.
    stability : float
        Under small noise.
    """

    saliency: Saliency
    sanity: Sanity
    faithfulness: Faithfulness
    stability: float

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """Ground and result, in words; what was not done stands among them."""
        done = (
            ("functionally grounded, place", self.saliency.sentence),
            ("functionally grounded, weights", self.sanity.sentence),
            ("functionally grounded, faithfulness", self.faithfulness.sentence),
            ("functionally grounded, stability", f"Rank correlation under small noise: {self.stability:.2f}."),
        )
        return (*done, *NOT_DONE)


def evaluate(
    explain: Explain, asked: Asked, regions: Mapping[str, ArrayLike], field: ArrayLike, *, tumour: str = "WT",
    seed: int = 0,
) -> Evaluation:  # fmt: skip
    """Return a map with all tests that need no reader.

    Parameters
    ----------
    explain : callable
        From a question to a map.
    asked : Asked
        One image.
    regions, field, tumour
        As :func:`~tumorboard.explain.judge.inside.locate`.
    seed : int
        Of random weights, orders and noise.

    Raises
    ------
    InputError
        As the tests it makes.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from tumorboard.explain.images.integrated import integrated_gradients
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))
    >>> found = evaluate(integrated_gradients, Asked(net, np.eye(4)[None] + 1), {"WT": np.eye(4)}, np.ones((4, 4)))
    >>> len(found.lines), found.lines[-1][0]
    (6, 'expert-grounded')
    """
    made = locate(explain(asked), regions, field, tumour=tumour)
    sanity = randomisation_check(explain, asked, seed=seed)
    faithful = deletion_insertion(made, asked, seed=seed)
    stable = stability(explain, asked, seed=seed)
    judged = made.warned(
        "" if sanity.passes else "fails the randomisation check: it does not show what was learned",
        "" if faithful.faithful else "no more faithful than a random order of voxels",
        "" if stable >= STABLE else "unstable: small noise gives another map",
    )
    return Evaluation(judged, sanity, faithful, stable)
