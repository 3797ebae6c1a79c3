"""The house's own network for brain masks: any sequence, with or without skull, with or without tumour.

Why it exists: it learns from digital heads of random contrast, so it needs no T1, no package of others, and its
licence is clean.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.errors import InputError
from tumorboard.networks.bundle import Bundle, read_bundle, shipped
from tumorboard.networks.grid import from_network, to_network
from tumorboard.networks.heads import scaled_head
from tumorboard.networks.runtime import chosen_backend
from tumorboard.networks.sliding import slide
from tumorboard.prepare.brainers.deepbet import largest_part
from tumorboard.volume import Volume


class BrainNetwork:
    """A bundle of the task ``brain``, loaded and ready.

    Parameters
    ----------
    bundle : Bundle
        Trained network of one pass and one channel.
    backend : str
        A way to run it; empty: the fastest that agrees with the reference.
    """

    def __init__(self, bundle: Bundle, backend: str = "") -> None:
        self._step = bundle.metadata.passes[0]
        self._run, self.choice = chosen_backend(bundle.network(self._step.name), (1, *self._step.window), backend)

    def outline(self, volume: Volume, where: str = "") -> NDArray[np.bool_]:
        """Return the brain of a head.

        Parameters
        ----------
        volume : Volume
            Any sequence, orientation and spacing.
        where : str
            Role of the volume, for messages.

        Returns
        -------
        ndarray of bool, shape (i, j, k)
            On the volume's own grid.

        Raises
        ------
        InputError
            Nothing like a brain was found.
        """
        canonical = volume.canonical()
        step, spacing = self._step, canonical.spacing_mm
        image = np.nan_to_num(canonical.data.astype(np.float32))
        scaled = scaled_head(to_network(np.maximum(image, 0), spacing, step.spacing_mm))
        logits = slide(self._run, scaled[None], step.window, 2)
        inside = from_network((logits[1] - logits[0])[None], image.shape, spacing, step.spacing_mm)[0]
        mask = largest_part(inside > 0)
        if not mask.any():
            remedy = "give --brain-mask FILE, or check that this is a head"
            raise InputError("a brain", got="nothing like one", where=where, remedy=remedy)
        solid = np.asarray(ndi.binary_fill_holes(mask), dtype=np.bool_)
        return Volume(solid, canonical.grid).reoriented(volume.grid.axcodes).data


@cache
def shipped_network() -> BrainNetwork:
    """Return the network that comes with the product, loaded once."""
    return BrainNetwork(read_bundle(shipped("brain")))


def outline(volume: Volume, where: str = "") -> NDArray[np.bool_]:
    """Return the brain of a head by the network that comes with the product; see :meth:`BrainNetwork.outline`."""
    return shipped_network().outline(volume, where)
