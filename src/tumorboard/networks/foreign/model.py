"""A foreign model that has been read: networks, their layout and what their outputs mean.

Why it exists: an nnU-Net folder and a MONAI bundle end in the same thing, and are run by the same lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from tumorboard.networks.foreign.heads import Heads
from tumorboard.networks.foreign.inputs import Layout, Seen
from tumorboard.networks.foreign.window import OverBox
from tumorboard.study import Study

Float = NDArray[np.float32]


@dataclass(frozen=True)
class ForeignModel:
    """A model that the user brought.

    Parameters
    ----------
    id, version, title, citation : str
        For cards; the version is a checksum of the model's files.
    layout : Layout
        How it wants its input.
    heads : Heads
        What its outputs are.
    networks : tuple of Module
        One or several (folds) whose logits are averaged.
    window : (int, int, int)
        Voxels it looks at in one go, along its own axes.
    over_box : callable
        From a network and images (channels, a, b, c) to its logits (outputs, a, b, c), window by window.
    """

    id: str
    version: str
    title: str
    citation: str
    layout: Layout
    heads: Heads
    networks: tuple[nn.Module, ...]
    window: tuple[int, int, int]
    over_box: OverBox

    def logits(self, images: Float) -> Float:
        """Run the networks over (channels, a, b, c) and return the mean of their logits, (outputs, a, b, c)."""
        total: Float | None = None
        for network in self.networks:
            logits = self.over_box(network, images)
            total = logits if total is None else total + logits
        return np.zeros((0, *images.shape[1:]), np.float32) if total is None else total / np.float32(len(self.networks))

    def probabilities(self, study: Study) -> Float:
        """Return the outputs' probabilities on the study's grid, (outputs, i, j, k); background outside the brain.

        Raises
        ------
        SequenceError
            The study lacks a sequence that the model wants; it is named.
        InputError
            The brain mask is empty.
        """
        seen = Seen.of(study, self.layout)
        maps = self.heads.activate(seen.back(self.logits(seen.images)))
        return seen.on_study(maps, self.heads.nothing)
