"""A stream for each sequence, joined late: by simple fusion, or by gates that weigh sequences for each patient.

Why it exists: sequences differ in what they show and in whether they are there; one that is missing must not speak.

Sources: Ge C et al., IEEE Access 2018;6 (D9: multi-stream CNN and fusion); Arevalo J et al., ICLR workshop 2017,
arXiv:1702.01992 (gated multimodal unit); Ye F et al. 2017 (D22: 3D CNN with that unit, grade).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tumorboard.lab.nets.headed import Encoder, seen_in
from tumorboard.lab.nets.plain import Plain
from tumorboard.lab.nets.settings import Build


class Streams(Encoder):
    """One VGG-style encoder for each channel.

    Parameters
    ----------
    channels, dimensions : int
        Of the images.
    how : Build
        Of each encoder; ``hidden`` units of the fusion.
    gate : bool
        Whether a gate weighs each stream, else features are joined and fused.
    """

    def __init__(self, channels: int, dimensions: int, how: Build, gate: bool) -> None:
        super().__init__()
        self.each = nn.ModuleList(Plain(1, dimensions, how) for _ in range(channels))
        width = self._encoders()[0].features
        self.joined = GatedUnit(channels, width, how.hidden) if gate else Fusion(channels, width, how.hidden)
        self.features = how.hidden

    def forward(self, images: Tensor) -> Tensor:
        """Return fused features, shape (rows, features)."""
        streams = [one(images[:, n : n + 1]) for n, one in enumerate(self._encoders())]
        there = images.flatten(2).ne(0).any(dim=2)  # a channel of zeros was never measured
        fused: Tensor = self.joined(torch.stack(streams, dim=1) * there[:, :, None], there)
        return fused

    @property
    def last_conv(self) -> nn.Module:
        """That of the first sequence's stream."""
        return self._encoders()[0].last_conv

    def stages(self) -> list[nn.Module]:
        """Return the streams, then what joins them."""
        return [self.each, self.joined]

    def _encoders(self) -> list[Plain]:
        return [one for one in self.each if isinstance(one, Plain)]


class Fusion(nn.Module):
    """Join features of streams, and one layer.

    Parameters
    ----------
    streams, width, hidden : int
        How many, their features, and those that leave.
    """

    def __init__(self, streams: int, width: int, hidden: int) -> None:
        super().__init__()
        self.layer = nn.Linear(streams * width, hidden)

    def forward(self, streams: Tensor, _there: Tensor) -> Tensor:
        """Return fused features, shape (rows, hidden), of (rows, streams, width)."""
        return nn.functional.relu(self.layer(streams.flatten(1)))


class GatedUnit(nn.Module):
    """The gated multimodal unit: h = Σ z_m · tanh(W_m x_m), z = softmax over streams of V_m [x_1 … x_k].

    With two streams a softmax is the paper's z and 1 − z. A stream that is missing has z = 0.

    Parameters
    ----------
    streams, width, hidden : int
        How many, their features, and those that leave.
    """

    def __init__(self, streams: int, width: int, hidden: int) -> None:
        super().__init__()
        self.streams, self.hidden = streams, hidden
        self.says = nn.ModuleList(nn.Linear(width, hidden) for _ in range(streams))
        # the gates of a single stream are 1 whatever it says
        self.gates = nn.Linear(streams * width, streams * hidden) if streams > 1 else None

    def forward(self, streams: Tensor, there: Tensor) -> Tensor:
        """Return fused features, shape (rows, hidden), of (rows, streams, width)."""
        said = torch.stack([torch.tanh(one(streams[:, n])) for n, one in enumerate(self.says)], dim=1)
        return (self.weights(streams, there) * said).sum(dim=1)

    def weights(self, streams: Tensor, there: Tensor) -> Tensor:
        """Return the gates, shape (rows, streams, hidden); those of one row and unit sum to 1."""
        if self.gates is None:
            return streams.new_ones((len(streams), 1, self.hidden))
        asked = self.gates(streams.flatten(1)).reshape(-1, self.streams, self.hidden)
        none = ~there.any(dim=1, keepdim=True)
        found: Tensor = asked.float().masked_fill(~(there | none)[:, :, None], -torch.inf).softmax(dim=1)
        return found.to(asked.dtype)


def multistream(channels: tuple[str, ...], how: Build) -> Encoder:
    """Return the encoder of many streams with simple fusion.

    Examples
    --------
    >>> multistream(("T1C", "FLAIR"), Build(view="slices", width=4, hidden=10)).features
    10
    """
    return seen_in(how.view, how.pool, lambda dimensions: Streams(len(channels), dimensions, how, gate=False))


def gated(channels: tuple[str, ...], how: Build) -> Encoder:
    """Return the encoder of many streams with gates.

    Examples
    --------
    >>> gated(("T1C", "FLAIR"), Build(view="cube", width=4, hidden=10)).features
    10
    """
    return seen_in(how.view, how.pool, lambda dimensions: Streams(len(channels), dimensions, how, gate=True))
