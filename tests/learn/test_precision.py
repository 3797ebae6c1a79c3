"""bfloat16 is learned in where hardware multiplies it and every map is at least as wide as its kernel."""

import pytest
import torch
from torch import nn

from tumorboard.errors import InputError
from tumorboard.learn import precision
from tumorboard.learn.precision import narrowest, reduced

WIDE, NARROW = torch.zeros(1, 2, 8, 8, 8), torch.zeros(1, 2, 2, 8, 8)


def net(kernel=3, **told):
    return nn.Conv3d(2, 2, kernel, padding=kernel // 2, **told)


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(precision, "fast_bfloat16", lambda: True)


@pytest.mark.usefixtures("fast")
def test_auto_follows_the_maps():
    assert reduced("auto", net(), WIDE)
    assert not reduced("auto", net(), NARROW)
    assert not reduced("float32", net(), WIDE)


def test_auto_follows_the_hardware(monkeypatch):
    monkeypatch.setattr(precision, "fast_bfloat16", lambda: False)
    assert not reduced("auto", net(), WIDE)
    assert reduced("bfloat16", net(), WIDE)


def test_narrow_maps_are_refused_where_bfloat16_is_asked_for():
    with pytest.raises(InputError, match="2 voxels under a kernel of 3"):
        reduced("bfloat16", net(), NARROW)


@pytest.mark.parametrize(
    ("layer", "given", "expected"),
    [
        (net(5), WIDE, None),
        (net(5, dilation=2), WIDE, (8, 9)),
        (net(1), NARROW, None),
        (nn.Conv1d(2, 2, 3, padding=1), torch.zeros(1, 2, 2), (2, 3)),
        (nn.Sequential(nn.MaxPool3d(4), net()), WIDE, (2, 3)),
    ],
)
def test_narrowest_map_of_every_layer(layer, given, expected):
    assert narrowest(layer, given) == expected


def test_a_look_leaves_the_network_as_it_was():
    layer = nn.Sequential(net(), nn.BatchNorm3d(2)).train()
    before = {k: v.clone() for k, v in layer.state_dict().items()}
    assert narrowest(layer, WIDE + 3) is None
    assert layer.training
    assert not layer[0]._forward_pre_hooks
    assert all(torch.equal(v, before[k]) for k, v in layer.state_dict().items())


@pytest.mark.usefixtures("fast")
def test_gradients_of_narrow_maps_are_those_of_float32():
    layer, given = net(), torch.rand(4, 2, 2, 8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=reduced("auto", layer, given)):
        loss = layer(given).float().square().mean()
    torch.autograd.backward(loss)
    found = layer.weight.grad.clone()
    layer.zero_grad()
    torch.autograd.backward(layer(given).square().mean())
    assert torch.equal(found, layer.weight.grad)
