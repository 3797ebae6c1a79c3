"""Several processes that train one network together, each on its own samples: what ``torchrun`` starts.

Why it exists: the same command and settings use one processor, one GPU or all of a machine. Gradients are averaged;
everything else is the same in every process, so nothing needs to be sent.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import distributed, nn


@dataclass(frozen=True)
class Ranks:
    """Which process this is, of how many.

    Parameters
    ----------
    rank, count : int
        From 0; 1 where there is only one.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def average(self, network: nn.Module) -> None:
        """Average the gradients of a network over all processes, in place."""
        if self.count == 1:
            return
        for parameter in network.parameters():
            if parameter.grad is not None:
                distributed.all_reduce(parameter.grad)
                parameter.grad /= self.count

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.count > 1:
            distributed.barrier()


def joined() -> Ranks:
    """Return this process's place among those that ``torchrun`` started; one alone where it did not.

    Examples
    --------
    >>> joined()
    Ranks(rank=0, count=1)
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Ranks()
    if not distributed.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return Ranks(distributed.get_rank(), count)
