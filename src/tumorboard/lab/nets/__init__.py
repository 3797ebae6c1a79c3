"""End-to-end networks for recipes: crops of images in, predictions out.

Why it exists: networks of the literature differ in what they look at and how they join it; training, stopping, saving
and explaining are the same for all and stand here once. A network is one line in :data:`NETS`; images enter by the
representation ``network`` and are learned from by the learner ``network``, inside each fold.
"""

from __future__ import annotations

from tumorboard.lab.nets.images import MASK, VIEWS, Images
from tumorboard.lab.nets.learner import ImageNetwork, image_network
from tumorboard.lab.nets.registry import NETS, Net, net_of
from tumorboard.lab.nets.settings import Build, NetworkSet

__all__ = ["MASK", "NETS", "VIEWS", "Build", "ImageNetwork", "Images", "Net", "NetworkSet", "image_network", "net_of"]
