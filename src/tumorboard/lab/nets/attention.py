"""A recurrent network over the points of a curve, with attention: which moments of the bolus decide.

Why it exists: DSC curves say more than their area; attention shows where on the curve the network looked.

Sources: Choi KS et al., Neuro Oncol 2019;21:1197-1209 (D19: attention LSTM on DSC curves, IDH); Bahdanau D et al., ICLR
2015 (additive attention).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tumorboard.lab.nets.headed import Encoder
from tumorboard.lab.nets.settings import Build


class OverTime(Encoder):
    """A bidirectional LSTM whose states are averaged by attention.

    Parameters
    ----------
    channels : int
        Curves of one row.
    hidden : int
        Units of each direction.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.cell = nn.LSTM(channels, hidden, batch_first=True, bidirectional=True)
        self.asks = nn.Linear(2 * hidden, hidden)
        self.scores = nn.Linear(hidden, 1, bias=False)
        self.features = 2 * hidden

    def forward(self, curves: Tensor) -> Tensor:
        """Return features, shape (rows, features), of curves (rows, channels, time)."""
        states = self._states(curves)
        return (self._weights(states)[:, :, None] * states).sum(dim=1)

    def attention(self, curves: Tensor) -> Tensor:
        """Return the weight of each moment, shape (rows, time); those of a row sum to 1."""
        return self._weights(self._states(curves))

    def stages(self) -> list[nn.Module]:
        """Return the cell, then the attention."""
        return [self.cell, nn.ModuleList([self.asks, self.scores])]

    def _states(self, curves: Tensor) -> Tensor:
        states: Tensor = self.cell(curves.transpose(1, 2))[0]
        return states

    def _weights(self, states: Tensor) -> Tensor:
        found: Tensor = self.scores(torch.tanh(self.asks(states)))[:, :, 0].float().softmax(dim=1)
        return found


def attention(channels: tuple[str, ...], how: Build) -> Encoder:
    """Return the encoder of curves.

    Examples
    --------
    >>> made = attention(("DSC.ET",), Build(view="curve", hidden=6))
    >>> made.attention(torch.rand(2, 1, 20)).sum(dim=1).round(decimals=4).tolist()
    [1.0, 1.0]
    """
    return OverTime(len(channels), how.hidden)
