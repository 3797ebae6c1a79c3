"""What a model's outputs mean, and how they become our labels.

Why it exists: some models give classes that exclude each other (softmax), some give nested regions (sigmoid). Both end
in one label map of ours and in probabilities of WT, TC and ET. A region that no output tells is ``not_assessable``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import LabelError
from tumorboard.labels import REGIONS, Tissue
from tumorboard.networks.foreign.names import BACKGROUND

Float = NDArray[np.float32]

PAINTED: dict[str, Tissue] = {
    "WT": Tissue.SNFH,
    "SNFH": Tissue.SNFH,
    "TC": Tissue.NETC,
    "NETC": Tissue.NETC,
    "ET": Tissue.ET,
    "RC": Tissue.RC,
}
"""The class that an output paints; of nested regions, later ones over earlier ones (the order of nnU-Net's regions)."""

TOLD_BY: dict[str, tuple[frozenset[str], ...]] = {
    "ET": (frozenset({"ET"}),),
    "NETC": (frozenset({"NETC"}), frozenset({"TC", "ET"})),
    "TC": (frozenset({"TC"}), frozenset({"NETC", "ET"})),
    "SNFH": (frozenset({"SNFH"}), frozenset({"WT", "TC"}), frozenset({"WT", "NETC", "ET"})),
    "WT": (frozenset({"WT"}), frozenset({"SNFH", "TC"}), frozenset({"SNFH", "NETC", "ET"})),
    "RC": (frozenset({"RC"}),),
}
"""Which sets of outputs tell a region; any of them will do."""

UNTOLD = "the model has no output for it"


@dataclass(frozen=True)
class Heads:
    """The outputs of a model, in its order.

    Parameters
    ----------
    regions : tuple of str
        Names of :data:`tumorboard.labels.REGIONS`, or ``"background"``.
    exclusive : bool
        Classes that exclude each other (softmax, largest wins), else regions (sigmoid, above one half).

    Raises
    ------
    LabelError
        Nothing but background; classes without background; a region twice, or background among regions.

    Examples
    --------
    >>> sorted(Heads(("TC", "WT", "ET"), exclusive=False).not_assessable)
    ['RC']
    """

    regions: tuple[str, ...]
    exclusive: bool

    def __post_init__(self) -> None:
        backgrounds = self.regions.count(BACKGROUND)
        twice = not self.exclusive and len(set(self.regions)) < len(self.regions)
        if backgrounds != int(self.exclusive) or twice or len(self.regions) == backgrounds:
            kind = "background and classes" if self.exclusive else "regions, each once and without background"
            raise LabelError(f"outputs that are {kind}", got=", ".join(self.regions) or "none", where="model")

    @property
    def not_assessable(self) -> dict[str, str]:
        """Regions that the outputs do not tell, and why."""
        have = set(self.regions)
        return {r: UNTOLD for r, ways in TOLD_BY.items() if not any(way <= have for way in ways)}

    def activate(self, logits: Float) -> Float:
        """Return probabilities, shape (outputs, i, j, k), of logits of that shape."""
        if not self.exclusive:
            return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), dtype=np.float32)
        powers = np.exp(logits - logits.max(axis=0, keepdims=True))
        return np.asarray(powers / powers.sum(axis=0, keepdims=True), dtype=np.float32)

    @property
    def nothing(self) -> Float:
        """Probabilities of a voxel that the model has not seen, shape (outputs, 1, 1, 1)."""
        values = [float(r == BACKGROUND) for r in self.regions]
        return np.asarray(values, dtype=np.float32)[:, None, None, None]

    def labels(self, probabilities: Float) -> NDArray[np.uint8]:
        """Return our classes, shape (i, j, k), of probabilities (outputs, i, j, k)."""
        if self.exclusive:
            table = np.array([0 if r == BACKGROUND else PAINTED[r] for r in self.regions], dtype=np.uint8)
            return np.asarray(table[probabilities.argmax(axis=0)])
        labels = np.zeros(probabilities.shape[1:], dtype=np.uint8)
        for region, tissue in PAINTED.items():
            if region in self.regions:
                labels[probabilities[self.regions.index(region)] > 0.5] = tissue
        return labels

    def probability(self, region: str, probabilities: Float) -> Float | None:
        """Return the probability of a region, shape (i, j, k); None where no output tells it."""
        if region in self.not_assessable:
            return None
        if self.exclusive:
            told = [n for n, r in enumerate(self.regions) if r != BACKGROUND and PAINTED[r] in REGIONS[region]]
            return np.asarray(np.clip(probabilities[told].sum(axis=0), 0.0, 1.0), dtype=np.float32)
        if region in self.regions:
            return np.asarray(probabilities[self.regions.index(region)])
        told = [n for n, r in enumerate(self.regions) if set(REGIONS[r]) <= set(REGIONS[region])]
        return np.asarray(probabilities[told].max(axis=0), dtype=np.float32)
