"""Normalisation that keeps channels last: the same values, the layout kept, other normalisations left alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tumorboard.networks.runtime.layout import FEW_VOXELS, KeepingInstanceNorm, keeping_layout

LAST = torch.channels_last_3d


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(1, 16, 12, 16, 10), (2, 5, 16, 8, 9), (1, 32, 4, 5, 4), (1, 3, 1, 1, 2)])
@torch.inference_mode()
def test_it_is_instance_normalisation(shape: tuple[int, ...], affine: bool) -> None:
    torch.manual_seed(0)
    usual = nn.InstanceNorm3d(shape[1], affine=affine)
    if affine:
        nn.init.normal_(usual.weight)
        nn.init.normal_(usual.bias)
    x = (torch.randn(shape) * 3 + 5).contiguous(memory_format=LAST)
    found = KeepingInstanceNorm(usual)(x)
    assert torch.allclose(found, usual(x), atol=1e-4)
    if x[0, 0].numel() >= FEW_VOXELS:
        assert found.is_contiguous(memory_format=LAST)


def test_a_network_keeps_its_weights_by_name_and_shares_them() -> None:
    network = nn.Sequential(nn.Conv3d(1, 4, 3), nn.Sequential(nn.InstanceNorm3d(4, affine=True), nn.ReLU()))
    before = dict(network.named_parameters())
    after = dict(keeping_layout(network).named_parameters())
    assert before.keys() == after.keys()
    assert all(before[name] is after[name] for name in before)


@pytest.mark.parametrize(
    "other", [nn.InstanceNorm3d(4, track_running_stats=True), nn.BatchNorm3d(4), nn.GroupNorm(2, 4)]
)
def test_other_normalisations_stay(other: nn.Module) -> None:
    assert keeping_layout(nn.Sequential(other))[0] is other
