"""Explanations of networks against what is known: a network that looks at one corner, sums, captum, lime."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tumorboard.errors import InputError
from tumorboard.explain.catalogue import EXPLAINERS, find_explainer
from tumorboard.explain.explanation import Scope, Stage
from tumorboard.explain.images.adapted import Adapted
from tumorboard.explain.images.asked import Asked
from tumorboard.explain.images.cam import cam
from tumorboard.explain.images.features import last_features
from tumorboard.explain.images.grad_cam import grad_cam
from tumorboard.explain.images.guided import guided_backprop
from tumorboard.explain.images.integrated import integrated_gradients
from tumorboard.explain.images.lime import lime, slic
from tumorboard.explain.images.occlusion import occlusion, sequence_ablation
from tumorboard.explain.images.rise import covers, rise

MAPS = [n for n, e in EXPLAINERS.items() if e.of == "network" and n not in ("cam", "sequence-ablation")]


def share(found, mask):
    return found.positive[mask].sum() / found.positive.sum()


@pytest.mark.parametrize("name", MAPS)
def test_a_network_that_looks_at_one_corner_gets_its_map_there(corner, name):
    asked, mask = corner
    found = EXPLAINERS[name].function(asked)
    assert found.values.shape == asked.space
    assert mask[found.peak]
    # Grad-CAM is the one that cannot know: the weight of a feature is spread over all of its places
    assert share(found, mask) > (2 if name != "grad-cam" else 0.99) * mask.mean()


@pytest.mark.parametrize("name", ["guided-backprop", "integrated-gradients", "occlusion"])
def test_exact_methods_leave_nothing_outside_the_corner(corner, name):
    asked, mask = corner
    found = occlusion(asked, size=1) if name == "occlusion" else EXPLAINERS[name].function(asked)
    assert share(found, mask) == pytest.approx(1)


def test_the_sequence_that_is_used_is_named(corner):
    asked, _ = corner
    assert integrated_gradients(asked).by_sequence == (("FLAIR", 1.0), ("T1", 0.0))
    found = sequence_ablation(asked)
    assert [(d.title, d.effect.value) for d in found.drivers] == [("FLAIR", 1.0), ("T1", 0.0)]
    assert (found.base, found.answer) == (0, 1)
    assert "FLAIR" in found.sentence


class TestClassActivation:
    def test_mean_and_bias_are_the_output(self, pooled):
        bias = float(pooled.network[-1].bias.detach()[pooled.target])
        assert cam(pooled).values.mean() + bias == pytest.approx(pooled.score(), abs=1e-5)

    def test_grad_cam_is_its_positive_part_over_the_number_of_places(self, pooled):
        expected = np.maximum(cam(pooled).values, 0) / np.prod(pooled.space)
        np.testing.assert_allclose(grad_cam(pooled).values, expected, atol=1e-7)

    def test_is_refused_where_it_would_be_wrong(self, dims):
        torch.manual_seed(0)
        conv = nn.Conv2d if dims == 2 else nn.Conv3d
        net = nn.Sequential(conv(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 4**dims, 2))
        with pytest.raises(InputError, match="use Grad-CAM"):
            cam(Asked(net, np.random.default_rng(0).normal(size=(1, *(6,) * dims))))

    def test_a_layer_can_be_named(self, pooled):
        assert last_features(pooled).layer == "3"
        assert last_features(pooled, "0").values.shape == (6, *pooled.space)
        with pytest.raises(InputError, match="part of the network"):
            grad_cam(pooled, "9")

    def test_works_in_place_and_on_frozen_networks(self, dims):
        torch.manual_seed(0)
        conv = nn.Conv2d if dims == 2 else nn.Conv3d
        net = nn.Sequential(nn.ReLU(inplace=True), conv(1, 3, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.LazyLinear(2))
        image = np.random.default_rng(0).normal(size=(1, *(6,) * dims))
        net(torch.zeros(1, 1, *(6,) * dims))
        plain = grad_cam(Asked(net, image)).values
        frozen = grad_cam(Asked(net.requires_grad_(False), image)).values
        np.testing.assert_array_equal(plain, frozen)
        guided_backprop(Asked(net, image))

    def test_of_slices_is_put_back_on_the_grid(self):
        class Slices(nn.Module):
            def __init__(self):
                super().__init__()
                torch.manual_seed(0)
                self.conv, self.head = nn.Conv2d(2, 4, 3, padding=1), nn.Linear(4, 2)

            def forward(self, x, extra=None):
                rows, slices = x.shape[:2]
                found = torch.relu(self.conv(x.flatten(0, 1))).flatten(2).mean(2)
                return self.head(found.reshape(rows, slices, -1).mean(1))

        asked = Asked(Adapted(Slices(), slices=True), np.random.default_rng(0).normal(size=(2, 6, 5, 4)), target=1)
        assert grad_cam(asked).values.shape == (6, 5, 4)
        assert occlusion(asked, 2).values.shape == (6, 5, 4)


class TestAgainstCaptum:
    """Equal numbers from captum 0.9 (Kokhlikyan N et al. arXiv:2009.07896)."""

    def test_integrated_gradients(self, pooled):
        attr = pytest.importorskip("captum.attr")
        other = attr.IntegratedGradients(pooled.network.eval()).attribute(
            pooled.tensor(), target=pooled.target, n_steps=32
        )
        found = integrated_gradients(pooled)
        np.testing.assert_allclose(found.values, other[0].sum(dim=0).numpy(), atol=1e-5)
        assert found.fit.value < 0.05

    def test_guided_backprop(self, pooled):
        attr = pytest.importorskip("captum.attr")
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # captum announces its hooks
            other = attr.GuidedBackprop(pooled.network.eval()).attribute(
                pooled.tensor().requires_grad_(), target=pooled.target
            )
        expected = other[0].detach().abs().sum(dim=0).numpy()
        np.testing.assert_allclose(guided_backprop(pooled).values, expected, atol=1e-6)

    def test_occlusion(self, dims, averaging):
        attr = pytest.importorskip("captum.attr")
        asked = Asked(averaging(dims), np.random.default_rng(0).normal(size=(2, *(6,) * dims)), target=1)
        other = attr.Occlusion(asked.network.eval()).attribute(
            asked.tensor(), (2, *(2,) * dims), strides=(2, *(2,) * dims), target=1
        )
        np.testing.assert_allclose(occlusion(asked, 2, 2).values, other[0, 0].numpy(), atol=1e-5)


class TestPerturbation:
    def linear(self, shape=(3, 8, 8)):
        torch.manual_seed(0)
        return Asked(
            nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), 1)), np.random.default_rng(0).random(shape)
        )

    def pieces(self):
        return np.repeat(np.repeat(np.arange(4).reshape(2, 2), 4, axis=0), 4, axis=1)

    def test_lime_of_a_linear_network_gives_the_sums_of_its_pieces(self):
        asked, pieces = self.linear(), self.pieces()
        weights = asked.network[1].weight.detach().numpy().reshape(3, 8, 8)
        truth = np.bincount(pieces.ravel(), (weights * asked.pixels).sum(axis=0).ravel())
        found = lime(asked, pieces, samples=3000)
        assert [found.values[pieces == p][0] for p in range(4)] == pytest.approx(truth, rel=0.03, abs=0.01)
        assert found.fit.value > 0.99

    def test_lime_agrees_with_the_package_of_its_authors(self):
        lime_image = pytest.importorskip("lime.lime_image")
        asked, pieces = self.linear(), self.pieces()

        def outputs(images):
            score = asked.scores(np.moveaxis(images, -1, 1).astype(np.float32))
            return np.stack([-score, score], axis=1)

        explainer = lime_image.LimeImageExplainer(random_state=0)
        other = explainer.explain_instance(
            np.moveaxis(asked.pixels, 0, -1).astype(float), outputs, labels=(1,), hide_color=0, num_samples=2000,
            segmentation_fn=lambda _: pieces,
        )  # fmt: skip
        told = dict(other.local_exp[1])
        found = lime(asked, pieces, samples=2000)
        assert [found.values[pieces == p][0] for p in range(4)] == pytest.approx([told[p] for p in range(4)], abs=0.02)

    def test_lime_says_when_it_does_not_follow(self):
        class Parity(nn.Module):
            def forward(self, x):
                return torch.cos(np.pi * x.flatten(1).sum(dim=1) / 16)

        asked = Asked(Parity(), np.ones((1, 8, 8)))
        assert "follows only" in lime(asked, self.pieces(), samples=400).warnings[0]

    def test_supervoxels_follow_edges(self, dims):
        image = np.zeros((1, *(16,) * dims), dtype=np.float32)
        image[:, :5] = 10
        made = slic(image, 2**dims)
        mixed = [p for p in np.unique(made) if 0 < (image[0][made == p] > 5).mean() < 1]
        assert not mixed

    def test_rise_finds_the_gradient_of_a_linear_network_in_the_mean(self):
        weights = np.zeros((1, 12, 12), dtype=np.float32)
        weights[0, 2:5, 2:5] = 1.0
        net = nn.Sequential(nn.Flatten(), nn.Linear(144, 1, bias=False))
        net[1].weight.data = torch.from_numpy(weights.reshape(1, -1))
        found = rise(Asked(net, np.ones((1, 12, 12))), masks=600)
        assert np.corrcoef(found.values.ravel(), weights.ravel())[0, 1] > 0.75
        assert abs(found.values[8:, 8:].mean()) < 0.1 * found.values[2:5, 2:5].mean()

    @given(st.integers(4, 17), st.integers(2, 9), st.integers(2, 6))
    @settings(max_examples=15)
    def test_covers_and_blocks_leave_nothing_out(self, side, other, cells):
        made = covers((side, other), 3, cells, 0.5, np.random.default_rng(0))
        assert made.shape == (3, side, other)
        assert made.min() >= 0
        assert made.max() <= 1
        net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        assert np.isfinite(occlusion(Asked(net, np.ones((1, side, other))), 3, 2).values).all()


@pytest.mark.parametrize("name", [*MAPS, "cam"])
def test_networks_are_left_as_they_were(pooled, name):
    network = pooled.network.train()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    find_explainer(name, "network").function(pooled)
    assert all(m.training for m in network.modules())
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())
    assert not any(m._forward_hooks for m in network.modules())


@given(st.floats(-3, 3), st.integers(0, 20))
@settings(max_examples=10)
def test_integrated_gradients_are_linear_in_the_network(factor, seed):
    torch.manual_seed(seed)
    one = nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.Tanh(), nn.Linear(6, 1, bias=False))
    asked = Asked(one, np.random.default_rng(seed).normal(size=(1, 3, 4)))
    before = integrated_gradients(asked).values
    one[3].weight.data *= factor
    np.testing.assert_allclose(integrated_gradients(asked).values, factor * before, atol=1e-5)


@given(st.lists(st.booleans(), min_size=2, max_size=2))
@settings(max_examples=4)
def test_a_mirrored_image_has_the_mirrored_map(flips):
    axes = tuple(i for i, f in enumerate(flips) if f)
    net = nn.Sequential(nn.Conv2d(1, 3, 1), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(3, 1))
    image = np.random.default_rng(0).normal(size=(1, 6, 8))
    turned = np.flip(image, [a + 1 for a in axes])
    for explain in (grad_cam, guided_backprop, integrated_gradients, lambda a: occlusion(a, 2, 1)):
        one, two = explain(Asked(net, image)).values, explain(Asked(net, turned)).values
        np.testing.assert_allclose(np.flip(one, axes), two, atol=1e-6)


class TestCatalogue:
    @pytest.mark.parametrize("name", list(EXPLAINERS))
    def test_each_declares_its_taxonomy_needs_and_source(self, name):
        explainer = EXPLAINERS[name]
        assert isinstance(explainer.scope, Scope)
        assert isinstance(explainer.stage, Stage)
        assert explainer.needs
        assert any(c.isdigit() for c in explainer.cites)
        assert explainer.function.__doc__

    @pytest.mark.parametrize("name", [n for n, e in EXPLAINERS.items() if e.of == "network"])
    def test_what_is_made_says_the_same_as_the_table(self, pooled, name):
        found = EXPLAINERS[name].function(pooled)
        told = EXPLAINERS[name]
        assert (found.method, found.scope, found.stage, found.cites) == (name, told.scope, told.stage, told.cites)

    def test_unknown_and_unfitting_names(self):
        with pytest.raises(InputError, match="did you mean 'grad-cam'"):
            find_explainer("gradcam")
        with pytest.raises(InputError, match="explanation of a table"):
            find_explainer("rise", "table")


def test_questions_are_checked(pooled):
    net = nn.Flatten()
    for image, names in ((np.ones((4, 4)), ()), (np.full((1, 2, 2), np.nan), ()), (np.ones((2, 2, 2)), ("T1",))):
        with pytest.raises(InputError):
            Asked(net, image, sequences=names)
    with pytest.raises(InputError, match="output 7"):
        dataclasses.replace(pooled, target=7).score()


@pytest.mark.parametrize("name", ["resnet18", "multitask"])
def test_networks_of_monai_with_columns_beside(name):
    resnet = pytest.importorskip("monai.networks.nets.resnet")

    class Beside(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.body = resnet.ResNet("basic", [1, 1, 1, 1], [4, 8, 8, 16], n_input_channels=2, feed_forward=False)
            self.head = nn.Linear(17, 2)
            self.own = nn.Sequential(nn.Linear(17, 4), nn.ReLU(), nn.Linear(4, 2))

        def forward(self, x, extra):
            seen = torch.cat([self.body(x), extra], dim=1)
            return self.head(seen) if name == "resnet18" else self.own(seen)

    asked = Asked(Adapted(Beside(), extra=[2.0]), np.random.default_rng(0).normal(size=(2, 24, 24, 24)), target=1)
    assert grad_cam(asked).values.shape == (24, 24, 24)
    if name == "resnet18":
        assert cam(asked).values.shape == (24, 24, 24)
    else:
        with pytest.raises(InputError, match="Grad-CAM"):
            cam(asked)
