"""Slices as a sequence: a convolutional network reads each, a recurrent cell reads them in order.

Why it exists: slices of one tumour belong together, and whole volumes have too many weights for few patients.

Sources: Han L, Kamdar MR, Pac Symp Biocomput 2018;23:331-342 (D4: bidirectional gated units over slices, MGMT); Jang BS
et al., Sci Rep 2018;8:12516 (F6: CNN-LSTM, pseudoprogression).
"""

from __future__ import annotations

from torch import Tensor, nn

from tumorboard.lab.nets.headed import Encoder, slicewise
from tumorboard.lab.nets.plain import Plain
from tumorboard.lab.nets.settings import Build


class OverOrder(Encoder):
    """A VGG-style encoder on each slice, then a recurrent layer.

    Parameters
    ----------
    channels : int
        Of a slice.
    how : Build
        Of the encoder; ``hidden`` units of the cell.
    cell : str
        ``gru``: both directions, averaged over slices (Han). ``lstm``: the state after the last slice (Jang).
    """

    def __init__(self, channels: int, how: Build, cell: str) -> None:
        super().__init__()
        self.inner = Plain(channels, 2, how)
        self.both = cell == "gru"
        make = nn.GRU if self.both else nn.LSTM
        self.cell: nn.GRU | nn.LSTM = make(self.inner.features, how.hidden, batch_first=True, bidirectional=self.both)
        self.features = how.hidden * (2 if self.both else 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return features, shape (rows, features), of images (rows, slices, channels, i, j)."""
        states = self.cell(slicewise(self.inner, images))[0]
        out: Tensor = states.mean(dim=1) if self.both else states[:, -1]
        return out

    @property
    def last_conv(self) -> nn.Module:
        """That of a slice."""
        return self.inner.last_conv

    def stages(self) -> list[nn.Module]:
        """Return the levels of the slices' encoder, then the cell."""
        return [*self.inner.stages(), self.cell]


def recurrent(channels: tuple[str, ...], how: Build, cell: str) -> Encoder:
    """Return the encoder that reads slices in order.

    Examples
    --------
    >>> import torch
    >>> made = recurrent(("T1C",), Build(view="slices", width=4, hidden=6), "gru")
    >>> made(torch.ones(2, 5, 1, 9, 9)).shape
    torch.Size([2, 12])
    """
    return OverOrder(len(channels), how, cell)
