"""Every enrolled network: shapes of its output, gradients, determinism, and what it shows to explanations."""

import numpy as np
import pytest
import torch

from tumorboard.errors import InputError
from tumorboard.lab.nets import NETS, VIEWS, Build, net_of

SHAPES = {"cube": (17, 15, 13), "slices": (17, 13), "planes": (15, 15), "curve": (23,)}
SLICES = {"slices": (5,), "planes": (3,)}
EACH = [(name, view) for name, net in NETS.items() for view in net.views]


def images(view, channels, rows=3, seed=0):
    shape = (rows, *SLICES.get(view, ()), channels, *SHAPES[view])
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def built(name, view, channels=2, outputs=3, extras=0, seed=0):
    torch.manual_seed(seed)
    return NETS[name](channels, outputs, Build(view=view, width=4, hidden=8, dropout=0.0), extras)


@pytest.mark.parametrize(("name", "view"), EACH)
@pytest.mark.parametrize("channels", [1, 4])
def test_gives_its_outputs_on_odd_sizes(name, view, channels):
    network = built(name, view, channels, extras=2).eval()
    with torch.inference_mode():
        out = network(images(view, channels), torch.ones(3, 2))
    assert out.shape == (3, 3)
    assert torch.isfinite(out).all()


@pytest.mark.parametrize(("name", "view"), EACH)
def test_the_gradient_reaches_every_parameter(name, view):
    network = built(name, view, extras=1)
    out = network(images(view, 2, rows=4), torch.ones(4, 1))
    torch.autograd.backward((out * torch.randn(out.shape, generator=torch.Generator().manual_seed(1))).sum())
    without = [n for n, p in network.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert without == []
    assert [n for n, p in network.named_parameters() if not p.grad.abs().max() > 0] == []


@pytest.mark.parametrize(("name", "view"), EACH)
def test_one_seed_one_network(name, view):
    first, second = built(name, view, seed=5).eval(), built(name, view, seed=5).eval()
    x = images(view, 2)
    with torch.inference_mode():
        assert torch.equal(first(x), second(x))
        other = built(name, view, seed=6).eval()
        assert not torch.equal(first(x), other(x))


@pytest.mark.parametrize(("name", "view"), EACH)
def test_rows_do_not_see_each_other_in_use(name, view):
    network, x = built(name, view).eval(), images(view, 2)
    with torch.inference_mode():
        assert torch.allclose(network(x)[1:2], network(x[1:2]), atol=1e-5)


@pytest.mark.parametrize(("name", "view"), [(n, v) for n, v in EACH if v != "curve"])
def test_the_last_convolution_can_be_listened_to(name, view):
    network, seen = built(name, view).eval(), []
    hook = network.last_conv.register_forward_hook(lambda _m, _i, out: seen.append(out))
    torch.autograd.backward(network(images(view, 2))[:, 0].sum())
    hook.remove()
    assert len(seen) == 1
    assert seen[0].ndim == (5 if view == "cube" else 4)
    assert len(seen[0]) == 3 * {"slices": 5, "planes": 3}.get(view, 1)
    assert not any(getattr(m, "inplace", False) for m in network.modules())


@pytest.mark.parametrize("name", NETS)
def test_stages_hold_every_parameter_once(name):
    network = built(name, NETS[name].views[0])
    inside = [id(p) for stage in network.stages() for p in stage.parameters()]
    assert len(inside) == len(set(inside))
    assert set(inside) == {id(p) for p in network.parameters()}


@pytest.mark.parametrize("name", NETS)
def test_an_entry_says_where_it_comes_from(name):
    net = NETS[name]
    assert net.source
    assert net.recipes
    assert set(net.views) <= set(VIEWS)


def test_extras_change_the_answer_and_may_be_left_out():
    network, x = built("vgg", "cube", extras=2).eval(), images("cube", 2)
    with torch.inference_mode():
        assert torch.equal(network(x), network(x, torch.zeros(3, 2)))
        assert not torch.equal(network(x), network(x, torch.ones(3, 2)))


def test_a_missing_stream_does_not_speak():
    network, x = built("gated", "cube", 3).eval(), images("cube", 3)
    x[:, 1] = 0
    streams = torch.randn(3, 3, network.encoder.joined.says[0].in_features)
    there = torch.tensor([[True, False, True]] * 3)
    weights = network.encoder.joined.weights(streams, there)
    assert torch.allclose(weights.sum(dim=1), torch.ones(3, 8))
    assert not weights[:, 1].any()
    with torch.inference_mode():
        before = network(x)
        for parameter in network.encoder.each[1].parameters():
            parameter.mul_(2.0)
        assert torch.allclose(network(x), before)


def test_no_stream_at_all_still_gives_a_number():
    network = built("gated", "cube", 2).eval()
    with torch.inference_mode():
        assert torch.isfinite(network(torch.zeros(2, 2, 9, 9, 9))).all()


def test_tasks_have_their_own_heads():
    network = built("multitask", "slices", outputs=3)
    assert len(network.heads) == 3
    torch.autograd.backward(network(images("slices", 2))[:, 0].sum())
    assert network.heads[0][0].weight.grad is not None
    assert not network.heads[1][0].weight.grad.any()


def test_attention_sums_to_one():
    network = built("attention_lstm", "curve").eval()
    weights = network.encoder.attention(images("curve", 2))
    assert weights.shape == (3, 23)
    assert torch.allclose(weights.sum(dim=1), torch.ones(3))


def test_the_encoder_of_the_bundle_begins_with_its_weights_and_knows_channels_by_name():
    torch.manual_seed(0)
    swapped = NETS["pretrained"](("FLAIR", "T1C"), 1, Build(flags=False)).eval()
    torch.manual_seed(0)
    usual = NETS["pretrained"](("T1C", "FLAIR"), 1, Build(flags=False)).eval()
    x = torch.randn(1, 2, 32, 32, 32)
    with torch.inference_mode():
        assert torch.allclose(swapped.penultimate(x[:, [1, 0]]), usual.penultimate(x), atol=1e-5)
    with pytest.raises(InputError, match="one of T1, T1C, T2, FLAIR"):
        NETS["pretrained"](("ADC",), 1, Build())


@pytest.mark.parametrize(("name", "view"), [("cnn_lstm", "cube"), ("attention_lstm", "slices")])
def test_a_view_that_a_network_does_not_have_is_refused(name, view):
    with pytest.raises(InputError, match="a view of"):
        NETS[name](1, 1, Build(view=view))


def test_an_unknown_network_proposes_the_nearest():
    with pytest.raises(InputError, match="did you mean 'densenet'"):
        net_of("densnet")
